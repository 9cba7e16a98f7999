package sftp

import (
	"fmt"
	"strconv"
	"time"
)

// Longname returns the line that servers put beside a name: what "ls -l"
// shows. filexfer-02 §7 gives its shape. links 0 means unknown. owner and
// group are names or, where empty, the numbers of a. now decides, as for ls,
// whether the time of day or the year is of interest.
func Longname(name string, a *Attrs, links uint64, owner, group string, now time.Time) string {
	if owner == "" {
		owner = number(a, a.UID)
	}
	if group == "" {
		group = number(a, a.GID)
	}
	n := "?"
	if links > 0 {
		n = strconv.FormatUint(links, 10)
	}
	size := "?"
	if a.Has(AttrSize) {
		size = strconv.FormatUint(a.Size, 10)
	}
	return fmt.Sprintf("%s %4s %-8s %-8s %8s %s %s", ModeText(a), n, owner, group, size, listTime(a, now), name)
}

func number(a *Attrs, id uint32) string {
	if !a.Has(AttrUIDGID) {
		return "?"
	}
	return strconv.FormatUint(uint64(id), 10)
}

// recent is how long ls shows the time of day for: half a year.
const recent = 365 * 24 * time.Hour / 2

func listTime(a *Attrs, now time.Time) string {
	if !a.Has(AttrTimes) {
		return "?           "
	}
	t := a.ModTime().In(now.Location())
	if age := now.Sub(t); age > recent || age < -time.Hour {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// ModeText returns the ten characters with which ls begins a line, such as
// "drwxr-xr-x". What is not known is "?".
func ModeText(a *Attrs) string {
	if !a.Has(AttrPermissions) {
		return "??????????"
	}
	p := a.Permissions
	b := []byte("?rwxrwxrwx")
	switch p & ModeType {
	case ModeRegular:
		b[0] = '-'
	case ModeDir:
		b[0] = 'd'
	case ModeSymlink:
		b[0] = 'l'
	case ModeSocket:
		b[0] = 's'
	case ModeBlock:
		b[0] = 'b'
	case ModeChar:
		b[0] = 'c'
	case ModeFIFO:
		b[0] = 'p'
	}
	for i := range 9 {
		if p&(1<<(8-i)) == 0 {
			b[i+1] = '-'
		}
	}
	special(&b[3], p&ModeSetUID != 0, 's', 'S')
	special(&b[6], p&ModeSetGID != 0, 's', 'S')
	special(&b[9], p&ModeSticky != 0, 't', 'T')
	return string(b)
}

// special replaces an x or - by the letter of a special bit.
func special(b *byte, set bool, with, without byte) {
	switch {
	case set && *b == 'x':
		*b = with
	case set:
		*b = without
	}
}
