package tlsdecode

import "github.com/wirelark/wirelark/wire"

// maxSkipped is how many records a hole may have swallowed, at most, for the
// place behind it to be found.
const maxSkipped = 4096

// resume looks for the next record that can be opened behind a hole, or behind
// a record that could not. It reports whether buf begins with one; otherwise it
// wants more input, or has given the direction up.
func (d *Decoder) resume(dir wire.Dir) bool {
	s := &d.dirs[dir]
	if s.open == nil {
		// Without keys there is nothing to tell a record by: a hole in the
		// handshake closes the direction.
		d.lose(s)
		return false
	}
	s.missing = true
	for len(s.in.buf) >= headerLen {
		if !plausible(s.in.buf) || s.in.buf[0] != applicationData && d.version == tls13 {
			s.in.skip(1)
			continue
		}
		r, whole := s.in.next()
		if !whole {
			if len(s.in.buf) > maxInput {
				s.in.skip(1)
				continue
			}
			return false
		}
		if !d.options.Budget.Search() {
			d.lose(s)
			return false
		}
		if s.open.find(r, d.reach(s)) || d.findLater(dir, r) {
			s.in.lost, s.in.behind = false, 0
			return true
		}
		d.options.Budget.Spend(int64(d.reach(s)))
		s.in.skip(1)
	}
	return false
}

// findLater tries a record under the keys that follow those of the handshake,
// for the hole may have swallowed the message that ends it.
func (d *Decoder) findLater(dir wire.Dir, r record) bool {
	s := &d.dirs[dir]
	if d.version != tls13 || s.finished {
		return false
	}
	open, secret := s.open, s.secret
	s.finished = true
	if d.findKeys(dir) && s.open.find(r, d.reach(s)) {
		s.handshake = nil
		return true
	}
	s.finished, s.open, s.secret = false, open, secret
	return false
}

// reach is how many records ahead are tried.
func (d *Decoder) reach(s *direction) uint64 {
	if s.in.behind > 0 {
		// A record has a header and a tag at least.
		return min(uint64(s.in.behind)/(headerLen+16)+2, maxSkipped)
	}
	return maxSkipped
}
