package sshdecode

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

const (
	c2s = wire.C2S
	s2c = wire.S2C
)

// talk makes both streams of a conversation, sealed as a real one.
type talk struct {
	t       testing.TB
	method  string
	alg     packet.Algorithm
	strict  bool
	pieces  []trace.Chunk // of the streams, one for each packet
	plain   []trace.Chunk // the packets
	log     keylog.Secrets
	logText string
	sealer  [2]*packet.Sealer
	session []byte
	init    [2][]byte
	now     time.Time
}

const (
	clientIdent = "SSH-2.0-client"
	serverIdent = "SSH-2.0-server a comment"
)

// suites returns ciphers that go without a MAC, and all others with each MAC,
// as "cipher+mac".
func suites() (list []string) {
	for _, c := range packet.Ciphers() {
		if ssh.IsAEAD(c) {
			list = append(list, c)
			continue
		}
		for _, m := range packet.MACs() {
			list = append(list, c+"+"+m)
		}
	}
	return list
}

func newTalk(t testing.TB, method, suite string, strict bool) *talk {
	x := &talk{t: t, method: method, strict: strict, now: time.Unix(1000, 0)}
	x.alg.Cipher, x.alg.MAC, _ = strings.Cut(suite, "+")
	x.alg.Compression = "none"
	for d := range x.sealer {
		x.sealer[d] = x.seal(packet.Algorithm{}, packet.Keys{}, 0)
	}
	x.line(s2c, serverIdent)
	x.line(c2s, clientIdent)
	x.exchange()
	return x
}

func (x *talk) seal(alg packet.Algorithm, k packet.Keys, seq uint32) *packet.Sealer {
	s, err := packet.NewSealer(alg, k, seq)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

func (x *talk) line(dir wire.Dir, s string) {
	x.add(dir, []byte(s+"\r\n"), []byte(s))
}

func (x *talk) add(dir wire.Dir, sealed, plain []byte) {
	x.now = x.now.Add(time.Millisecond)
	x.pieces = append(x.pieces, trace.Chunk{Dir: dir, Data: sealed, Time: x.now})
	x.plain = append(x.plain, trace.Chunk{Dir: dir, Data: plain, Time: x.now, Packet: true})
}

// say sends messages and returns the packet of the last.
func (x *talk) say(dir wire.Dir, messages ...wire.Message) (payload []byte) {
	x.t.Helper()
	for _, m := range messages {
		var err error
		payload, err = ssh.Append(nil, m)
		if err != nil {
			x.t.Fatal(err)
		}
		b := make([]byte, x.sealer[dir].Size(len(payload)))
		copy(b[packet.HeaderSize:], payload)
		x.add(dir, b[:x.sealer[dir].Seal(b, len(payload))], payload)
	}
	return payload
}

func (x *talk) offer(dir wire.Dir) *ssh.KexInit {
	macs := []string{"hmac-sha2-256"}
	if x.alg.MAC != "" {
		macs = []string{x.alg.MAC}
	}
	m := &ssh.KexInit{
		KexAlgorithms: []string{x.method}, ServerHostKeyAlgorithms: []string{"ssh-ed25519"},
		CiphersC2S: []string{x.alg.Cipher}, CiphersS2C: []string{x.alg.Cipher},
		MACsC2S: macs, MACsS2C: macs,
		CompressionC2S: []string{"none"}, CompressionS2C: []string{"none"},
	}
	if x.strict {
		m.KexAlgorithms = append(m.KexAlgorithms, [2]string{ssh.MarkerStrictClient, ssh.MarkerStrictServer}[dir])
	}
	rand.Read(m.Cookie[:])
	return m
}

// exchange exchanges keys; between stands what is said in the middle of it.
func (x *talk) exchange(between ...func()) {
	x.t.Helper()
	x.init[s2c] = x.say(s2c, x.offer(s2c))
	for _, f := range between {
		f()
	}
	x.init[c2s] = x.say(c2s, x.offer(c2s))
	method, ok := kex.Find(x.method)
	if !ok {
		x.t.Fatalf("no method %s", x.method)
	}
	client, err := method.NewClient()
	if err != nil {
		x.t.Fatal(err)
	}
	server := method.NewServer()
	_, v, err := server.Next(x.say(c2s, client.Start()))
	if err != nil {
		x.t.Fatal(err)
	}
	hostKey := []byte("a host key")
	line := keylog.Line([16]byte(x.init[len(x.pieces)%2][1:17]), v.LogSecret()) // either cookie will do
	x.log.Add([]byte(line))
	x.logText += line + "\n"
	x.say(s2c, server.Reply(hostKey, []byte("a signature")))
	h, err := kex.Hash(method.Hash, &kex.Inputs{
		ClientVersion: []byte(clientIdent), ServerVersion: []byte(serverIdent),
		ClientInit: x.init[c2s], ServerInit: x.init[s2c], HostKey: hostKey, Public: v.Public, K: v.K,
	})
	if err != nil {
		x.t.Fatal(err)
	}
	if x.session == nil {
		x.session = h
	}
	for _, dir := range []wire.Dir{s2c, c2s} {
		x.say(dir, &ssh.NewKeys{})
		k, err := packet.DeriveKeys(method.Hash, v.K, h, x.session, dir, x.alg)
		if err != nil {
			x.t.Fatal(err)
		}
		seq := x.sealer[dir].Seq()
		if x.strict {
			seq = 0
		}
		x.sealer[dir] = x.seal(x.alg, k, seq)
	}
}

// login says what stands between the first keys and the first channel.
func (x *talk) login() {
	x.say(c2s, &ssh.ServiceRequest{Service: ssh.ServiceUserAuth})
	x.say(s2c, &ssh.ServiceAccept{Service: ssh.ServiceUserAuth})
	x.say(c2s, &ssh.UserAuthRequest{User: "u", Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: "hunter2"})
	x.say(s2c, &ssh.UserAuthSuccess{})
}

// open opens a session: the client's channel 5, the server's channel 9.
func (x *talk) open(request *ssh.ChannelRequest) {
	x.say(c2s, &ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 5, Window: 1 << 30, MaxPacket: 1 << 15})
	x.say(s2c, &ssh.ChannelOpenConfirmation{Recipient: 5, Sender: 9, Window: 1 << 30, MaxPacket: 1 << 15})
	request.Recipient, request.WantReply = 9, true
	x.say(c2s, request)
	x.say(s2c, &ssh.ChannelSuccess{Recipient: 5})
}

// seen collects what a decoder emits, as text.
type seen struct {
	lines []string
	inner []string // what inner decoders were fed and how
	n     int64
	text  trace.Text
}

func (s *seen) emit(m *trace.Message) {
	s.n++
	m.N, m.Conn = s.n, 1
	s.lines = append(s.lines, string(s.text.Append(nil, m)))
}

func (s *seen) open(label, path string, _ trace.Emit) trace.Decoder {
	if label == "exec boring" {
		return nil
	}
	s.inner = append(s.inner, "open "+label+" "+path)
	return (*innerSeen)(s)
}

type innerSeen seen

func (s *innerSeen) Feed(c trace.Chunk) {
	s.inner = append(s.inner, fmt.Sprintf("%v gap %d %q", c.Dir, c.Gap, c.Data))
}

func (s *innerSeen) Close() { s.inner = append(s.inner, "close") }

// decode feeds chunks to a decoder.
func decode(x *talk, chunks []trace.Chunk, secrets *keylog.Secrets) *seen {
	s := &seen{}
	o := trace.Options{Emit: s.emit, Inner: s.open}
	if secrets != nil {
		o.Secret = secrets.SSH
	}
	d := New(o)
	for _, c := range chunks {
		c.Data = append([]byte(nil), c.Data...) // the decoder must not keep it
		d.Feed(c)
		clear(c.Data)
	}
	d.Close()
	return s
}

// cut joins the pieces of each direction that follow each other and cuts them
// into pieces of n bytes.
func cut(chunks []trace.Chunk, n int) (out []trace.Chunk) {
	for i := 0; i < len(chunks); {
		c := chunks[i]
		var b []byte
		for ; i < len(chunks) && chunks[i].Dir == c.Dir; i++ {
			b = append(b, chunks[i].Data...)
		}
		for len(b) > 0 {
			k := min(n, len(b))
			out = append(out, trace.Chunk{Dir: c.Dir, Data: b[:k], Time: c.Time})
			b = b[k:]
		}
	}
	return out
}
