package kex

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// TestGroupsAreSafePrimes checks the primes of RFC 3526, of which p and
// (p-1)/2 are prime and 2 generates the larger subgroup.
func TestGroupsAreSafePrimes(t *testing.T) {
	for bits, g := range map[int]modp{2048: group14(), 4096: group16()} {
		half := new(big.Int).Rsh(g.p, 1)
		if g.p.BitLen() != bits || !g.p.ProbablyPrime(1) || !half.ProbablyPrime(1) {
			t.Errorf("the prime of %d bits is not one", bits)
		}
		if x := new(big.Int).Exp(big.NewInt(2), half, g.p); x.Cmp(big.NewInt(1)) != 0 {
			t.Errorf("2 does not generate the group of %d bits", bits)
		}
	}
}

func TestBadDiffieHellmanValuesAreRefused(t *testing.T) {
	p := group14().p
	minus := func(n int64) []byte { return body(new(big.Int).Sub(p, big.NewInt(n))) }
	for name, value := range map[string][]byte{
		"zero":         nil,
		"one":          {1},
		"p-1":          minus(1),
		"p":            minus(0),
		"more than p":  minus(-5),
		"negative":     {0xfe},
		"very long":    wire.MPIntBody(bytes.Repeat([]byte{0x7f}, 1000)),
		"minus one":    {0xff},
		"minus 2 long": append([]byte{0xfe}, bytes.Repeat([]byte{1}, 255)...),
	} {
		m, _ := Find("diffie-hellman-group14-sha256")
		if _, v, err := m.NewServer().Next(packet(t, &ssh.KexDHInit{E: value})); err == nil || v != nil {
			t.Errorf("the server takes a value that is %s", name)
		}
		c, _ := start(t, m)
		if _, v, err := c.Next(packet(t, &ssh.KexDHReply{F: value})); err == nil || v != nil {
			t.Errorf("the client takes a value that is %s", name)
		}
	}
}

func TestBadPointsAreRefused(t *testing.T) {
	for name, curve := range map[string]ecdh.Curve{
		"ecdh-sha2-nistp256": ecdh.P256(), "ecdh-sha2-nistp384": ecdh.P384(), "ecdh-sha2-nistp521": ecdh.P521(),
	} {
		key, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		good := key.PublicKey().Bytes()
		off := bytes.Clone(good)
		off[len(off)-1] ^= 1
		compressed := append([]byte{2 + good[len(good)-1]&1}, good[1:1+len(good)/2]...)
		m, _ := Find(name)
		for what, value := range map[string][]byte{
			"empty": nil, "infinity": {0}, "not on the curve": off, "compressed": compressed,
			"short": good[:len(good)-1], "long": append(bytes.Clone(good), 0),
		} {
			if _, v, err := m.NewServer().Next(packet(t, &ssh.KexECDHInit{Public: value})); err == nil || v != nil {
				t.Errorf("%s: the server takes a point that is %s", name, what)
			}
		}
	}
}

// TestExponentsAreShort: a peer that only pretends to compute must not make us
// raise to powers as long as the prime.
func TestExponentsAreShort(t *testing.T) {
	for bits, g := range map[int]modp{2048: group14(), 4096: group16()} {
		x, err := g.private()
		if err != nil {
			t.Fatal(err)
		}
		if n := x.x.BitLen(); n != exponentBits {
			t.Errorf("an exponent of %d bits for the prime of %d, want %d", n, bits, exponentBits)
		}
	}
}
