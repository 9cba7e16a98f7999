package sshtest

import (
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// FuzzPeer lets a peer say anything to our server and our client, from any
// stage on: the first byte of the input chooses both, and packets follow, each
// behind its length in two bytes. They must neither panic nor hang, and leave
// no goroutine.
func FuzzPeer(f *testing.F) {
	for i, m := range []wire.Message{
		&ssh.ServiceRequest{Service: ssh.ServiceUserAuth},
		&ssh.UserAuthRequest{User: User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: Password},
		&ssh.UserAuthFailure{Methods: []string{"password"}},
		&ssh.ChannelOpen{Type: ssh.ChannelDirectTCPIP, Host: "127.0.0.1", Port: 1, MaxPacket: 1 << 15},
		&ssh.ChannelRequest{Type: ssh.RequestExec, Command: "cat", WantReply: true},
		&ssh.ChannelRequest{Type: ssh.RequestPTY, WantReply: true},
		&ssh.ChannelData{Data: []byte("data")},
		&ssh.ChannelClose{},
	} {
		b, err := ssh.Append(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		for role := range byte(2) {
			f.Add(append([]byte{role | byte(i)<<1, byte(len(b) >> 8), byte(len(b))}, b...))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		v := victims(t, 0)[in[0]&1]
		stage := Stage(in[0]>>1) % (Rekeying + 1)
		p, wait := v.begin(t, stage)
		p.Reach(stage)
		for in = in[1:]; len(in) >= 2; {
			n := min(int(in[0])<<8|int(in[1]), len(in)-2)
			if n > 0 && p.SendPacket(in[2:2+n]) != nil {
				break
			}
			in = in[2+n:]
		}
		p.Close()
		wait()
	})
}
