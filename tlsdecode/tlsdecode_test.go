package tlsdecode_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/tlsdecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// tapped is a connection whose bytes are kept.
type tapped struct {
	net.Conn
	mu     sync.Mutex
	chunks []trace.Chunk
}

func (c *tapped) keep(dir wire.Dir, b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chunks = append(c.chunks, trace.Chunk{Dir: dir, Data: bytes.Clone(b)})
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.keep(wire.S2C, b[:n])
	return n, err
}

func (c *tapped) Write(b []byte) (int, error) {
	c.keep(wire.C2S, b)
	return c.Conn.Write(b)
}

func certificate(t *testing.T, kind string) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"db.example"}}
	var key any
	var public any
	if kind == "RSA" {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	} else {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, public = k, &k.PublicKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// session is what two sides of a TLS connection said, and its key log.
type session struct {
	chunks []trace.Chunk
	log    []byte
	said   [2][]byte
}

// talk has a client and a server say said[C2S] and said[S2C].
func talk(t *testing.T, version, suite uint16, kind string, said [2][]byte) session {
	t.Helper()
	cn, sn := testkit.Pipe()
	var log bytes.Buffer
	tap := &tapped{Conn: cn}
	client := tls.Client(tap, &tls.Config{
		InsecureSkipVerify: true, MinVersion: version, MaxVersion: version, CipherSuites: []uint16{suite}, KeyLogWriter: &log,
	})
	server := tls.Server(sn, &tls.Config{Certificates: []tls.Certificate{certificate(t, kind)}, CipherSuites: []uint16{suite}})
	var wait sync.WaitGroup
	wait.Go(func() { // ends when the client has closed
		defer sn.Close()
		if _, err := io.ReadFull(server, make([]byte, len(said[wire.C2S]))); err != nil {
			t.Errorf("the server reads: %v", err)
		}
		if _, err := server.Write(said[wire.S2C]); err != nil {
			t.Errorf("the server writes: %v", err)
		}
		server.Close()
	})
	for part := said[wire.C2S]; len(part) > 0; {
		n := min(len(part), 1+mathrand.IntN(9000))
		if _, err := client.Write(part[:n]); err != nil {
			t.Fatal(err)
		}
		part = part[n:]
	}
	if _, err := io.ReadFull(client, make([]byte, len(said[wire.S2C]))); err != nil {
		t.Errorf("the client reads: %v", err)
	}
	client.Close()
	wait.Wait()
	return session{chunks: tap.chunks, log: log.Bytes(), said: said}
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(mathrand.Uint32())
	}
	return b
}

// result is what a decoder makes of chunks.
type result struct {
	got   [2][]byte
	gaps  [2]int
	blind bool
}

func decode(t *testing.T, chunks []trace.Chunk, log []byte) (r result) {
	t.Helper()
	var secrets keylog.Secrets
	if bad := secrets.Add(log); bad > 0 {
		t.Fatalf("%d lines of the key log are bad", bad)
	}
	budget := &trace.Budget{Bytes: 1 << 20, Tries: 1 << 22}
	d := tlsdecode.New(trace.Options{Secret: secrets.Find, Budget: budget}, func(c trace.Chunk) {
		if c.Gap != 0 {
			r.gaps[c.Dir]++
		}
		n := 0
		for _, s := range c.Spans {
			n += s.Len
		}
		if n < len(c.Data) {
			t.Errorf("the spans of %d bytes hold %d", len(c.Data), n)
		}
		r.got[c.Dir] = append(r.got[c.Dir], c.Data...)
	})
	for i, c := range chunks {
		c.Spans = []trace.Span{{Frame: i + 1, Off: 54, Len: len(c.Data)}}
		d.Feed(c)
	}
	r.blind = d.Blind()
	d.Close()
	if budget.Bytes != 1<<20 {
		t.Errorf("%d bytes of the budget were not given back", 1<<20-budget.Bytes)
	}
	return r
}

var suites = []struct {
	name           string
	version, suite uint16
	kind           string
}{
	{"1.3", tls.VersionTLS13, 0, "ECDSA"},
	{"1.2 AES-128-GCM", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDSA"},
	{"1.2 AES-256-GCM", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "RSA"},
	{"1.2 ChaCha20-Poly1305", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDSA"},
	{"1.2 AES-128-CBC SHA", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "RSA"},
	{"1.2 AES-256-CBC SHA", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDSA"},
	{"1.2 AES-128-CBC SHA-256", tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "RSA"},
}

func TestOpens(t *testing.T) {
	for _, v := range suites {
		t.Run(v.name, func(t *testing.T) {
			s := talk(t, v.version, v.suite, v.kind, [2][]byte{noise(50_000), noise(100_000)})
			for name, chunks := range map[string][]trace.Chunk{"as it came": s.chunks, "in crumbs": crumbs(s.chunks)} {
				r := decode(t, chunks, s.log)
				for dir, want := range s.said {
					if !bytes.Equal(r.got[dir], want) || r.gaps[dir] > 0 {
						t.Errorf("%s, %v: %d bytes and %d gaps, want %d bytes", name, wire.Dir(dir), len(r.got[dir]), r.gaps[dir], len(want))
					}
				}
				if r.blind {
					t.Errorf("%s: blind", name)
				}
			}
			if r := decode(t, s.chunks, nil); !r.blind || len(r.got[0])+len(r.got[1]) > 0 {
				t.Errorf("without secrets: blind %v with %d bytes", r.blind, len(r.got[0])+len(r.got[1]))
			}
		})
	}
}

// crumbs cuts chunks into small ones.
func crumbs(chunks []trace.Chunk) (out []trace.Chunk) {
	for _, c := range chunks {
		for rest := c.Data; len(rest) > 0; {
			n := min(len(rest), 1+mathrand.IntN(700))
			out = append(out, trace.Chunk{Dir: c.Dir, Data: rest[:n]})
			rest = rest[n:]
		}
	}
	return out
}

// TestHoles loses a piece of what the server says, well behind the handshake.
func TestHoles(t *testing.T) {
	for _, v := range suites {
		t.Run(v.name, func(t *testing.T) {
			s := talk(t, v.version, v.suite, v.kind, [2][]byte{noise(100), noise(200_000)})
			for _, known := range []bool{true, false} {
				r := decode(t, hole(s.chunks, 60_000, 40_000, known), s.log)
				got, want := r.got[wire.S2C], s.said[wire.S2C]
				same := 0
				for same < len(got) && got[same] == want[same] {
					same++
				}
				rest := got[same:]
				if same < 30_000 || len(rest) < 50_000 || !bytes.HasSuffix(want, rest) || r.gaps[wire.S2C] != 1 || r.blind {
					t.Errorf("gap known %v: %d bytes before the hole and %d behind it, %d gaps, blind %v", known, same, len(rest), r.gaps[wire.S2C], r.blind)
				}
			}
		})
	}
}

// hole leaves n bytes from the server out, behind the first before.
func hole(chunks []trace.Chunk, before, n int, known bool) (out []trace.Chunk) {
	at, gap := 0, int64(0)
	for _, c := range crumbs(chunks) {
		if c.Dir == wire.S2C {
			start := at
			at += len(c.Data)
			if at > before && start < before+n {
				gap += int64(len(c.Data))
				continue
			}
			if gap > 0 {
				c.Gap, gap = gap, 0
				if !known {
					c.Gap = -1
				}
			}
		}
		out = append(out, c)
	}
	return out
}

// TestHoleInTheHandshake loses the ServerHello, without which nothing can be
// opened, and the end of the handshake, without which the rest can.
func TestHoleInTheHandshake(t *testing.T) {
	s := talk(t, tls.VersionTLS13, 0, "RSA", [2][]byte{noise(100), noise(100_000)})
	if r := decode(t, hole(s.chunks, 10, 50, true), s.log); !r.blind || len(r.got[wire.S2C]) > 0 {
		t.Errorf("without its beginning: blind %v with %d bytes", r.blind, len(r.got[wire.S2C]))
	}
	r := decode(t, hole(s.chunks, 1950, 2000, true), s.log)
	if got := r.got[wire.S2C]; r.blind || len(got) < 90_000 || !bytes.HasSuffix(s.said[wire.S2C], got) || r.gaps[wire.S2C] != 1 {
		t.Errorf("without its end: blind %v with %d bytes, %d gaps", r.blind, len(got), r.gaps[wire.S2C])
	}
}

// TestChangedByte expects that nothing of a broken record comes out.
func TestChangedByte(t *testing.T) {
	s := talk(t, tls.VersionTLS13, 0, "ECDSA", [2][]byte{noise(100), noise(100_000)})
	n := 0
	for i := range s.chunks {
		if c := &s.chunks[i]; c.Dir == wire.S2C {
			if n += len(c.Data); n > 60_000 {
				c.Data[len(c.Data)/2] ^= 1
				break
			}
		}
	}
	r := decode(t, s.chunks, s.log)
	if got := len(r.got[wire.S2C]); r.gaps[wire.S2C] != 1 || got >= 100_000 || got < 60_000 {
		t.Errorf("%d bytes with %d gaps", got, r.gaps[wire.S2C])
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 4, 1, 0, 0, 0}, []byte{22, 3, 3, 0, 4, 2, 0, 0, 0}, int64(0))
	f.Add([]byte{20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 2, 9, 9}, []byte{23, 3, 3, 0xff, 0xff}, int64(-1))
	f.Fuzz(func(t *testing.T, c2s, s2c []byte, gap int64) {
		secret := bytes.Repeat([]byte{7}, 48)
		budget := &trace.Budget{Bytes: 1 << 20, Tries: 1 << 16}
		d := tlsdecode.New(trace.Options{Budget: budget, Secret: func([]byte) ([]byte, bool) { return secret, true }}, func(trace.Chunk) {})
		for i := range 3 {
			d.Feed(trace.Chunk{Dir: wire.C2S, Data: c2s})
			d.Feed(trace.Chunk{Dir: wire.S2C, Data: s2c, Gap: gap * int64(i)})
		}
		d.Close()
		if budget.Bytes != 1<<20 {
			t.Errorf("%d bytes of the budget were not given back", 1<<20-budget.Bytes)
		}
	})
}
