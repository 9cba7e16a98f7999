package value

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Civil is a date and a clock, without a zone. The zero date is valid.
type Civil struct {
	Y, Mo, D, H, Mi, S, Us int
}

// MaxTime is the longest TIME, in microseconds.
const MaxTime = (838*3600+59*60+59)*1000000 + 999999

// ParseDatetime reads a date with or without a clock as MySQL does: any
// punctuation between the parts, or none. clock tells whether there was one;
// whole, that nothing was left.
func ParseDatetime(s string) (c Civil, clock, whole, ok bool) {
	s = strings.TrimSpace(s)
	var parts [7]int
	var width [7]int
	n, i := 0, 0
	digits := 0
	for digits < len(s) && IsDigit(s[digits]) {
		digits++
	}
	if digits >= 6 && (digits == len(s) || s[digits] == '.' || s[digits] == 'T' || s[digits] == ' ') && digits != 7 {
		return parseCompact(s, digits)
	}
	for n < 6 && i < len(s) {
		start := i
		for i < len(s) && IsDigit(s[i]) && i-start < 4 {
			parts[n] = parts[n]*10 + int(s[i]-'0')
			i++
		}
		if i == start {
			break
		}
		width[n] = i - start
		n++
		if i == len(s) || n == 6 {
			break
		}
		if n == 3 {
			j := i
			for j < len(s) && (s[j] == ' ' || s[j] == 'T') {
				j++
			}
			if j == i || j == len(s) {
				break
			}
			i = j
			continue
		}
		if IsDigit(s[i]) || s[i] == ' ' || !isPunct(s[i]) {
			break
		}
		i++
	}
	if n < 3 {
		return c, false, false, false
	}
	if n == 6 && i < len(s) && s[i] == '.' {
		parts[6], i = Fraction(s, i)
	}
	if width[0] <= 2 {
		parts[0] = ShortYear(parts[0])
	}
	c = Civil{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]}
	return c, n > 3, i == len(s), c.Valid()
}

// Fraction reads the digits behind the point at s[i], as microseconds.
func Fraction(s string, i int) (us, end int) {
	i++
	scale := 100000
	for i < len(s) && IsDigit(s[i]) {
		us += int(s[i]-'0') * scale
		scale /= 10
		i++
	}
	return us, i
}

// parseCompact reads YYYYMMDD, YYMMDD, YYYYMMDDhhmmss and YYMMDDhhmmss.
func parseCompact(s string, digits int) (c Civil, clock, whole, ok bool) {
	d := s[:digits]
	year := 4
	if digits == 6 || digits == 12 {
		year = 2
	}
	num := func(n int) int {
		n = min(n, len(d))
		v, _ := strconv.Atoi(d[:n])
		d = d[n:]
		return v
	}
	c.Y = num(year)
	if year == 2 {
		c.Y = ShortYear(c.Y)
	}
	c.Mo, c.D = num(2), num(2)
	if digits > 8 {
		clock = true
		c.H, c.Mi, c.S = num(2), num(2), num(2)
	}
	rest := s[digits:]
	switch {
	case digits > 8 && strings.HasPrefix(rest, "."):
		var end int
		c.Us, end = Fraction(rest, 0)
		rest = rest[end:]
	case len(rest) > 1 && digits == 8:
		if t, good := ParseTime(rest[1:]); good {
			clock, rest = true, ""
			c.H, c.Mi, c.S, c.Us = int(t/3600000000), int(t/60000000%60), int(t/1000000%60), int(t%1000000)
		}
	}
	return c, clock, rest == "" && d == "", c.Valid()
}

// ShortYear returns the year that two digits stand for.
func ShortYear(y int) int {
	if y < 70 {
		return 2000 + y
	}
	if y < 100 {
		return 1900 + y
	}
	return y
}

// IsDigit reports whether c is one of 0 to 9.
func IsDigit(c byte) bool { return c >= '0' && c <= '9' }
func isPunct(c byte) bool { return strings.IndexByte("-/.:,;!@#$%^&*+=_|~", c) >= 0 }

// DaysIn returns the number of days of a month.
func DaysIn(y, m int) int {
	return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// Valid reports whether c is a date that exists, or the zero date.
func (c Civil) Valid() bool {
	if c.H > 23 || c.Mi > 59 || c.S > 59 || c.Us > 999999 || c.Y > 9999 {
		return false
	}
	if c.Y == 0 && c.Mo == 0 && c.D == 0 {
		return true
	}
	return c.Mo >= 1 && c.Mo <= 12 && c.D >= 1 && c.D <= DaysIn(c.Y, c.Mo)
}

// Zero reports whether c is the zero date.
func (c Civil) Zero() bool { return c.Mo == 0 }

// Date returns the date as a text.
func (c Civil) Date() string { return fmt.Sprintf("%04d-%02d-%02d", c.Y, c.Mo, c.D) }

// Datetime returns c with so many digits of a second, the rest cut off.
func (c Civil) Datetime(digits int) string {
	s := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", c.Y, c.Mo, c.D, c.H, c.Mi, c.S)
	return s + FractionText(c.Us, digits)
}

// FractionText returns a point and so many digits of microseconds, nothing for 0.
func FractionText(us, digits int) string {
	if digits <= 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", us)[:1+digits]
}

// Time returns c as a time in UTC.
func (c Civil) Time() time.Time {
	return time.Date(c.Y, time.Month(c.Mo), c.D, c.H, c.Mi, c.S, c.Us*1000, time.UTC)
}

// FromTime returns the calendar and the clock of t.
func FromTime(t time.Time) Civil {
	return Civil{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
}

// Clock returns the time of the day in microseconds.
func (c Civil) Clock() int64 {
	return (int64(c.H)*3600+int64(c.Mi)*60+int64(c.S))*1000000 + int64(c.Us)
}

// ToCivil returns v as a date, from a text or a number.
func ToCivil(v driver.Value) (Civil, bool) {
	if v == nil {
		return Civil{}, false
	}
	s := Text(v)
	c, _, _, ok := ParseDatetime(s)
	return c, ok
}

// ParseTime reads a TIME: [-]h:mm:ss[.f], h:mm, d h:mm:ss, hhmmss, or the
// clock of a date; in microseconds.
func ParseTime(s string) (us int64, ok bool) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	if strings.Count(s, "-") == 2 {
		c, _, _, good := ParseDatetime(s)
		return c.Clock(), good
	}
	days := 0
	if d, rest, found := strings.Cut(s, " "); found {
		n, err := strconv.Atoi(d)
		if err != nil {
			return 0, false
		}
		days, s = n, rest
	}
	frac := 0
	if i := strings.IndexByte(s, '.'); i >= 0 {
		var end int
		frac, end = Fraction(s, i)
		if end != len(s) {
			return 0, false
		}
		s = s[:i]
	}
	var h, m, sec int
	var err error
	parts := strings.Split(s, ":")
	nums := make([]int, len(parts))
	for i, p := range parts {
		if nums[i], err = strconv.Atoi(p); err != nil || nums[i] < 0 {
			return 0, false
		}
	}
	switch len(nums) {
	case 1:
		if days > 0 {
			h = nums[0]
			break
		}
		h, m, sec = nums[0]/10000, nums[0]/100%100, nums[0]%100
	case 2:
		h, m = nums[0], nums[1]
	case 3:
		h, m, sec = nums[0], nums[1], nums[2]
	default:
		return 0, false
	}
	if m > 59 || sec > 59 {
		return 0, false
	}
	us = (int64(days*24+h)*3600+int64(m)*60+int64(sec))*1000000 + int64(frac)
	if neg {
		us = -us
	}
	return us, true
}

// TimeText returns a TIME with so many digits of a second.
func TimeText(us int64, digits int) string {
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	return fmt.Sprintf("%s%02d:%02d:%02d", sign, us/3600000000, us/60000000%60, us/1000000%60) + FractionText(int(us%1000000), digits)
}

// RoundMicros rounds microseconds to so many digits of a second.
func RoundMicros(us int64, digits int) int64 {
	unit := int64(1)
	for i := digits; i < 6; i++ {
		unit *= 10
	}
	half := unit / 2
	if us < 0 {
		half = -half
	}
	return (us + half) / unit * unit
}

// Days returns the number of days since the year 0, as TO_DAYS does.
func (c Civil) Days() int64 {
	return c.Time().Truncate(24*time.Hour).Unix()/86400 + 719528
}

// Add returns c so many months and microseconds later; false beyond the years
// that there are.
func (c Civil) Add(months, us int64) (Civil, bool) {
	m := int64(c.Y)*12 + int64(c.Mo) - 1 + months
	if m < 0 || m >= 10000*12 {
		return c, false
	}
	c.Y, c.Mo = int(m/12), int(m%12)+1
	c.D = min(c.D, DaysIn(c.Y, c.Mo))
	days, rest := us/86400e6, us%86400e6
	if days > 4e6 || days < -4e6 {
		return c, false
	}
	c = FromTime(c.Time().AddDate(0, 0, int(days)).Add(time.Duration(rest) * time.Microsecond))
	return c, c.Y >= 0 && c.Y <= 9999
}

// ClampTime returns the TIME that is nearest to us.
func ClampTime(us int64) int64 {
	return max(-MaxTime, min(MaxTime, us))
}

// TemporalNumber is wl_temporal_num(v): 20060102150405 of a date, 150405 of a
// time; a real number if there are parts of a second.
func TemporalNumber(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	s := Text(a[0])
	neg := strings.HasPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, whole)
	n, _ := strconv.ParseInt(digits, 10, 64)
	if neg {
		n = -n
	}
	if frac == "" {
		return n, nil
	}
	return strconv.FormatInt(n, 10) + "." + frac, nil
}
