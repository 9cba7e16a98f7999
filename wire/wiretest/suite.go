package wiretest

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

// Bounds of what decoding hostile input may allocate: MaxFactor times its
// length, and MaxExtra bytes for the error and the first elements of lists.
const (
	MaxFactor = 64
	MaxExtra  = 16 << 10
)

// maxDescribeFactor bounds describing in the same way. A description has a
// node of some hundred bytes for a field that may own a single one.
const maxDescribeFactor = 1024

// DefaultRounds is how many random messages are tried for each message in
// each dialect by a suite that does not say otherwise.
const DefaultRounds = 40

var seedFlag = flag.Uint64("wireseed", 1, "seed of the random messages of wiretest")

// A Suite is a registry with what is needed to try it out.
type Suite struct {
	Registry *wire.Registry
	Dialects []wire.Dialect // all in which layouts differ; nil: the zero dialect alone
	Words    []string       // texts on which layouts depend, such as method names
	Rounds   int            // 0: DefaultRounds
}

func (s *Suite) dialects() []wire.Dialect {
	if len(s.Dialects) == 0 {
		return []wire.Dialect{{}}
	}
	return s.Dialects
}

// Check proves the rules of package wire for the suite: see the package
// comment. A failure names the seed of its random numbers; run the test again
// with -wireseed to see it again or to try others.
func Check(t *testing.T, s Suite) {
	t.Run("registry", func(t *testing.T) { checkRegistry(t, s.Registry) })
	for e := range s.Registry.All() {
		for i, d := range s.dialects() {
			name := e.Name
			if e.Context != "" {
				name += "(" + e.Context + ")"
			}
			if len(s.dialects()) > 1 {
				name += fmt.Sprintf("/dialect%d", i)
			}
			t.Run(name, func(t *testing.T) {
				h := fnv.New64a()
				fmt.Fprint(h, name)
				c := &checker{TB: t, suite: &s, entry: e, dialect: d, seed: *seedFlag}
				c.src = rand.New(rand.NewPCG(c.seed, h.Sum64()))
				c.run()
			})
		}
	}
}

// Fuzz runs the fuzz target of the suites: bytes chosen by the fuzzer are
// decoded as every message in every dialect.
func Fuzz(f *testing.F, suites ...Suite) {
	type target struct {
		suite   *Suite
		entry   *wire.Entry
		dialect wire.Dialect
	}
	var targets []target
	src := rand.New(rand.NewPCG(1, 2))
	for i := range suites {
		s := &suites[i]
		for e := range s.Registry.All() {
			for _, d := range s.dialects() {
				if b, err := wire.Generate(e.New(), d, src, s.Words); err == nil {
					f.Add(uint16(len(targets)), b)
				}
				targets = append(targets, target{s, e, d})
			}
		}
	}
	f.Fuzz(func(t *testing.T, n uint16, b []byte) {
		x := targets[int(n)%len(targets)]
		c := &checker{TB: t, suite: x.suite, entry: x.entry, dialect: x.dialect}
		c.hostile(b)
	})
}

func checkRegistry(t *testing.T, r *wire.Registry) {
	names := map[string]uint8{}
	for e := range r.All() {
		switch {
		case e.Name == "":
			t.Errorf("%s %d has no name", r.Proto(), e.Number)
		case e.Section == "":
			t.Errorf("%s does not say where it is specified", e.Name)
		case e.New == nil:
			t.Errorf("%s has no constructor", e.Name)
			continue
		}
		// One number of a specification may have one name and many layouts,
		// in contexts of their own.
		if n, ok := names[e.Name]; ok && n != e.Number {
			t.Errorf("%s is the name of both %d and %d", e.Name, n, e.Number)
		}
		names[e.Name] = e.Number
		if got := r.Find(e.Context, e.Number); got != e {
			t.Errorf("Find(%q, %d) is not %s", e.Context, e.Number, e.Name)
		}
		a, b := e.New(), e.New()
		if p := fmt.Sprintf("%T", b); fmt.Sprintf("%T", a) != p {
			t.Errorf("%s: the constructor returns a %T and then a %s", e.Name, a, p)
		}
		if got := r.Name(a); got != e.Name {
			t.Errorf("a new %s is known to the registry as %s", e.Name, got)
		}
	}
	if len(names) == 0 {
		t.Errorf("the %s registry is empty", r.Proto())
	}
}
