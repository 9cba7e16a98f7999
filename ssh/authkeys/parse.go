package authkeys

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/wirelark/wirelark/ssh/keys"
)

const (
	maxFile = 16 << 20
	maxLine = 128 << 10
)

// A File is what an authorized_keys file says. It does not change and is safe
// for concurrent use.
type File struct {
	entries []Entry
	notes   []Note
}

// An Entry is a line with a key that may log in.
type Entry struct {
	Line    int // from 1
	Key     keys.PublicKey
	Comment string
	Grant   Grant
}

// A Note says why a line, or an option in it, is not used.
type Note struct {
	Line int
	Err  error // an *keys.UnknownTypeError, or what is wrong with the line
}

func (n Note) String() string { return fmt.Sprintf("line %d: %v", n.Line, n.Err) }

var (
	errCertAuthority  = errors.New("certificate authorities are not supported")
	errVerifyRequired = errors.New("verify-required is not supported")
	errNoTouch        = errors.New("no-touch-required is ignored: a touch stays required")
)

// Load reads the file at path. The error is that of the file system; broken
// lines are notes.
func Load(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, maxFile)
	}
	return Parse(text), nil
}

// Parse reads the text of an authorized_keys file.
func Parse(text []byte) *File {
	f := new(File)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		e, ok, err := parseLine(line)
		if err != nil {
			f.notes = append(f.notes, Note{Line: number, Err: err})
		}
		if ok {
			e.Line, e.Grant.Line = number, number
			f.entries = append(f.entries, e)
		}
	}
	return f
}

// Entries returns the usable lines in order. The slice is shared: it must not
// be changed.
func (f *File) Entries() []Entry { return f.entries }

// Notes returns which lines and options are not used, and why. The slice is
// shared: it must not be changed.
func (f *File) Notes() []Note { return f.notes }

// parseLine returns the entry of a line, if it grants anything, and why the
// line or an option in it is not used, if so.
func parseLine(line string) (e Entry, ok bool, err error) {
	if len(line) > maxLine {
		return e, false, fmt.Errorf("the line has %d bytes, at most %d are read", len(line), maxLine)
	}
	line = strings.Trim(strings.TrimRight(line, "\r\n"), " \t")
	if line == "" || line[0] == '#' {
		return e, false, nil
	}
	var soft error
	// A line begins with a key type or with options, never with a word that is
	// neither: what is no known key type is read as options, all of which must
	// be known.
	keyType, rest := word(line)
	if !keys.Known(keyType) {
		options, after, err := cutOptions(line)
		if err != nil {
			return e, false, err
		}
		keyType, rest = word(after)
		if soft, err = e.Grant.parse(options); err != nil {
			if strings.HasPrefix(keyType, "AAAA") {
				// The second word is a key: the first names its type.
				unknown, _ := word(line)
				return e, false, &keys.UnknownTypeError{Type: printable(unknown)}
			}
			return e, false, err
		}
	}
	encoded, comment := word(rest)
	if e.Key, err = keys.ParseText(keyType, encoded); err != nil {
		return e, false, err
	}
	if e.Grant.certAuthority {
		return e, false, errCertAuthority
	}
	if keys.IsCertificate(keyType) {
		return e, false, errors.New("a certificate cannot be an authorized key")
	}
	e.Comment, e.Grant.Comment = comment, comment
	return e, true, soft
}

// word cuts the first word of a line.
func word(line string) (first, rest string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimLeft(line[i:], " \t")
}

// cutOptions cuts a line behind its options: at the first blank outside quotes.
func cutOptions(line string) (options, rest string, err error) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line) && line[i+1] == '"':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted && (line[i] == ' ' || line[i] == '\t'):
			return line[:i], strings.TrimLeft(line[i:], " \t"), nil
		}
	}
	if quoted {
		return "", "", errors.New("a quotation mark is missing")
	}
	return "", "", errors.New("a key type and a key are needed")
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), 64)])
}
