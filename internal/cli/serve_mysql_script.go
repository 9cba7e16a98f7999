package cli

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// cannedScript answers statements from a file. See the help of serve mysql for
// its format.
type cannedScript struct {
	blocks []*cannedBlock

	mu   sync.Mutex
	told map[string]int // how often a statement was answered
}

// cannedBlock is a statement and its answer.
type cannedBlock struct {
	line    int
	words   []string // of the statement, in a form that is compared
	open    bool     // anything may follow
	wait    time.Duration
	closes  bool
	err     *mysqlserver.Error
	result  mysqlserver.Result
	columns []mysql.Column // nil: an OK
	rows    [][]mysql.Value
	types   []string
	lines   [][]string // names and rows until the types are known
}

var _ mysqlserver.Handler = (*cannedScript)(nil)

func loadScript(path string) (*cannedScript, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := parseScript(string(text))
	if err != nil {
		return nil, &Error{Code: exitUsage, What: fmt.Sprintf("%s: %v", path, err), Err: err, Next: []string{"see the format: wirelark serve mysql --help"}}
	}
	return s, nil
}

func parseScript(text string) (*cannedScript, error) {
	s := &cannedScript{told: make(map[string]int)}
	var b *cannedBlock
	statement := ""
	finish := func() error {
		if b == nil {
			return nil
		}
		defer func() { b, statement = nil, "" }()
		return s.add(b, statement)
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "> ") && b != nil && !b.begun():
			statement += "\n" + line[2:]
		case strings.HasPrefix(line, "> "):
			if err := finish(); err != nil {
				return nil, err
			}
			b, statement = &cannedBlock{line: n}, line[2:]
		case line == "":
			if b != nil && !b.begun() {
				b.result = mysqlserver.Result{}
			}
			if err := finish(); err != nil {
				return nil, err
			}
		case b == nil:
			return nil, fmt.Errorf("line %d: an answer without a statement", n)
		default:
			if err := b.take(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := finish(); err != nil {
		return nil, err
	}
	if len(s.blocks) == 0 {
		return nil, fmt.Errorf("there is no statement in it")
	}
	return s, nil
}

// begun reports whether a part of the answer was read.
func (b *cannedBlock) begun() bool {
	return b.err != nil || b.closes || b.wait != 0 || len(b.lines) > 0 || b.types != nil || b.result != (mysqlserver.Result{})
}

var errorLine = regexp.MustCompile(`^ERROR (\d+)(?: \(([0-9A-Z]{5})\))?: (.*)$`)

// take reads a line of the answer.
func (b *cannedBlock) take(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case len(b.lines) > 0: // rows may begin with anything
	case word == "OK":
		b.result.Info = "OK"
		for i, field := range strings.Fields(rest) {
			v, err := strconv.ParseUint(field, 10, 64)
			if err != nil || i > 1 {
				return fmt.Errorf("OK is followed by the number of rows and the last insert id")
			}
			if i == 0 {
				b.result.AffectedRows = v
			} else {
				b.result.LastInsertID = v
			}
		}
		return nil
	case word == "ERROR":
		m := errorLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("an error is written as ERROR 1146 (42S02): text")
		}
		code, err := strconv.ParseUint(m[1], 10, 16)
		if err != nil {
			return fmt.Errorf("%s is no error number", m[1])
		}
		b.err = &mysqlserver.Error{Code: uint16(code), State: m[2], Message: m[3]}
		return nil
	case word == "WAIT":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return fmt.Errorf("WAIT is followed by a time such as 500ms")
		}
		b.wait = d
		return nil
	case line == "CLOSE":
		b.closes = true
		return nil
	case word == "TYPES":
		b.types = strings.Fields(rest)
		return nil
	}
	cells := strings.Split(line, "\t")
	if len(b.lines) > 0 && len(cells) != len(b.lines[0]) {
		return fmt.Errorf("a row of %d cells below %d names; a tab stands between them", len(cells), len(b.lines[0]))
	}
	b.lines = append(b.lines, cells)
	return nil
}

// add makes values of the lines of b and takes it.
func (s *cannedScript) add(b *cannedBlock, statement string) error {
	statement = strings.TrimSpace(statement)
	if rest, ok := strings.CutSuffix(statement, "*"); ok && (rest == "" || strings.HasSuffix(rest, " ")) {
		statement, b.open = rest, true
	}
	b.words = cannedWords(statement)
	if b.result.Info == "OK" {
		b.result.Info = ""
	}
	if len(b.lines) > 0 {
		if err := b.table(); err != nil {
			return fmt.Errorf("line %d: %w", b.line, err)
		}
	}
	s.blocks = append(s.blocks, b)
	return nil
}

// cannedWords is a statement in a form that does not depend on case and space.
func cannedWords(sql string) []string {
	var words []string
	for _, t := range lexer.Code(strings.TrimRight(strings.TrimSpace(sql), "; \n\t"), lexer.Config{}) {
		if t.Kind == lexer.Word {
			words = append(words, strings.ToUpper(t.Text))
			continue
		}
		words = append(words, t.Text)
	}
	return words
}

// cannedTypes are the names behind TYPES.
var cannedTypes = map[string]mysql.Column{
	"int":      {Type: mysql.TypeLonglong, Length: 20},
	"uint":     {Type: mysql.TypeLonglong, Length: 20, Flags: mysql.FlagUnsigned},
	"decimal":  {Type: mysql.TypeNewDecimal, Length: 65, Decimals: 2},
	"double":   {Type: mysql.TypeDouble, Length: 22, Decimals: 31},
	"text":     {Type: mysql.TypeVarString, Length: 1020},
	"json":     {Type: mysql.TypeJSON, Length: 1 << 30},
	"blob":     {Type: mysql.TypeBlob, Length: 1 << 16, Collation: mysql.CollationBinary},
	"date":     {Type: mysql.TypeDate, Length: 10},
	"datetime": {Type: mysql.TypeDatetime, Length: 26, Decimals: 6},
	"time":     {Type: mysql.TypeTime, Length: 17, Decimals: 6},
}

var (
	cannedInteger = regexp.MustCompile(`^-?[0-9]{1,18}$`)
	cannedDecimal = regexp.MustCompile(`^-?[0-9]{1,40}\.[0-9]{1,20}$`)
)

// table turns lines into columns and rows.
func (b *cannedBlock) table() error {
	names := b.lines[0]
	if b.types != nil && len(b.types) != len(names) {
		return fmt.Errorf("%d types for %d columns", len(b.types), len(names))
	}
	for i, name := range names {
		kind := b.guess(i)
		if b.types != nil {
			kind = b.types[i]
		}
		c, ok := cannedTypes[kind]
		if !ok {
			return fmt.Errorf("there is no type %q", kind)
		}
		c.Name = name
		b.columns = append(b.columns, c)
	}
	for _, cells := range b.lines[1:] {
		row := make([]mysql.Value, len(cells))
		for i, cell := range cells {
			if cell != "NULL" {
				row[i] = mysql.Text([]byte(cannedUnescape(cell)))
			}
		}
		b.rows = append(b.rows, row)
	}
	return nil
}

// guess tells the type of a column by its cells.
func (b *cannedBlock) guess(i int) string {
	kind := ""
	for _, cells := range b.lines[1:] {
		switch cell := cells[i]; {
		case cell == "NULL":
		case cannedInteger.MatchString(cell) && (kind == "" || kind == "int"):
			kind = "int"
		case cannedDecimal.MatchString(cell) && (kind == "" || kind == "decimal"):
			kind = "decimal"
		default:
			return "text"
		}
	}
	return orDefault(kind, "text")
}

var cannedEscapes = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\0`, "\x00", `\\`, `\`)

func cannedUnescape(cell string) string { return cannedEscapes.Replace(cell) }

// find returns the answer to a statement.
func (s *cannedScript) find(sql string) *cannedBlock {
	words := cannedWords(sql)
	key := strings.Join(words, "\x00")
	s.mu.Lock()
	defer s.mu.Unlock()
	var last *cannedBlock
	seen := 0
	for _, b := range s.blocks {
		if !b.matches(words) {
			continue
		}
		if last != nil && !slices.Equal(b.words, last.words) {
			continue // what is written first counts
		}
		last = b
		if seen == s.told[key] {
			break
		}
		seen++
	}
	if last != nil {
		s.told[key]++
	}
	return last
}

func (b *cannedBlock) matches(words []string) bool {
	if b.open {
		return len(words) >= len(b.words) && slices.Equal(words[:len(b.words)], b.words)
	}
	return slices.Equal(words, b.words)
}

// NewSession lets everybody begin in any database.
func (s *cannedScript) NewSession(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
	return &cannedSession{script: s, conn: c}, nil
}

// cannedSession answers one connection.
type cannedSession struct {
	mysqlserver.Unsupported
	script *cannedScript
	conn   *mysqlserver.Conn
}

func (s *cannedSession) UseDatabase(context.Context, string) error { return nil }

func (s *cannedSession) Query(ctx context.Context, w *mysqlserver.Writer, q *mysqlserver.Query) error {
	return s.answer(ctx, w, q.SQL)
}

// answer plays the block of a statement. What clients say of their own accord
// when they begin is answered when the script does not.
func (s *cannedSession) answer(ctx context.Context, w *mysqlserver.Writer, sql string) error {
	b := s.script.find(sql)
	if b == nil {
		if lexer.Verb(sql, lexer.Config{}) == "SET" {
			return w.OK(mysqlserver.Result{})
		}
		return mysqlserver.Errorf(1064, "The script has no answer to this: %s", lexer.MaskSecrets(sql, lexer.Config{}))
	}
	if b.wait > 0 {
		select {
		case <-time.After(b.wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	switch {
	case b.closes:
		return s.conn.Kill(s.conn.ID(), false)
	case b.err != nil && b.columns == nil:
		return b.err
	case b.columns == nil:
		return w.OK(b.result)
	}
	if err := w.Columns(slices.Clone(b.columns)); err != nil {
		return err
	}
	for _, row := range b.rows {
		if err := w.Row(row); err != nil {
			return err
		}
	}
	return nil
}

func (s *cannedSession) Prepare(_ context.Context, sql string) (mysqlserver.Statement, error) {
	return &cannedStatement{s, sql}, nil
}

// cannedStatement is a statement whose placeholders may hold anything.
type cannedStatement struct {
	session *cannedSession
	sql     string
}

func (p *cannedStatement) NumParams() int { return len(lexer.Placeholders(p.sql, lexer.Config{})) }

func (p *cannedStatement) Columns() []mysql.Column { return nil }

func (p *cannedStatement) Execute(ctx context.Context, w *mysqlserver.Writer, _ *mysqlserver.Execution) error {
	return p.session.answer(ctx, w, p.sql)
}

func (p *cannedStatement) Close() {}
