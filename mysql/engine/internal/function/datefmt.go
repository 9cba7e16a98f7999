package function

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dateFormat is wl_date_format(date, format).
func dateFormat(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	c, ok := toCivil(a[0])
	if !ok {
		return nil, nil
	}
	return c.format(text(a[1])), nil
}

func (c civil) format(f string) string {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		i++
		b.WriteString(c.field(f[i]))
	}
	return b.String()
}

// field returns what %x stands for.
func (c civil) field(x byte) string {
	two := func(n int) string { return fmt.Sprintf("%02d", n) }
	hour12 := (c.h+11)%12 + 1
	half := "AM"
	if c.h >= 12 {
		half = "PM"
	}
	switch x {
	case 'Y':
		return fmt.Sprintf("%04d", c.y)
	case 'y':
		return two(c.y % 100)
	case 'm':
		return two(c.mo)
	case 'c':
		return strconv.Itoa(c.mo)
	case 'M':
		return time.Month(c.mo).String()
	case 'b':
		return time.Month(c.mo).String()[:3]
	case 'd':
		return two(c.d)
	case 'e':
		return strconv.Itoa(c.d)
	case 'D':
		return strconv.Itoa(c.d) + ordinal(c.d)
	case 'H':
		return two(c.h)
	case 'k':
		return strconv.Itoa(c.h)
	case 'h', 'I':
		return two(hour12)
	case 'l':
		return strconv.Itoa(hour12)
	case 'i':
		return two(c.mi)
	case 's', 'S':
		return two(c.s)
	case 'f':
		return fmt.Sprintf("%06d", c.us)
	case 'p':
		return half
	case 'r':
		return fmt.Sprintf("%02d:%02d:%02d %s", hour12, c.mi, c.s, half)
	case 'T':
		return fmt.Sprintf("%02d:%02d:%02d", c.h, c.mi, c.s)
	case 'j':
		return fmt.Sprintf("%03d", c.time().YearDay())
	case 'W':
		return c.time().Weekday().String()
	case 'a':
		return c.time().Weekday().String()[:3]
	case 'w':
		return strconv.Itoa(int(c.time().Weekday()))
	case 'U', 'u', 'V', 'v':
		_, n := c.week(map[byte]int{'U': 0, 'u': 1, 'V': 2, 'v': 3}[x])
		return two(n)
	case 'X', 'x':
		y, _ := c.week(map[byte]int{'X': 2, 'x': 3}[x])
		return fmt.Sprintf("%04d", y)
	}
	return string(x)
}

func ordinal(n int) string {
	if n/10 == 1 {
		return "th"
	}
	switch n % 10 {
	case 1:
		return "st"
	case 2:
		return "nd"
	case 3:
		return "rd"
	}
	return "th"
}

// strToDate is wl_str_to_date(text, format, kind): kind 0 makes a date, 1 a
// time, 2 both, 3 both with six digits.
func strToDate(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	c, ok := scan(text(a[0]), text(a[1]))
	if !ok {
		return nil, nil
	}
	switch toInt(a[2]) {
	case 0:
		return c.date(), nil
	case 1:
		return timeText(c.clock(), 0), nil
	case 3:
		return c.datetime(6), nil
	}
	return c.datetime(0), nil
}

// scan reads s by a format of DATE_FORMAT.
func scan(s, f string) (civil, bool) {
	var c civil
	pm, half := false, false
	yday := 0
	num := func(width int) (int, bool) {
		n := 0
		for n < len(s) && n < width && isDigit(s[n]) {
			n++
		}
		v, err := strconv.Atoi(s[:n])
		s = s[n:]
		return v, err == nil
	}
	name := func(list func(i int) string, n, short int) (int, bool) {
		for i := range n {
			w := list(i)
			if short > 0 {
				w = w[:short]
			}
			if len(s) >= len(w) && strings.EqualFold(s[:len(w)], w) {
				s = s[len(w):]
				return i, true
			}
		}
		return 0, false
	}
	for i := 0; i < len(f); i++ {
		if f[i] == ' ' {
			s = strings.TrimLeft(s, " ")
			continue
		}
		if f[i] != '%' || i+1 == len(f) {
			if s == "" || s[0] != f[i] {
				return c, false
			}
			s = s[1:]
			continue
		}
		i++
		s = strings.TrimLeft(s, " ")
		ok := true
		switch f[i] {
		case 'Y':
			c.y, ok = num(4)
		case 'y':
			c.y, ok = num(2)
			c.y = shortYear(c.y)
		case 'm', 'c':
			c.mo, ok = num(2)
		case 'd', 'e':
			c.d, ok = num(2)
		case 'D':
			c.d, ok = num(2)
			if len(s) >= 2 {
				s = s[2:]
			}
		case 'H', 'k':
			c.h, ok = num(2)
		case 'h', 'I', 'l':
			c.h, ok = num(2)
			half = true
		case 'i':
			c.mi, ok = num(2)
		case 's', 'S':
			c.s, ok = num(2)
		case 'f':
			n := 0
			for n < len(s) && n < 6 && isDigit(s[n]) {
				n++
			}
			c.us, _ = fraction("."+s[:n], 0)
			s = s[n:]
		case 'p':
			if len(s) < 2 {
				return c, false
			}
			pm, half = strings.EqualFold(s[:2], "pm"), true
			s = s[2:]
		case 'M', 'b':
			short := 0
			if f[i] == 'b' {
				short = 3
			}
			c.mo, ok = name(func(i int) string { return time.Month(i + 1).String() }, 12, short)
			c.mo++
		case 'W', 'a':
			short := 0
			if f[i] == 'a' {
				short = 3
			}
			_, ok = name(func(i int) string { return time.Weekday(i).String() }, 7, short)
		case 'j':
			yday, ok = num(3)
		case 'T':
			var t civil
			t, ok = scan(s[:min(8, len(s))], "%H:%i:%s")
			c.h, c.mi, c.s, s = t.h, t.mi, t.s, s[min(8, len(s)):]
		case 'r':
			var t civil
			t, ok = scan(s[:min(11, len(s))], "%h:%i:%s %p")
			c.h, c.mi, c.s, s = t.h, t.mi, t.s, s[min(11, len(s)):]
		default:
			ok = s != "" && s[0] == f[i]
			if ok {
				s = s[1:]
			}
		}
		if !ok {
			return c, false
		}
	}
	if half {
		c.h %= 12
		if pm {
			c.h += 12
		}
	}
	if yday > 0 {
		t := fromTime(time.Date(c.y, 1, yday, 0, 0, 0, 0, time.UTC))
		c.mo, c.d = t.mo, t.d
	}
	return c, c.valid() || c.d == 0 && c.mo == 0
}
