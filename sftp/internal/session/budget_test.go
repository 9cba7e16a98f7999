package session

import (
	"testing"
	"testing/synctest"
	"time"
)

const chunk = 32 << 10

// line answers requests after 100 ms, or later when it has not carried those
// before.
type line struct {
	b    *Budget
	due  []time.Time // of requests in flight
	free time.Time   // when the line has carried them all
}

// run keeps the line busy for d, at rate bytes per second. It ends with
// requests in flight.
func (l *line) run(d time.Duration, rate float64) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for l.b.Try(chunk) {
			now := time.Now()
			if l.free.Before(now) {
				l.free = now
			}
			l.free = l.free.Add(time.Duration(chunk / rate * float64(time.Second)))
			l.due = append(l.due, l.free.Add(100*time.Millisecond))
		}
		time.Sleep(time.Until(l.due[0]))
		l.due = l.due[1:]
		l.b.Release(chunk)
	}
}

// A budget finds its size whatever slowed its beginning, and no more than that
// on a line that stays slow.
func TestBudgetFindsItsSize(t *testing.T) {
	const slow, fast = 20 << 20, 10 << 30 // bytes per second
	tests := []struct {
		name        string
		slow, fast  time.Duration
		least, most int64
	}{
		{"fast", 0, 2 * time.Second, 16 << 20, 16 << 20},
		{"slow", 10 * time.Second, 0, 2 << 20, 8 << 20},
		{"slow at first", 5 * time.Second, 2 * time.Second, 16 << 20, 16 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBudget(16 << 20)
				l := &line{b: b}
				l.run(tt.slow, slow)
				l.run(tt.fast, fast)
				if got := b.Limit(); got < tt.least || got > tt.most {
					t.Errorf("the limit is %d bytes, want %d to %d", got, tt.least, tt.most)
				}
			})
		})
	}
}
