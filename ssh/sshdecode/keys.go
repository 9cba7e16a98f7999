package sshdecode

import (
	"crypto"
	"fmt"

	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/wire"
)

// exchange is what the stream layer keeps of a key exchange.
type exchange struct {
	client    wire.Message // the client's message of the method; nil: not seen
	sessionID []byte
}

// keys are what a direction will use from its NEWKEYS on.
type keys struct {
	alg  packet.Algorithm
	keys packet.Keys
	err  string // why there are none; alg is set all the same
}

// exchanged computes the keys that follow from a complete key exchange.
func (s *stream) exchanged(reply wire.Message) {
	alg, err := s.packets.flow.Algorithms()
	if err != nil {
		return // the session cannot go on
	}
	values, hash, failure := s.outcome(alg.Kex, reply)
	s.kex.client = nil
	for i, a := range [2]packet.Algorithm{alg.C2S, alg.S2C} {
		h := &s.half[i]
		h.next = &keys{alg: a, err: failure}
		if failure != "" {
			continue
		}
		k, err := packet.DeriveKeys(hash, values.k, values.h, s.kex.sessionID, wire.Dir(i), a)
		if err != nil {
			h.next.err = err.Error()
		}
		h.next.keys = k
	}
}

type secrets struct{ k, h []byte }

// outcome computes the exchange hash, or says why it cannot.
func (s *stream) outcome(name string, reply wire.Message) (out secrets, hash crypto.Hash, failure string) {
	client, server := &s.half[wire.C2S], &s.half[wire.S2C]
	method, known := kex.Find(name)
	if !known {
		return out, 0, fmt.Sprintf("the key exchange method %s is not supported", name)
	}
	secret, ok := s.secret(server.init, client.init)
	if !ok {
		return out, 0, "no secret for this key exchange"
	}
	v := method.Overhear(s.kex.client, reply, secret)
	if v == nil {
		return out, 0, "the key exchange was not seen whole"
	}
	h, err := kex.Hash(method.Hash, &kex.Inputs{
		ClientVersion: client.ident, ServerVersion: server.ident, ClientInit: client.init, ServerInit: server.init,
		HostKey: v.HostKey, Public: v.Public, K: v.K,
	})
	if err != nil {
		return out, 0, err.Error()
	}
	if s.kex.sessionID == nil {
		s.kex.sessionID = h
	}
	return secrets{v.K, h}, method.Hash, ""
}

// secret looks the secret up by the cookie of either KEXINIT.
func (s *stream) secret(inits ...[]byte) ([]byte, bool) {
	if s.packets.opts.Secret == nil {
		return nil, false
	}
	for _, init := range inits {
		if len(init) < 17 {
			continue
		}
		if k, ok := s.packets.opts.Secret(init[1:17]); ok {
			return k, true
		}
	}
	return nil, false
}

// missing says why what follows the NEWKEYS in h cannot be read; empty when it
// can.
func (e *exchange) missing(h *half) string {
	switch {
	case h.next == nil:
		return "what follows in this direction cannot be read: the key exchange was not seen"
	case h.next.err != "":
		return "what follows in this direction cannot be read: " + h.next.err
	}
	return ""
}

// changeKeys makes the opener for what stands behind a NEWKEYS.
func (s *stream) changeKeys(h *half) {
	next := h.next
	if next == nil {
		h.lose("the key exchange was not seen")
		return
	}
	h.next = nil
	if next.err != "" {
		h.lose(next.err)
		h.unread.sizes = sizes(next.alg)
		return
	}
	seq := h.opener.Seq()
	if s.packets.flow.Strict() {
		seq = 0
	}
	opener, err := packet.NewOpener(next.alg, next.keys, seq)
	if err != nil {
		h.lose(err.Error())
		return
	}
	h.opener, h.opened = opener, 0
	h.search = search{alg: next.alg, tries: h.search.tries}
}

// sizes returns an opener that tells where packets end without knowing their
// keys, where the algorithm allows that; else nil.
func sizes(alg packet.Algorithm) *packet.Opener {
	if !packet.LengthInClear(alg) {
		return nil
	}
	k, err := packet.DeriveKeys(crypto.SHA256, nil, nil, nil, wire.C2S, alg)
	if err != nil {
		return nil
	}
	o, err := packet.NewOpener(alg, k, 0)
	if err != nil {
		return nil
	}
	return o
}
