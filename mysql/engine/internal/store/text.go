package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/value"
)

func (s *State) toString(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	t := &st.Type
	str := value.Text(v)
	if t.Collation == "binary" {
		if len(str) > t.Length {
			return []byte(str[:t.Length]), s.tooLong(st)
		}
		b := []byte(str)
		if t.Kind == mysql.TypeString {
			b = append(b, make([]byte, t.Length-len(b))...)
		}
		return b, nil
	}
	if !utf8.ValidString(str) {
		bad := strings.IndexFunc(str, func(r rune) bool { return r == utf8.RuneError })
		show := ""
		for _, c := range []byte(str[bad:min(len(str), bad+6)]) {
			show += fmt.Sprintf("\\x%02X", c)
		}
		return strings.ToValidUTF8(str, "?"), catalog.Errorf(1366, "Incorrect string value: '%s' for column %s at row %d", show, st.Place, s.row(st))
	}
	if t.JSON && !json.Valid([]byte(str)) {
		return str, catalog.Errorf(4025, "CONSTRAINT `%s` failed for %s", st.Name, st.Check)
	}
	if t.Blob() {
		if len(str) > t.Length {
			return strings.ToValidUTF8(str[:t.Length], ""), s.tooLong(st)
		}
		return str, nil
	}
	if len(str) > t.Length && utf8.RuneCountInString(str) > t.Length {
		r := []rune(str)
		cut := string(r[:t.Length])
		if strings.Trim(string(r[t.Length:]), " ") != "" {
			return s.charEnd(t, cut), s.tooLong(st)
		}
		if t.Kind != mysql.TypeString {
			s.Note(1265, "Data truncated for column '%s' at row %d", st.Name, s.row(st))
		}
		str = cut
	}
	return s.charEnd(t, str), nil
}

// charEnd cuts the spaces at the end of a CHAR.
func (s *State) charEnd(t *catalog.Type, str string) string {
	if t.Kind == mysql.TypeString {
		return strings.TrimRight(str, " ")
	}
	return str
}

func (s *State) toEnum(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	if n, ok := v.(int64); ok {
		if n >= 1 && n <= int64(len(st.Type.Values)) {
			return st.Type.Values[n-1], nil
		}
		return "", s.truncated(st)
	}
	str := strings.TrimRight(value.Text(v), " ")
	for _, w := range st.Type.Values {
		if value.CompareFold(w, str) == 0 {
			return w, nil
		}
	}
	if n, err := strconv.Atoi(str); err == nil && n >= 1 && n <= len(st.Type.Values) {
		return st.Type.Values[n-1], nil
	}
	return "", s.truncated(st)
}

func (s *State) toSet(st *Store, v driver.Value) (driver.Value, *catalog.Error) {
	var bits uint64
	var err *catalog.Error
	if n, ok := v.(int64); ok {
		bits = uint64(n)
		if bits>>len(st.Type.Values) != 0 {
			bits, err = bits&(1<<len(st.Type.Values)-1), s.truncated(st)
		}
	} else if str := value.Text(v); str != "" {
		for _, part := range strings.Split(str, ",") {
			i := slices.IndexFunc(st.Type.Values, func(w string) bool { return value.CompareFold(w, strings.TrimRight(part, " ")) == 0 })
			if i < 0 {
				err = s.truncated(st)
				continue
			}
			bits |= 1 << i
		}
	}
	var list []string
	for i, w := range st.Type.Values {
		if bits&(1<<i) != 0 {
			list = append(list, w)
		}
	}
	return strings.Join(list, ","), err
}
