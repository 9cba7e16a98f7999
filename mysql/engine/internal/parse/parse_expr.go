package parse

import (
	"encoding/hex"
	"math/big"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// expr parses an expression: OR and ||, then XOR, AND, NOT, and what binds
// closer.
func (p *parser) expr() ast.Expr {
	p.enter()
	defer p.leave()
	x := p.xor()
	for {
		if !p.is("OR") && (p.pipes || !p.is("||")) {
			return x
		}
		p.pos++
		x = &ast.Binary{Op: "OR", L: x, R: p.xor()}
	}
}

func (p *parser) xor() ast.Expr {
	x := p.and()
	for p.accept("XOR") {
		x = &ast.Binary{Op: "XOR", L: x, R: p.and()}
	}
	return x
}

func (p *parser) and() ast.Expr {
	x := p.not()
	for p.accept("AND") || p.accept("&&") {
		x = &ast.Binary{Op: "AND", L: x, R: p.not()}
	}
	return x
}

func (p *parser) not() ast.Expr {
	if p.accept("NOT") {
		p.enter()
		defer p.leave()
		return &ast.Unary{Op: "NOT", X: p.not()}
	}
	return p.comparison()
}

// comparison parses the comparisons, which go from left to right.
func (p *parser) comparison() ast.Expr {
	x := p.predicate()
	for {
		op := p.acceptAny("<=>", "<=", ">=", "<>", "!=", "=", "<", ">")
		if op == "" {
			if !p.accept("IS") {
				return x
			}
			not := p.accept("NOT")
			what := p.acceptAny("NULL", "TRUE", "FALSE", "UNKNOWN")
			if what == "" {
				p.fail()
			}
			x = &ast.Is{X: x, What: what, Not: not}
			continue
		}
		if op == "!=" {
			op = "<>"
		}
		if q := p.acceptAny("ANY", "SOME", "ALL"); q != "" {
			p.expect("(")
			sub := p.query()
			p.expect(")")
			x = &ast.Quantified{X: x, Op: op, All: q == "ALL", Sub: sub}
			continue
		}
		x = &ast.Binary{Op: op, L: x, R: p.predicate()}
	}
}

// predicate parses IN, BETWEEN, LIKE, REGEXP.
func (p *parser) predicate() ast.Expr {
	x := p.bits("|")
	not := false
	if p.is("NOT") {
		if n := p.peekAt(1); !n.Is("IN") && !n.Is("BETWEEN") && !n.Is("LIKE") && !n.Is("REGEXP") && !n.Is("RLIKE") {
			return x
		}
		p.pos++
		not = true
	}
	switch {
	case p.accept("IN"):
		p.expect("(")
		in := &ast.In{X: x, Not: not}
		if p.atQuery() {
			in.Sub = p.query()
		} else {
			p.list(func() { in.List = append(in.List, p.expr()) })
		}
		p.expect(")")
		return in
	case p.accept("BETWEEN"):
		lo := p.bits("|")
		p.expect("AND")
		return &ast.Between{X: x, Lo: lo, Hi: p.bits("|"), Not: not}
	case p.accept("LIKE"):
		l := &ast.Like{X: x, Pattern: p.bits("|"), Not: not}
		if p.accept("ESCAPE") {
			l.Escape = p.primary()
		}
		return l
	case p.accept("REGEXP"), p.accept("RLIKE"):
		var r ast.Expr = &ast.Binary{Op: "REGEXP", L: x, R: p.bits("|")}
		if not {
			r = &ast.Unary{Op: "NOT", X: r}
		}
		return r
	case p.accept("SOUNDS", "LIKE"):
		return &ast.Binary{Op: "=", L: &ast.Func{Name: "SOUNDEX", Args: []ast.Expr{x}}, R: &ast.Func{Name: "SOUNDEX", Args: []ast.Expr{p.bits("|")}}}
	}
	return x
}

// levels are the operators from | to ^, each list binding closer than the one
// before.
var levels = [...][]string{{"|"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "DIV", "%", "MOD"}, {"^"}}

func (p *parser) bits(string) ast.Expr { return p.level(0) }

func (p *parser) level(n int) ast.Expr {
	if n == len(levels) {
		return p.unary()
	}
	x := p.level(n + 1)
	for {
		op := p.acceptAny(levels[n]...)
		if op == "" {
			return x
		}
		if op == "MOD" {
			op = "%"
		}
		if (op == "+" || op == "-") && p.is("INTERVAL") {
			x = &ast.Binary{Op: op, L: x, R: p.interval()}
			continue
		}
		x = &ast.Binary{Op: op, L: x, R: p.level(n + 1)}
	}
}

// interval parses INTERVAL x unit.
func (p *parser) interval() ast.Expr {
	p.expect("INTERVAL")
	x := p.expr()
	return &ast.Interval{X: x, Unit: p.unit()}
}

var units = []string{
	"MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "SECOND_MICROSECOND",
	"MINUTE_MICROSECOND", "MINUTE_SECOND", "HOUR_MICROSECOND", "HOUR_SECOND", "HOUR_MINUTE", "DAY_MICROSECOND",
	"DAY_SECOND", "DAY_MINUTE", "DAY_HOUR", "YEAR_MONTH",
}

func (p *parser) unit() string {
	t := p.next()
	u := strings.ToUpper(strings.TrimPrefix(strings.ToUpper(t.Text), "SQL_TSI_"))
	for _, k := range units {
		if k == u {
			return u
		}
	}
	p.pos--
	p.fail()
	return ""
}

func (p *parser) unary() ast.Expr {
	p.enter()
	defer p.leave()
	switch {
	case p.accept("-"):
		x := p.unary()
		if l, ok := x.(*ast.Lit); ok && (l.Kind == ast.LitInt || l.Kind == ast.LitDecimal || l.Kind == ast.LitReal) && !strings.HasPrefix(l.Text, "-") {
			return &ast.Lit{Kind: l.Kind, Text: "-" + l.Text}
		}
		return &ast.Unary{Op: "-", X: x}
	case p.accept("+"):
		return p.unary()
	case p.accept("~"):
		return &ast.Unary{Op: "~", X: p.unary()}
	case p.accept("!"):
		return &ast.Unary{Op: "NOT", X: p.unary()}
	case p.is("BINARY") && !p.peekAt(1).Is("("):
		p.pos++
		return &ast.Unary{Op: "BINARY", X: p.unary()}
	case p.accept("BINARY"):
		return &ast.Unary{Op: "BINARY", X: p.unary()}
	}
	x := p.primary()
	for {
		switch {
		case p.accept("COLLATE"):
			t := p.next()
			x = &ast.Collate{X: x, Name: strings.ToLower(t.Value(p.mode))}
		case p.is("->>"), p.is("->"):
			op := p.next().Text
			x = &ast.Func{Name: "JSON_EXTRACT", Args: []ast.Expr{x, &ast.Lit{Kind: ast.LitString, Text: p.text()}}}
			if op == "->>" {
				x = &ast.Func{Name: "JSON_UNQUOTE", Args: []ast.Expr{x}}
			}
		case p.pipes && p.accept("||"):
			x = &ast.Func{Name: "CONCAT", Args: []ast.Expr{x, p.unary()}}
		default:
			return x
		}
	}
}

// primary parses what binds closest.
func (p *parser) primary() ast.Expr {
	t := p.peek()
	switch t.Kind {
	case lexer.Number:
		p.pos++
		return number(t.Text)
	case lexer.String:
		return &ast.Lit{Kind: ast.LitString, Text: p.text()}
	case lexer.Hex:
		p.pos++
		b, ok := hexBytes(t.Text)
		if !ok {
			p.failAt(t.Pos)
		}
		l := &ast.Lit{Kind: ast.LitHex, Text: b}
		if t.Text[0] != '0' {
			l.Charset = "x"
		}
		return l
	case lexer.Bit:
		p.pos++
		return &ast.Lit{Kind: ast.LitHex, Text: bitBytes(t.Text)}
	case lexer.Placeholder:
		p.pos++
		p.params++
		return &ast.Param{N: p.params - 1}
	case lexer.UserVar:
		p.pos++
		if p.accept(":=") {
			return &ast.SetVar{Name: strings.ToLower(t.Value(p.mode)), X: p.expr()}
		}
		return &ast.UserVar{Name: strings.ToLower(t.Value(p.mode))}
	case lexer.SysVar:
		p.pos++
		scope, name := splitScope(t.Value(p.mode))
		return &ast.SysVar{Scope: scope, Name: name}
	case lexer.QuotedName:
		return p.column()
	case lexer.Word:
		return p.word(t)
	}
	if t.Is("(") {
		return p.parens()
	}
	if t.Is("{") { // {d '…'}, {t '…'}, {ts '…'}, {fn …}
		p.pos++
		k := p.next()
		kind, ok := map[string]ast.LitKind{"d": ast.LitDate, "t": ast.LitTime, "ts": ast.LitTimestamp}[strings.ToLower(k.Text)]
		if !ok {
			p.failAt(k.Pos)
		}
		x := &ast.Lit{Kind: kind, Text: p.text()}
		p.expect("}")
		return x
	}
	p.fail()
	return nil
}

// splitScope divides the name of a system variable from its scope.
func splitScope(name string) (scope, rest string) {
	name = strings.ToLower(name)
	if s, r, ok := strings.Cut(name, "."); ok {
		if s == "local" {
			s = "session"
		}
		return s, r
	}
	return "", name
}

func number(text string) ast.Expr {
	if strings.ContainsAny(text, "eE") {
		return &ast.Lit{Kind: ast.LitReal, Text: text}
	}
	if strings.Contains(text, ".") {
		if strings.HasPrefix(text, ".") {
			text = "0" + text
		}
		return &ast.Lit{Kind: ast.LitDecimal, Text: text}
	}
	text = strings.TrimLeft(text, "0")
	if text == "" {
		text = "0"
	}
	if len(text) > 18 {
		if n, ok := new(big.Int).SetString(text, 10); !ok || n.BitLen() > 64 {
			return &ast.Lit{Kind: ast.LitDecimal, Text: text}
		}
	}
	return &ast.Lit{Kind: ast.LitInt, Text: text}
}

func hexBytes(text string) (string, bool) {
	digits := text[2:]
	if strings.HasSuffix(digits, "'") {
		digits = digits[:len(digits)-1]
		if len(digits)%2 != 0 {
			return "", false
		}
	}
	if len(digits)%2 != 0 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	return string(b), err == nil
}

func bitBytes(text string) string {
	digits := strings.TrimSuffix(text[2:], "'")
	n, _ := new(big.Int).SetString("0"+digits, 2)
	b := make([]byte, (len(digits)+7)/8)
	return string(n.FillBytes(b))
}

// parens parses what stands in parentheses: an expression, a row, a query.
func (p *parser) parens() ast.Expr {
	if p.atQuery() || p.is("(") && p.parenQuery() {
		p.expect("(")
		q := p.query()
		p.expect(")")
		return &ast.Subquery{Sub: q}
	}
	p.expect("(")
	if p.atQuery() {
		q := p.query()
		p.expect(")")
		return &ast.Subquery{Sub: q}
	}
	var list []ast.Expr
	p.list(func() { list = append(list, p.expr()) })
	p.expect(")")
	if len(list) == 1 {
		return list[0]
	}
	return &ast.Row{List: list}
}

// parenQuery reports whether the parentheses here begin a query in further
// parentheses, which are a query only if they all are.
func (p *parser) parenQuery() bool {
	n := 0
	for p.peekAt(n).Is("(") {
		n++
	}
	return n == 1 && (p.peekAt(1).Is("SELECT") || p.peekAt(1).Is("WITH"))
}

// atQuery reports whether a query begins here.
func (p *parser) atQuery() bool {
	return p.is("SELECT") || p.is("WITH") || p.is("VALUES") && p.peekAt(1).Is("(") || p.is("(") && p.nestedQuery()
}

func (p *parser) nestedQuery() bool {
	n := 0
	for p.peekAt(n).Is("(") {
		n++
	}
	if !p.peekAt(n).Is("SELECT") && !p.peekAt(n).Is("WITH") {
		return false
	}
	// "((select 1) + 1)" is an expression: look at what follows the query.
	depth := 0
	for i := 0; ; i++ {
		switch t := p.peekAt(i); {
		case t.Kind == lexer.End:
			return true
		case t.Is("("):
			depth++
		case t.Is(")"):
			if depth--; depth == 0 {
				f := p.peekAt(i + 1)
				return f.Kind == lexer.End || f.Is(")") || f.Is("UNION") || f.Is("EXCEPT") || f.Is("INTERSECT") || f.Is("ORDER") || f.Is("LIMIT") || f.Is(";")
			}
		}
	}
}

// column parses a name with up to two dots.
func (p *parser) column() ast.Expr {
	var parts []string
	parts = append(parts, p.name())
	for len(parts) < 3 && p.accept(".") {
		if p.accept("*") {
			s := &ast.Star{Table: parts[len(parts)-1]}
			if len(parts) == 2 {
				s.DB = parts[0]
			}
			return s
		}
		parts = append(parts, p.name())
	}
	if len(parts) == 1 && p.is("(") && !isReserved(parts[0]) {
		p.unsupported("stored function " + parts[0])
	}
	c := &ast.Col{Name: parts[len(parts)-1]}
	if len(parts) > 1 {
		c.Table = parts[len(parts)-2]
	}
	if len(parts) > 2 {
		c.DB = parts[0]
	}
	return c
}
