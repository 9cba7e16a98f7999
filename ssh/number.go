package ssh

// Phase is the part of a connection to which a message number belongs. A
// number of one phase that comes in another breaks the protocol; one of no
// phase is answered with [Unimplemented] whenever it comes.
type Phase uint8

// The phases of RFC 4250 §4.1.2.
const (
	NoPhase         Phase = iota // nobody knows such a message
	LoginPhase                   // transport and authentication: some known message below 80 has the number
	ConnectionPhase              // 80–127: channels and requests, known or not
)

// PhaseOf returns the phase of the number n.
func PhaseOf(n uint8) Phase {
	switch {
	case n >= 128:
		return NoPhase
	case n >= 80:
		return ConnectionPhase
	}
	for e := range Messages.All() {
		if e.Number == n {
			return LoginPhase
		}
	}
	return NoPhase
}
