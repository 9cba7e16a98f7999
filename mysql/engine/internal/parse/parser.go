package parse

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// Error tells that a text is no statement, or none that is known here.
type Error struct {
	Near        string // the text from the place on, at most 80 bytes of it
	Line        int
	Unsupported string // what is known to MySQL but not done here; empty: a wrong syntax
}

// Error returns the server's message.
func (e *Error) Error() string {
	if e.Unsupported != "" {
		return fmt.Sprintf("This version of Wirelark doesn't yet support '%s'", e.Unsupported)
	}
	return fmt.Sprintf("You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version "+
		"for the right syntax to use near '%s' at line %d", e.Near, e.Line)
}

// maxDepth bounds how deep expressions and queries may nest.
const maxDepth = 200

// parser holds the tokens of one statement.
type parser struct {
	src    string
	toks   []lexer.Token
	pos    int
	mode   lexer.Mode
	params int
	depth  int
	cfg    lexer.Config
	pipes  bool // || joins strings: PIPES_AS_CONCAT
}

// bail carries an Error out of the recursion.
type bail struct{ err *Error }

// Options say how a text is read.
type Options struct {
	lexer.Config
	PipesAsConcat bool
}

// Statement parses one statement, and returns the number of its placeholders.
func Statement(sql string, opt Options) (st ast.Stmt, params int, err error) {
	p := &parser{src: sql, toks: lexer.Code(sql, opt.Config), mode: opt.Mode, cfg: opt.Config, pipes: opt.PipesAsConcat}
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			st, err = nil, b.err
		}
	}()
	for _, t := range p.toks {
		if t.Kind == lexer.Bad {
			p.failAt(t.Pos)
		}
	}
	st = p.statement()
	p.accept(";")
	if p.pos < len(p.toks) {
		p.fail()
	}
	return st, p.params, nil
}

// Expression parses one expression, as a stored default.
func Expression(sql string, opt Options) (x ast.Expr, err error) {
	defer func() {
		if r := recover(); r != nil {
			b, ok := r.(bail)
			if !ok {
				panic(r)
			}
			err = b.err
		}
	}()
	p := &parser{src: sql, toks: lexer.Code(sql, opt.Config), mode: opt.Mode, cfg: opt.Config, pipes: opt.PipesAsConcat}
	x = p.expr()
	if p.pos < len(p.toks) {
		p.fail()
	}
	return x, nil
}

func (p *parser) peek() lexer.Token {
	if p.pos < len(p.toks) {
		return p.toks[p.pos]
	}
	return lexer.Token{Kind: lexer.End, Pos: len(p.src)}
}

func (p *parser) peekAt(n int) lexer.Token {
	if p.pos+n < len(p.toks) {
		return p.toks[p.pos+n]
	}
	return lexer.Token{Kind: lexer.End, Pos: len(p.src)}
}

func (p *parser) next() lexer.Token {
	t := p.peek()
	if p.pos < len(p.toks) {
		p.pos++
	}
	return t
}

// fail ends parsing at the current token.
func (p *parser) fail() { p.failAt(p.peek().Pos) }

func (p *parser) failAt(pos int) {
	near := p.src[pos:]
	if len(near) > 80 {
		near = near[:80]
	}
	panic(bail{&Error{Near: near, Line: 1 + strings.Count(p.src[:pos], "\n")}})
}

func (p *parser) unsupported(what string) {
	panic(bail{&Error{Unsupported: what}})
}

// enter counts a level of nesting; the caller defers p.leave().
func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail()
	}
}
func (p *parser) leave() { p.depth-- }

// is reports whether the tokens from here on are words.
func (p *parser) is(words ...string) bool {
	for i, w := range words {
		if !p.peekAt(i).Is(w) {
			return false
		}
	}
	return true
}

// accept takes words if they stand here.
func (p *parser) accept(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.pos += len(words)
	return true
}

// acceptAny takes one of words and returns it in capitals, or "".
func (p *parser) acceptAny(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return w
		}
	}
	return ""
}

func (p *parser) expect(words ...string) {
	for _, w := range words {
		if !p.accept(w) {
			p.fail()
		}
	}
}

// name takes a name, quoted or not.
func (p *parser) name() string {
	t := p.peek()
	switch t.Kind {
	case lexer.QuotedName:
	case lexer.Word:
		if isReserved(t.Text) && !(p.pos > 0 && p.toks[p.pos-1].Is(".")) {
			p.fail()
		}
	default:
		p.fail()
	}
	p.pos++
	return t.Value(p.mode)
}

// isName reports whether a name could stand here.
func (p *parser) isName() bool {
	t := p.peek()
	return t.Kind == lexer.QuotedName || t.Kind == lexer.Word && !isReserved(t.Text)
}

// alias takes [AS] name if it is there.
func (p *parser) alias() string {
	if p.accept("AS") {
		if p.peek().Kind == lexer.String {
			return p.text()
		}
		return p.name()
	}
	if p.isName() {
		return p.name()
	}
	return ""
}

// text takes a string; several side by side are one.
func (p *parser) text() string {
	t := p.next()
	if t.Kind != lexer.String {
		p.pos--
		p.fail()
	}
	s := t.Value(p.mode)
	for p.peek().Kind == lexer.String {
		s += p.next().Value(p.mode)
	}
	return s
}

func (p *parser) integer() int {
	t := p.next()
	n, err := strconv.Atoi(t.Text)
	if t.Kind != lexer.Number || err != nil {
		p.pos--
		p.fail()
	}
	return n
}

// tableName takes [db.]name.
func (p *parser) tableName() ast.TableName {
	n := p.name()
	if p.accept(".") {
		return ast.TableName{DB: n, Name: p.name()}
	}
	return ast.TableName{Name: n}
}

// list calls item for each of a list with commas.
func (p *parser) list(item func()) {
	item()
	for p.accept(",") {
		item()
	}
}

// names takes (a, b, …).
func (p *parser) names() []string {
	var list []string
	p.expect("(")
	p.list(func() { list = append(list, p.name()) })
	p.expect(")")
	return list
}

// textFrom returns the source from token index start up to here.
func (p *parser) textFrom(start int) string {
	if start >= p.pos {
		return ""
	}
	last := p.toks[p.pos-1]
	from, to := p.toks[start].Pos, last.Pos+len(last.Text)
	if text := p.src[from:to]; !strings.Contains(text, "*/") {
		return text
	}
	// What makes code of comments, and comments that are for other servers,
	// do not belong to the text.
	var b strings.Builder
	for t := range lexer.Tokens(p.src, p.cfg) {
		if t.Pos < from || t.Pos >= to || t.Kind == lexer.CodeOpen || t.Kind == lexer.CodeClose {
			continue
		}
		if t.Kind != lexer.Comment || !strings.HasPrefix(t.Text, "/*!") && !strings.HasPrefix(t.Text, "/*M!") {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

// balanced takes tokens up to the parenthesis that closes the one that has
// just been taken, and returns their text without it.
func (p *parser) balanced() string {
	start, depth := p.pos, 1
	for {
		t := p.next()
		switch {
		case t.Kind == lexer.End:
			p.fail()
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		}
		if depth == 0 {
			p.pos--
			s := p.textFrom(start)
			p.pos++
			return s
		}
	}
}

// reserved are the words that cannot be names without quotes. It is the part
// of MariaDB's list that matters to telling an alias from a clause, and the
// words that people get wrong.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`ADD ALL ALTER ANALYZE AND AS ASC BEFORE BETWEEN BOTH BY CASCADE CASE CHANGE CHECK
		COLLATE COLUMN CONSTRAINT CONVERT CREATE CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DATABASE DATABASES
		DEFAULT DELAYED DELETE DESC DESCRIBE DISTINCT DISTINCTROW DIV DROP DUAL ELSE ENCLOSED ESCAPED EXCEPT EXISTS
		EXPLAIN FALSE FETCH FOR FORCE FOREIGN FROM FULLTEXT GRANT GROUP HAVING HIGH_PRIORITY IF IGNORE IN INDEX
		INFILE INNER INSERT INTERSECT INTERVAL INTO IS JOIN KEY KEYS KILL LEADING LEFT LIKE LIMIT LINES LOAD LOCALTIME
		LOCALTIMESTAMP LOCK LOW_PRIORITY MATCH MOD NATURAL NOT NULL ON OPTIMIZE OPTION OR ORDER OUTER OUTFILE
		OVER PARTITION PRIMARY PROCEDURE RANGE READ REFERENCES REGEXP RENAME REPLACE REQUIRE RESTRICT RETURNING REVOKE RIGHT RLIKE
		SCHEMA SCHEMAS SELECT SEPARATOR SET SHOW SPATIAL SQL_CALC_FOUND_ROWS SQL_SMALL_RESULT SQL_BIG_RESULT STARTING
		STRAIGHT_JOIN TABLE TERMINATED THEN TO TRAILING TRIGGER TRUE UNION UNIQUE UNLOCK UNSIGNED UPDATE
		USAGE USE USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALUES WHEN WHERE WHILE WINDOW WITH WRITE XOR ZEROFILL
		INT INTEGER BIGINT SMALLINT TINYINT MEDIUMINT CHAR VARCHAR DECIMAL NUMERIC DOUBLE FLOAT REAL BLOB LONGTEXT
		LONGBLOB MEDIUMTEXT MEDIUMBLOB TINYTEXT TINYBLOB VARBINARY BINARY CHARACTER PRECISION`) {
		m[w] = true
	}
	return m
}()

func isReserved(word string) bool { return reserved[strings.ToUpper(word)] }
