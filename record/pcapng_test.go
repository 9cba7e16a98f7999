package record

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func items(t testing.TB, file []byte, f func(r *capture.Reader, i capture.Item)) {
	t.Helper()
	r, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for {
		i, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f(r, i)
	}
}

func interfaceNames(t testing.TB, file []byte) (names []string) {
	t.Helper()
	items(t, file, func(_ *capture.Reader, i capture.Item) {
		if i, ok := i.(*capture.Interface); ok {
			names = append(names, i.Name)
		}
	})
	return names
}

// heard is what a reader of the wire hears.
type heard struct {
	conversations []*flow.Conversation
	data          [2]bytes.Buffer
	order         []string // of data and secrets
	notes         []string
}

func (h *heard) Feed(c trace.Chunk) {
	h.data[c.Dir].Write(c.Data)
	if c.Gap != 0 {
		h.notes = append(h.notes, fmt.Sprintf("gap %d", c.Gap))
	}
	h.order = append(h.order, fmt.Sprintf("%v %.20s", c.Dir, c.Data))
}
func (h *heard) Note(n flow.Note) { h.notes = append(h.notes, n.String()) }
func (h *heard) Close()           {}

func hear(t testing.TB, file []byte) *heard {
	t.Helper()
	h := &heard{}
	table := flow.New(flow.Options{Open: func(c *flow.Conversation) flow.Sink {
		h.conversations = append(h.conversations, c)
		return h
	}})
	items(t, file, func(r *capture.Reader, i capture.Item) {
		switch i := i.(type) {
		case *capture.Frame:
			if i.Link != capture.LinkRaw {
				return
			}
			table.Feed(i)
			checkSums(t, i)
		case *capture.Secrets:
			h.order = append(h.order, fmt.Sprintf("%v secret %s", i.Type, bytes.TrimSpace(i.Data)))
		}
	})
	table.Close()
	if s := table.Stats(); s.Malformed+s.Other+s.Fragments > 0 {
		t.Errorf("bad frames: %+v", s)
	}
	for _, c := range h.conversations {
		if n := c.C2S.Retransmitted + c.S2C.Retransmitted + c.C2S.OutOfOrder + c.S2C.OutOfOrder + c.C2S.Missing + c.S2C.Missing; n > 0 || c.Guessed {
			t.Errorf("not as on a perfect network: %+v", c)
		}
	}
	return h
}

// checkSums builds the frame anew from its fields, with computed lengths and
// checksums, and wants the same.
func checkSums(t testing.TB, f *capture.Frame) {
	t.Helper()
	var p link.Packet
	if err := link.Decode(flow.Layer(f.Link), f.Data, &p); err != nil {
		t.Fatalf("frame %d: %v", f.N, err)
	}
	var tcp link.TCP
	if err := wire.Parse(f.Data[p.Transport:], tcp.Over(p.Src.Addr(), p.Dst.Addr()), wire.Dialect{}); err != nil {
		t.Fatalf("frame %d: %v", f.N, err)
	}
	tcp.HeaderLen.Set, tcp.Checksum.Set = false, false
	again, err := link.AppendTCP(nil, p.Src, p.Dst, &tcp)
	if err != nil || !bytes.Equal(again, f.Data) {
		t.Errorf("frame %d is %x, made anew %x, %v", f.N, f.Data, again, err)
	}
}

func TestWire(t *testing.T) {
	for _, addrs := range [][2]string{{"127.0.0.1:50000", "10.0.0.1:2222"}, {"[::1]:50000", "[2001:db8::1]:22"}, {"127.0.0.1:50000", "[2001:db8::1]:22"}} {
		for _, role := range []trace.Role{trace.Client, trace.Server} {
			info := trace.Info{Proto: "ssh", Role: role, Local: tcpAddr(addrs[role]), Remote: tcpAddr(addrs[1-role])}
			var b bytes.Buffer
			r := Pcapng(&b, nil)
			c := r.Open(info)
			var want [2]bytes.Buffer
			for i := range 200 {
				dir := wire.Dir(i % 3 & 1)
				data := bytes.Repeat([]byte{byte(i)}, i*i%5000)
				want[dir].Write(data)
				c.Wire(dir, data)
			}
			c.Close(nil)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			h := hear(t, b.Bytes())
			for dir := range want {
				if !bytes.Equal(h.data[dir].Bytes(), want[dir].Bytes()) {
					t.Errorf("%v, role %d: the stream %v is not what was sent", addrs, role, wire.Dir(dir))
				}
			}
			if len(h.conversations) != 1 || len(h.notes) > 0 {
				t.Errorf("%v: %d conversations, notes %q", addrs, len(h.conversations), h.notes)
			}
			got := [2]string{h.conversations[0].Client.String(), h.conversations[0].Server.String()}
			if mixed := strings.HasPrefix(addrs[0], "127") && strings.HasPrefix(addrs[1], "["); !mixed && got != addrs {
				t.Errorf("addresses %v, want %v", got, addrs)
			}
		}
	}
}

// The frame with the reply, and all behind it, stands behind the secret.
func TestSecretComesFirst(t *testing.T) {
	var b bytes.Buffer
	r := Pcapng(&b, nil)
	c := r.Open(sshInfo())
	c.Wire(s2c, []byte("SSH-2.0-server\r\nKEXINIT"))
	c.Wire(c2s, []byte("SSH-2.0-client\r\nKEXINIT"))
	c.Event(trace.Event{Kind: trace.KexStart})
	c.Wire(s2c, []byte("reply"))
	c.Secret("line 1")
	c.Wire(c2s, []byte("NEWKEYS"))
	c.Event(trace.Event{Kind: trace.KexEnd})
	c.Wire(s2c, []byte("data"))
	c.Event(trace.Event{Kind: trace.KexStart})
	c.Wire(s2c, []byte("second reply"))
	c.Wire(c2s, []byte("crossing"))
	c.Secret("line 2")
	c.Close(nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"SSH secret line 1", "c2s SSH-2.0-client\r\n", "s2c SSH-2.0-server\r\n", "s2c KEXINIT", "c2s KEXINIT", "s2c reply", "c2s NEWKEYS", "s2c data",
		"SSH secret line 2", "s2c second reply", "c2s crossing",
	}
	if got := hear(t, b.Bytes()).order; !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// shared is a buffer that may be read while it is written.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *shared) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

// Frames are not held for ever when no secret comes.
func TestHoldEnds(t *testing.T) {
	written := func(b *shared) int { return hear(t, b.bytes()).data[c2s].Len() }
	tests := []struct {
		name string
		do   func(c trace.Conn)
	}{
		{"the exchange ends", func(c trace.Conn) { c.Event(trace.Event{Kind: trace.KexEnd}) }},
		{"too much", func(c trace.Conn) { c.Wire(s2c, make([]byte, 11000)) }},
		{"too long", func(trace.Conn) { time.Sleep(12 * time.Second) }},
		{"the session ends", func(c trace.Conn) { c.Close(nil) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b shared
				r := Pcapng(&b, &Options{HoldBytes: 10000, HoldTime: 10 * time.Second})
				c := r.Open(sshInfo())
				c.Wire(c2s, []byte("hello"))
				synctest.Wait()
				if n := written(&b); n != 0 {
					t.Errorf("%d bytes are not held", n)
				}
				test.do(c)
				synctest.Wait()
				if n := written(&b); n != 5 {
					t.Errorf("%d of 5 bytes are written", n)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// conversation reports a session with SFTP, a command, a terminal and a
// forwarded connection.
func conversation(t testing.TB, c trace.Conn) {
	t.Helper()
	say := func(dir wire.Dir, m wire.Message) { c.Packet(dir, sshPacket(t, m)) }
	open := func(n uint32, m *ssh.ChannelOpen) {
		m.Sender, m.Window, m.MaxPacket = n, 1<<20, 1<<15
		say(c2s, m)
		say(s2c, &ssh.ChannelOpenConfirmation{Recipient: n, Sender: n, Window: 1 << 20, MaxPacket: 1 << 15})
	}
	c.Packet(c2s, []byte("SSH-2.0-a"))
	c.Packet(s2c, []byte("SSH-2.0-b"))
	c.Wire(c2s, []byte("the wire"))
	c.Secret("a secret")
	say(c2s, &ssh.UserAuthRequest{Method: ssh.MethodPassword, Password: "hunter2"})
	say(s2c, &ssh.UserAuthSuccess{})
	open(0, &ssh.ChannelOpen{Type: ssh.ChannelSession})
	say(c2s, &ssh.ChannelRequest{Recipient: 0, Type: ssh.RequestSubsystem, Subsystem: "sftp"})
	stream := func(m wire.Message) []byte {
		b := sftpPacket(t, m)
		return append([]byte{0, 0, 0, byte(len(b))}, b...)
	}
	say(c2s, &ssh.ChannelData{Recipient: 0, Data: stream(&sftp.Init{Version: 3})})
	say(s2c, &ssh.ChannelData{Recipient: 0, Data: stream(&sftp.VersionReply{Version: 3})})
	open(1, &ssh.ChannelOpen{Type: ssh.ChannelDirectTCPIP, Host: "db.example", Port: 3306})
	say(s2c, &ssh.ChannelData{Recipient: 1, Data: []byte("a greeting")})
	say(c2s, &ssh.ChannelData{Recipient: 1, Data: []byte("a query")})
	open(2, &ssh.ChannelOpen{Type: ssh.ChannelSession})
	say(c2s, &ssh.ChannelRequest{Recipient: 2, Type: ssh.RequestPTY})
	say(c2s, &ssh.ChannelRequest{Recipient: 2, Type: ssh.RequestShell})
	say(c2s, &ssh.ChannelData{Recipient: 2, Data: []byte("typed-secret")})
	c.Close(nil)
}

func TestModes(t *testing.T) {
	tests := []struct {
		mode       Mode
		interfaces string
		wire       bool
	}{
		{Both, "wire|inner:ssh/0 subsystem sftp|inner:ssh/1 direct-tcpip db.example:3306", true},
		{Wire, "wire", true},
		{Inner, "inner:ssh/0 subsystem sftp|inner:ssh/1 direct-tcpip db.example:3306", false},
	}
	for _, test := range tests {
		var b bytes.Buffer
		r := Pcapng(&b, &Options{Mode: test.mode})
		conversation(t, r.Open(sshInfo()))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(interfaceNames(t, b.Bytes()), "|"); got != test.interfaces {
			t.Errorf("mode %d: interfaces %q, want %q", test.mode, got, test.interfaces)
		}
		for text, want := range map[string]bool{
			"the wire": test.wire, "a secret": test.wire, "a query": test.mode != Wire,
			"typed-secret": false, "hunter2": false, // neither typed input nor passwords, in no mode
		} {
			if got := bytes.Contains(b.Bytes(), []byte(text)); got != want {
				t.Errorf("mode %d: contains %q: %v", test.mode, text, got)
			}
		}
	}
}

func TestInnerStreams(t *testing.T) {
	var b bytes.Buffer
	r := Pcapng(&b, &Options{Mode: Inner})
	conversation(t, r.Open(sshInfo()))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var pdus []string
	items(t, b.Bytes(), func(r *capture.Reader, i capture.Item) {
		switch i := i.(type) {
		case *capture.Frame:
			if i.Link != capture.LinkUpperPDU {
				return
			}
			var p link.UpperPDU
			if err := wire.Parse(i.Data, &p, wire.Dialect{}); err != nil {
				t.Fatal(err)
			}
			src, dst := p.Addrs()
			pdus = append(pdus, fmt.Sprintf("%s %v %v %x", p.Dissector(), src, dst, p.Data))
		case *capture.Interface:
			if c, s, ok := ParseCarrier(i.Description); !ok || c.Port() != 50000 || s.Port() != 22 {
				t.Errorf("carrier %q", i.Description)
			}
		}
	})
	want := []string{"sftp 127.0.0.1:50000 127.0.0.1:22 000000050100000003", "sftp 127.0.0.1:22 127.0.0.1:50000 000000050200000003"}
	if !slices.Equal(pdus, want) {
		t.Errorf("got %q, want %q", pdus, want)
	}
	h := hear(t, b.Bytes())
	if h.data[c2s].String() != "a query" || h.data[s2c].String() != "a greeting" || h.conversations[0].Server.Port() != 3306 {
		t.Errorf("forwarded: %q %q to %v", &h.data[c2s], &h.data[s2c], h.conversations[0].Server)
	}
}

// Whatever a peer calls its channels, the file stays good.
func TestHostileLabels(t *testing.T) {
	for _, host := range []string{"", "\x1b[2J", "::1%eth0", "fe80::1%25x", "256.1.1.1", strings.Repeat("x", 5000), "[", "::ffff:1.2.3.4"} {
		var b bytes.Buffer
		r := Pcapng(&b, nil)
		c := r.Open(trace.Info{Proto: "ssh", Local: &net.UnixAddr{Name: "x"}})
		c.Packet(c2s, []byte("SSH-2.0-a"))
		c.Packet(s2c, []byte("SSH-2.0-b"))
		c.Packet(c2s, sshPacket(t, &ssh.ChannelOpen{Type: ssh.ChannelDirectTCPIP, Host: host, Port: 1 << 20, Window: 100, MaxPacket: 100}))
		c.Packet(s2c, sshPacket(t, &ssh.ChannelOpenConfirmation{}))
		c.Packet(c2s, sshPacket(t, &ssh.ChannelData{Data: []byte("x")}))
		c.Close(nil)
		if err := r.Close(); err != nil {
			t.Errorf("%q: %v", host, err)
		}
		if h := hear(t, b.Bytes()); h.data[c2s].String() != "x" {
			t.Errorf("%q: %q", host, &h.data[c2s])
		}
	}
}
