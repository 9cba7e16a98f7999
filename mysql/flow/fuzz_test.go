package flow_test

import (
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/wire"
)

// FuzzFlow plays payloads of both directions: a byte of direction and one of
// length in front of each, 0xff for a gap. Conversations with real servers are
// among the seeds.
func FuzzFlow(f *testing.F) {
	for _, packets := range conversations(f) {
		var seed []byte
		for _, p := range packets {
			if len(p.payload) < 0xff && len(seed) < 8<<10 {
				seed = append(append(seed, byte(p.dir)<<7, byte(len(p.payload))), p.payload...)
			}
		}
		f.Add(seed)
		f.Add(append([]byte{0xff, 0}, seed[len(seed)/2:]...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var fl flow.Flow
		for len(b) > 1 {
			if b[0] == 0xff {
				fl.Gap()
				b = b[1:]
				continue
			}
			dir, n := wire.Dir(b[0]>>7), min(int(b[1]), len(b)-2)
			payload := b[2 : 2+n]
			b = b[2+n:]
			m, e, _ := fl.Next(dir, payload)
			if m == nil {
				t.Fatal("no message")
			}
			if e != nil && !e.From.Allows(dir) {
				t.Fatalf("%s in direction %v", e.Name, dir)
			}
			_ = mysql.Parse(payload, m, fl.Dialect())
			seen, _ := fl.Saw(dir, m)
			if seen.Answers >= seen.Ordinal {
				t.Fatalf("message %d answers %d", seen.Ordinal, seen.Answers)
			}
			if fl.Pending() > flow.MaxPending {
				t.Fatalf("%d pending", fl.Pending())
			}
		}
	})
}
