package function

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

// dateFunc makes a function of a date that is NULL when there is none.
func dateFunc(f func(c value.Civil) driver.Value) scalar {
	return func(a []driver.Value) (driver.Value, error) {
		c, ok := value.ToCivil(a[0])
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
		us, ok := value.ParseTime(value.Text(a[0]))
		if !ok {
			return nil, nil
		}
		return f(us), nil
	}
}

// realDate makes a function of a date that is NULL for the zero date too.
func realDate(f func(c value.Civil) driver.Value) scalar {
	return dateFunc(func(c value.Civil) driver.Value {
		if c.Zero() {
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
	"wl_year":         dateFunc(func(c value.Civil) driver.Value { return int64(c.Y) }),
	"wl_month":        dateFunc(func(c value.Civil) driver.Value { return int64(c.Mo) }),
	"wl_day":          dateFunc(func(c value.Civil) driver.Value { return int64(c.D) }),
	"wl_quarter":      dateFunc(func(c value.Civil) driver.Value { return int64((c.Mo + 2) / 3) }),
	"wl_hour":         timeFunc(func(us int64) driver.Value { return abs64(us) / 3600000000 }),
	"wl_minute":       timeFunc(func(us int64) driver.Value { return abs64(us) / 60000000 % 60 }),
	"wl_second":       timeFunc(func(us int64) driver.Value { return abs64(us) / 1000000 % 60 }),
	"wl_microsecond":  timeFunc(func(us int64) driver.Value { return abs64(us) % 1000000 }),
	"wl_time_to_sec":  timeFunc(func(us int64) driver.Value { return us / 1000000 }),
	"wl_dayofweek":    realDate(func(c value.Civil) driver.Value { return int64(c.Time().Weekday()) + 1 }),
	"wl_weekday":      realDate(func(c value.Civil) driver.Value { return (int64(c.Time().Weekday()) + 6) % 7 }),
	"wl_dayofyear":    realDate(func(c value.Civil) driver.Value { return int64(c.Time().YearDay()) }),
	"wl_to_days":      realDate(func(c value.Civil) driver.Value { return c.Days() }),
	"wl_to_seconds":   realDate(func(c value.Civil) driver.Value { return c.Days()*86400 + c.Clock()/1000000 }),
	"wl_dayname":      realDate(func(c value.Civil) driver.Value { return c.Time().Weekday().String() }),
	"wl_monthname":    realDate(func(c value.Civil) driver.Value { return c.Time().Month().String() }),
	"wl_last_day":     realDate(func(c value.Civil) driver.Value { c.D = value.DaysIn(c.Y, c.Mo); return c.Date() }),
	"wl_date":         dateFunc(func(c value.Civil) driver.Value { return c.Date() }),
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
	"wl_temporal_num": value.TemporalNumber,
	"wl_period_add": func(a []driver.Value) (driver.Value, error) {
		p := value.ToInt(a[0])
		m := p/100*12 + p%100 - 1 + value.ToInt(a[1])
		return m/12*100 + m%12 + 1, nil
	},
}

// toDatetime is wl_datetime(v, digits).
func toDatetime(a []driver.Value) (driver.Value, error) {
	c, ok := value.ToCivil(a[0])
	if !ok {
		return nil, nil
	}
	return c.Datetime(int(value.ToInt(a[1]))), nil
}

// toTime is wl_time(v, digits).
func toTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	us, ok := value.ParseTime(value.Text(a[0]))
	if !ok {
		return nil, nil
	}
	return value.TimeText(value.ClampTime(us), int(value.ToInt(a[1]))), nil
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
		return sign * value.ToInt(v) * 12, 0, true
	case "QUARTER":
		return sign * value.ToInt(v) * 3, 0, true
	case "MONTH":
		return sign * value.ToInt(v), 0, true
	}
	if u, simple := intervalUnits[unit]; simple {
		if unit == "SECOND" {
			d := value.ToDec(v).Round(6)
			return 0, sign * d.N.Int64(), d.N.IsInt64()
		}
		n := value.ToInt(v)
		if abs64(n) > 1<<62/u {
			return 0, 0, false
		}
		return 0, sign * n * u, true
	}
	// As 'd hh:mm:ss.f': the parts from the right.
	names := strings.Split(unit, "_")
	order := []string{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "MICROSECOND"}
	s := value.Text(v)
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
	months, us, ok := interval(a[1], unit, value.ToInt(a[3]))
	digits := int(value.ToInt(a[4]))
	if !ok {
		return nil, nil
	}
	if digits <= -10 {
		t, good := value.ParseTime(value.Text(a[0]))
		if !good || months != 0 {
			return nil, nil
		}
		return value.TimeText(value.ClampTime(t+us), -10-digits), nil
	}
	c, clock, _, good := value.ParseDatetime(value.Text(a[0]))
	if !good || c.Zero() {
		return nil, nil
	}
	c, ok = c.Add(months, us)
	if !ok {
		return nil, nil
	}
	switch {
	case digits == -1, digits == -2 && !clock && us%86400e6 == 0 && intervalUnits[unit] != 3600e6 && !strings.Contains(unit, "SECOND"):
		return c.Date(), nil
	case digits == -2:
		if c.Us != 0 {
			return c.Datetime(6), nil
		}
		return c.Datetime(0), nil
	}
	return c.Datetime(digits), nil
}

func dateDiff(a []driver.Value) (driver.Value, error) {
	x, ok := value.ToCivil(a[0])
	y, ok2 := value.ToCivil(a[1])
	if !ok || !ok2 || x.Zero() || y.Zero() {
		return nil, nil
	}
	return x.Days() - y.Days(), nil
}

func timeDiff(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	digits := int(value.ToInt(a[2]))
	x, clock, _, ok := value.ParseDatetime(value.Text(a[0]))
	y, clock2, _, ok2 := value.ParseDatetime(value.Text(a[1]))
	if ok && ok2 && clock && clock2 {
		return value.TimeText(value.ClampTime(x.Time().Sub(y.Time()).Microseconds()), digits), nil
	}
	t, ok := value.ParseTime(value.Text(a[0]))
	u, ok2 := value.ParseTime(value.Text(a[1]))
	if !ok || !ok2 {
		return nil, nil
	}
	return value.TimeText(value.ClampTime(t-u), digits), nil
}

// timestampDiff is wl_tsdiff(unit, a, b).
func timestampDiff(a []driver.Value) (driver.Value, error) {
	x, ok := value.ToCivil(a[1])
	y, ok2 := value.ToCivil(a[2])
	if !ok || !ok2 || x.Zero() || y.Zero() {
		return nil, nil
	}
	unit := a[0].(string)
	if u, simple := intervalUnits[unit]; simple {
		days := y.Days() - x.Days()
		return (days*86400e6 + y.Clock() - x.Clock()) / u, nil
	}
	months := int64(y.Y-x.Y)*12 + int64(y.Mo-x.Mo)
	xr, yr := int64(x.D)*86400e6+x.Clock(), int64(y.D)*86400e6+y.Clock()
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
	d := value.ToDec(a[0]).Round(6)
	if !d.N.IsInt64() {
		return nil, nil
	}
	return value.TimeText(value.ClampTime(d.N.Int64()), int(value.ToInt(a[1]))), nil
}

func makeTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil || a[2] == nil {
		return nil, nil
	}
	h, m, s := value.ToInt(a[0]), value.ToInt(a[1]), value.ToInt(a[2])
	if m < 0 || m > 59 || s < 0 || s > 59 {
		return nil, nil
	}
	us := (abs64(h)*3600 + m*60 + s) * 1e6
	if h < 0 {
		us = -us
	}
	return value.TimeText(value.ClampTime(us), 0), nil
}

func makeDate(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	y, n := value.ToInt(a[0]), value.ToInt(a[1])
	if y < 100 {
		y = int64(value.ShortYear(int(y)))
	}
	if n <= 0 || n > 4e6 || y > 9999 {
		return nil, nil
	}
	c := value.FromTime(time.Date(int(y), 1, int(n), 0, 0, 0, 0, time.UTC))
	return c.Date(), nil
}

func fromDays(a []driver.Value) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	n := value.ToInt(a[0])
	if n < 366 || n > 3652424 {
		return "0000-00-00", nil
	}
	return value.FromTime(time.Unix((n-719528)*86400, 0).UTC()).Date(), nil
}

// addTime is wl_addtime(a, b, sign, digits): digits as dateAdd has them.
func addTime(a []driver.Value) (driver.Value, error) {
	if a[0] == nil || a[1] == nil {
		return nil, nil
	}
	b, ok := value.ParseTime(value.Text(a[1]))
	if !ok {
		return nil, nil
	}
	digits := int(value.ToInt(a[3]))
	c, clock, _, good := value.ParseDatetime(value.Text(a[0]))
	if good && (clock || digits >= 0) {
		c, ok = c.Add(0, b*value.ToInt(a[2]))
		if !ok {
			return nil, nil
		}
		if digits < 0 {
			digits = 0
			if c.Us != 0 {
				digits = 6
			}
		}
		return c.Datetime(digits), nil
	}
	t, ok := value.ParseTime(value.Text(a[0]))
	if !ok {
		return nil, nil
	}
	sum := value.ClampTime(t + b*value.ToInt(a[2]))
	digits = max(0, -10-digits)
	if sum%1e6 != 0 {
		digits = 6
	}
	return value.TimeText(sum, digits), nil
}

func fromUnix(a []driver.Value, zone *time.Location) (driver.Value, error) {
	if a[0] == nil {
		return nil, nil
	}
	d := value.ToDec(a[0]).Round(6)
	if !d.N.IsInt64() || d.N.Sign() < 0 || d.N.Int64() > 32503680000*1e6 {
		return nil, nil
	}
	us := d.N.Int64()
	return value.FromTime(time.UnixMicro(us).In(zone)).Datetime(int(value.ToInt(a[1]))), nil
}

func toUnix(a []driver.Value, zone *time.Location) (driver.Value, error) {
	c, ok := value.ToCivil(a[0])
	if !ok {
		return nil, nil
	}
	if c.Zero() {
		return int64(0), nil
	}
	t := time.Date(c.Y, time.Month(c.Mo), c.D, c.H, c.Mi, c.S, 0, zone)
	if t.Unix() < 0 {
		return int64(0), nil
	}
	if digits := int(value.ToInt(a[1])); digits > 0 {
		return fmt.Sprintf("%d", t.Unix()) + value.FractionText(c.Us, digits), nil
	}
	return t.Unix(), nil
}
