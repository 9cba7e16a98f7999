package options

import (
	"errors"
	"fmt"
	"time"
)

// errNoZone says that the server could not be told a time zone.
var errNoZone = errors.New("the time zone has no name that a server knows: give one such as Europe/Vienna")

// ZoneName returns a time zone as servers know it: an offset, as "+02:00", where
// it is always the same, else its name in the time zone database, which a server
// knows when its tables are filled. It is "" for nil. [time.Local] has no such
// name.
func ZoneName(l *time.Location) (string, error) {
	if l == nil {
		return "", nil
	}
	year := time.Now().Year()
	_, winter := time.Date(year, 1, 1, 0, 0, 0, 0, l).Zone()
	_, summer := time.Date(year, 7, 1, 0, 0, 0, 0, l).Zone()
	if winter != summer {
		if l == time.Local {
			return "", errNoZone
		}
		return l.String(), nil
	}
	sign := '+'
	if winter < 0 {
		sign, winter = '-', -winter
	}
	return fmt.Sprintf("%c%02d:%02d", sign, winter/3600, winter/60%60), nil
}
