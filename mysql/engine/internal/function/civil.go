package function

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// civil is a date and a clock, without a zone. The zero date is valid.
type civil struct {
	y, mo, d, h, mi, s, us int
}

// maxTime is the longest TIME, in microseconds.
const maxTime = (838*3600+59*60+59)*1000000 + 999999

// parseDatetime reads a date with or without a clock as MySQL does: any
// punctuation between the parts, or none. clock tells whether there was one;
// whole, that nothing was left.
func parseDatetime(s string) (c civil, clock, whole, ok bool) {
	s = strings.TrimSpace(s)
	var parts [7]int
	var width [7]int
	n, i := 0, 0
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	if digits >= 6 && (digits == len(s) || s[digits] == '.' || s[digits] == 'T' || s[digits] == ' ') && digits != 7 {
		return parseCompact(s, digits)
	}
	for n < 6 && i < len(s) {
		start := i
		for i < len(s) && isDigit(s[i]) && i-start < 4 {
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
		if isDigit(s[i]) || s[i] == ' ' || !isPunct(s[i]) {
			break
		}
		i++
	}
	if n < 3 {
		return c, false, false, false
	}
	if n == 6 && i < len(s) && s[i] == '.' {
		parts[6], i = fraction(s, i)
	}
	if width[0] <= 2 {
		parts[0] = shortYear(parts[0])
	}
	c = civil{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]}
	return c, n > 3, i == len(s), c.valid()
}

// fraction reads the digits behind the point at s[i], as microseconds.
func fraction(s string, i int) (us, end int) {
	i++
	scale := 100000
	for i < len(s) && isDigit(s[i]) {
		us += int(s[i]-'0') * scale
		scale /= 10
		i++
	}
	return us, i
}

// parseCompact reads YYYYMMDD, YYMMDD, YYYYMMDDhhmmss and YYMMDDhhmmss.
func parseCompact(s string, digits int) (c civil, clock, whole, ok bool) {
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
	c.y = num(year)
	if year == 2 {
		c.y = shortYear(c.y)
	}
	c.mo, c.d = num(2), num(2)
	if digits > 8 {
		clock = true
		c.h, c.mi, c.s = num(2), num(2), num(2)
	}
	rest := s[digits:]
	switch {
	case digits > 8 && strings.HasPrefix(rest, "."):
		var end int
		c.us, end = fraction(rest, 0)
		rest = rest[end:]
	case len(rest) > 1 && digits == 8:
		if t, good := parseTime(rest[1:]); good {
			clock, rest = true, ""
			c.h, c.mi, c.s, c.us = int(t/3600000000), int(t/60000000%60), int(t/1000000%60), int(t%1000000)
		}
	}
	return c, clock, rest == "" && d == "", c.valid()
}

func shortYear(y int) int {
	if y < 70 {
		return 2000 + y
	}
	if y < 100 {
		return 1900 + y
	}
	return y
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isPunct(c byte) bool { return strings.IndexByte("-/.:,;!@#$%^&*+=_|~", c) >= 0 }

func daysIn(y, m int) int {
	return time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// valid reports whether c is a date that exists, or the zero date.
func (c civil) valid() bool {
	if c.h > 23 || c.mi > 59 || c.s > 59 || c.us > 999999 || c.y > 9999 {
		return false
	}
	if c.y == 0 && c.mo == 0 && c.d == 0 {
		return true
	}
	return c.mo >= 1 && c.mo <= 12 && c.d >= 1 && c.d <= daysIn(c.y, c.mo)
}

func (c civil) zero() bool { return c.mo == 0 }

func (c civil) date() string { return fmt.Sprintf("%04d-%02d-%02d", c.y, c.mo, c.d) }

// datetime returns c with so many digits of a second, the rest cut off.
func (c civil) datetime(digits int) string {
	s := fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d", c.y, c.mo, c.d, c.h, c.mi, c.s)
	return s + fractionText(c.us, digits)
}

func fractionText(us, digits int) string {
	if digits <= 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", us)[:1+digits]
}

func (c civil) time() time.Time {
	return time.Date(c.y, time.Month(c.mo), c.d, c.h, c.mi, c.s, c.us*1000, time.UTC)
}

func fromTime(t time.Time) civil {
	return civil{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000}
}

// clock returns the time of the day in microseconds.
func (c civil) clock() int64 {
	return (int64(c.h)*3600+int64(c.mi)*60+int64(c.s))*1000000 + int64(c.us)
}

// toCivil returns v as a date, from a text or a number.
func toCivil(v driver.Value) (civil, bool) {
	if v == nil {
		return civil{}, false
	}
	s := text(v)
	c, _, _, ok := parseDatetime(s)
	return c, ok
}

// parseTime reads a TIME: [-]h:mm:ss[.f], h:mm, d h:mm:ss, hhmmss, or the
// clock of a date; in microseconds.
func parseTime(s string) (us int64, ok bool) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	if strings.Count(s, "-") == 2 {
		c, _, _, good := parseDatetime(s)
		return c.clock(), good
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
		end := 0
		frac, end = fraction(s, i)
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

// timeText returns a TIME with so many digits of a second.
func timeText(us int64, digits int) string {
	sign := ""
	if us < 0 {
		sign, us = "-", -us
	}
	return fmt.Sprintf("%s%02d:%02d:%02d", sign, us/3600000000, us/60000000%60, us/1000000%60) + fractionText(int(us%1000000), digits)
}

// roundMicros rounds microseconds to so many digits of a second.
func roundMicros(us int64, digits int) int64 {
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

// days returns the number of days since the year 0, as TO_DAYS does.
func (c civil) days() int64 {
	return c.time().Truncate(24*time.Hour).Unix()/86400 + 719528
}
