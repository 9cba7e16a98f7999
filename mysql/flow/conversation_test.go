package flow_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/wire"
)

// packet is a payload of a recorded conversation.
type packet struct {
	dir     wire.Dir
	payload []byte
}

// conversations returns what real servers said, by name: lines of a direction
// and the payload in hex.
func conversations(t testing.TB) map[string][]packet {
	t.Helper()
	names, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(names) < 6 {
		t.Fatalf("%d conversations, %v", len(names), err)
	}
	all := make(map[string][]packet)
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var list []packet
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			dir, digits, _ := strings.Cut(s.Text(), " ")
			b, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			p := packet{wire.C2S, b}
			if dir == wire.S2C.String() {
				p.dir = wire.S2C
			}
			list = append(list, p)
		}
		_ = f.Close()
		all[strings.TrimSuffix(filepath.Base(name), ".txt")] = list
	}
	return all
}

// TestConversations replays what real servers and a client said: nothing is
// complained of, everything is decoded, and encoding gives the same bytes.
func TestConversations(t *testing.T) {
	for name, packets := range conversations(t) {
		t.Run(name, func(t *testing.T) {
			var f flow.Flow
			asked, answered := 0, 0
			for i, p := range packets {
				m, e, err := f.Next(p.dir, p.payload)
				if err != nil || e == nil {
					t.Fatalf("packet %d, %x: %T, complaint %v", i, p.payload, m, err)
				}
				d := f.Dialect()
				if err := mysql.Parse(p.payload, m, d); err != nil {
					t.Fatalf("packet %d, %x: %v", i, p.payload, err)
				}
				if out, err := mysql.Append(nil, m, d); err != nil || !bytes.Equal(out, p.payload) {
					t.Errorf("packet %d: %s is encoded as\n%x, %v, want\n%x", i, e.Name, out, err, p.payload)
				}
				seen, err := f.Saw(p.dir, m)
				if err != nil {
					t.Errorf("packet %d: complaint %v", i, err)
				}
				if seen.Asks {
					asked++
				}
				if seen.Last {
					answered++
				}
				if p.dir == wire.S2C && i > 0 && seen.Answers == 0 {
					t.Errorf("packet %d, %s, answers nothing", i, e.Name)
				}
			}
			if f.Pending() != 0 || asked < answered || answered < 50 {
				t.Errorf("%d questions, %d answers, %d pending", asked, answered, f.Pending())
			}
		})
	}
}

// TestJoinInTheMiddle begins each conversation at each of its commands: what
// both ends agreed on is guessed, and the messages are the same.
func TestJoinInTheMiddle(t *testing.T) {
	for name, packets := range conversations(t) {
		t.Run(name, func(t *testing.T) {
			var whole flow.Flow
			var names []string
			var idle []int
			for i, p := range packets {
				if whole.Phase() == flow.PhaseCommand && whole.Pending() == 0 && p.dir == wire.C2S && len(p.payload) > 1 {
					idle = append(idle, i)
				}
				m, _, _ := whole.Next(p.dir, p.payload)
				_ = mysql.Parse(p.payload, m, whole.Dialect())
				_, _ = whole.Saw(p.dir, m)
				names = append(names, mysql.Messages.Name(m))
			}
			for _, from := range idle {
				var f flow.Flow
				f.Gap()
				for i, p := range packets[from:min(len(packets), from+60)] {
					m, e, err := f.Next(p.dir, p.payload)
					if got := mysql.Messages.Name(m); err != nil || got != names[from+i] {
						t.Fatalf("joined at packet %d, packet %d is %s, want %s (%v)\n%x", from, from+i, got, names[from+i], err, p.payload)
					}
					if err := mysql.Parse(p.payload, m, f.Dialect()); err != nil {
						t.Fatalf("joined at packet %d, packet %d: %v, %v\n%x", from, from+i, err, mysql.Caps(f.Dialect()), p.payload)
					}
					_ = e
					if _, err := f.Saw(p.dir, m); err != nil {
						t.Errorf("joined at packet %d, packet %d: complaint %v", from, from+i, err)
					}
				}
			}
		})
	}
}

// TestTextAndBinaryAgree compares the rows that a server sent in both forms:
// the binary value has the text's bytes, and the text the binary's value.
func TestTextAndBinaryAgree(t *testing.T) {
	for name, packets := range conversations(t) {
		t.Run(name, func(t *testing.T) {
			var f flow.Flow
			var text [][][]byte
			var binary [][]mysql.Value
			var columns []mysql.Column
			for _, p := range packets {
				m, _, _ := f.Next(p.dir, p.payload)
				if err := mysql.Parse(p.payload, m, f.Dialect()); err != nil {
					t.Fatal(err)
				}
				switch m := m.(type) {
				case *mysql.TextRow:
					if len(m.Cells) == 31 {
						text, columns = append(text, m.Cells), f.Columns()
					}
				case *mysql.BinaryRow:
					if len(m.Values) == 31 {
						binary = append(binary, m.Values)
					}
				}
				_, _ = f.Saw(p.dir, m)
			}
			if len(text) != 3 || len(binary) < 6 {
				t.Fatalf("%d text rows, %d binary rows", len(text), len(binary))
			}
			for i, values := range binary {
				for j, v := range values {
					c, cell := &columns[j], text[i%3][j]
					if v.IsNull() != (cell == nil) {
						t.Errorf("%s: %v in binary, %q in text", c.Name, v, cell)
						continue
					}
					if got := c.AppendText(nil, &v); !bytes.Equal(got, cell) {
						t.Errorf("%s: text %q, the server's is %q", c.Name, got, cell)
					}
					back, err := c.ParseText(cell)
					if err != nil {
						t.Errorf("%s: %v", c.Name, err)
					}
					if c.Type == mysql.TypeFloat && c.Decimals == 31 {
						if back.Kind() != v.Kind() {
							t.Errorf("%s: %v of the text, %v in binary", c.Name, back.Kind(), v.Kind())
						}
						continue
					}
					if !reflect.DeepEqual(back, v) && !(cell != nil && back.String() == v.String() && back.Kind() == v.Kind()) {
						t.Errorf("%s: value %v (%v) of the text, %v (%v) in binary", c.Name, back, back.Kind(), v, v.Kind())
					}
				}
			}
		})
	}
}
