package knownhosts

import (
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/ssh/keys"
)

// Markers of lines.
const (
	MarkerRevoked       = "@revoked"
	MarkerCertAuthority = "@cert-authority"
)

// maxLine bounds what is looked at of a line; the longest certificate
// authority's key takes about 3 KiB.
const maxLine = 128 << 10

// An Entry is one line that says something about hosts.
type Entry struct {
	File    string         // path as it was given
	Line    int            // from 1
	Marker  string         // MarkerRevoked, MarkerCertAuthority or empty
	Hosts   string         // names, patterns or a hash, as they stand in the line
	KeyType string         // as it stands in the line
	Key     keys.PublicKey // nil: of a type that is not known
	Comment string         // what follows the key
}

// String returns where the entry stands: "file:line".
func (e *Entry) String() string { return fmt.Sprintf("%s:%d", e.File, e.Line) }

// Matches reports whether the entry is about the given host; addr is as for
// [Normalize].
func (e *Entry) Matches(addr string) bool { return matches(e.Hosts, Normalize(addr)) }

// A Note says why a line is skipped.
type Note struct {
	File string
	Line int
	Err  error // an *keys.UnknownTypeError, or what is wrong with the line
}

func (n Note) String() string { return fmt.Sprintf("%s:%d: %v", n.File, n.Line, n.Err) }

// Parse reads the text of a known_hosts file; file is its name in entries and
// notes. Entries with keys of an unknown type are among both.
func Parse(file string, text []byte) ([]Entry, []Note) {
	var entries []Entry
	var notes []Note
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		e, ok, err := parseLine(line)
		if err != nil {
			notes = append(notes, Note{File: file, Line: number, Err: err})
		}
		if ok {
			e.File, e.Line = file, number
			entries = append(entries, e)
		}
	}
	return entries, notes
}

// parseLine returns the entry of a line, if it has one, and why it is not
// used, if so.
func parseLine(line string) (e Entry, ok bool, err error) {
	if len(line) > maxLine {
		return e, false, fmt.Errorf("the line has %d bytes, at most %d are read", len(line), maxLine)
	}
	line = strings.Trim(strings.TrimRight(line, "\r\n"), " \t")
	if line == "" || line[0] == '#' {
		return e, false, nil
	}
	if line[0] == '@' {
		e.Marker, line = field(line)
		if e.Marker != MarkerRevoked && e.Marker != MarkerCertAuthority {
			return e, false, fmt.Errorf("unknown marker %q", e.Marker)
		}
	}
	var encoded string
	e.Hosts, line = field(line)
	e.KeyType, line = field(line)
	encoded, e.Comment = field(line)
	if encoded == "" {
		return e, false, fmt.Errorf("a host, a key type and a key are needed")
	}
	if strings.HasPrefix(e.Hosts, "|") {
		if _, _, ok := parseHash(e.Hosts); !ok {
			return e, false, fmt.Errorf("malformed hashed name")
		}
	}
	e.Key, err = keys.ParseText(e.KeyType, encoded)
	if err == nil {
		return e, true, nil
	}
	return e, isUnknownType(err), err
}

// field cuts the first word of a line.
func field(line string) (word, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimLeft(line[i:], " \t")
}
