package sshdecode

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/trace"
)

// A search that the budget does not allow is given up, and everything held is
// given back at the end.
func TestSearchBudget(t *testing.T) {
	chunks := func() (*talk, []trace.Chunk) {
		x := bulk(t, "aes128-gcm@openssh.com", 300, 10)
		return x, withHole(x, 1448, 3, 1, true)
	}
	for _, row := range []struct {
		tries   int64
		refused int
	}{{1 << 20, 0}, {0, 1}} {
		x, pieces := chunks()
		var all strings.Builder
		b := &trace.Budget{Bytes: 1 << 20, Tries: row.tries}
		d := New(trace.Options{Secret: x.log.SSH, Budget: b, Emit: func(m *trace.Message) { fmt.Fprintln(&all, m.Name, m.Notes) }})
		for _, c := range pieces {
			d.Feed(c)
		}
		d.Close()
		if b.Refused != row.refused || b.Bytes != 1<<20 {
			t.Errorf("%d tries: %d refused, %d bytes left", row.tries, b.Refused, b.Bytes)
		}
		if told := strings.Contains(all.String(), "take too long"); told != (row.refused > 0) {
			t.Errorf("%d tries: told %v", row.tries, told)
		}
	}
}
