package mysql

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"
)

// NullTime is a time.Time that may be NULL. It takes texts as UTC.
//
// Deprecated: use [sql.NullTime], with parseTime=true.
type NullTime sql.NullTime

// Scan implements [sql.Scanner] for time.Time, and for the texts of DATE and
// DATETIME.
func (nt *NullTime) Scan(value any) error {
	nt.Time, nt.Valid = time.Time{}, false
	var err error
	switch v := value.(type) {
	case nil:
		return nil
	case time.Time:
		nt.Time = v
	case []byte:
		nt.Time, err = parseTime(string(v))
	case string:
		nt.Time, err = parseTime(v)
	default:
		err = fmt.Errorf("can't convert %T to time.Time", value)
	}
	nt.Valid = err == nil
	return err
}

// Value implements [driver.Valuer].
func (nt NullTime) Value() (driver.Value, error) {
	if !nt.Valid {
		return nil, nil
	}
	return nt.Time, nil
}

// parseTime reads the text of a DATE or DATETIME as UTC. The zero date is the
// zero time.
func parseTime(s string) (time.Time, error) {
	const layout = "2006-01-02 15:04:05.999999"
	if n := len(s); n < len("2006-01-02") || n > len(layout) {
		return time.Time{}, fmt.Errorf("invalid time string: %s", s)
	}
	if zero := "0000-00-00 00:00:00.000000"; s == zero[:len(s)] {
		return time.Time{}, nil
	}
	if len(s) == len("2006-01-02") {
		return time.Parse(time.DateOnly, s)
	}
	return time.Parse(layout, s)
}
