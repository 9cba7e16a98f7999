package config

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/ssh/knownhosts"
)

// Bounds of what is read.
const (
	maxFile     = 4 << 20
	maxLine     = 128 << 10
	maxDepth    = 16
	maxIncluded = 1024
	maxErrors   = 32
)

// A reader evaluates a source for a query. It goes over the files once, or
// twice when "Match final" is among them, and keeps what applies.
type reader struct {
	ctx      context.Context
	source   *Source
	query    *Query
	disk     disk
	keywords map[string]*keyword

	host      string // what Host and Match host are compared with
	final     bool   // this is the second pass
	wantFinal bool
	included  int

	set     map[*keyword][]Setting // what applies, in the order of reading
	ignored string                 // the pattern list of IgnoreUnknown
	errs    []error
}

func newReader(ctx context.Context, s *Source, q *Query) *reader {
	r := &reader{
		ctx: ctx, source: s, query: q, disk: s.disk, host: q.Host,
		keywords: byName(), set: map[*keyword][]Setting{},
	}
	if r.disk == nil {
		r.disk = machine{}
	}
	return r
}

func (r *reader) failed() bool { return len(r.errs) > 0 }

func (r *reader) err() error {
	if len(r.errs) == 1 {
		return r.errs[0]
	}
	return errors.Join(r.errs...)
}

// wrong keeps a mistake.
func (r *reader) wrong(file string, number int, err error, format string, args ...any) {
	if len(r.errs) < maxErrors {
		r.errs = append(r.errs, &Error{File: file, Line: number, Text: fmt.Sprintf(format, args...), Err: err})
	}
}

// A place is what the line under way stands in.
type place struct {
	file   string
	user   bool // in a file of the user
	depth  int
	never  bool // in a file that is included where nothing applies
	active bool // the last Host or Match line applies
}

const onCommandLine = "-o"

// commandLine takes what the query says.
func (r *reader) commandLine() {
	q := r.query
	if q.User != "" {
		r.add("user", Setting{Args: []string{q.User}, Value: q.User, File: onCommandLine})
	}
	if q.Port != 0 {
		text := fmt.Sprint(q.Port)
		r.add("port", Setting{Args: []string{text}, Value: text, File: onCommandLine})
	}
	for _, f := range q.IdentityFiles {
		r.add("identityfile", Setting{Args: []string{f}, Value: f, File: "-i"})
	}
	for _, o := range q.Options {
		r.line(&place{file: onCommandLine, active: true}, 0, o)
	}
}

// add adds a setting that needs no check.
func (r *reader) add(name string, s Setting) {
	k := r.keywords[name]
	s.Name = k.name
	r.set[k] = append(r.set[k], s)
}

func (r *reader) files() {
	for _, f := range r.source.Files {
		text := f.Text
		if text == nil {
			var err error
			if text, err = r.disk.read(f.Path, f.Private); err != nil {
				if !f.Optional || !errors.Is(err, fs.ErrNotExist) {
					r.wrong(f.Path, 0, err, "cannot be read")
				}
				continue
			}
		}
		r.file(&place{file: f.Path, user: f.User, active: true}, text)
	}
}

func (r *reader) file(p *place, text []byte) {
	number := 0
	for l := range strings.Lines(string(text)) {
		if number++; len(r.errs) == maxErrors || r.ctx.Err() != nil {
			return
		}
		if len(l) > maxLine {
			r.wrong(p.file, number, nil, "the line has %d bytes, at most %d are read", len(l), maxLine)
			continue
		}
		r.line(p, number, l)
	}
}

// line reads one line.
func (r *reader) line(p *place, number int, text string) {
	key, rest, ok := cutLine(text)
	if !ok {
		return
	}
	l := &line{file: p.file, number: number, key: key, rest: rest}
	wrong := func(format string, args ...any) { r.wrong(p.file, number, nil, format, args...) }
	if rest == "" {
		wrong("%q has no value", key)
		return
	}
	if l.args, ok = words(rest); !ok {
		wrong("a quotation mark is missing")
		return
	}
	l.more = l.args
	switch key {
	case "host", "match", "include":
		if p.file == onCommandLine {
			wrong("%s does not work on the command line", key)
			return
		}
		r.structure(p, l)
		return
	}
	k := r.keywords[key]
	switch {
	case k == nil && slices.Contains(obsolete, key), k == nil && matchList(key, strings.ToLower(r.ignored)):
		return
	case k == nil:
		wrong("there is no option %q", key)
		return
	}
	if err := k.check(l); err != nil {
		wrong("%s: expected %v", k.name, err)
		return
	}
	if len(l.more) > 0 {
		wrong("%s: %q is too much", k.name, l.more[0])
		return
	}
	if p.active {
		r.keep(k, Setting{Name: k.name, Args: l.args, Value: rest, File: p.file, Line: number})
	}
}

// keep adds a setting unless an earlier one holds.
func (r *reader) keep(k *keyword, s Setting) {
	if !k.adds && len(r.set[k]) > 0 {
		return
	}
	// Whichever of the two comes first holds; a ProxyJump of none leaves the
	// other one its say.
	switch k.name {
	case "ProxyJump":
		if len(r.set[r.keywords["proxycommand"]]) > 0 {
			return
		}
	case "ProxyCommand":
		if jump := r.set[r.keywords["proxyjump"]]; len(jump) > 0 && !strings.EqualFold(jump[0].Value, "none") {
			return
		}
	case "IgnoreUnknown":
		r.ignored = s.Args[0]
	}
	r.set[k] = append(r.set[k], s)
}

// structure reads the lines that say what others apply to, or add more lines.
func (r *reader) structure(p *place, l *line) {
	switch l.key {
	case "host":
		if len(l.args) == 0 {
			r.wrong(p.file, l.number, nil, "Host needs a pattern")
		}
		p.active = matchHosts(r.host, l.args) && !p.never
	case "match":
		ok, err := r.match(l, p.never)
		if err != nil {
			r.wrong(p.file, l.number, errors.Unwrap(err), "Match: %s", strings.TrimSuffix(err.Error(), wrappedText(err)))
		}
		p.active = ok && !p.never
	case "include":
		r.include(p, l)
	}
}

// wrappedText is the end of err's text that its cause repeats.
func wrappedText(err error) string {
	if cause := errors.Unwrap(err); cause != nil {
		return ": " + cause.Error()
	}
	return ""
}

// matchHosts reports whether one of the patterns matches, and none that is
// negated.
func matchHosts(host string, patterns []string) bool {
	matched := false
	for _, p := range patterns {
		pattern, negated := strings.CutPrefix(p, "!")
		if !knownhosts.MatchPattern(pattern, host) {
			continue
		}
		if negated {
			return false
		}
		matched = true
	}
	return matched
}

// matchList is matchHosts for a list with commas.
func matchList(s, list string) bool { return matchHosts(s, strings.Split(list, ",")) }

// include reads the files that an Include line names, in the order of their
// names for each pattern. They begin where the line stands: under the same
// Host or Match line.
func (r *reader) include(p *place, l *line) {
	if p.depth >= maxDepth {
		r.wrong(p.file, l.number, nil, "files include each other more than %d deep", maxDepth)
		return
	}
	for _, pattern := range l.args {
		path, err := r.includePath(p, pattern)
		if err == nil {
			err = r.includeAll(p, path)
		}
		if err != nil {
			r.wrong(p.file, l.number, err, "Include %s", pattern)
		}
	}
}

func (r *reader) includePath(p *place, pattern string) (string, error) {
	if pattern == "" {
		return "", errMissing
	}
	path, err := r.expand(pattern, tokensAll)
	if err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(path, "~"):
		if !p.user {
			return "", errors.New("~ means nothing in the system's file")
		}
		return r.tilde(path)
	case filepath.IsAbs(path):
		return path, nil
	case p.user:
		return filepath.Join(r.source.Local.Home, ".ssh", path), nil
	}
	return filepath.Join(systemDir, path), nil
}

func (r *reader) includeAll(p *place, pattern string) error {
	paths, err := r.disk.glob(pattern)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if r.included++; r.included > maxIncluded {
			return fmt.Errorf("more than %d files are included", maxIncluded)
		}
		text, err := r.disk.read(path, true)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			r.wrong(path, 0, err, "cannot be read")
		default:
			r.file(&place{file: path, user: p.user, depth: p.depth + 1, never: p.never || !p.active, active: p.active}, text)
		}
	}
	return nil
}
