package ssh

import (
	"testing"

	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

var suite = wiretest.Suite{Registry: Messages, Dialects: Dialects, Words: []string{
	MethodNone, MethodPublicKey, MethodPassword, MethodKbdInt, MethodHostbased,
	GlobalTCPIPForward, GlobalCancelTCPIPForward, GlobalStreamLocalForward, GlobalHostKeys, GlobalKeepalive,
	ChannelSession, ChannelX11, ChannelDirectTCPIP, ChannelForwardedTCPIP, ChannelDirectStreamLocal, ChannelForwardedStreamLocal, ChannelAgent,
	RequestPTY, RequestX11, RequestEnv, RequestShell, RequestExec, RequestSubsystem, RequestWindowChange, RequestXonXoff,
	RequestSignal, RequestExitStatus, RequestExitSignal, RequestBreak, RequestAgent, RequestEOW,
}}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }

// Layouts of the messages that every connection has, from the specifications'
// own tables.
func TestGoldens(t *testing.T) {
	tests := []struct {
		name   string
		m      wire.Message
		layout string
	}{
		{"disconnect", &Disconnect{Reason: ByApplication, Description: "bye"}, `
			01
			0000000b                              # SSH_DISCONNECT_BY_APPLICATION
			00000003 "bye"
			00000000                              # language tag
		`},
		{"kexinit", &KexInit{
			Cookie: [16]byte{0xaa, 15: 0xbb}, KexAlgorithms: []string{"curve25519-sha256", "ext-info-c"}, ServerHostKeyAlgorithms: []string{"ssh-ed25519"},
			CiphersC2S: []string{"aes128-gcm@openssh.com"}, CiphersS2C: []string{"aes128-gcm@openssh.com"}, CompressionC2S: []string{"none"}, CompressionS2C: []string{"none"},
		}, `
			14
			aa00000000000000 00000000000000bb     # cookie
			0000001c "curve25519-sha256,ext-info-c"
			0000000b "ssh-ed25519"
			00000016 "aes128-gcm@openssh.com"
			00000016 "aes128-gcm@openssh.com"
			00000000 00000000                     # MACs
			00000004 "none" 00000004 "none"
			00000000 00000000                     # languages
			00 00000000                           # first_kex_packet_follows, reserved
		`},
		{"ecdh reply", &KexECDHReply{HostKey: []byte{1}, Public: []byte{2, 3}, Signature: []byte{4}}, `1f 00000001 01 00000002 0203 00000001 04`},
		{"ext-info", &ExtInfo{Extensions: []Extension{{"server-sig-algs", []byte("ssh-ed25519")}}}, `
			07
			00000001                              # extensions
			0000000f "server-sig-algs"
			0000000b "ssh-ed25519"
		`},
		{"password", &UserAuthRequest{User: "lark", Service: ServiceConnection, Method: MethodPassword, Password: "chirp"}, `
			32
			00000004 "lark"
			0000000e "ssh-connection"
			00000008 "password"
			00                                    # no change
			00000005 "chirp"
		`},
		{"publickey query", &UserAuthRequest{User: "lark", Service: ServiceConnection, Method: MethodPublicKey, Algorithm: "ssh-ed25519", Key: []byte{1, 2}}, `
			32
			00000004 "lark"
			0000000e "ssh-connection"
			00000009 "publickey"
			00                                    # no signature
			0000000b "ssh-ed25519"
			00000002 0102
		`},
		{"channel open", &ChannelOpen{Type: ChannelDirectTCPIP, Sender: 3, Window: 0x200000, MaxPacket: 0x8000, Host: "db", Port: 3306, OriginatorHost: "127.0.0.1", OriginatorPort: 40001}, `
			5a
			0000000c "direct-tcpip"
			00000003 00200000 00008000            # channel, window, packet
			00000002 "db" 00000cea
			00000009 "127.0.0.1" 00009c41
		`},
		{"pty-req", &ChannelRequest{Recipient: 1, Type: RequestPTY, WantReply: true, PTY: PTY{Term: "xterm", Size: WindowSize{Columns: 80, Rows: 24}, Modes: []byte{0}}}, `
			62
			00000001
			00000007 "pty-req" 01
			00000005 "xterm"
			00000050 00000018 00000000 00000000   # columns, rows, width, height
			00000001 00                           # modes: TTY_OP_END
		`},
		{"exit-status", &ChannelRequest{Recipient: 1, Type: RequestExitStatus, ExitStatus: 7}, `62 00000001 0000000b "exit-status" 00 00000007`},
		{"data", &ChannelData{Recipient: 1, Data: []byte("hi")}, `5e 00000001 00000002 "hi"`},
		{"window adjust", &ChannelWindowAdjust{Recipient: 1, Add: 0x10000}, `5d 00000001 00010000`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wiretest.Golden(t, Messages, wire.Dialect{}, tt.m, tt.layout) })
	}
}
