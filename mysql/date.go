package mysql

import (
	"time"

	"github.com/wirelark/wirelark/wire"
)

// DateTime is a point in calendar and clock as MySQL holds it, without a time
// zone: the zero date and dates such as 2024-00-00 among them. A date alone
// has the clock at zero.
type DateTime struct {
	Year        uint16
	Month, Day  uint8 // 0 to 12, 0 to 31
	Hour        uint8
	Minute      uint8
	Second      uint8
	Microsecond uint32
}

// DateTimeOf returns the calendar and clock of t in its own location, cut to
// microseconds.
func DateTimeOf(t time.Time) DateTime {
	y, mo, d := t.Date()
	h, mi, s := t.Clock()
	return DateTime{uint16(y), uint8(mo), uint8(d), uint8(h), uint8(mi), uint8(s), uint32(t.Nanosecond() / 1000)}
}

// Time returns the time of that calendar and clock in loc. The zero date and
// others that have no month or day are false: no time.Time can hold them.
func (d DateTime) Time(loc *time.Location) (time.Time, bool) {
	if d.Month == 0 || d.Day == 0 {
		return time.Time{}, false
	}
	return time.Date(int(d.Year), time.Month(d.Month), int(d.Day), int(d.Hour), int(d.Minute), int(d.Second), int(d.Microsecond)*1000, loc), true
}

// IsZero reports whether d is the zero date.
func (d DateTime) IsZero() bool { return d == DateTime{} }

// String returns d as a server writes a DATETIME, with six digits of fraction
// if there is one.
func (d DateTime) String() string {
	decimals := uint8(0)
	if d.Microsecond != 0 {
		decimals = 6
	}
	return string(d.appendTo(nil, decimals))
}

func (d DateTime) appendDate(b []byte) []byte {
	b = appendDigits(b, uint64(d.Year), 4)
	b = append(b, '-')
	b = appendDigits(b, uint64(d.Month), 2)
	b = append(b, '-')
	return appendDigits(b, uint64(d.Day), 2)
}

func (d DateTime) appendTo(b []byte, decimals uint8) []byte {
	b = append(d.appendDate(b), ' ')
	b = appendDigits(b, uint64(d.Hour), 2)
	b = append(b, ':')
	b = appendDigits(b, uint64(d.Minute), 2)
	b = append(b, ':')
	b = appendDigits(b, uint64(d.Second), 2)
	return appendFraction(b, d.Microsecond, decimals)
}

// appendFraction appends a point and the first decimals digits of
// microseconds, 0 to 6.
func appendFraction(b []byte, micro uint32, decimals uint8) []byte {
	if decimals == 0 || decimals > 6 {
		return b
	}
	for range 6 - decimals {
		micro /= 10
	}
	return appendDigits(append(b, '.'), uint64(micro), int(decimals))
}

// appendDigits appends v in decimal with at least n digits.
func appendDigits(b []byte, v uint64, n int) []byte {
	var digits [20]byte
	i := len(digits)
	for v > 0 || n > 0 {
		i--
		digits[i] = byte('0' + v%10)
		v /= 10
		n--
	}
	return append(b, digits[i:]...)
}

// pack returns d in 62 bits, in an order in which later dates are greater.
func (d DateTime) pack() uint64 {
	v := uint64(d.Year)
	v = v<<4 | uint64(d.Month)
	v = v<<5 | uint64(d.Day)
	v = v<<5 | uint64(d.Hour)
	v = v<<6 | uint64(d.Minute)
	v = v<<6 | uint64(d.Second)
	return v<<20 | uint64(d.Microsecond)
}

func unpack(v uint64) DateTime {
	return DateTime{
		Year:        uint16(v >> 46),
		Month:       uint8(v >> 42 & 0xf),
		Day:         uint8(v >> 37 & 0x1f),
		Hour:        uint8(v >> 32 & 0x1f),
		Minute:      uint8(v >> 26 & 0x3f),
		Second:      uint8(v >> 20 & 0x3f),
		Microsecond: uint32(v & 0xfffff),
	}
}

// valid reports whether every part is within its bounds.
func (d DateTime) valid() bool {
	return d.Month <= 12 && d.Day <= 31 && d.Hour <= 23 && d.Minute <= 59 && d.Second <= 59 && d.Microsecond <= 999999
}

// fields codes the binary form: a length of 0, 4, 7 or 11 and as many bytes.
func (d *DateTime) fields(c *wire.Coder, dateOnly bool) {
	n := uint8(11)
	switch {
	case d.IsZero():
		n = 0
	case dateOnly || d.Hour == 0 && d.Minute == 0 && d.Second == 0 && d.Microsecond == 0:
		n = 4
	case d.Microsecond == 0:
		n = 7
	}
	if !c.Decoding() && !d.valid() {
		c.Fail("date", wire.ErrRange)
		return
	}
	c.Suggest(8, 0, 11)
	c.U8("length", &n)
	if n != 0 && n != 4 && n != 7 && n != 11 {
		c.Fail("length", wire.ErrValue)
		return
	}
	if n >= 4 {
		wire.UintLE(c, "year", 2, &d.Year)
		small(c, "month", &d.Month, 12)
		small(c, "day", &d.Day, 31)
	}
	if n >= 7 {
		clock(c, &d.Hour, &d.Minute, &d.Second)
	}
	if n >= 11 {
		micro(c, &d.Microsecond)
	}
}

// small codes a byte of at most limit.
func small(c *wire.Coder, name string, v *uint8, limit uint8) {
	c.Suggest(8, 0, uint64(limit))
	c.U8(name, v)
	if *v > limit {
		c.Fail(name, wire.ErrRange)
	}
}

func clock(c *wire.Coder, hour, minute, second *uint8) {
	small(c, "hour", hour, 23)
	small(c, "minute", minute, 59)
	small(c, "second", second, 59)
}

func micro(c *wire.Coder, v *uint32) {
	c.SuggestLE(4, 0, 999999)
	wire.UintLE(c, "microsecond", 4, v)
	if *v > 999999 {
		c.Fail("microsecond", wire.ErrRange)
	}
}

// Duration is a TIME: microseconds, which may be negative and more than a
// day. Servers hold -838:59:59.000000 to 838:59:59.000000.
type Duration int64

// DurationOf returns d, cut to microseconds.
func DurationOf(d time.Duration) Duration { return Duration(d / time.Microsecond) }

// Duration returns d, or the longest duration there is when d is longer.
func (d Duration) Duration() time.Duration {
	const limit = Duration(1<<63-1) / 1000
	return time.Duration(min(max(d, -limit), limit)) * time.Microsecond
}

// String returns d as a server writes a TIME, with six digits of fraction if
// there is one.
func (d Duration) String() string {
	decimals := uint8(0)
	if d%1e6 != 0 {
		decimals = 6
	}
	return string(d.appendTo(nil, decimals))
}

func (d Duration) appendTo(b []byte, decimals uint8) []byte {
	u := uint64(d)
	if d < 0 {
		u = -u
		b = append(b, '-')
	}
	s := u / 1e6
	b = appendDigits(b, s/3600, 2)
	b = append(b, ':')
	b = appendDigits(b, s/60%60, 2)
	b = append(b, ':')
	b = appendDigits(b, s%60, 2)
	return appendFraction(b, uint32(u%1e6), decimals)
}

// maxDays is how many days a TIME may have on the wire: more than any server
// holds, and few enough for microseconds in 63 bits.
const maxDays = 1e6

// fields codes the binary form: a length of 0, 8 or 12 and as many bytes.
func (d *Duration) fields(c *wire.Coder) {
	u := uint64(*d)
	var negative bool
	if *d < 0 {
		u, negative = -u, true
	}
	s := u / 1e6
	us, days := uint32(u%1e6), uint32(min(s/86400, maxDays+1))
	hour, minute, second := uint8(s/3600%24), uint8(s/60%60), uint8(s%60)
	n := uint8(12)
	switch {
	case u == 0:
		n = 0
	case us == 0:
		n = 8
	}
	c.Suggest(8, 0, 12)
	c.U8("length", &n)
	if n != 0 && n != 8 && n != 12 {
		c.Fail("length", wire.ErrValue)
		return
	}
	if n >= 8 {
		c.Bool("is_negative", &negative)
		c.SuggestLE(4, 0, 40)
		wire.UintLE(c, "days", 4, &days)
		if days > maxDays {
			c.Fail("days", wire.ErrRange)
			return
		}
		clock(c, &hour, &minute, &second)
	}
	if n >= 12 {
		micro(c, &us)
	}
	if !c.Decoding() || c.Failed() {
		return
	}
	if n == 0 {
		*d = 0
		return
	}
	if n == 8 {
		us = 0
	}
	v := Duration(((int64(days)*24+int64(hour))*60+int64(minute))*60+int64(second))*1e6 + Duration(us)
	if negative {
		v = -v
	}
	*d = v
}
