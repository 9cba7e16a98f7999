package transport

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// peer is the other side of a connection under test, which does what its
// script says: step by step what a good peer does, or anything else.
type peer struct {
	t      testing.TB
	role   trace.Role // the peer's
	nc     net.Conn
	p      *packet.Packetizer
	signer keys.Signer

	version        string
	ours, theirs   []byte // identification lines
	oursI, theirsI []byte // KEXINITs
	init           ssh.KexInit
	sessionID      []byte
	strict         bool
	first          bool
	alg            ssh.Algorithms
	h              []byte

	wait sync.WaitGroup // what the script does beside itself
}

// outcome is how a connection under test ended.
type outcome struct {
	c   *Conn
	err error
}

// against starts a connection of the given role and returns its scripted peer.
func against(t testing.TB, role trace.Role, cfg Config) (*peer, <-chan outcome) {
	t.Helper()
	cn, sn := testkit.Pipe()
	ours, theirs := cn, sn
	if role == trace.Server {
		ours, theirs = sn, cn
	}
	out := make(chan outcome, 1)
	signer := hostKey(t)
	go func() { // stops when the handshake is over
		var o outcome
		if role == trace.Client {
			o.c, o.err = Client(context.Background(), ours, &ClientConfig{
				Config:  cfg,
				HostKey: func(context.Context, HostKey) error { return nil },
			})
		} else {
			o.c, o.err = Server(context.Background(), ours, &ServerConfig{Config: cfg, HostKeys: []keys.Signer{signer}})
		}
		out <- o
	}()
	p := &peer{t: t, role: 1 - role, nc: theirs, p: packet.NewPacketizer(theirs), signer: signer, version: "SSH-2.0-Evil", first: true}
	p.init = p.offer()
	t.Cleanup(func() { theirs.Close() })
	return p, out
}

func (p *peer) offer() ssh.KexInit {
	d := Defaults()
	markers := []string{ssh.MarkerStrictClient, ssh.MarkerExtInfoClient}
	if p.role == trace.Server {
		markers = []string{ssh.MarkerStrictServer, ssh.MarkerExtInfoServer}
	}
	return ssh.KexInit{
		KexAlgorithms:           append(slices.Clone(d.Kex), markers...),
		ServerHostKeyAlgorithms: []string{"ssh-ed25519"},
		CiphersC2S:              d.Ciphers, CiphersS2C: d.Ciphers,
		MACsC2S: []string{"hmac-sha2-256"}, MACsS2C: []string{"hmac-sha2-256"},
		CompressionC2S: d.Compression, CompressionS2C: d.Compression,
	}
}

// raw writes bytes as they are. That the other side is gone is not an error.
func (p *peer) raw(b string) { _, _ = p.nc.Write([]byte(b)) }

func (p *peer) send(ms ...wire.Message) {
	p.t.Helper()
	for _, m := range ms {
		b, err := ssh.Append(nil, m)
		if err != nil {
			p.t.Fatal(err)
		}
		p.sendRaw(b)
	}
}

func (p *peer) sendRaw(payload []byte) { _ = p.p.SendMessage(payload) }

// read returns the next packet, or nil when the connection has ended.
func (p *peer) read() []byte {
	b, err := p.p.ReadMessage()
	if err != nil {
		return nil
	}
	return bytes.Clone(b)
}

// expect reads packets until one has the given number; those before it must
// have one of the allowed ones.
func (p *peer) expect(why string, number byte, allowed ...byte) []byte {
	p.t.Helper()
	for {
		b := p.read()
		switch {
		case b == nil:
			p.t.Fatalf("%s: the connection ended, want message %d", why, number)
		case b[0] == number:
			return b
		case b[0] == 1:
			var m ssh.Disconnect
			_ = ssh.Parse(b, &m)
			p.t.Fatalf("%s: disconnected with %v %q, want message %d", why, m.Reason, m.Description, number)
		case !slices.Contains(allowed, b[0]):
			p.t.Fatalf("%s: got message %d, want %d", why, b[0], number)
		}
	}
}

// farewell reads until the end and returns the reason of the disconnect, 0
// when there was none.
func (p *peer) farewell() ssh.DisconnectReason {
	var reason ssh.DisconnectReason
	for {
		b := p.read()
		if b == nil {
			return reason
		}
		var m ssh.Disconnect
		if b[0] == 1 && ssh.Parse(b, &m) == nil {
			reason = m.Reason
		}
	}
}

func (p *peer) hello() {
	p.t.Helper()
	p.ours = []byte(p.version)
	p.raw(p.version + "\r\n")
	line, err := p.p.ReadLine(255)
	if err != nil {
		p.t.Fatalf("identification: %v", err)
	}
	p.theirs = bytes.Clone(line)
}

func (p *peer) sendKexInit() {
	p.t.Helper()
	_, _ = rand.Read(p.init.Cookie[:])
	b, err := ssh.Append(nil, &p.init)
	if err != nil {
		p.t.Fatal(err)
	}
	p.oursI = b
	p.sendRaw(b)
}

func (p *peer) readKexInit(allowed ...byte) *ssh.KexInit {
	p.t.Helper()
	p.theirsI = p.expect("KEXINIT", 20, allowed...)
	var theirs ssh.KexInit
	if err := ssh.Parse(p.theirsI, &theirs); err != nil {
		p.t.Fatal(err)
	}
	client, server := &p.init, &theirs
	if p.role == trace.Server {
		client, server = server, client
	}
	var err error
	if p.alg, err = ssh.Negotiate(client, server); err != nil {
		p.t.Fatal(err)
	}
	if p.first {
		p.strict = ssh.StrictKex(client, server)
	}
	return &theirs
}

// method does the messages of the key exchange up to, but without, NEWKEYS.
func (p *peer) method(allowed ...byte) *kex.Values {
	p.t.Helper()
	m, _ := kex.Find(p.alg.Kex)
	if p.role == trace.Client {
		c, err := m.NewClient()
		if err != nil {
			p.t.Fatal(err)
		}
		p.send(c.Start())
		_, v, err := c.Next(p.expect("key exchange reply", 31, allowed...))
		if err != nil {
			p.t.Fatal(err)
		}
		p.hash(m, v, v.HostKey)
		key, err := keys.ParsePublic(v.HostKey)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := keys.Verify(key, p.alg.HostKey, p.h, v.Signature); err != nil {
			p.t.Fatal(err)
		}
		return v
	}
	s := m.NewServer()
	_, v, err := s.Next(p.expect("key exchange request", 30, allowed...))
	if err != nil {
		p.t.Fatal(err)
	}
	blob := p.signer.PublicKey().Marshal()
	p.hash(m, v, blob)
	sig, err := keys.Sign(rand.Reader, p.signer, p.alg.HostKey, p.h)
	if err != nil {
		p.t.Fatal(err)
	}
	p.send(s.Reply(blob, sig))
	return v
}

func (p *peer) hash(m kex.Method, v *kex.Values, blob []byte) {
	p.t.Helper()
	in := &kex.Inputs{
		ClientVersion: p.ours, ServerVersion: p.theirs, ClientInit: p.oursI, ServerInit: p.theirsI,
		HostKey: blob, Public: v.Public, K: v.K,
	}
	if p.role == trace.Server {
		in.ClientVersion, in.ServerVersion, in.ClientInit, in.ServerInit = p.theirs, p.ours, p.theirsI, p.oursI
	}
	var err error
	if p.h, err = kex.Hash(m.Hash, in); err != nil {
		p.t.Fatal(err)
	}
	if p.first {
		p.sessionID = p.h
	}
}

func (p *peer) keys(v *kex.Values, dir wire.Dir) (packet.Algorithm, packet.Keys) {
	p.t.Helper()
	alg := p.alg.C2S
	if dir == wire.S2C {
		alg = p.alg.S2C
	}
	m, _ := kex.Find(p.alg.Kex)
	k, err := packet.DeriveKeys(m.Hash, v.K, p.h, p.sessionID, dir, alg)
	if err != nil {
		p.t.Fatal(err)
	}
	return alg, k
}

// sendNewKeys sends NEWKEYS and takes the new keys into use.
func (p *peer) sendNewKeys(v *kex.Values) {
	p.t.Helper()
	p.send(&ssh.NewKeys{})
	alg, k := p.keys(v, p.role.Sends())
	if err := p.p.SetSealer(alg, k, p.strict); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) readNewKeys(v *kex.Values) {
	p.t.Helper()
	p.expect("NEWKEYS", 21)
	alg, k := p.keys(v, p.role.Sends().Reverse())
	if err := p.p.SetOpener(alg, k, p.strict); err != nil {
		p.t.Fatal(err)
	}
	p.first = false
}

// handshake is what a good peer does.
func (p *peer) handshake() {
	p.t.Helper()
	p.hello()
	p.exchange()
}

// exchange is a whole key exchange that the peer begins.
func (p *peer) exchange(allowed ...byte) {
	p.t.Helper()
	p.sendKexInit()
	p.readKexInit(allowed...)
	p.finish(allowed...)
}

func (p *peer) finish(allowed ...byte) {
	p.t.Helper()
	v := p.method(allowed...)
	p.sendNewKeys(v)
	p.readNewKeys(v)
}

// connected does the handshake and returns the connection under test, with the
// user let in. Its reader runs until the connection ends; the packets that it
// got go to the returned channel.
func (p *peer) connected(out <-chan outcome) (*Conn, <-chan []byte) {
	p.t.Helper()
	p.handshake()
	o := <-out
	if o.err != nil {
		p.t.Fatal(o.err)
	}
	p.expect("EXT_INFO", 7)
	o.c.Authenticated()
	packets := make(chan []byte, 1000)
	p.t.Cleanup(func() { o.c.Close() })
	go func() { // stops when the connection ends
		defer close(packets)
		for {
			b, err := o.c.ReadPacket()
			if err != nil {
				return
			}
			packets <- bytes.Clone(b)
		}
	}()
	return o.c, packets
}

var quick = Config{HandshakeTimeout: time.Minute, Rekey: Rekey{Interval: -1}}
