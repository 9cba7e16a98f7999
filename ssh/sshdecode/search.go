package sshdecode

import (
	"fmt"

	"github.com/wirelark/wirelark/ssh/packet"
)

// search looks for the next packet behind a hole. How many packets the hole
// swallowed and where the next one begins is not known, but only the right
// answer to both makes a tag verify.
type search struct {
	alg     packet.Algorithm // of the opener; not set before the first keys
	missing int64            // bytes between the last packet and buf[0]; -1: not known
	looked  int              // len(buf) at the last look
	wait    int              // len(buf) at which the candidate is complete; 0: there is none
	tries   int64            // spent so far, in the whole direction
	cause   string           // when it is not a hole in the capture

	candidate int // where in buf something looks like a packet that is not complete
}

// Limits of a search. A try takes some 100 ns.
const (
	maxTries    = 1 << 23 // in one direction
	lookTries   = 1 << 21 // in one look
	nearPackets = 8       // how many more packets than the fewest possible a look thinks of at first
	wideBytes   = 128 << 10
	searchBytes = 1 << 20 // behind which a search is given up
	minSealed   = 4 + 8 + 16
	maxSealed   = 4 + packet.MaxLength + 64
)

// seek begins a search, or lets one that is under way know of another hole. n
// bytes are missing behind those in the buffer.
func (s *stream) seek(h *half, n int64, cause string) {
	s.packets.hole(h.dir, h.time)
	h.seek(n, cause)
}

func (h *half) seek(n int64, cause string) {
	s := &h.search
	if h.state != inSearch {
		s.missing, s.looked, s.cause = 0, 0, cause
		h.state = inSearch
	}
	if cause == "" {
		s.skip(int64(len(h.buf)))
		h.take(len(h.buf))
	}
	s.skip(n)
	s.looked, s.wait = 0, 0
}

func (s *search) skip(n int64) {
	if n < 0 || s.missing < 0 {
		s.missing = -1
		return
	}
	s.missing += n
}

// resume looks for the next packet in the buffer when enough has come, or when
// nothing more will come. It reports whether it found one.
func (s *stream) resume(h *half, last bool) bool {
	f := &h.search
	if len(h.buf) < minSealed {
		return false
	}
	if f.missing < 0 && h.opener.CountsBytes() {
		h.lose("an unknown number of bytes is missing, and the cipher " + f.alg.Cipher + " counts them")
		return true
	}
	if !s.packets.opts.Budget.Search() {
		h.lose("the searches in all conversations together take too long")
		return true
	}
	tries := f.tries
	off, skip, ok := 0, packet.Skip{}, false
	if f.wait > 0 && len(h.buf) >= f.wait {
		off, f.wait = f.candidate, 0
		skip, ok = f.try(h, off, false)
	}
	if !ok && (last || len(h.buf) >= 2*f.looked) {
		f.looked, f.wait = len(h.buf), 0
		off, skip, ok = f.look(h, false)
		if !ok && (last || len(h.buf) >= wideBytes) {
			off, skip, ok = f.look(h, true)
		}
	}
	s.packets.opts.Budget.Spend(f.tries - tries)
	switch {
	case ok:
		h.opener.Advance(skip)
		h.take(off)
		h.state = inPackets
		if f.missing != 0 {
			h.notes = append(h.notes, missing(h.dir, f.missing))
		}
		h.notes = append(h.notes, f.report(off, skip.Packets))
		return true
	case len(h.buf) > searchBytes || f.tries >= maxTries:
		h.lose(f.failure())
		return true
	}
	return false
}

// look tries every offset: with few packets missing, or with the other numbers
// that are possible.
func (s *search) look(h *half, wide bool) (off int, skip packet.Skip, ok bool) {
	end := min(s.tries+lookTries, maxTries)
	for off := 0; off+minSealed <= len(h.buf) && s.tries < end; off++ {
		if skip, ok = s.try(h, off, wide); ok {
			return off, skip, true
		}
	}
	return 0, skip, false
}

// try tries one offset. The first packet that is possible and not complete is
// noted.
func (s *search) try(h *half, off int, wide bool) (skip packet.Skip, ok bool) {
	low, high := s.packets(off)
	if wide {
		low += nearPackets
	} else {
		high = min(high, low+nearPackets-1)
	}
	for n := low; n <= high && s.tries < maxTries; n++ {
		s.tries++
		skip = packet.Skip{Packets: n, Bytes: uint64(max(0, s.missing) + int64(off)), Before: h.buf[:off]}
		size, err := h.opener.SizeAfter(h.buf[off:], skip)
		if err != nil {
			continue
		}
		if end := off + size; end > len(h.buf) {
			if s.wait == 0 {
				s.candidate, s.wait = off, end
			}
			continue
		}
		if _, _, ok := h.opener.Try(h.buf[off:], skip); ok {
			return skip, true
		}
	}
	return skip, false
}

// packets returns how few and how many packets can be missing when the next
// one begins at off.
func (s *search) packets(off int) (low, high uint64) {
	if s.missing < 0 {
		return 0, 1 << 12
	}
	n := uint64(s.missing) + uint64(off)
	return (n + maxSealed - 1) / maxSealed, n / minSealed
}

func (s *search) report(off int, packets uint64) string {
	text := fmt.Sprintf("read again after %d packets that are missing or incomplete", packets)
	if s.cause != "" {
		text += ", because of: " + s.cause
	}
	if off > 0 {
		text += fmt.Sprintf("; %d bytes skipped", off)
	}
	return text
}

func (s *search) failure() string {
	if s.cause != "" {
		return "no packet authenticates after: " + s.cause
	}
	return "no packet authenticates after missing bytes"
}
