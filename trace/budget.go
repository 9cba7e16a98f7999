package trace

// Budget bounds what several decoders keep and do together, for captures that
// a stranger made: each conversation in them may be small and all of them too
// many. A nil *Budget has no bounds. It is for one goroutine.
type Budget struct {
	Bytes   int64 // that may be held yet, of input that is not decoded
	Tries   int64 // that searches behind holes may spend yet
	Refused int   // how often something was given up for it
}

// Hold says that a decoder which held old bytes holds now ones. It reports
// false, and counts a refusal, when that is too much: the decoder then drops
// what it holds, and says so with another call.
func (b *Budget) Hold(old, now int64) bool {
	if b == nil {
		return true
	}
	b.Bytes += old - now
	if b.Bytes < 0 && now > old {
		b.Refused++
		return false
	}
	return true
}

// Spend takes n tries of a search off.
func (b *Budget) Spend(n int64) {
	if b != nil {
		b.Tries -= n
	}
}

// Search reports whether a search may go on. If not, it counts a refusal, and
// the decoder gives up.
func (b *Budget) Search() bool {
	if b == nil || b.Tries > 0 {
		return true
	}
	b.Refused++
	return false
}
