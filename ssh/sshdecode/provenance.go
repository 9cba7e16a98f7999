package sshdecode

import (
	"slices"

	"github.com/wirelark/wirelark/trace"
)

// provenance tells from which frames the bytes of a buffer came.
type provenance struct {
	spans []trace.Span
}

// push says that n more bytes came from spans; without spans, from nowhere
// that is known.
func (p *provenance) push(spans []trace.Span, n int) {
	for _, s := range spans {
		s.Len = min(s.Len, n)
		p.spans = append(p.spans, s)
		n -= s.Len
	}
	if n > 0 {
		p.spans = append(p.spans, trace.Span{Len: n})
	}
}

// take removes the first n bytes and returns where they came from. The result
// is valid until the next push.
func (p *provenance) take(n int) []trace.Span {
	i := 0
	for i < len(p.spans) && n >= p.spans[i].Len {
		n -= p.spans[i].Len
		i++
	}
	out := p.spans[:i:i]
	p.spans = p.spans[i:]
	if n > 0 && len(p.spans) > 0 {
		first := p.spans[0]
		first.Len = n
		out = append(out, first) // copies
		p.spans[0].Off += n
		p.spans[0].Len -= n
	}
	if len(p.spans) == 0 {
		p.spans = nil
	}
	for _, s := range out {
		if s.Frame == 0 {
			return nil
		}
	}
	return out
}

// shrink gives memory back.
func (p *provenance) shrink() { p.spans = slices.Clone(p.spans) }

// size returns how many bytes of memory are held.
func (p *provenance) size() int64 { return 24 * int64(cap(p.spans)) }
