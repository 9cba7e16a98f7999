package kex

import (
	"bytes"
	"crypto/ecdh"
	"crypto/mlkem"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

func packet(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := ssh.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func start(t testing.TB, m Method) (Client, []byte) {
	t.Helper()
	c, err := m.NewClient()
	if err != nil {
		t.Fatal(err)
	}
	return c, packet(t, c.Start())
}

func TestBothHalvesAgree(t *testing.T) {
	for _, m := range Methods() {
		t.Run(m.Name, func(t *testing.T) {
			for range 20 { // K has leading zeros now and then
				c, first := start(t, m)
				s := m.NewServer()
				_, sv, err := s.Next(first)
				if err != nil || sv == nil {
					t.Fatal(err)
				}
				reply := packet(t, s.Reply([]byte("key"), []byte("sig")))
				_, cv, err := c.Next(reply)
				if err != nil || cv == nil {
					t.Fatal(err)
				}
				clear(reply)
				if !bytes.Equal(cv.K, sv.K) || !bytes.Equal(cv.Public, sv.Public) {
					t.Fatalf("client has K %x, server %x", cv.K, sv.K)
				}
				if string(cv.HostKey) != "key" || string(cv.Signature) != "sig" {
					t.Errorf("host key %q, signature %q", cv.HostKey, cv.Signature)
				}
				if _, _, err := c.Next(reply); err == nil {
					t.Error("the client takes a second reply")
				}
				if _, _, err := s.Next(first); err == nil {
					t.Error("the server takes a second request")
				}
			}
		})
	}
}

// lowOrder are the X25519 values of small order, RFC 7748 §6 and
// https://cr.yp.to/ecdh.html.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestBadValuesAreRefused(t *testing.T) {
	goodCurve := func() []byte {
		k, err := ecdh.X25519().GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		return k.PublicKey().Bytes()
	}
	type row struct {
		name           string
		client, server []byte
	}
	rows := map[string][]row{}
	add := func(method, name string, client, server []byte) {
		rows[method] = append(rows[method], row{name, client, server})
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	kemKey := kem.EncapsulationKey().Bytes()
	_, ciphertext := kem.EncapsulationKey().Encapsulate()
	curves := []string{"curve25519-sha256", "curve25519-sha256@libssh.org"}
	for _, c := range curves {
		add(c, "empty", nil, nil)
		add(c, "short", goodCurve()[:31], goodCurve()[:31])
		add(c, "long", append(goodCurve(), 0), append(goodCurve(), 0))
	}
	hybrid := "mlkem768x25519-sha256"
	join := func(a, b []byte) []byte { return append(bytes.Clone(a), b...) }
	add(hybrid, "empty", nil, nil)
	add(hybrid, "only the curve", goodCurve(), goodCurve())
	add(hybrid, "only ML-KEM", kemKey, ciphertext)
	add(hybrid, "one byte short", join(kemKey, goodCurve()[1:]), join(ciphertext, goodCurve()[1:]))
	add(hybrid, "one byte long", join(kemKey, append(goodCurve(), 1)), join(ciphertext, append(goodCurve(), 1)))
	for i, s := range lowOrder {
		v, _ := hex.DecodeString(s)
		name := fmt.Sprintf("small order %d", i)
		for _, c := range curves {
			add(c, name, v, v)
		}
		add(hybrid, name, join(kemKey, v), join(ciphertext, v))
	}
	notReduced := bytes.Repeat([]byte{0xff}, mlkem.EncapsulationKeySize768)
	for method, rows := range rows {
		m, ok := Find(method)
		if !ok {
			t.Fatal(method)
		}
		for _, r := range rows {
			if _, v, err := m.NewServer().Next(packet(t, &ssh.KexECDHInit{Public: r.client})); err == nil || v != nil {
				t.Errorf("%s: the server takes a client value that is %s", method, r.name)
			}
			c, _ := start(t, m)
			if _, v, err := c.Next(packet(t, &ssh.KexECDHReply{Public: r.server})); err == nil || v != nil {
				t.Errorf("%s: the client takes a server value that is %s", method, r.name)
			}
		}
	}
	m, _ := Find(hybrid)
	if _, _, err := m.NewServer().Next(packet(t, &ssh.KexECDHInit{Public: join(notReduced, goodCurve())})); err == nil {
		t.Error("the server takes an ML-KEM key that is not reduced")
	}
}

func TestWrongMessageIsRefused(t *testing.T) {
	for _, m := range Methods() {
		c, first := start(t, m)
		if _, _, err := c.Next(first); err == nil {
			t.Errorf("%s: the client takes a client's message", m.Name)
		}
		if _, _, err := m.NewServer().Next(packet(t, &ssh.KexECDHReply{})); err == nil {
			t.Errorf("%s: the server takes a server's message", m.Name)
		}
		if _, _, err := m.NewServer().Next(append(first, 0)); err == nil {
			t.Errorf("%s: the server takes bytes behind the message", m.Name)
		}
	}
}

func TestHash(t *testing.T) {
	m, _ := Find("curve25519-sha256")
	in := &Inputs{
		ClientVersion: []byte("c"), ServerVersion: []byte("s"), ClientInit: []byte("ci"), ServerInit: []byte("si"),
		HostKey: []byte("key"), Public: []byte("raw"), K: []byte("k"),
	}
	got, err := Hash(m.Hash, in)
	if err != nil {
		t.Fatal(err)
	}
	h := m.Hash.New()
	h.Write([]byte("\x00\x00\x00\x01c\x00\x00\x00\x01s\x00\x00\x00\x02ci\x00\x00\x00\x02si\x00\x00\x00\x03keyrawk"))
	if want := h.Sum(nil); !bytes.Equal(got, want) {
		t.Errorf("Hash = %x, want %x", got, want)
	}
}

func FuzzKex(f *testing.F) {
	for i, m := range Methods() {
		c, first := start(f, m)
		f.Add(uint8(i), first)
		s := m.NewServer()
		if _, _, err := s.Next(first); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), packet(f, s.Reply([]byte("k"), []byte("s"))))
		_ = c
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		m := Methods()[int(which)%len(Methods())]
		_, v, err := m.NewServer().Next(b)
		if (v == nil) == (err == nil) {
			t.Fatal("neither outcome nor error")
		}
		c, _ := start(t, m)
		_, v, err = c.Next(b)
		if (v == nil) == (err == nil) {
			t.Fatal("neither outcome nor error")
		}
	})
}
