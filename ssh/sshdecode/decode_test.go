package sshdecode

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/trace"
)

// names returns the names of the messages in lines, without what they say.
func names(lines []string) (out []string) {
	for _, l := range lines {
		f := strings.Fields(l)
		out = append(out, f[1]+f[3])
	}
	return out
}

func sftpTalk(t testing.TB, method, cipher string, strict bool) *talk {
	x := newTalk(t, method, cipher, strict)
	x.login()
	x.open(&ssh.ChannelRequest{Type: ssh.RequestSubsystem, Subsystem: "sftp"})
	for i := range 3 {
		x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: fmt.Appendf(nil, "ask %d", i)})
		x.say(s2c, &ssh.ChannelData{Recipient: 5, Data: fmt.Appendf(nil, "answer %d", i)})
		x.exchange(func() {
			x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: []byte("crosses the KEXINIT")})
		})
	}
	x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: bytes.Repeat([]byte("x"), 8000)})
	x.say(s2c, &ssh.ChannelClose{Recipient: 5})
	x.say(c2s, &ssh.ChannelClose{Recipient: 9})
	x.say(c2s, &ssh.Disconnect{Reason: ssh.ByApplication, Description: "bye"})
	return x
}

// The streams, in pieces of any size, give the same messages as the packets.
func TestStreamEqualsPackets(t *testing.T) {
	methods := kex.Methods()
	for i, suite := range suites() {
		for j := range 2 { // every method with several suites, every suite with several methods
			method, strict := methods[(i+4*j)%len(methods)].Name, (i+j)%2 == 0
			t.Run(fmt.Sprintf("%s/%s/strict=%v", method, suite, strict), func(t *testing.T) {
				x := sftpTalk(t, method, suite, strict)
				want := decode(x, x.plain, nil)
				if n := len(want.lines); n != len(x.plain) {
					t.Errorf("%d packets gave %d messages", len(x.plain), n)
				}
				got := decode(x, x.pieces, &x.log)
				compare(t, got.lines, want.lines)
				compare(t, got.inner, want.inner)
				pieces := []int{11, 1448}
				if method == "curve25519-sha256" && strict {
					pieces = append(pieces, 1)
				}
				for _, n := range pieces {
					got := decode(x, cut(x.pieces, n), &x.log)
					compare(t, names(got.lines), names(want.lines))
					compare(t, got.inner, want.inner)
				}
			})
		}
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%d:\n got %.300s\nwant %.300s", i, g, w)
			return
		}
	}
}

func TestSession(t *testing.T) {
	x := sftpTalk(t, "curve25519-sha256", "aes128-gcm@openssh.com", true)
	s := decode(x, x.plain, nil)
	all := strings.Join(s.lines, "")
	for _, want := range []string{
		` ← ssh identification identification="SSH-2.0-server a comment"` + "\n",
		` ← ssh SSH_MSG_KEX_ECDH_REPLY `,
		`password=‹masked›`,
		`SSH_MSG_USERAUTH_SUCCESS [1 ms]`,
		` negotiated=curve25519-sha256,ssh-ed25519,aes128-gcm@openssh.com` + "\n",
		`SSH_MSG_CHANNEL_OPEN_CONFIRMATION recipient_channel=5 sender_channel=9 initial_window_size=1073741824 maximum_packet_size=32768 [1 ms]`,
		`SSH_MSG_CHANNEL_SUCCESS recipient_channel=5 [1 ms]`,
		`SSH_MSG_DISCONNECT reason_code=BY_APPLICATION description=bye`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	for _, bad := range []string{"hunter2", "error=", "note="} {
		if strings.Contains(all, bad) {
			t.Errorf("%q in\n%s", bad, all)
		}
	}
	if s.inner[0] != "open subsystem sftp ssh/5" || s.inner[len(s.inner)-1] != "close" || !slices.Contains(s.inner, `c2s gap 0 "ask 0"`) {
		t.Errorf("inner: %.500q", s.inner)
	}
}

func TestLabels(t *testing.T) {
	tests := []struct {
		m    *ssh.ChannelOpen
		want string
	}{
		{&ssh.ChannelOpen{Type: ssh.ChannelDirectTCPIP, Host: "db", Port: 3306}, "direct-tcpip db:3306"},
		{&ssh.ChannelOpen{Type: ssh.ChannelForwardedTCPIP, Host: "::1", Port: 80}, "forwarded-tcpip [::1]:80"},
		{&ssh.ChannelOpen{Type: ssh.ChannelDirectStreamLocal, SocketPath: "/run/x"}, "direct-streamlocal@openssh.com /run/x"},
		{&ssh.ChannelOpen{Type: ssh.ChannelSession}, ""},
		{&ssh.ChannelOpen{Type: ssh.ChannelX11}, "x11"},
	}
	for _, test := range tests {
		if got := Label(test.m); got != test.want {
			t.Errorf("Label(%s) = %q, want %q", test.m.Type, got, test.want)
		}
	}
}

func TestInnerDirection(t *testing.T) {
	x := newTalk(t, "curve25519-sha256", "aes128-gcm@openssh.com", true)
	x.login()
	x.say(s2c, &ssh.ChannelOpen{Type: ssh.ChannelForwardedTCPIP, Sender: 2, Window: 100, MaxPacket: 100, Host: "h", Port: 1})
	x.say(c2s, &ssh.ChannelOpenConfirmation{Recipient: 2, Sender: 3, Window: 100, MaxPacket: 100})
	x.say(s2c, &ssh.ChannelData{Recipient: 3, Data: []byte("from outside")})
	s := decode(x, x.plain, nil)
	if want := []string{"open forwarded-tcpip h:1 ssh/3", `c2s gap 0 "from outside"`, "close"}; !slices.Equal(s.inner, want) {
		t.Errorf("got %q, want %q", s.inner, want)
	}
}

func TestRefusedRequestOpensNothing(t *testing.T) {
	x := newTalk(t, "curve25519-sha256", "aes128-gcm@openssh.com", true)
	x.login()
	x.say(c2s, &ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 5, Window: 100, MaxPacket: 100})
	x.say(s2c, &ssh.ChannelOpenConfirmation{Recipient: 5, Sender: 9, Window: 100, MaxPacket: 100})
	x.say(c2s, &ssh.ChannelRequest{Recipient: 9, Type: ssh.RequestSubsystem, Subsystem: "no", WantReply: true})
	x.say(s2c, &ssh.ChannelFailure{Recipient: 5})
	x.say(c2s, &ssh.ChannelRequest{Recipient: 9, Type: ssh.RequestExec, Command: "true", WantReply: true})
	x.say(s2c, &ssh.ChannelSuccess{Recipient: 5})
	x.say(s2c, &ssh.ChannelData{Recipient: 5, Data: []byte("out")})
	s := decode(x, x.plain, nil)
	if want := []string{"open exec true ssh/5", `s2c gap 0 "out"`, "close"}; !slices.Equal(s.inner, want) {
		t.Errorf("got %q, want %q", s.inner, want)
	}
}

// What a person types, and what could be a credential, is not shown.
func TestSecretsAreMasked(t *testing.T) {
	x := newTalk(t, "curve25519-sha256", "aes128-gcm@openssh.com", true)
	x.say(c2s, &ssh.ServiceRequest{Service: ssh.ServiceUserAuth})
	x.say(c2s, &ssh.UserAuthRequest{User: "u", Method: "gssapi-with-mic", Rest: []byte("topsecret1")})
	x.say(s2c, &ssh.UserAuthFailure{})
	x.say(c2s, &ssh.UserAuthRequest{User: "u", Method: ssh.MethodPublicKey, HasSignature: true, Signature: []byte("topsecret2")})
	x.say(s2c, &ssh.UserAuthFailure{})
	x.say(c2s, &ssh.UserAuthRequest{User: "u", Method: ssh.MethodKbdInt})
	x.say(s2c, &ssh.UserAuthInfoRequest{Prompts: []ssh.Prompt{{Text: "say it"}}})
	x.say(c2s, &ssh.UserAuthInfoResponse{Answers: []string{"topsecret3"}})
	x.say(s2c, &ssh.UserAuthSuccess{})
	x.say(c2s, &ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 5, Window: 100, MaxPacket: 100})
	x.say(s2c, &ssh.ChannelOpenConfirmation{Recipient: 5, Sender: 9, Window: 100, MaxPacket: 100})
	x.say(c2s, &ssh.ChannelRequest{Recipient: 9, Type: ssh.RequestPTY})
	x.say(c2s, &ssh.ChannelRequest{Recipient: 9, Type: ssh.RequestShell})
	x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: []byte("topsecret4")})
	x.say(s2c, &ssh.ChannelData{Recipient: 5, Data: []byte("prompt$")})
	for _, reveal := range []bool{false, true} {
		var out []byte
		text, n := trace.Text{Level: trace.Hex, Reveal: reveal}, int64(0)
		d := New(trace.Options{Emit: func(m *trace.Message) {
			n++
			m.N = n
			out = text.Append(out, m)
			out = trace.JSON{Reveal: reveal}.Append(out, m)
		}, Inner: func(label, _ string, _ trace.Emit) trace.Decoder {
			t.Errorf("an inner decoder is asked for: %s", label)
			return nil
		}})
		for _, c := range x.plain {
			d.Feed(c)
		}
		d.Close()
		for i := 1; i <= 4; i++ {
			secret := fmt.Sprintf("topsecret%d", i)
			shown := bytes.Contains(out, []byte(secret)) || bytes.Contains(out, fmt.Appendf(nil, "%x", secret))
			if shown != reveal {
				t.Errorf("reveal %v: %s shown: %v", reveal, secret, shown)
			}
		}
		if !bytes.Contains(out, []byte("prompt$")) || !bytes.Contains(out, []byte("say it")) {
			t.Error("what the server shows is masked")
		}
	}
}

func TestDetect(t *testing.T) {
	tests := []struct {
		c2s, s2c string
		want     trace.Verdict
	}{
		{"", "", trace.Maybe},
		{"SSH-2.0-x", "", trace.Yes},
		{"", "SSH-2.0-x", trace.Yes},
		{"", "hello\r\nSSH-2.0-x", trace.Yes},
		{"", "hello\r\n", trace.Maybe},
		{"SS", "", trace.Maybe},
		{"GET / HTTP/1.1", "", trace.No},
		{"", "\x4a\x00\x00\x00\x0a8.4.6", trace.No},
	}
	for _, test := range tests {
		if got := Detect([]byte(test.c2s), []byte(test.s2c)); got != test.want {
			t.Errorf("Detect(%q, %q) = %v, want %v", test.c2s, test.s2c, got, test.want)
		}
	}
}

func TestNoSecret(t *testing.T) {
	for _, suite := range suites() {
		x := sftpTalk(t, "mlkem768x25519-sha256", suite, true)
		s := decode(x, cut(x.pieces, 1000), &keylog.Secrets{})
		all := strings.Join(s.lines, "")
		if n := strings.Count(all, "SSH_MSG_"); n != 6 {
			t.Errorf("%s: %d messages without a key:\n%s", suite, n, all)
		}
		if !strings.Contains(all, `SSH_MSG_NEWKEYS note="what follows in this direction cannot be read: no secret for this key exchange"`) {
			t.Errorf("%s: no note:\n%s", suite, all)
		}
		if (strings.Contains(suite, "gcm") || strings.Contains(suite, "-etm")) != strings.Contains(all, " packets=") {
			t.Errorf("%s: packets are not counted:\n%s", suite, all)
		}
		if strings.Count(all, " unread ") != 2 {
			t.Errorf("%s: not told of both directions:\n%s", suite, all)
		}
	}
}

func TestWrongSecret(t *testing.T) {
	for _, suite := range suites() {
		x := sftpTalk(t, "curve25519-sha256", suite, true)
		var wrong keylog.Secrets
		for line := range strings.Lines(x.logText) {
			cookie, _, _ := strings.Cut(line, " ")
			wrong.Add([]byte(cookie + " SHARED_SECRET 0123456789\n"))
		}
		s := decode(x, x.pieces, &wrong)
		all := strings.Join(s.lines, "")
		if n := strings.Count(all, "SSH_MSG_"); n != 6 {
			t.Errorf("%s: %d messages with a wrong key:\n%s", suite, n, all)
		}
		if strings.Count(all, "does not fit") != 2 {
			t.Errorf("%s: no note:\n%s", suite, all)
		}
	}
}

func TestTruncatedAndMidstream(t *testing.T) {
	x := sftpTalk(t, "curve25519-sha256", "chacha20-poly1305@openssh.com", true)
	last := len(x.pieces) - 1
	x.pieces[last].Data = x.pieces[last].Data[:5]
	s := decode(x, x.pieces, &x.log)
	if l := s.lines[len(s.lines)-1]; !strings.Contains(l, "incomplete bytes=5 note=") {
		t.Errorf("last line %s", l)
	}
	mid := slices.Clone(x.pieces[20:])
	mid[0].Gap = -1
	s = decode(x, mid, &x.log)
	if all := strings.Join(s.lines, ""); strings.Contains(all, "SSH_MSG") || !strings.Contains(all, "begins in mid-connection") {
		t.Errorf("mid-stream:\n%s", all)
	}
}
