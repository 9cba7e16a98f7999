package trace

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

// toy is a protocol whose client begins with its name.
func toy(name string, log *[]string) Factory {
	return Factory{
		Proto: name,
		Detect: func(c2s, _ []byte) Verdict {
			switch {
			case bytes.HasPrefix(c2s, []byte(name)):
				return Yes
			case bytes.HasPrefix([]byte(name), c2s):
				return Maybe
			}
			return No
		},
		New: func(o Options) Decoder {
			*log = append(*log, "new "+name+" "+o.Path)
			return &toyDecoder{name, log}
		},
	}
}

type toyDecoder struct {
	name string
	log  *[]string
}

func (d *toyDecoder) Feed(c Chunk) {
	*d.log = append(*d.log, fmt.Sprintf("%s %v %d %q", d.name, c.Dir, c.Gap, c.Data))
}
func (d *toyDecoder) Close()      { *d.log = append(*d.log, d.name+" close") }
func (d *toyDecoder) Blind() bool { return true }

func TestDetect(t *testing.T) {
	tests := []struct {
		name    string
		chunks  []Chunk
		want    []string
		decided string
	}{
		{
			name:    "recognised with the second piece",
			chunks:  []Chunk{{Dir: wire.S2C, Data: []byte("hi")}, {Data: []byte("on")}, {Data: []byte("e!"), Gap: 3}, {Data: []byte("more")}},
			want:    []string{"new one p", `one s2c 0 "hi"`, `one c2s 0 "on"`, `one c2s 3 "e!"`, `one c2s 0 "more"`, "one close"},
			decided: "one",
		},
		{name: "nobody", chunks: []Chunk{{Data: []byte("three")}, {Data: []byte("one")}}},
		{name: "too little", chunks: []Chunk{{Data: []byte("tw")}}},
		{name: "nothing"},
		{name: "one side talks on", chunks: slices.Repeat([]Chunk{{Dir: wire.S2C, Data: make([]byte, 1000)}}, 20)},
		{name: "holes only", chunks: slices.Repeat([]Chunk{{Gap: 1}}, 2*sniffChunks)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log, decided []string
			fs := Factories{toy("one", &log), toy("two", &log)}
			d := fs.Detect(Options{Path: "p"}, func(p string) { decided = append(decided, p) })
			for _, c := range test.chunks {
				c.Data = bytes.Clone(c.Data)
				d.Feed(c)
				clear(c.Data) // it must not be kept
			}
			if blind := d.(Blind).Blind(); blind != (test.decided != "") {
				t.Errorf("Blind = %v", blind)
			}
			d.Close()
			if !slices.Equal(log, test.want) {
				t.Errorf("got %q, want %q", log, test.want)
			}
			if !slices.Equal(decided, []string{test.decided}) {
				t.Errorf("decided %q, want %q once", decided, test.decided)
			}
			if kept := len(d.(*detecting).chunks); kept > 0 {
				t.Errorf("%d chunks are kept", kept)
			}
		})
	}
}

func TestInner(t *testing.T) {
	var log []string
	fs := Factories{toy("one", &log), toy("two", &log)}
	inner := fs.Inner(Options{})
	inner("subsystem two", "ssh/0", nil).Feed(Chunk{Data: []byte("whatever")})
	inner("exec x", "ssh/1", nil).Feed(Chunk{Data: []byte("one")})
	inner("subsystem three", "ssh/2", nil).Feed(Chunk{Data: []byte("what")})
	want := []string{"new two ssh/0", `two c2s 0 "whatever"`, "new one ssh/1", `one c2s 0 "one"`}
	if !slices.Equal(log, want) {
		t.Errorf("got %q, want %q", log, want)
	}
	if _, ok := fs.Find("three"); ok {
		t.Error("a protocol that nobody has was found")
	}
}
