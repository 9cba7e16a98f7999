package wiretest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/wirelark/wirelark/wire"
)

// layout is a message whose layout a test states.
type layout struct {
	A      uint32
	B      uint64
	Text   string
	Data   []byte
	List   []string
	fields func(*layout, *wire.Coder)
}

func (m *layout) Fields(c *wire.Coder) { m.fields(m, c) }

// recorder is a testing.TB that keeps the first failure.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Fatalf(format string, args ...any) {
	if r.failure == "" {
		r.failure = fmt.Sprintf(format, args...)
	}
	runtime.Goexit()
}

func (r *recorder) Errorf(format string, args ...any) {
	if r.failure == "" {
		r.failure = fmt.Sprintf(format, args...)
	}
}
func (r *recorder) Helper()             {}
func (r *recorder) Failed() bool        { return r.failure != "" }
func (r *recorder) Logf(string, ...any) {}

// failure runs the checks of one message and returns what they say.
func failure(fields func(*layout, *wire.Coder)) string {
	reg := wire.NewRegistry("test", wire.Entry{
		Number: 1, Name: "TEST", Section: "none",
		New: func() wire.Message { return &layout{fields: fields} },
	})
	r := &recorder{}
	c := &checker{
		TB: r, entry: reg.Find("", 1), src: rand.New(rand.NewPCG(1, 1)),
		suite: &Suite{Registry: reg, Dialects: []wire.Dialect{{}, {1}}},
	}
	done := make(chan bool)
	go func() { // stops when the checks are through
		defer close(done)
		c.run()
	}()
	<-done
	return r.failure
}

// Every row breaks one rule; the checks must say so.
func TestCheckFindsBrokenRules(t *testing.T) {
	kept := ""
	tests := []struct {
		name   string
		fields func(*layout, *wire.Coder)
		want   string
	}{
		{"sound", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			c.Text("text", &m.Text)
			c.Bytes("data", &m.Data)
			wire.List(c, "list", 4, &m.List, func(s *string, c *wire.Coder) { c.Text("entry", s) })
		}, ""},
		{"encoding cuts a value", func(m *layout, c *wire.Coder) {
			if c.Dialect() == (wire.Dialect{}) {
				c.U64("b", &m.B)
				return
			}
			low := uint32(m.B)
			c.U32("b", &low)
			m.B = uint64(low)
		}, "changed the message"},
		{"encoding drops a value", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			var zero []byte
			if c.Decoding() {
				c.Bytes("data", &m.Data)
			} else {
				c.Bytes("data", &zero)
			}
		}, "changed on the way"},
		{"camel case", func(m *layout, c *wire.Coder) { c.U32("fieldA", &m.A) }, "not lower_snake"},
		{"a name twice", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			c.U64("a", &m.B)
		}, `called "a"`},
		{"undeclared end", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			if c.Describing() || !c.Decoding() || c.Remaining() > 0 {
				c.Text("text", &m.Text)
			}
		}, "no field says that the message may end there"},
		{"described otherwise", func(m *layout, c *wire.Coder) {
			if c.Describing() {
				c.U32("a", &m.A)
				return
			}
			x := uint32(0)
			c.U32("a", &x)
			if c.Decoding() {
				m.A = x / 2
			}
		}, "changed on the way"},
		{"bits left open", func(m *layout, c *wire.Coder) {
			wire.Bits(c, "a", 3, &m.A)
		}, "bit fields do not fill whole bytes"},
		{"unnamed failure", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			if c.Decoding() && c.Failed() {
				return
			}
			c.U32("", &m.A)
		}, "not lower_snake"},
		{"a text that aliases", func(m *layout, c *wire.Coder) {
			c.Bytes("data", &m.Data)
			if c.Decoding() {
				m.Text = unsafe.String(unsafe.SliceData(m.Data), len(m.Data))
			}
		}, "a text changed with the input"},
		{"greedy", func(m *layout, c *wire.Coder) {
			c.U32("a", &m.A)
			c.Rest("data", &m.Data)
			if c.Decoding() && m.A > 1<<20 {
				kept = strings.Repeat("x", 1<<20)
			}
		}, "allocates"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := failure(tt.fields)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("the checks say %q, want %q", got, tt.want)
			}
		})
	}
	_ = kept
}

func TestCheckRegistry(t *testing.T) {
	fields := func(m *layout, c *wire.Coder) { c.U32("a", &m.A) }
	newLayout := func() wire.Message { return &layout{fields: fields} }
	entries := []wire.Entry{{Number: 1, Name: "ONE", Section: "§1", New: newLayout}}
	t.Run("sound", func(t *testing.T) { Check(t, Suite{Registry: wire.NewRegistry("test", entries...), Rounds: 3}) })
}

func TestDiff(t *testing.T) {
	type inner struct{ X []byte }
	type outer struct {
		N     int
		F     float64
		S     string
		P     *inner
		L     []inner
		M     map[string]bool
		inner any
	}
	nan := func() float64 { z := 0.0; return z / z }()
	tests := []struct {
		name string
		a, b outer
		want string
	}{
		{"same", outer{}, outer{}, ""},
		{"empty and nil", outer{P: &inner{}, L: []inner{}}, outer{P: &inner{X: []byte{}}}, ""},
		{"not a number", outer{F: nan}, outer{F: nan}, ""},
		{"number", outer{N: 1}, outer{N: 2}, ".N = 1, want 2"},
		{"text", outer{S: "a"}, outer{S: "b"}, `.S = "a", want "b"`},
		{"pointer", outer{P: &inner{}}, outer{}, ".P = "},
		{"deep", outer{L: []inner{{}, {X: []byte{1}}}}, outer{L: []inner{{}, {X: []byte{2}}}}, ".L[1].X"},
		{"length", outer{L: []inner{{}}}, outer{}, "len(.L) = 1, want 0"},
		{"map", outer{M: map[string]bool{"k": true}}, outer{M: map[string]bool{"k": false}}, ".M[k]"},
		{"hidden", outer{inner: 1}, outer{inner: 2}, ".inner = 1, want 2"},
		{"other type", outer{inner: 1}, outer{inner: "1"}, ".inner = "},
	}
	for _, tt := range tests {
		if got := Diff(&tt.a, &tt.b); tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: Diff = %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := diffTexts(&outer{N: 1, P: &inner{X: []byte{1}}}, &outer{P: &inner{X: []byte{2}}}); got != "" {
		t.Errorf("diffTexts = %q, want no interest in numbers and bytes", got)
	}
	if got := diffTexts(&outer{S: "a"}, &outer{S: "b"}); got == "" {
		t.Error("diffTexts overlooks a text")
	}
}

func TestHex(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"05 0a0B # five, 0a", "\x05\x0a\x0b"},
		{"00 00\n  # only a comment\n00 01 \"a b#\" 02", "\x00\x00\x00\x01a b#\x02"},
		{`01"x"02`, "\x01x\x02"},
	}
	for _, tt := range tests {
		if got := Hex(tt.in); string(got) != tt.want {
			t.Errorf("Hex(%q) = %x, want %x", tt.in, got, tt.want)
		}
	}
	for _, in := range []string{"0", "xy", `"open`} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Hex(%q) does not panic", in)
				}
			}()
			Hex(in)
		}()
	}
}

func TestGolden(t *testing.T) {
	fields := func(m *layout, c *wire.Coder) {
		c.U32("a", &m.A)
		c.Text("text", &m.Text)
	}
	r := wire.NewRegistry("test", wire.Entry{Number: 9, Name: "NINE", Section: "§9", New: func() wire.Message { return &layout{fields: fields} }})
	m := &layout{A: 1, Text: "hi", fields: fields}
	Golden(t, r, wire.Dialect{}, m, `09 00000001 00000002 "hi"`)
	rec := &recorder{TB: t}
	Golden(rec, r, wire.Dialect{}, m, `09 00000001 00000002 "ho"`)
	if !strings.Contains(rec.failure, "from byte 10 on") {
		t.Errorf("Golden says %q about another layout", rec.failure)
	}
}
