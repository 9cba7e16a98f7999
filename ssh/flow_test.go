package ssh

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

const (
	c2s = wire.C2S
	s2c = wire.S2C
)

// step is a message that one side sends and the section of the rule that it
// breaks, empty when it breaks none.
type step struct {
	dir    wire.Dir
	m      wire.Message
	breaks string
}

// feed gives one message to the flow and returns what it says, complaints of
// Next before those of Saw.
func feed(t testing.TB, f *Flow, dir wire.Dir, m wire.Message) (Seen, *wire.Entry, error) {
	t.Helper()
	packet, err := Append(nil, m)
	if err != nil {
		t.Fatalf("encode %T: %v", m, err)
	}
	got, entry, nextErr := f.Next(dir, packet)
	if err := Parse(packet, got); err != nil {
		t.Fatalf("decode %T as %T: %v", m, got, err)
	}
	seen, sawErr := f.Saw(dir, got)
	if nextErr != nil {
		return seen, entry, nextErr
	}
	return seen, entry, sawErr
}

func play(t testing.TB, f *Flow, steps ...step) {
	t.Helper()
	for i, s := range steps {
		_, _, err := feed(t, f, s.dir, s.m)
		section := ""
		if e, ok := errors.AsType[*FlowError](err); ok {
			section = e.Section
		}
		if section != s.breaks {
			t.Errorf("step %d, %v %T: complaint %q (%v), want %q", i, s.dir, s.m, section, err, s.breaks)
		}
	}
}

func good(steps ...any) (out []step) {
	for i := 0; i < len(steps); i += 2 {
		out = append(out, step{dir: steps[i].(wire.Dir), m: steps[i+1].(wire.Message)})
	}
	return out
}

func clientInit(kex string) *KexInit {
	return offerOf(kex+","+MarkerExtInfoClient+","+MarkerStrictClient, "h", "aes128-gcm@openssh.com", "", "none")
}

func serverInit(kex string) *KexInit {
	return offerOf(kex+","+MarkerStrictServer, "h", "aes128-gcm@openssh.com", "", "none")
}

func keys(kex string) []step {
	return good(c2s, clientInit(kex), s2c, serverInit(kex), c2s, &KexECDHInit{}, s2c, &KexECDHReply{},
		s2c, &NewKeys{}, c2s, &NewKeys{})
}

func authenticated() []step {
	return append(keys("curve25519-sha256"), good(s2c, &ExtInfo{}, c2s, &ServiceRequest{Service: ServiceUserAuth},
		s2c, &ServiceAccept{}, c2s, &UserAuthRequest{Method: MethodNone}, s2c, &UserAuthFailure{},
		c2s, &UserAuthRequest{Method: MethodPublicKey, HasSignature: true}, s2c, &UserAuthSuccess{})...)
}

func session() []step {
	return append(authenticated(), good(c2s, &ChannelOpen{Type: ChannelSession, Sender: 7, Window: 100, MaxPacket: 50},
		s2c, &ChannelOpenConfirmation{Recipient: 7, Sender: 3, Window: 100, MaxPacket: 50})...)
}

func TestFlowAllows(t *testing.T) {
	wrong := clientInit("curve25519-sha256")
	wrong.ServerHostKeyAlgorithms = []string{"other", "h"}
	wrong.FirstKexPacketFollows = true
	right := clientInit("curve25519-sha256")
	right.FirstKexPacketFollows = true
	tests := map[string][]step{
		"a session": append(session(), good(
			c2s, &ChannelRequest{Recipient: 3, Type: RequestExec, WantReply: true}, s2c, &ChannelSuccess{Recipient: 7},
			s2c, &ChannelData{Recipient: 7, Data: make([]byte, 50)}, s2c, &ChannelExtendedData{Recipient: 7, Data: make([]byte, 50)},
			c2s, &ChannelWindowAdjust{Recipient: 3, Add: 10}, s2c, &ChannelData{Recipient: 7, Data: make([]byte, 10)},
			c2s, &GlobalRequest{Name: GlobalKeepalive, WantReply: true}, s2c, &RequestFailure{},
			s2c, &Ping{}, c2s, &Pong{},
			s2c, &ChannelEOF{Recipient: 7}, s2c, &ChannelRequest{Recipient: 7, Type: RequestExitStatus}, s2c, &ChannelClose{Recipient: 7},
			c2s, &ChannelData{Recipient: 3, Data: make([]byte, 1)}, c2s, &ChannelClose{Recipient: 3},
			c2s, &ChannelOpen{Type: ChannelSession, Sender: 7}, s2c, &ChannelOpenFailure{Recipient: 7}, c2s, &Disconnect{})...),
		"rekeying whose messages cross data": append(session(), good(
			s2c, serverInit("curve25519-sha256"), c2s, &ChannelData{Recipient: 3, Data: []byte("x")}, c2s, clientInit("curve25519-sha256"),
			c2s, &KexECDHInit{}, s2c, &KexECDHReply{}, s2c, &NewKeys{}, s2c, &ChannelData{Recipient: 7, Data: []byte("x")},
			s2c, serverInit("curve25519-sha256"), c2s, &NewKeys{}, c2s, &ChannelData{Recipient: 3, Data: []byte("x")},
			c2s, clientInit("curve25519-sha256"), c2s, &KexECDHInit{}, s2c, &KexECDHReply{}, c2s, &NewKeys{}, s2c, &NewKeys{})...),
		"group exchange": good(c2s, clientInit("diffie-hellman-group-exchange-sha256"), s2c, serverInit("diffie-hellman-group-exchange-sha256"),
			c2s, &KexGexRequest{}, s2c, &KexGexGroup{}, c2s, &KexGexInit{}, s2c, &KexGexReply{}, s2c, &NewKeys{}, c2s, &NewKeys{}),
		"group exchange, old request": good(c2s, clientInit("diffie-hellman-group-exchange-sha256"), s2c, serverInit("diffie-hellman-group-exchange-sha256"),
			c2s, &KexGexRequestOld{}, s2c, &KexGexGroup{}, c2s, &KexGexInit{}, s2c, &KexGexReply{}),
		"Diffie-Hellman": good(c2s, clientInit("diffie-hellman-group14-sha256"), s2c, serverInit("diffie-hellman-group14-sha256"),
			c2s, &KexDHInit{}, s2c, &KexDHReply{}, s2c, &NewKeys{}, c2s, &NewKeys{}),
		"a right guess": good(c2s, right, c2s, &KexECDHInit{}, s2c, serverInit("curve25519-sha256"),
			s2c, &KexECDHReply{}, s2c, &NewKeys{}, c2s, &NewKeys{}),
		"a wrong guess": good(s2c, serverInit("curve25519-sha256"), c2s, wrong, c2s, &KexECDHInit{}, c2s, &KexECDHInit{},
			s2c, &KexECDHReply{}, s2c, &NewKeys{}, c2s, &NewKeys{}),
		"a wrong guess before the other KEXINIT": good(c2s, wrong, c2s, &KexECDHInit{}, s2c, serverInit("curve25519-sha256"), c2s, &KexECDHInit{},
			s2c, &KexECDHReply{}, s2c, &NewKeys{}, c2s, &NewKeys{}),
		"questions and answers": append(keys("mlkem768x25519-sha256"), good(c2s, &ServiceRequest{Service: ServiceUserAuth}, s2c, &UserAuthBanner{},
			c2s, &UserAuthRequest{Method: MethodKbdInt}, s2c, &UserAuthInfoRequest{}, c2s, &UserAuthInfoResponse{},
			s2c, &UserAuthInfoRequest{}, c2s, &UserAuthRequest{Method: MethodPublicKey}, s2c, &UserAuthPKOK{},
			c2s, &UserAuthRequest{Method: MethodPassword}, s2c, &UserAuthPasswdChangeReq{},
			c2s, &UserAuthRequest{Method: MethodPassword, Change: true}, s2c, &UserAuthSuccess{})...),
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) { play(t, new(Flow), steps...) })
	}
}

func TestFlowComplains(t *testing.T) {
	const curve = "curve25519-sha256"
	lenient := clientInit(curve)
	lenient.KexAlgorithms = []string{curve}
	tests := []struct {
		name   string
		before []step
		step   step
	}{
		{"service before keys", nil, step{c2s, &ServiceRequest{}, "RFC 4253 §7.1"}},
		{"NEWKEYS without KEXINIT", nil, step{c2s, &NewKeys{}, "RFC 4253 §7.1"}},
		{"strict: not first", good(c2s, &Ignore{}, c2s, clientInit(curve)), step{s2c, serverInit(curve), "OpenSSH PROTOCOL §1.9"}},
		{"strict: between", good(c2s, clientInit(curve), s2c, serverInit(curve)), step{s2c, &Ignore{}, "OpenSSH PROTOCOL §1.9"}},
		{"method before the other KEXINIT", good(c2s, clientInit(curve)), step{c2s, &KexECDHInit{}, "RFC 4253 §7.1"}},
		{"reply first", good(c2s, clientInit(curve), s2c, serverInit(curve)), step{s2c, &KexECDHReply{}, "RFC 5656 §4"}},
		{"wrong side", good(c2s, clientInit(curve), s2c, serverInit(curve)), step{s2c, &KexECDHInit{}, "RFC 5656 §4"}},
		{"NEWKEYS too early", good(c2s, clientInit(curve), s2c, serverInit(curve), c2s, &KexECDHInit{}), step{c2s, &NewKeys{}, "RFC 4253 §7.3"}},
		{"second KEXINIT", good(c2s, clientInit(curve)), step{c2s, clientInit(curve), "RFC 4253 §7.1"}},
		{"service in a key exchange", good(c2s, lenient, s2c, serverInit(curve)), step{c2s, &ServiceRequest{}, "RFC 4253 §7.1"}},
		{"data in a rekeying", append(session(), good(c2s, clientInit(curve))...), step{c2s, &ChannelData{Recipient: 3}, "RFC 4253 §7.1"}},
		{"reply without key exchange", keys(curve), step{s2c, &UserAuthSuccess{}, "RFC 4253 §10"}},
		{"EXT_INFO nobody asked for", keys(curve), step{c2s, &ExtInfo{}, "RFC 8308 §2.2"}},
		{"EXT_INFO late", authenticated(), step{s2c, &ExtInfo{}, "RFC 8308 §2.4"}},
		{"accept without request", keys(curve), step{s2c, &ServiceAccept{}, "RFC 4253 §10"}},
		{"user before service", keys(curve), step{c2s, &UserAuthRequest{}, "RFC 4253 §10"}},
		{"failure without request", append(keys(curve), good(c2s, &ServiceRequest{Service: ServiceUserAuth})...), step{s2c, &UserAuthFailure{}, "RFC 4252 §5"}},
		{"client lets itself in", authenticated(), step{c2s, &UserAuthSuccess{}, "RFC 4252 §5.1"}},
		{"success twice", authenticated(), step{s2c, &UserAuthSuccess{}, "RFC 4252 §5.1"}},
		{"channel before login", keys(curve), step{c2s, &ChannelOpen{Type: ChannelSession}, "RFC 4252 §6"}},
		{"server opens a session", authenticated(), step{s2c, &ChannelOpen{Type: ChannelSession}, "RFC 4254 §6.1"}},
		{"number in use", session(), step{c2s, &ChannelOpen{Type: ChannelSession, Sender: 7}, "RFC 4254 §5.1"}},
		{"confirmation of nothing", session(), step{s2c, &ChannelOpenConfirmation{Recipient: 7}, "RFC 4254 §5.1"}},
		{"own confirmation", append(authenticated(), good(c2s, &ChannelOpen{Type: ChannelSession, Sender: 1})...), step{c2s, &ChannelOpenConfirmation{Recipient: 1}, "RFC 4254 §5.1"}},
		{"unknown channel", session(), step{c2s, &ChannelData{Recipient: 7}, "RFC 4254 §5"}},
		{"window", session(), step{c2s, &ChannelData{Recipient: 3, Data: make([]byte, 51)}, "RFC 4254 §5.2"}},
		{"window overflow", session(), step{c2s, &ChannelWindowAdjust{Recipient: 3, Add: 1<<32 - 1}, "RFC 4254 §5.2"}},
		{"data after EOF", append(session(), good(c2s, &ChannelEOF{Recipient: 3})...), step{c2s, &ChannelData{Recipient: 3}, "RFC 4254 §5.3"}},
		{"after CLOSE", append(session(), good(c2s, &ChannelClose{Recipient: 3})...), step{c2s, &ChannelClose{Recipient: 3}, "RFC 4254 §5.3"}},
		{"success of nothing", session(), step{s2c, &ChannelSuccess{Recipient: 7}, "RFC 4254 §5.4"}},
		{"global reply", session(), step{s2c, &RequestSuccess{}, "RFC 4254 §4"}},
		{"pong", session(), step{s2c, &Pong{}, "OpenSSH PROTOCOL §1.8"}},
		{"after DISCONNECT", append(session(), good(c2s, &Disconnect{})...), step{c2s, &Ignore{}, "RFC 4253 §11.1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { play(t, new(Flow), append(test.before, test.step)...) })
	}
}

func TestFlowPairs(t *testing.T) {
	f := new(Flow)
	play(t, f, session()...)
	want := func(dir wire.Dir, m wire.Message, answers uint64, asks bool) uint64 {
		t.Helper()
		seen, _, err := feed(t, f, dir, m)
		if err != nil || seen.Answers != answers || seen.Asks != asks {
			t.Errorf("%T: %+v, %v, want answers %d, asks %v", m, seen, err, answers, asks)
		}
		return seen.Ordinal
	}
	first := want(c2s, &ChannelRequest{Recipient: 3, Type: RequestPTY, WantReply: true}, 0, true)
	second := want(c2s, &ChannelRequest{Recipient: 3, Type: RequestShell, WantReply: true}, 0, true)
	global := want(c2s, &GlobalRequest{Name: "x", WantReply: true}, 0, true)
	want(s2c, &ChannelSuccess{Recipient: 7}, first, false)
	want(s2c, &RequestSuccess{}, global, false)
	want(s2c, &ChannelFailure{Recipient: 7}, second, false)
	want(c2s, &ChannelRequest{Recipient: 3, Type: RequestEnv}, 0, false)
	ping := want(c2s, &Ping{}, 0, true)
	want(s2c, &Pong{}, ping, false)
	if c, ok := f.Channel(c2s, 3); !ok || c.Numbers != [2]uint32{7, 3} || c.Type != ChannelSession || !c.Open {
		t.Errorf("Channel = %+v, %v", c, ok)
	}
	closed := want(s2c, &ChannelClose{Recipient: 7}, 0, true)
	want(c2s, &ChannelClose{Recipient: 3}, closed, false)
	if c, ok := f.Channel(c2s, 3); ok {
		t.Errorf("after both CLOSEs: Channel = %+v", c)
	}
}

func TestFlowPairsKexAndAuth(t *testing.T) {
	f := new(Flow)
	var got []string
	for _, s := range append(authenticated(), good(c2s, &ChannelOpen{Sender: 1, Type: "session"}, s2c, &ChannelOpenConfirmation{Recipient: 1})...) {
		seen, e, err := feed(t, f, s.dir, s.m)
		if err != nil {
			t.Fatal(err)
		}
		if seen.Answers != 0 {
			got = append(got, fmt.Sprintf("%s %d->%d", e.Name, seen.Ordinal, seen.Answers))
		}
	}
	want := []string{
		"SSH_MSG_KEX_ECDH_REPLY 4->3", "SSH_MSG_SERVICE_ACCEPT 9->8", "SSH_MSG_USERAUTH_FAILURE 11->10",
		"SSH_MSG_USERAUTH_SUCCESS 13->12", "SSH_MSG_CHANNEL_OPEN_CONFIRMATION 15->14",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if alg, err := f.Algorithms(); err != nil || alg.Kex != "curve25519-sha256" || !f.Strict() || !f.Authenticated() {
		t.Errorf("Algorithms = %+v, %v; Strict %v, Authenticated %v", alg, err, f.Strict(), f.Authenticated())
	}
}

func TestFlowIsBounded(t *testing.T) {
	f := new(Flow)
	play(t, f, authenticated()...)
	for i := range 3 * maxFlowChannels {
		if _, err := f.Saw(c2s, &ChannelOpen{Type: ChannelSession, Sender: uint32(i)}); err != nil {
			t.Fatal(err)
		}
		f.Saw(c2s, &GlobalRequest{WantReply: true})
		f.Saw(c2s, &ServiceRequest{})
		f.Saw(c2s, &Ping{})
	}
	if n := len(f.conn.channels); n > 2*maxFlowChannels {
		t.Errorf("%d channels are kept", n)
	}
	for name, n := range map[string]int{"globals": len(f.conn.globals[c2s].queue), "service": len(f.service.queue), "pings": len(f.side[c2s].pings.queue)} {
		if n > maxPending {
			t.Errorf("%d %s are kept", n, name)
		}
	}
	play(t, f, good(c2s, &ChannelData{Recipient: 1 << 30}, s2c, &RequestSuccess{})...) // no rule once it lost track
}

// FuzzFlow feeds packets, each behind a byte for direction and a byte for its
// length, and then wants the Flow to follow a good session as ever.
func FuzzFlow(f *testing.F) {
	var seed []byte
	for _, s := range session() {
		if p, err := Append(nil, s.m); err == nil && len(p) < 256 {
			seed = append(append(seed, byte(s.dir), byte(len(p))), p...)
		}
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var flow Flow
		for len(b) >= 2 {
			dir, n := wire.Dir(b[0]&1), min(int(b[1]), len(b)-2)
			packet := b[2 : 2+n]
			b = b[2+n:]
			m, e, _ := flow.Next(dir, packet)
			if m == nil {
				t.Fatalf("Next(%v, %x) returned no message", dir, packet)
			}
			if e != nil && e.Number != packet[0] {
				t.Fatalf("Next(%v, %x) returned the entry %s", dir, packet, e.Name)
			}
			Messages.Describe(packet, m, wire.Dialect{}) //nolint:errcheck // broken packets are fed as far as they go
			before := flow.seen
			if seen, _ := flow.Saw(dir, m); seen.Ordinal != before+1 || seen.Answers >= seen.Ordinal {
				t.Fatalf("Saw returned %+v after %d", seen, before)
			}
		}
	})
}
