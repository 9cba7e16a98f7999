package kex

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"math/big"
	"sync"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// modp is Diffie-Hellman in a fixed group with generator 2. RFC 4253 §8, RFC
// 8268.
type modp struct{ p *big.Int }

// exponentBits is the size of private exponents: twice the strength of the
// strongest key that is derived, and far less work than full ones (RFC 4419
// §6.2 allows it).
const exponentBits = 512

// private is a side's exponent and public value.
type private struct{ x, public *big.Int }

func (g modp) private() (private, error) {
	x, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), exponentBits))
	if err != nil {
		return private{}, err
	}
	x.SetBit(x, exponentBits-1, 1)
	return private{x, new(big.Int).Exp(big.NewInt(2), x, g.p)}, nil
}

var errRange = errors.New("bad Diffie-Hellman value: it must lie between 1 and p-1")

// secret returns K for the other side's value, whose mpint body it takes. RFC
// 4253 §8: values outside [1, p-1] must not be accepted; 1 and p-1 make no
// secret either.
func (g modp) secret(x *big.Int, other []byte) ([]byte, error) {
	if len(other) > 0 && other[0] >= 0x80 {
		return nil, errRange // negative
	}
	y := new(big.Int).SetBytes(other)
	most := new(big.Int).Sub(g.p, big.NewInt(1))
	if y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(most) >= 0 {
		return nil, errRange
	}
	k := new(big.Int).Exp(y, x, g.p)
	if k.Cmp(big.NewInt(1)) <= 0 || k.Cmp(most) >= 0 {
		return nil, errRange
	}
	return encode(nil, mpint(wire.MPIntBody(k.Bytes()))), nil
}

func body(n *big.Int) []byte { return wire.MPIntBody(n.Bytes()) }

func finite(name string, hash crypto.Hash, group func() modp) Method {
	return Method{
		Name: name,
		Hash: hash,
		NewClient: func() (Client, error) {
			g := group()
			key, err := g.private()
			return &modpClient{group: g, key: key}, err
		},
		NewServer: func() Server { return &modpServer{group: group()} },
		overhear:  overhearModp,
	}
}

type modpClient struct {
	group modp
	key   private
	done  bool
}

func (c *modpClient) Start() wire.Message { return &ssh.KexDHInit{E: body(c.key.public)} }

func (c *modpClient) Next(packet []byte) (wire.Message, *Values, error) {
	var m ssh.KexDHReply
	if c.done {
		return nil, nil, errDone
	}
	if err := parse(packet, &m); err != nil {
		return nil, nil, err
	}
	k, err := c.group.secret(c.key.x, m.F)
	if err != nil {
		return nil, nil, err
	}
	c.done = true
	return nil, &Values{
		K:         k,
		Public:    encode(encode(nil, mpint(body(c.key.public))), mpint(m.F)),
		HostKey:   bytes.Clone(m.HostKey),
		Signature: bytes.Clone(m.Signature),
	}, nil
}

type modpServer struct {
	group modp
	f     []byte
}

func (s *modpServer) Next(packet []byte) (wire.Message, *Values, error) {
	var m ssh.KexDHInit
	if s.f != nil {
		return nil, nil, errDone
	}
	if err := parse(packet, &m); err != nil {
		return nil, nil, err
	}
	key, err := s.group.private()
	if err != nil {
		return nil, nil, err
	}
	k, err := s.group.secret(key.x, m.E)
	if err != nil {
		return nil, nil, err
	}
	s.f = body(key.public)
	return nil, &Values{K: k, Public: encode(encode(nil, mpint(m.E)), mpint(s.f))}, nil
}

func (s *modpServer) Reply(hostKey, signature []byte) wire.Message {
	return &ssh.KexDHReply{HostKey: hostKey, F: s.f, Signature: signature}
}

// The groups of RFC 3526 §§3 and 5.
var (
	group14 = sync.OnceValue(func() modp { return modp{prime(prime14)} })
	group16 = sync.OnceValue(func() modp { return modp{prime(prime16)} })
)

func prime(hex string) *big.Int {
	p, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		panic("internal error: a prime is no number")
	}
	return p
}

const prime14 = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aacaa68ffffffffffffffff"

const prime16 = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
	"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
	"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
	"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
	"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
	"15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7" +
	"abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c" +
	"bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7" +
	"88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6" +
	"287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9" +
	"93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff"
