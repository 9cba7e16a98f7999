package ssh

import (
	"slices"

	"github.com/wirelark/wirelark/wire"
)

// kexFlow is the part of one direction in a key exchange.
type kexFlow struct {
	packets int      // seen in this direction since its newest NEWKEYS
	round   int      // KEXINITs sent
	busy    bool     // KEXINIT sent and NEWKEYS not yet
	init    *KexInit // of this round
	method  string   // of this round, once both KEXINITs are known
	agreed  bool     // both KEXINITs are known
	steps   []uint64 // ordinals of the method's messages so far
	guess   guess
	early   bool // something else stood before the first NEWKEYS
	extInfo bool // this side's first KEXINIT asked for EXT_INFO
}

// guess is what is known of a packet that was sent on a guess. RFC 4253 §7.
type guess uint8

const (
	guessNone    guess = iota
	guessDue           // the next message of the method is one, and may be right
	guessWrong         // the next message of the method is one, and to be ignored
	guessCounted       // it came and counts, unless it turns out wrong
)

// context of the message numbers 30–49 in this direction.
func (k *kexFlow) context() string {
	switch {
	case k.init != nil && k.guess == guessWrong, k.init != nil && !k.agreed:
		return KexContext(first(kexMethods(k.init.KexAlgorithms)))
	case k.agreed:
		return KexContext(k.method)
	}
	return ""
}

// saw counts a message and notes whether strict key exchange forbids it.
func (k *kexFlow) saw(m wire.Message) {
	k.packets++
	if k.round > 1 || k.round == 1 && !k.busy {
		return
	}
	switch m.(type) {
	case *Ignore, *Unimplemented, *Debug:
		k.early = true
	}
}

func (k *kexFlow) finish() {
	k.busy = false
	k.packets = 0
	k.init = nil
	k.steps = nil
	k.guess = guessNone
}

// kexNumbers lists the messages of a key-exchange method by direction.
func kexNumbers(context string, dir wire.Dir) []uint8 {
	switch context {
	case ContextDH, ContextECDH: // RFC 4253 §8, RFC 5656 §4
		return [2][]uint8{{30}, {31}}[dir]
	case ContextGex: // RFC 4419 §3
		return [2][]uint8{{34, 32}, {31, 33}}[dir]
	}
	return nil
}

// kexGate judges by number what has to do with key exchange. decided is false
// for what is allowed as far as key exchange is concerned.
func (f *Flow) kexGate(dir wire.Dir, n uint8) (r rule, decided bool) {
	k := &f.side[dir].kex
	generic := n >= 1 && n <= 4
	switch {
	case k.round == 0:
		if n == 20 || generic {
			return rule{}, true
		}
		return broken("RFC 4253 §7.1", "not before the first key exchange"), true
	case !k.busy:
		switch {
		case n == 21 || n >= 30 && n <= 49:
			return broken("RFC 4253 §7.1", "no key exchange is under way"), true
		case n == 7:
			return f.extInfoGate(dir), true
		}
		return rule{}, generic || n == 20
	case f.strict && k.round == 1 && n != 1 && (n < 20 || n > 49):
		return broken("OpenSSH PROTOCOL §1.9", "strict key exchange allows nothing else before NEWKEYS"), true
	case n == 20:
		return broken("RFC 4253 §7.1", "a second KEXINIT before NEWKEYS"), true
	case n == 21 || n >= 30 && n <= 49:
		return f.methodGate(dir, n), true
	case generic || k.round > 1 && (n == 192 || n == 193):
		return rule{}, n != 193
	}
	return broken("RFC 4253 §7.1", "not between KEXINIT and NEWKEYS"), true
}

// methodGate judges the order of the messages 21 and 30–49.
func (f *Flow) methodGate(dir wire.Dir, n uint8) rule {
	k, other := &f.side[dir].kex, &f.side[dir.Reverse()].kex
	switch {
	case n != 21 && (k.guess == guessDue || k.guess == guessWrong):
		return rule{}
	case !k.agreed:
		return broken("RFC 4253 §7.1", "the other side's KEXINIT has not come")
	case f.algErr != nil:
		return broken("RFC 4253 §7.1", "the sides have no algorithms in common")
	}
	context := KexContext(k.method)
	if context == "" {
		return rule{} // a method whose messages are not known
	}
	mine, theirs := kexNumbers(context, dir), kexNumbers(context, dir.Reverse())
	sameRound := k.round == other.round && other.busy
	if n == 21 {
		if len(k.steps) < len(mine) || dir == wire.C2S && sameRound && len(other.steps) < len(theirs) {
			return broken("RFC 4253 §7.3", "the key exchange is not complete")
		}
		return rule{}
	}
	i := len(k.steps)
	old := context == ContextGex && n == 30 && i == 0 // the request in its old form, RFC 4419 §5
	if i >= len(mine) || mine[i] != n && !old {
		return broken(kexSection(context), "not the next message of %s", k.method)
	}
	if need := i + int(dir); sameRound && len(other.steps) < need {
		return broken(kexSection(context), "%s waits for the other side here", k.method)
	}
	return rule{}
}

func kexSection(context string) string {
	switch context {
	case ContextGex:
		return "RFC 4419 §3"
	case ContextECDH:
		return "RFC 5656 §4"
	}
	return "RFC 4253 §8"
}

func (f *Flow) sawKexInit(dir wire.Dir, m *KexInit) rule {
	k, other := &f.side[dir].kex, &f.side[dir.Reverse()].kex
	if k.busy { // Next has complained
		return rule{}
	}
	init := *m // its lists are never written to again
	k.round, k.busy, k.init, k.agreed, k.method = k.round+1, true, &init, false, ""
	if k.round == 1 {
		k.extInfo = slices.Contains(m.KexAlgorithms, [2]string{MarkerExtInfoClient, MarkerExtInfoServer}[dir])
	}
	if m.FirstKexPacketFollows {
		k.guess = guessDue
	}
	if k.round != other.round || other.init == nil {
		return rule{}
	}
	client, server := f.side[wire.C2S].kex.init, f.side[wire.S2C].kex.init
	f.alg, f.algErr = Negotiate(client, server)
	for _, k := range []*kexFlow{k, other} {
		k.agreed, k.method = true, f.alg.Kex
		if GuessedRight(client, server) {
			continue
		}
		switch k.guess {
		case guessDue:
			k.guess = guessWrong
		case guessCounted:
			k.guess, k.steps = guessNone, nil
		}
	}
	if k.round == 1 {
		f.strict = StrictKex(client, server)
		if f.strict && (k.early || other.early) {
			return broken("OpenSSH PROTOCOL §1.9", "strict key exchange wants KEXINIT to be the first packet")
		}
	}
	return rule{}
}

func (f *Flow) sawKexMethod(dir wire.Dir, s *Seen) {
	k, other := &f.side[dir].kex, &f.side[dir.Reverse()].kex
	if !k.busy {
		return // Next has complained
	}
	switch k.guess {
	case guessWrong:
		k.guess = guessNone
		return
	case guessDue:
		k.guess = guessCounted
	}
	if len(k.steps) < 2 {
		k.steps = append(k.steps, s.Ordinal)
	}
	s.Asks = dir == wire.C2S
	if i := len(k.steps) - 1; dir == wire.S2C && k.round == other.round && i < len(other.steps) {
		s.Answers = other.steps[i]
	}
}

// extInfoGate judges the place of an EXT_INFO outside a key exchange: the
// first packet under the first keys, or from the server while the user is
// being authenticated. RFC 8308 §2.4, OpenSSH PROTOCOL §1.10.
func (f *Flow) extInfoGate(dir wire.Dir) rule {
	k := &f.side[dir].kex
	if !f.side[dir.Reverse()].kex.extInfo {
		return broken("RFC 8308 §2.2", "the other side's first KEXINIT did not ask for it")
	}
	if k.round == 1 && k.packets == 0 || dir == wire.S2C && f.auth.requested && !f.auth.done {
		return rule{}
	}
	return broken("RFC 8308 §2.4", "not the first packet after the first NEWKEYS")
}
