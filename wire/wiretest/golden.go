package wiretest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

// Hex returns the bytes of a layout written for people: hexadecimal digits
// with spaces anywhere, texts in double quotes (no escapes), and comments from
// # to the end of the line. It panics when the text is malformed: that is a
// bug in a test.
//
//	wiretest.Hex(`
//		05                          # SSH_MSG_SERVICE_REQUEST
//		0000000c "ssh-userauth"     # service name
//	`)
func Hex(s string) []byte {
	var out []byte
	for line := range strings.Lines(s) {
		for line = strings.TrimSpace(line); line != "" && line[0] != '#'; line = strings.TrimSpace(line) {
			if line[0] == '"' {
				text, rest, ok := strings.Cut(line[1:], `"`)
				if !ok {
					panic("wiretest: no closing quote in " + line)
				}
				out, line = append(out, text...), rest
				continue
			}
			n := strings.IndexAny(line, " \t\"#")
			if n < 0 {
				n = len(line)
			}
			b, err := hex.DecodeString(line[:n])
			if err != nil {
				panic(fmt.Sprintf("wiretest: %q: %v", line[:n], err))
			}
			out, line = append(out, b...), line[n:]
		}
	}
	return out
}

// Golden checks that m is encoded as the packet layout, in the format of
// [Hex] with the message's number first, and that layout is decoded as m.
func Golden(t testing.TB, r *wire.Registry, d wire.Dialect, m wire.Message, layout string) {
	t.Helper()
	want := Hex(layout)
	got, err := r.Append(nil, m, d)
	if err != nil {
		t.Errorf("%s: %v", r.Name(m), err)
		return
	}
	if !bytes.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		t.Errorf("%s is encoded as\n%x, want\n%x: they differ from byte %d on", r.Name(m), got, want, i)
		return
	}
	e := r.Entry(m)
	back := e.New()
	if err := r.Parse(want, back, d); err != nil {
		t.Errorf("%s: %v", e.Name, err)
		return
	}
	if diff := Diff(back, m); diff != "" {
		t.Errorf("%s is decoded as another message: %s", e.Name, diff)
	}
}
