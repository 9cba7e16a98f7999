package flow

import "bytes"

// history keeps the last bytes of a stream that were delivered, from position
// from to position to, to compare retransmissions with.
type history struct {
	ring     []byte // the byte at position p is ring[p%len(ring)]
	from, to int64
}

// reset begins anew at pos, behind a hole.
func (h *history) reset(pos int64) { h.from, h.to = pos, pos }

// resize gives the history room for n bytes.
func (h *history) resize(n int) {
	old := *h
	*h = history{ring: make([]byte, n), from: old.from, to: old.from}
	for h.to < old.to {
		i := int(h.to % int64(len(old.ring)))
		h.add(old.ring[i:min(len(old.ring), i+int(old.to-h.to))])
	}
}

// add appends bytes, dropping the oldest. There must be a ring.
func (h *history) add(b []byte) {
	n := int64(len(h.ring))
	if skip := int64(len(b)) - n; skip > 0 {
		h.to += skip
		b = b[skip:]
	}
	for len(b) > 0 {
		k := copy(h.ring[h.to%n:], b)
		h.to += int64(k)
		b = b[k:]
	}
	h.from = max(h.from, h.to-n)
}

// differs reports whether the bytes b, seen again at pos, are other ones than
// those delivered, as far as these are still known.
func (h *history) differs(pos int64, b []byte) bool {
	if pos < h.from {
		b = b[min(int64(len(b)), h.from-pos):]
		pos = h.from
	}
	b = b[:max(0, min(int64(len(b)), h.to-pos))]
	for len(b) > 0 {
		i := int(pos % int64(len(h.ring)))
		k := min(len(b), len(h.ring)-i)
		if !bytes.Equal(b[:k], h.ring[i:i+k]) {
			return true
		}
		b, pos = b[k:], pos+int64(k)
	}
	return false
}
