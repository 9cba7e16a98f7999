package sshtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// An attack is something that a peer does at a stage, and how the victim must
// end.
type attack struct {
	name  string
	stage Stage
	do    func(p *Peer)
	want  error  // errors.As with its type, if it is one of the types below
	text  string // in the error
	reads bool   // do reads what the victim says
}

func sendAll(p *Peer, msgs ...wire.Message) {
	for _, m := range msgs {
		p.Send(m)
	}
}

func attacks() []attack {
	protocol, bad := &transport.ProtocolError{}, &packet.Error{}
	return []attack{
		{"garbage instead of a version", Connected, func(p *Peer) { p.Raw([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n")); p.CloseWrite() }, nil, "SSH", false},
		{"version without end", Connected, func(p *Peer) { p.Raw(bytes.Repeat([]byte("SSH-2.0-"), 10_000)) }, &transport.VersionError{}, "255 bytes", false},
		{"version 1", Connected, func(p *Peer) { p.Raw([]byte("SSH-1.5-old\r\n")) }, &transport.VersionError{}, "version 2.0", false},
		{"no common algorithm", Identified, func(p *Peer) { p.Kex = []string{"diffie-hellman-group1-sha1"}; p.Send(p.KexInit()) }, &ssh.NegotiationError{}, "key exchange", false},
		{"length beyond all", Identified, func(p *Peer) { p.Raw([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}) }, bad, "bad packet length", false},
		{"length of a gigabyte", Keyed, func(p *Peer) { p.Raw(binary.BigEndian.AppendUint32(nil, 1<<30)); p.Raw(make([]byte, 64)) }, bad, "bad packet length", false},
		{"length of nothing", Keyed, func(p *Peer) { p.Raw(make([]byte, 64)) }, bad, "bad packet length", false},
		{"length of no block", Keyed, func(p *Peer) { p.Raw(append([]byte{0, 0, 0, 17}, make([]byte, 64)...)) }, bad, "bad packet length", false},
		{"wrong tag", Keyed, func(p *Peer) {
			b := p.Sealed([]byte{2, 0, 0, 0, 0})
			b[len(b)-1] ^= 1
			p.Raw(b)
		}, bad, "authentication failed", false},
		{"changed byte", Open, func(p *Peer) {
			b := p.Sealed([]byte{2, 0, 0, 0, 0})
			b[10] ^= 0x80
			p.Raw(b)
		}, bad, "authentication failed", false},
		{"packet said twice", Open, func(p *Peer) {
			b := p.Sealed([]byte{2, 0, 0, 0, 0})
			p.Raw(b)
			p.Raw(b)
		}, bad, "authentication failed", false},
		{"bytes without keys", Open, func(p *Peer) { p.Raw([]byte{0, 0, 0, 12, 10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}) }, bad, "", false},
		{"cut inside a packet", Open, func(p *Peer) {
			b := p.Sealed([]byte{2, 0, 0, 0, 0})
			p.Raw(b[:len(b)-3])
			p.CloseWrite()
		}, &transport.ReadError{}, "", false},
		{"window overrun", Open, func(p *Peer) {
			for range 80 {
				p.Send(&ssh.ChannelData{Recipient: p.Channel(), Data: make([]byte, 32<<10)})
			}
		}, protocol, "whose window has", false},
		{"window beyond its type", Open, func(p *Peer) { p.Send(&ssh.ChannelWindowAdjust{Recipient: p.Channel(), Add: 1<<32 - 1}) }, protocol, "beyond 2³²-1", false},
		{"short exit status", Open, func(p *Peer) {
			b, _ := ssh.Append(nil, &ssh.ChannelRequest{Recipient: p.Channel(), Type: ssh.RequestExitStatus})
			p.SendPacket(b[:len(b)-3])
		}, protocol, "exit_status", false},
		{"list that claims to be long", Open, func(p *Peer) {
			b, _ := ssh.Append(nil, &ssh.GlobalRequest{Name: ssh.GlobalHostKeys})
			p.SendPacket(append(b, 0xff, 0xff, 0xff, 0xff, 1))
		}, protocol, "host_key at byte", false},
		{"key exchanges without end", Open, func(p *Peer) {
			for range 2000 {
				if p.negotiate() != nil || p.exchange() != nil {
					return
				}
			}
		}, protocol, "key exchange after another", true},
		{"data during a key exchange", Open, func(p *Peer) {
			sendAll(p, p.KexInit(), &ssh.ChannelData{Recipient: p.Channel(), Data: []byte("x")})
		}, protocol, "", false},
	}
}

// TestAttacks lets the peer loose on both roles.
func TestAttacks(t *testing.T) {
	for _, v := range victims(t, 0) {
		for _, a := range attacks() {
			t.Run(v.name+"/"+a.name, func(t *testing.T) {
				p, wait := v.begin(t, a.stage)
				p.Reach(a.stage)
				said := make(chan struct{})
				go func() { a.do(p); close(said) }() // stops when all is said or the victim has hung up
				if a.reads {
					<-said
				}
				p.Disconnected()
				p.Close()
				err := wait()
				<-said
				if err == nil || !strings.Contains(err.Error(), a.text) {
					t.Errorf("the victim ended with %v, want %q in it", err, a.text)
				}
				if a.want != nil && !sameType(err, a.want) {
					t.Errorf("the victim ended with %v, want a %T", err, a.want)
				}
			})
		}
	}
}

func sameType(err, want error) bool {
	for err != nil {
		if fmt.Sprintf("%T", err) == fmt.Sprintf("%T", want) {
			return true
		}
		err = errors.Unwrap(err)
	}
	return false
}

// TestStalls has the peer fall silent, or send a byte now and then, at every
// stage before the login.
func TestStalls(t *testing.T) {
	const patience = 60 * time.Millisecond
	s := NewServer(t, func(s *sshserver.Server) {
		s.Transport.Trace = nil
		s.Limits.LoginTimeout = patience
	})
	silence := func(*Peer) {}
	drip := func(p *Peer) {
		for p.Raw([]byte{'x'}) == nil {
			time.Sleep(patience / 10) // the drip's rhythm; nothing waits for it
		}
	}
	for stage := Connected; stage < Authenticated; stage++ {
		for name, do := range map[string]func(*Peer){"silent": silence, "drip": drip} {
			if name == "drip" && stage != Connected {
				continue // bytes that are not a packet end the connection sooner
			}
			t.Run(fmt.Sprintf("server/%v/%s", stage, name), func(t *testing.T) {
				near, far := testkit.Pipe()
				ended := make(chan error, 1)
				go func() { ended <- s.ServeConn(context.Background(), far) }() // stops after patience
				p := NewPeer(t, trace.Client, near)
				p.Reach(stage)
				go do(p) // stops when the victim has hung up
				err := <-ended
				var late *transport.TimeoutError
				if !errors.As(err, &late) || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("ServeConn = %v, want a TimeoutError", err)
				}
			})
			t.Run(fmt.Sprintf("client/%v/%s", stage, name), func(t *testing.T) {
				near, far := testkit.Pipe()
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				ended := make(chan error, 1)
				go func() { // stops after patience
					_, err := sshclient.New(ctx, far, s.Addr, s.ClientConfig())
					ended <- err
				}()
				p := NewPeer(t, trace.Server, near)
				p.HostKey = s.HostKey
				p.Reach(stage)
				go do(p) // stops when the victim has hung up
				if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("New = %v, want context.DeadlineExceeded", err)
				}
			})
		}
	}
}

// TestRogueServer is about what only a server can do to a client.
func TestRogueServer(t *testing.T) {
	v := victims(t, 0)[1]
	t.Run("always another attempt", func(t *testing.T) {
		p, wait := v.begin(t, Open)
		p.Reach(Served)
		for p.Receive(&ssh.UserAuthRequest{}) == nil {
			p.Send(&ssh.UserAuthFailure{Methods: []string{"publickey", "password"}, PartialSuccess: true})
		}
		var refused *sshclient.AuthError
		if err := wait(); !errors.As(err, &refused) || len(refused.Attempts) > 64 {
			t.Errorf("the client ended with %v", err)
		}
	})
	t.Run("banners without end", func(t *testing.T) {
		p, wait := v.begin(t, Open)
		p.Reach(Served)
		for p.Send(&ssh.UserAuthBanner{Message: strings.Repeat("buy! ", 1000)}) == nil {
		}
		if err := wait(); !strings.Contains(err.Error(), "banners") {
			t.Errorf("the client ended with %v", err)
		}
	})
	for _, kind := range []string{ssh.ChannelAgent, ssh.ChannelX11, ssh.ChannelForwardedTCPIP, ssh.ChannelSession} {
		t.Run("opens "+kind, func(t *testing.T) {
			p, wait := v.begin(t, Open)
			p.Reach(Open)
			p.Send(&ssh.ChannelOpen{Type: kind, Sender: 5, Window: 1 << 20, MaxPacket: 1 << 15})
			var refusal ssh.ChannelOpenFailure
			for p.Receive(&refusal) != nil { // the client's own requests come first
			}
			if refusal.Recipient != 5 || refusal.Reason != ssh.AdministrativelyProhibited {
				t.Errorf("answer = %+v", refusal)
			}
			p.Close()
			wait()
		})
	}
}
