package trace

import (
	"errors"
	"fmt"
	"strings"
)

// A Filter chooses messages by protocol and name. Its zero value chooses all.
type Filter struct {
	want, drop []term
}

type term struct{ proto, name string }

// ParseFilter reads a filter: terms with commas between them. A term is
//
//	sftp           all messages of a protocol
//	ssh.userauth   those of them whose name has these words somewhere
//	!ssh.channel   and not these
//
// The part behind the dot must stand at the beginning of a word of the name
// (SSH_MSG_USERAUTH_FAILURE has the words SSH, MSG, USERAUTH and FAILURE) and
// may end anywhere: sftp.open chooses SSH_FXP_OPEN and SSH_FXP_OPENDIR. Case
// does not matter. A message is chosen when a term without ! chooses it, or
// there is no such term, and no term with ! does.
func ParseFilter(s string) (Filter, error) {
	var f Filter
	for part := range strings.SplitSeq(s, ",") {
		text, not := strings.CutPrefix(strings.ToLower(strings.TrimSpace(part)), "!")
		proto, name, dotted := strings.Cut(text, ".")
		if proto == "" || dotted && name == "" || strings.ContainsAny(text, " \t") {
			return Filter{}, fmt.Errorf("trace filter %q: %w", clean(part), errTerm)
		}
		t := term{proto, name}
		if not {
			f.drop = append(f.drop, t)
		} else {
			f.want = append(f.want, t)
		}
	}
	return f, nil
}

var errTerm = errors.New("a term is PROTOCOL or PROTOCOL.NAME, with ! in front to leave it out")

// Match reports whether the filter chooses m.
func (f Filter) Match(m *Message) bool {
	if len(f.want)+len(f.drop) == 0 {
		return true
	}
	name := strings.ToLower(m.Name)
	for _, t := range f.drop {
		if t.match(m.Proto, name) {
			return false
		}
	}
	for _, t := range f.want {
		if t.match(m.Proto, name) {
			return true
		}
	}
	return len(f.want) == 0
}

func (t term) match(proto, name string) bool {
	return t.proto == proto && (strings.HasPrefix(name, t.name) || strings.Contains(name, "_"+t.name))
}
