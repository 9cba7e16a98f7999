package function

import (
	"database/sql/driver"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// week is wl_week(date, mode).
func week(a []driver.Value) (driver.Value, error) {
	c, ok := value.ToCivil(a[0])
	if !ok || c.Zero() {
		return nil, nil
	}
	_, w := weekOf(c, int(value.ToInt(a[1])))
	return int64(w), nil
}

// yearWeek is wl_yearweek(date, mode).
func yearWeek(a []driver.Value) (driver.Value, error) {
	c, ok := value.ToCivil(a[0])
	if !ok || c.Zero() {
		return nil, nil
	}
	y, w := weekOf(c, int(value.ToInt(a[1]))|2)
	return int64(y*100 + w), nil
}

// weekOf returns the year and the number of the week, as WEEK and YEARWEEK
// count: bit 0 of mode, weeks begin on Monday; bit 1, from 1 on; bit 2, the
// first week is one with that first day in it.
func weekOf(c value.Civil, mode int) (year, n int) {
	if mode&1 == 0 {
		mode ^= 4
	}
	monday, weekYear, firstDay := mode&1 != 0, mode&2 != 0, mode&4 != 0
	wd := func(t time.Time) int {
		d := int(t.Weekday())
		if monday {
			d = (d + 6) % 7
		}
		return d
	}
	t := time.Date(c.Y, time.Month(c.Mo), c.D, 0, 0, 0, 0, time.UTC)
	year = c.Y
	start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	w1 := wd(start)
	days := t.YearDay() - 1
	// The modes in which a first week is one with most of its days in the year
	// have firstDay clear for Sunday and set for Monday.
	mostly := !firstDay
	if monday {
		mostly = !firstDay
	}
	first := func(w int) int { // the day of the year on which week 1 begins
		if mostly {
			if w > 3 {
				return 7 - w
			}
			return -w
		}
		if w != 0 {
			return 7 - w
		}
		return 0
	}
	off := first(w1)
	if days < off {
		if !weekYear {
			return year, 0
		}
		year--
		prev := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		length := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
		return year, (days+length-first(wd(prev)))/7 + 1
	}
	n = (days-off)/7 + 1
	if weekYear {
		length := time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay()
		next := time.Date(year+1, 1, 1, 0, 0, 0, 0, time.UTC)
		if days-length >= first(wd(next)) {
			return year + 1, 1
		}
	}
	return year, n
}
