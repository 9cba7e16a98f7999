package agent

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

var suite = wiretest.Suite{Registry: messages}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }

func newKey(t testing.TB, kind string) keys.Signer {
	t.Helper()
	s, err := keys.Generate(kind, map[string]int{"rsa": 2048}[kind])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// keyring is an agent that answers like OpenSSH's. It is served on one
// connection until that ends.
type keyring struct {
	signers []keys.Signer
	extra   []identity // listed, and nothing else
	refuse  bool       // to sign
	old     bool       // knows nothing of flags
}

func (k *keyring) serve(conn net.Conn) {
	defer conn.Close()
	for {
		b, err := readFrame(conn)
		if err != nil {
			return
		}
		frame, err := appendFrame(nil, k.answer(b))
		if err != nil {
			return
		}
		if _, err := conn.Write(frame); err != nil {
			return
		}
	}
}

func (k *keyring) answer(b []byte) wire.Message {
	var list requestIdentities
	var sign signRequest
	switch {
	case messages.Parse(b, &list, wire.Dialect{}) == nil:
		answer := &identitiesAnswer{identities: k.extra}
		for _, s := range k.signers {
			answer.identities = append(answer.identities, identity{key: s.PublicKey().Marshal(), comment: "comment"})
		}
		return answer
	case messages.Parse(b, &sign, wire.Dialect{}) == nil && !k.refuse:
		for _, s := range k.signers {
			if string(s.PublicKey().Marshal()) != string(sign.key) {
				continue
			}
			algo := s.PublicKey().Type()
			switch {
			case sign.flags == flagRSASHA512 && !k.old:
				algo = keys.AlgoRSASHA512
			case sign.flags == flagRSASHA256 && !k.old:
				algo = keys.AlgoRSASHA256
			case algo == keys.TypeRSA: // SHA-1: no matter what is in it
				sig, _ := keys.MarshalSignature(&keys.Signature{Format: "ssh-rsa", Blob: []byte("sha-1")})
				return &signResponse{signature: sig}
			}
			if sig, err := keys.Sign(nil, s, algo, sign.data); err == nil {
				return &signResponse{signature: sig}
			}
		}
	}
	return &failure{}
}

// dialTo serves k on an in-memory connection and returns a client of it.
func dialTo(t *testing.T, k *keyring) *Client {
	t.Helper()
	near, far := testkit.Pipe()
	served := make(chan struct{})
	go func() { // stops when the client closes
		k.serve(far)
		close(served)
	}()
	c := New(near)
	t.Cleanup(func() {
		_ = c.Close() // some tests did already
		<-served
	})
	return c
}

func TestListAndSign(t *testing.T) {
	ring := &keyring{
		signers: []keys.Signer{newKey(t, "ed25519"), newKey(t, "rsa"), newKey(t, "ecdsa")},
		extra: []identity{
			{key: []byte("\x00\x00\x00\x13ssh-mldsa44-ed25519\x00\x00\x00\x01x"), comment: "unknown type"},
			{key: nil, comment: "broken"},
		},
	}
	c := dialTo(t, ring)
	list, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(ring.signers) {
		t.Fatalf("got %d keys, want %d", len(list), len(ring.signers))
	}
	signers, err := c.Signers(t.Context())
	if err != nil || len(signers) != len(list) {
		t.Fatalf("Signers: %d, %v", len(signers), err)
	}
	for i, k := range list {
		if !keys.Equal(k.PublicKey(), ring.signers[i].PublicKey()) || k.Comment != "comment" {
			t.Errorf("key %d: got %s %q", i, keys.Fingerprint(k.PublicKey()), k.Comment)
		}
		for _, algo := range keys.SignatureAlgorithms(k.PublicKey().Type()) {
			sig, err := keys.SignContext(t.Context(), nil, signers[i], algo, []byte("data"))
			if err != nil {
				t.Fatalf("%s: %v", algo, err)
			}
			if err := keys.Verify(k.PublicKey(), algo, []byte("data"), sig); err != nil {
				t.Errorf("%s: %v", algo, err)
			}
		}
		if sig, err := k.Sign(nil, []byte("data")); err != nil || sig.Format == "ssh-rsa" {
			t.Errorf("Sign: %v, %v", sig, err)
		}
	}
}

func TestOldAgentDoesNotSignWithSHA1(t *testing.T) {
	c := dialTo(t, &keyring{signers: []keys.Signer{newKey(t, "rsa")}, old: true})
	list, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Sign(nil, list[0], keys.AlgoRSASHA512, []byte("data")); err == nil {
		t.Error("a SHA-1 signature was taken for rsa-sha2-512")
	}
}

func TestRefusal(t *testing.T) {
	c := dialTo(t, &keyring{signers: []keys.Signer{newKey(t, "ed25519")}, refuse: true})
	list, err := c.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := list[0].Sign(nil, []byte("data")); !errors.Is(err, ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	if _, err := c.List(t.Context()); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
	if _, err := list[0].Sign(nil, make([]byte, maxFrame)); err == nil {
		t.Error("a question larger than agents take was sent")
	}
	if _, err := c.List(t.Context()); err != nil {
		t.Errorf("after a question that was not sent: %v", err)
	}
}

// Answers that make no sense, to the question for the keys.
func TestBrokenAnswers(t *testing.T) {
	frame := func(n uint32, body string) string {
		return string(binary.BigEndian.AppendUint32(nil, n)) + body
	}
	for _, row := range []struct{ name, answer string }{
		{"closed at once", ""},
		{"closed in the length", "\x00\x00"},
		{"closed in the body", frame(5, "\x0c\x00")},
		{"empty", frame(0, "")},
		{"one byte too many", frame(maxFrame+1, strings.Repeat("x", 100))},
		{"4 GiB", frame(1<<32-1, "x")},
		{"unknown number", frame(1, "\xff")},
		{"a question", frame(1, "\x0b")},
		{"answer to something else", frame(5, "\x0e\x00\x00\x00\x00")},
		{"count beyond the answer", frame(5, "\x0c\xff\xff\xff\xff")},
		{"no count", frame(1, "\x0c")},
		{"more behind", frame(6, "\x0c\x00\x00\x00\x00x")},
		{"key longer than the answer", frame(13, "\x0c\x00\x00\x00\x01\xff\xff\xff\xff\x00\x00\x00\x00")},
	} {
		t.Run(row.name, func(t *testing.T) {
			near, far := testkit.Pipe()
			if _, err := io.WriteString(far, row.answer); err != nil {
				t.Fatal(err)
			}
			if err := far.(*testkit.Conn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			c := New(near)
			defer c.Close()
			defer far.Close()
			if list, err := c.List(t.Context()); err == nil {
				t.Errorf("got %d keys", len(list))
			} else if !errors.Is(err, ErrProtocol) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v, want ErrProtocol or an unexpected end", err)
			}
		})
	}
}

func TestContextCutsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := testkit.Pipe() // nobody answers
		defer far.Close()
		c := New(near)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		waiting := make(chan error, 1)
		go func() { // stops when the first call is over
			_, err := c.List(t.Context())
			waiting <- err
		}()
		synctest.Wait()
		start := time.Now()
		if _, err := c.List(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("waiting for a turn: got %v after %v", err, time.Since(start))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, net.ErrClosed) {
			t.Errorf("the call under way: got %v, want net.ErrClosed", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		near, far := testkit.Pipe()
		defer far.Close()
		c := New(near)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if _, err := c.List(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("waiting for the answer: got %v after %v", err, time.Since(start))
		}
		if _, err := c.List(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after a call was cut: got %v, want net.ErrClosed", err)
		}
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.List(done); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
}

func TestSystem(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Skipf("no Unix sockets here: %v", err)
	}
	defer ln.Close()
	ring := &keyring{signers: []keys.Signer{newKey(t, "ed25519")}}
	served := make(chan struct{})
	go func() { // stops when the client closes
		defer close(served)
		if conn, err := ln.Accept(); err == nil {
			ring.serve(conn)
		}
	}()
	t.Setenv("SSH_AUTH_SOCK", path)
	c, err := System(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if list, err := c.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	<-served
	t.Setenv("SSH_AUTH_SOCK", filepath.Join(dir, "none"))
	if _, err := System(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nobody there: got %v, want os.ErrNotExist", err)
	}
	if systemPath == "" {
		t.Setenv("SSH_AUTH_SOCK", "")
		if _, err := System(t.Context()); !errors.Is(err, ErrNoAgent) {
			t.Errorf("got %v, want ErrNoAgent", err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x05\x0c\x00\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x01\x05"))
	f.Add([]byte("\xff\xff\xff\xff"))
	key := newKey(f, "ed25519").PublicKey()
	f.Fuzz(func(t *testing.T, b []byte) {
		near, far := testkit.Pipe()
		if len(b) > testkit.DefaultBuffer {
			return
		}
		if _, err := far.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := far.(*testkit.Conn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		c := New(near)
		_, _ = c.List(t.Context())
		k := &Key{client: c, public: key}
		_, _ = k.Sign(nil, []byte("data"))
		_ = c.Close()
		_ = far.Close()
	})
}
