package function

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// dateFormat is wl_date_format(date, format).
func dateFormat(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	c, ok := value.ToCivil(a[0])
	if !ok {
		return nil, nil
	}
	return format(c, value.Text(a[1])), nil
}

func format(c value.Civil, f string) string {
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		i++
		b.WriteString(formatField(c, f[i]))
	}
	return b.String()
}

// formatField returns what %x stands for.
func formatField(c value.Civil, x byte) string {
	two := func(n int) string { return fmt.Sprintf("%02d", n) }
	hour12 := (c.H+11)%12 + 1
	half := "AM"
	if c.H >= 12 {
		half = "PM"
	}
	switch x {
	case 'Y':
		return fmt.Sprintf("%04d", c.Y)
	case 'y':
		return two(c.Y % 100)
	case 'm':
		return two(c.Mo)
	case 'c':
		return strconv.Itoa(c.Mo)
	case 'M':
		return time.Month(c.Mo).String()
	case 'b':
		return time.Month(c.Mo).String()[:3]
	case 'd':
		return two(c.D)
	case 'e':
		return strconv.Itoa(c.D)
	case 'D':
		return strconv.Itoa(c.D) + ordinal(c.D)
	case 'H':
		return two(c.H)
	case 'k':
		return strconv.Itoa(c.H)
	case 'h', 'I':
		return two(hour12)
	case 'l':
		return strconv.Itoa(hour12)
	case 'i':
		return two(c.Mi)
	case 's', 'S':
		return two(c.S)
	case 'f':
		return fmt.Sprintf("%06d", c.Us)
	case 'p':
		return half
	case 'r':
		return fmt.Sprintf("%02d:%02d:%02d %s", hour12, c.Mi, c.S, half)
	case 'T':
		return fmt.Sprintf("%02d:%02d:%02d", c.H, c.Mi, c.S)
	case 'j':
		return fmt.Sprintf("%03d", c.Time().YearDay())
	case 'W':
		return c.Time().Weekday().String()
	case 'a':
		return c.Time().Weekday().String()[:3]
	case 'w':
		return strconv.Itoa(int(c.Time().Weekday()))
	case 'U', 'u', 'V', 'v':
		_, n := weekOf(c, map[byte]int{'U': 0, 'u': 1, 'V': 2, 'v': 3}[x])
		return two(n)
	case 'X', 'x':
		y, _ := weekOf(c, map[byte]int{'X': 2, 'x': 3}[x])
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
	c, ok := scan(value.Text(a[0]), value.Text(a[1]))
	if !ok {
		return nil, nil
	}
	switch value.ToInt(a[2]) {
	case 0:
		return c.Date(), nil
	case 1:
		return value.TimeText(c.Clock(), 0), nil
	case 3:
		return c.Datetime(6), nil
	}
	return c.Datetime(0), nil
}

// scan reads s by a format of DATE_FORMAT.
func scan(s, f string) (value.Civil, bool) {
	var c value.Civil
	pm, half := false, false
	yday := 0
	num := func(width int) (int, bool) {
		n := 0
		for n < len(s) && n < width && value.IsDigit(s[n]) {
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
			c.Y, ok = num(4)
		case 'y':
			c.Y, ok = num(2)
			c.Y = value.ShortYear(c.Y)
		case 'm', 'c':
			c.Mo, ok = num(2)
		case 'd', 'e':
			c.D, ok = num(2)
		case 'D':
			c.D, ok = num(2)
			if len(s) >= 2 {
				s = s[2:]
			}
		case 'H', 'k':
			c.H, ok = num(2)
		case 'h', 'I', 'l':
			c.H, ok = num(2)
			half = true
		case 'i':
			c.Mi, ok = num(2)
		case 's', 'S':
			c.S, ok = num(2)
		case 'f':
			n := 0
			for n < len(s) && n < 6 && value.IsDigit(s[n]) {
				n++
			}
			c.Us, _ = value.Fraction("."+s[:n], 0)
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
			c.Mo, ok = name(func(i int) string { return time.Month(i + 1).String() }, 12, short)
			c.Mo++
		case 'W', 'a':
			short := 0
			if f[i] == 'a' {
				short = 3
			}
			_, ok = name(func(i int) string { return time.Weekday(i).String() }, 7, short)
		case 'j':
			yday, ok = num(3)
		case 'T':
			var t value.Civil
			t, ok = scan(s[:min(8, len(s))], "%H:%i:%s")
			c.H, c.Mi, c.S, s = t.H, t.Mi, t.S, s[min(8, len(s)):]
		case 'r':
			var t value.Civil
			t, ok = scan(s[:min(11, len(s))], "%h:%i:%s %p")
			c.H, c.Mi, c.S, s = t.H, t.Mi, t.S, s[min(11, len(s)):]
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
		c.H %= 12
		if pm {
			c.H += 12
		}
	}
	if yday > 0 {
		t := value.FromTime(time.Date(c.Y, 1, yday, 0, 0, 0, 0, time.UTC))
		c.Mo, c.D = t.Mo, t.D
	}
	return c, c.Valid() || c.D == 0 && c.Mo == 0
}
