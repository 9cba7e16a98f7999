package trace

import (
	"bytes"
	"strings"

	"github.com/wirelark/wirelark/wire"
)

// Factories chooses decoders by name and by content.
type Factories []Factory

// sniffLimit is the most bytes of a direction that are kept while it is open
// what a conversation is.
const sniffLimit = 16 << 10

// sniffChunks is the most chunks that are kept meanwhile.
const sniffChunks = 1024

// Find returns the factory of a protocol.
func (fs Factories) Find(proto string) (Factory, bool) {
	for _, f := range fs {
		if f.Proto == proto {
			return f, true
		}
	}
	return Factory{}, false
}

// Inner returns a function for [Options] that opens decoders for inner
// streams: "subsystem NAME" is decoded as the protocol NAME when there is a
// factory for it, everything else by its first bytes. The decoders get o, but
// for what is their own: Emit, Path, and Inner, which is this function again.
func (fs Factories) Inner(o Options) Inner {
	return func(label, path string, emit Emit) Decoder {
		o := o
		o.Emit, o.Path, o.Inner = emit, path, fs.Inner(o)
		if name, ok := strings.CutPrefix(label, "subsystem "); ok {
			if f, ok := fs.Find(name); ok {
				return f.New(o)
			}
		}
		return fs.Detect(o, nil)
	}
}

// Detect returns a decoder that keeps the first bytes of both directions until
// a factory recognises them, and then makes its decoder and hands it
// everything. decided, which may be nil, is called once with the name of the
// protocol, or with "" when nobody recognises the bytes: nothing is emitted
// then.
func (fs Factories) Detect(o Options, decided func(proto string)) Decoder {
	return &detecting{factories: fs, options: o, decided: decided}
}

type detecting struct {
	factories Factories
	options   Options
	decided   func(string)
	chunks    []Chunk // so far, copied
	first     [2][]byte
	decoder   Decoder
	over      bool // it is decided
	held      int64
}

func (d *detecting) Feed(c Chunk) {
	if d.over {
		if d.decoder != nil {
			d.decoder.Feed(c)
		}
		return
	}
	c.Data, c.Spans = bytes.Clone(c.Data), append([]Span(nil), c.Spans...)
	d.chunks = append(d.chunks, c)
	if room := sniffLimit - len(d.first[c.Dir]); room > 0 {
		d.first[c.Dir] = append(d.first[c.Dir], c.Data[:min(room, len(c.Data))]...)
	}
	held := d.held + 2*int64(len(c.Data)) + chunkSize + spanSize*int64(len(c.Spans))
	if !d.options.Budget.Hold(d.held, held) {
		d.held = held
		d.settle(Factory{})
		return
	}
	d.held = held
	d.judge(false)
}

// What a kept chunk and a span take in memory.
const (
	chunkSize = 128
	spanSize  = 24
)

// judge asks the factories. At the end a Maybe is a No.
func (d *detecting) judge(end bool) {
	maybe := false
	for _, f := range d.factories {
		switch f.Detect(d.first[wire.C2S], d.first[wire.S2C]) {
		case Yes:
			d.settle(f)
			return
		case Maybe:
			maybe = true
		}
	}
	full := len(d.first[wire.C2S]) >= sniffLimit || len(d.first[wire.S2C]) >= sniffLimit || len(d.chunks) >= sniffChunks
	if !maybe || full || end {
		d.settle(Factory{})
	}
}

func (d *detecting) settle(f Factory) {
	d.over = true
	d.options.Budget.Hold(d.held, 0) // the decoder counts what it keeps of it
	d.held = 0
	if d.decided != nil {
		d.decided(f.Proto)
	}
	if f.New != nil {
		d.decoder = f.New(d.options)
		for _, c := range d.chunks {
			d.decoder.Feed(c)
		}
	}
	d.chunks, d.first = nil, [2][]byte{}
}

func (d *detecting) Close() {
	if !d.over {
		d.judge(true)
	}
	if d.decoder != nil {
		d.decoder.Close()
	}
}

// Blind is implemented by decoders of encrypted protocols.
type Blind interface {
	// Blind reports whether a direction cannot be decrypted any more.
	Blind() bool
}

// Blind reports whether the decoder that was chosen is.
func (d *detecting) Blind() bool {
	b, ok := d.decoder.(Blind)
	return ok && b.Blind()
}
