package capture

import (
	"math"
	"math/bits"
	"time"
)

// A clock is the time stamp format of an interface: pcapng's if_tsresol and
// if_tsoffset options. Its zero value has whole microseconds since 1970.
type clock struct {
	resol  uint8 // the option if_tsresol, when set
	set    bool  // otherwise microseconds
	offset int64 // seconds to add
}

const (
	tsMicro = 6    // if_tsresol when the option is missing
	tsNano  = 9    //
	tsBase2 = 0x80 // the exponent is one of 2, not of 10
)

func (c clock) resolution() uint8 {
	if !c.set {
		return tsMicro
	}
	return c.resol
}

// time converts a time stamp.
func (c clock) time(ts uint64) time.Time {
	var sec, ns uint64
	switch r := c.resolution(); {
	case r == tsMicro:
		sec, ns = ts/1e6, ts%1e6*1e3
	case r == tsNano:
		sec, ns = ts/1e9, ts%1e9
	case r < tsBase2 && r < tsNano:
		unit := pow10(r)
		sec, ns = ts/unit, ts%unit*(1e9/unit)
	case r < tsBase2:
		if n := r - tsNano; n < 20 {
			ts /= pow10(n)
		} else {
			ts = 0
		}
		sec, ns = ts/1e9, ts%1e9
	default:
		sec, ns = splitBinary(ts, r&^tsBase2)
	}
	return time.Unix(int64(sec)+c.offset, int64(ns)).UTC()
}

// splitBinary splits ts, a number of 2^-exp seconds.
func splitBinary(ts uint64, exp uint8) (sec, ns uint64) {
	if exp < 64 {
		sec = ts >> exp
		ts -= sec << exp
	}
	hi, lo := bits.Mul64(ts, 1e9)
	switch {
	case exp == 0:
		return sec, 0
	case exp < 64:
		return sec, hi<<(64-exp) | lo>>exp
	}
	return sec, hi >> (exp - 64)
}

// stamp converts t to a time stamp, losing what is finer than the clock. The
// zero Time becomes 0.
func (c clock) stamp(t time.Time) (uint64, error) {
	if t.IsZero() {
		return 0, nil
	}
	sec, ns := t.Unix()-c.offset, uint64(t.Nanosecond())
	if sec < 0 {
		return 0, ErrTime
	}
	r := c.resolution()
	var hi, lo, frac uint64
	switch {
	case r&tsBase2 != 0:
		exp := r &^ tsBase2
		if exp >= 64 {
			return 0, ErrTime
		}
		hi, lo = bits.Mul64(uint64(sec), 1<<exp)
		// Rounded up, so that time gives the nanosecond back.
		h, l := bits.Mul64(ns, 1<<exp)
		l, carry := bits.Add64(l, 1e9-1, 0)
		frac, _ = bits.Div64(h+carry, l, 1e9)
	case r < 20:
		unit := pow10(r)
		hi, lo = bits.Mul64(uint64(sec), unit)
		if r <= tsNano {
			frac = ns / pow10(tsNano-r)
		} else {
			frac = ns * pow10(r-tsNano)
		}
	default:
		return 0, ErrTime
	}
	if hi != 0 || lo > math.MaxUint64-frac {
		return 0, ErrTime
	}
	return lo + frac, nil
}

func pow10(n uint8) uint64 {
	x := uint64(1)
	for range n {
		x *= 10
	}
	return x
}
