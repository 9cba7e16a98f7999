package ssh

import "testing"

func TestPhaseOf(t *testing.T) {
	for n, want := range map[uint8]Phase{
		0: NoPhase, 1: LoginPhase, 9: NoPhase, 20: LoginPhase, 31: LoginPhase, 50: LoginPhase, 60: LoginPhase, 79: NoPhase,
		80: ConnectionPhase, 94: ConnectionPhase, 127: ConnectionPhase, 128: NoPhase, 192: NoPhase, 255: NoPhase,
	} {
		if got := PhaseOf(n); got != want {
			t.Errorf("PhaseOf(%d) = %v, want %v", n, got, want)
		}
	}
}
