package function

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dateFunc makes a function of a date that is NULL when there is none.
func dateFunc(f func(c civil) driver.Value) scalar {
	return func(a []driver.Value) (driver.Value, error) {
		c, ok := toCivil(a[0])
		if !ok {
			return nil, nil
		}
		return f(c), nil
	}
}

// timeFunc makes a function of a TIME or of the clock of a date.
func timeFunc(f func(us int64) driver.Value) scalar {
	return func(a []driver.Value) (driver.Value, error) {
		if a[0] == nil {
			return nil, nil
		}
		us, ok := parseTime(text(a[0]))
		if !ok {
			return nil, nil
		}
		return f(us), nil
	}
}

// realDate makes a function of a date that is NULL for the zero date too.
func realDate(f func(c civil) driver.Value) scalar {
	return dateFunc(func(c civil) driver.Value {
		if c.zero() {
			return nil
		}
		return f(c)
	})
}

func abs64(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

var dateFuncs = map[string]scalar{
	"wl_year":         dateFunc(func(c civil) driver.Value { return int64(c.y) }),
	"wl_month":        dateFunc(func(c civil) driver.Value { return int64(c.mo) }),
	"wl_day":          dateFunc(func(c civil) driver.Value { return int64(c.d) }),
	"wl_quarter":      dateFunc(func(c civil) driver.Value { return int64((c.mo + 2) / 3) }),
	"wl_hour":         timeFunc(func(us int64) driver.Value { return abs64(us) / 3600000000 }),
	"wl_minute":       timeFunc(func(us int64) driver.Value { return abs64(us) / 60000000 % 60 }),
	"wl_second":       timeFunc(func(us int64) driver.Value { return abs64(us) / 1000000 % 60 }),
	"wl_microsecond":  timeFunc(func(us int64) driver.Value { return abs64(us) % 1000000 }),
	"wl_time_to_sec":  timeFunc(func(us int64) driver.Value { return us / 1000000 }),
	"wl_dayofweek":    realDate(func(c civil) driver.Value { return int64(c.time().Weekday()) + 1 }),
	"wl_weekday":      realDate(func(c civil) driver.Value { return (int64(c.time().Weekday()) + 6) % 7 }),
	"wl_dayofyear":    realDate(func(c civil) driver.Value { return int64(c.time().YearDay()) }),
	"wl_to_days":      realDate(func(c civil) driver.Value { return c.days() }),
	"wl_to_seconds":   realDate(func(c civil) driver.Value { return c.days()*86400 + c.clock()/1000000 }),
	"wl_dayname":      realDate(func(c civil) driver.Value { return c.time().Weekday().String() }),
	"wl_monthname":    realDate(func(c civil) driver.Value { return c.time().Month().String() }),
	"wl_last_day":     realDate(func(c civil) driver.Value { c.d = daysIn(c.y, c.mo); return c.date() }),
	"wl_date":         dateFunc(func(c civil) driver.Value { return c.date() }),
	"wl_week":         week,
	"wl_yearweek":     yearWeek,
	"wl_date_format":  dateFormat,
	"wl_str_to_date":  strToDate,
	"wl_date_add":     dateAdd,
	"wl_datediff":     dateDiff,
	"wl_timediff":     timeDiff,
	"wl_tsdiff":       timestampDiff,
	"wl_datetime":     toDatetime,
	"wl_time":         toTime,
	"wl_sec_to_time":  secToTime,
	"wl_maketime":     makeTime,
	"wl_makedate":     makeDate,
	"wl_from_days":    fromDays,
	"wl_addtime":      addTime,
	"wl_temporal_num": temporalNumber,
	"wl_period_add": func(a []driver.Value) (driver.Value, error) {
		p := toInt(a[0])
		m := p/100*12 + p%100 - 1 + toInt(a[1])
		return m/12*100 + m%12 + 1, nil
	},
}

// toDatetime is wl_datetime(v, digits).
func toDatetime(a []driver.Value) (driver.Value, error) {
	c, ok := toCivil(a[0])
	if !ok {
		return nil, nil
	}
	return c.datetime(int(toInt(a[1]))), nil
}

// toTime is wl_time(v, digits).
func toTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	us, ok := parseTime(text(a[0]))
	if !ok {
		return nil, nil
	}
	return timeText(clampTime(us), int(toInt(a[1]))), nil
}

func clampTime(us int64) int64 {
	return max(-maxTime, min(maxTime, us))
}

// temporalNumber is wl_temporal_num(v): 20060102150405 of a date, 150405 of a
// time; a real number if there are parts of a second.
func temporalNumber(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	s := text(a[0])
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

// intervalUnits are the parts that a unit of several parts is read into, in
// microseconds; months are counted on their own.
var intervalUnits = map[string]int64{
	"MICROSECOND": 1, "SECOND": 1e6, "MINUTE": 60e6, "HOUR": 3600e6, "DAY": 86400e6, "WEEK": 7 * 86400e6,
}

// interval reads the amount of INTERVAL v unit.
func interval(v driver.Value, unit string, sign int64) (months, us int64, ok bool) {
	switch unit {
	case "YEAR":
		return sign * toInt(v) * 12, 0, true
	case "QUARTER":
		return sign * toInt(v) * 3, 0, true
	case "MONTH":
		return sign * toInt(v), 0, true
	}
	if u, simple := intervalUnits[unit]; simple {
		if unit == "SECOND" {
			d := toDec(v).round(6)
			return 0, sign * d.n.Int64(), d.n.IsInt64()
		}
		n := toInt(v)
		if abs64(n) > 1<<62/u {
			return 0, 0, false
		}
		return 0, sign * n * u, true
	}
	// As 'd hh:mm:ss.f': the parts from the right.
	names := strings.Split(unit, "_")
	order := []string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"}
	s := text(v)
	if strings.HasPrefix(strings.TrimSpace(s), "-") {
		sign = -sign
	}
	nums := strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	last := indexOf(order, names[1])
	first := indexOf(order, names[0])
	for i := len(nums) - 1; i >= 0; i-- {
		if last < first {
			return 0, 0, false
		}
		n, err := strconv.ParseInt(nums[i], 10, 40)
		if err != nil {
			return 0, 0, false
		}
		switch order[last] {
		case "YEAR":
			months += 12 * n
		case "MONTH":
			months += n
		default:
			us += n * intervalUnits[order[last]]
		}
		last--
	}
	return sign * months, sign * us, true
}

func indexOf(list []string, s string) int {
	for i, l := range list {
		if l == s {
			return i
		}
	}
	return -1
}

// dateAdd is wl_date_add(date, amount, unit, sign, digits): digits -1 makes a
// date, -2 whatever fits the text, -10-n a TIME of n digits.
func dateAdd(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	unit := a[2].(string)
	months, us, ok := interval(a[1], unit, toInt(a[3]))
	digits := int(toInt(a[4]))
	if !ok {
		return nil, nil
	}
	if digits <= -10 {
		t, good := parseTime(text(a[0]))
		if !good || months != 0 {
			return nil, nil
		}
		return timeText(clampTime(t+us), -10-digits), nil
	}
	c, clock, _, good := parseDatetime(text(a[0]))
	if !good || c.zero() {
		return nil, nil
	}
	c, ok = c.add(months, us)
	if !ok {
		return nil, nil
	}
	switch {
	case digits == -1, digits == -2 && !clock && us%86400e6 == 0 && intervalUnits[unit] != 3600e6 && !strings.Contains(unit, "SECOND"):
		return c.date(), nil
	case digits == -2:
		if c.us != 0 {
			return c.datetime(6), nil
		}
		return c.datetime(0), nil
	}
	return c.datetime(digits), nil
}

func (c civil) add(months, us int64) (civil, bool) {
	m := int64(c.y)*12 + int64(c.mo) - 1 + months
	if m < 0 || m >= 10000*12 {
		return c, false
	}
	c.y, c.mo = int(m/12), int(m%12)+1
	c.d = min(c.d, daysIn(c.y, c.mo))
	days, rest := us/86400e6, us%86400e6
	if days > 4e6 || days < -4e6 {
		return c, false
	}
	c = fromTime(c.time().AddDate(0, 0, int(days)).Add(time.Duration(rest) * time.Microsecond))
	return c, c.y >= 0 && c.y <= 9999
}

func dateDiff(a []driver.Value) (driver.Value, error) {
	x, ok := toCivil(a[0])
	y, ok2 := toCivil(a[1])
	if !ok || !ok2 || x.zero() || y.zero() {
		return nil, nil
	}
	return x.days() - y.days(), nil
}

func timeDiff(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	digits := int(toInt(a[2]))
	x, clock, _, ok := parseDatetime(text(a[0]))
	y, clock2, _, ok2 := parseDatetime(text(a[1]))
	if ok && ok2 && clock && clock2 {
		return timeText(clampTime(x.time().Sub(y.time()).Microseconds()), digits), nil
	}
	t, ok := parseTime(text(a[0]))
	u, ok2 := parseTime(text(a[1]))
	if !ok || !ok2 {
		return nil, nil
	}
	return timeText(clampTime(t-u), digits), nil
}

// timestampDiff is wl_tsdiff(unit, a, b).
func timestampDiff(a []driver.Value) (driver.Value, error) {
	x, ok := toCivil(a[1])
	y, ok2 := toCivil(a[2])
	if !ok || !ok2 || x.zero() || y.zero() {
		return nil, nil
	}
	unit := a[0].(string)
	if u, simple := intervalUnits[unit]; simple {
		days := y.days() - x.days()
		return (days*86400e6 + y.clock() - x.clock()) / u, nil
	}
	months := int64(y.y-x.y)*12 + int64(y.mo-x.mo)
	xr, yr := int64(x.d)*86400e6+x.clock(), int64(y.d)*86400e6+y.clock()
	if months > 0 && yr < xr {
		months--
	} else if months < 0 && yr > xr {
		months++
	}
	return months / map[string]int64{"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit], nil
}

func secToTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	d := toDec(a[0]).round(6)
	if !d.n.IsInt64() {
		return nil, nil
	}
	return timeText(clampTime(d.n.Int64()), int(toInt(a[1]))), nil
}

func makeTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil || a[2] == nil {
		return nil, nil
	}
	h, m, s := toInt(a[0]), toInt(a[1]), toInt(a[2])
	if m < 0 || m > 59 || s < 0 || s > 59 {
		return nil, nil
	}
	us := (abs64(h)*3600 + m*60 + s) * 1e6
	if h < 0 {
		us = -us
	}
	return timeText(clampTime(us), 0), nil
}

func makeDate(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	y, n := toInt(a[0]), toInt(a[1])
	if y < 100 {
		y = int64(shortYear(int(y)))
	}
	if n <= 0 || n > 4e6 || y > 9999 {
		return nil, nil
	}
	c := fromTime(time.Date(int(y), 1, int(n), 0, 0, 0, 0, time.UTC))
	return c.date(), nil
}

func fromDays(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	n := toInt(a[0])
	if n < 366 || n > 3652424 {
		return "0000-00-00", nil
	}
	return fromTime(time.Unix((n-719528)*86400, 0).UTC()).date(), nil
}

// addTime is wl_addtime(a, b, sign, digits): digits as dateAdd has them.
func addTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	b, ok := parseTime(text(a[1]))
	if !ok {
		return nil, nil
	}
	digits := int(toInt(a[3]))
	c, clock, _, good := parseDatetime(text(a[0]))
	if good && (clock || digits >= 0) {
		c, ok = c.add(0, b*toInt(a[2]))
		if !ok {
			return nil, nil
		}
		if digits < 0 {
			digits = 0
			if c.us != 0 {
				digits = 6
			}
		}
		return c.datetime(digits), nil
	}
	t, ok := parseTime(text(a[0]))
	if !ok {
		return nil, nil
	}
	sum := clampTime(t + b*toInt(a[2]))
	digits = max(0, -10-digits)
	if sum%1e6 != 0 {
		digits = 6
	}
	return timeText(sum, digits), nil
}

// week is wl_week(date, mode).
func week(a []driver.Value) (driver.Value, error) {
	c, ok := toCivil(a[0])
	if !ok || c.zero() {
		return nil, nil
	}
	_, w := c.week(int(toInt(a[1])))
	return int64(w), nil
}

// yearWeek is wl_yearweek(date, mode).
func yearWeek(a []driver.Value) (driver.Value, error) {
	c, ok := toCivil(a[0])
	if !ok || c.zero() {
		return nil, nil
	}
	y, w := c.week(int(toInt(a[1])) | 2)
	return int64(y*100 + w), nil
}

// week returns the year and the number of the week, as WEEK and YEARWEEK
// count: bit 0 of mode, weeks begin on Monday; bit 1, from 1 on; bit 2, the
// first week is one with that first day in it.
func (c civil) week(mode int) (year, n int) {
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
	t := time.Date(c.y, time.Month(c.mo), c.d, 0, 0, 0, 0, time.UTC)
	year = c.y
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

func fromUnix(a []driver.Value, zone *time.Location) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	d := toDec(a[0]).round(6)
	if !d.n.IsInt64() || d.n.Sign() < 0 || d.n.Int64() > 32503680000*1e6 {
		return nil, nil
	}
	us := d.n.Int64()
	return fromTime(time.UnixMicro(us).In(zone)).datetime(int(toInt(a[1]))), nil
}

func toUnix(a []driver.Value, zone *time.Location) (driver.Value, error) {
	c, ok := toCivil(a[0])
	if !ok {
		return nil, nil
	}
	if c.zero() {
		return int64(0), nil
	}
	t := time.Date(c.y, time.Month(c.mo), c.d, c.h, c.mi, c.s, 0, zone)
	if t.Unix() < 0 {
		return int64(0), nil
	}
	if digits := int(toInt(a[1])); digits > 0 {
		return fmt.Sprintf("%d", t.Unix()) + fractionText(c.us, digits), nil
	}
	return t.Unix(), nil
}
