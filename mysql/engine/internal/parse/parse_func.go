package parse

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// word parses what begins with a word: a literal, a special form, a function,
// a column.
func (p *parser) word(t lexer.Token) ast.Expr {
	w := strings.ToUpper(t.Text)
	next := p.peekAt(1)
	switch w {
	case "NULL":
		p.pos++
		return &ast.Lit{Kind: ast.LitNull}
	case "TRUE", "FALSE":
		p.pos++
		return &ast.Lit{Kind: ast.LitBool, Text: map[string]string{"TRUE": "1", "FALSE": "0"}[w]}
	case "DATE", "TIME", "TIMESTAMP":
		if next.Kind == lexer.String {
			p.pos++
			kind := map[string]ast.LitKind{"DATE": ast.LitDate, "TIME": ast.LitTime, "TIMESTAMP": ast.LitTimestamp}[w]
			return &ast.Lit{Kind: kind, Text: p.text()}
		}
	case "N":
		if next.Kind == lexer.String && next.Pos == t.Pos+1 {
			p.pos++
			return &ast.Lit{Kind: ast.LitString, Text: p.text(), Charset: "utf8mb3"}
		}
	case "CASE":
		return p.caseExpr()
	case "EXISTS":
		p.pos++
		p.expect("(")
		q := p.query()
		p.expect(")")
		return &ast.Exists{Sub: q}
	case "INTERVAL":
		x := p.interval()
		p.expect("+")
		return &ast.Binary{Op: "+", L: p.level(4), R: x}
	case "CAST", "CONVERT", "EXTRACT", "TRIM", "POSITION", "SUBSTRING", "SUBSTR", "MID", "TIMESTAMPADD", "TIMESTAMPDIFF",
		"GROUP_CONCAT", "VALUES", "VALUE", "DEFAULT", "MATCH", "CHAR", "WEIGHT_STRING", "JSON_VALUE", "GET_FORMAT":
		if next.Is("(") {
			return p.special(w)
		}
		if w == "DEFAULT" {
			p.pos++
			return &ast.Default{}
		}
	case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "UTC_DATE", "UTC_TIME",
		"UTC_TIMESTAMP", "CURRENT_USER":
		if !next.Is("(") {
			p.pos++
			return &ast.Func{Name: w}
		}
	}
	if strings.HasPrefix(t.Text, "_") && (next.Kind == lexer.String || next.Kind == lexer.Hex || next.Kind == lexer.Bit) {
		p.pos++
		l := p.primary().(*ast.Lit)
		l.Charset = strings.ToLower(t.Text[1:])
		return l
	}
	if next.Is("(") && (!isReserved(w) || callable[w]) {
		return p.call(w)
	}
	return p.column()
}

// callable are reserved words that are functions as well.
var callable = map[string]bool{
	"LEFT": true, "RIGHT": true, "IF": true, "MOD": true, "REPLACE": true, "INSERT": true, "REPEAT": true, "DATABASE": true,
	"SCHEMA": true, "CURRENT_DATE": true, "CURRENT_TIME": true, "CURRENT_TIMESTAMP": true, "LOCALTIME": true,
	"LOCALTIMESTAMP": true, "UTC_DATE": true, "UTC_TIME": true, "UTC_TIMESTAMP": true, "CURRENT_USER": true, "TRUNCATE": true,
	"INTERVAL": true, "CHAR": true,
}

func (p *parser) caseExpr() ast.Expr {
	p.expect("CASE")
	c := &ast.Case{}
	if !p.is("WHEN") {
		c.X = p.expr()
	}
	for p.accept("WHEN") {
		cond := p.expr()
		p.expect("THEN")
		c.Whens = append(c.Whens, ast.When{Cond: cond, Then: p.expr()})
	}
	if len(c.Whens) == 0 {
		p.fail()
	}
	if p.accept("ELSE") {
		c.Else = p.expr()
	}
	p.expect("END")
	return c
}

// call parses a call of a function with an ordinary list of arguments.
func (p *parser) call(name string) ast.Expr {
	p.pos++
	p.expect("(")
	f := &ast.Func{Name: name}
	switch {
	case name == "COUNT" && p.accept("*"):
		f.Star = true
	case p.accept("DISTINCT"):
		f.Distinct = true
		p.list(func() { f.Args = append(f.Args, p.expr()) })
	case !p.is(")"):
		p.accept("ALL")
		p.list(func() {
			if p.is("INTERVAL") {
				f.Args = append(f.Args, p.interval())
				return
			}
			f.Args = append(f.Args, p.expr())
		})
	}
	p.expect(")")
	p.over(f)
	return f
}

// over takes OVER if it is there.
func (p *parser) over(f *ast.Func) {
	if !p.accept("OVER") {
		return
	}
	if p.isName() {
		f.Over = &ast.Window{Name: p.name()}
		return
	}
	f.Over = p.window()
}

func (p *parser) window() *ast.Window {
	p.expect("(")
	w := &ast.Window{}
	if p.isName() && !p.is("PARTITION") && !p.is("ROWS") && !p.is("GROUPS") {
		w.Name = p.name()
	}
	if p.accept("PARTITION", "BY") {
		p.list(func() { w.PartitionBy = append(w.PartitionBy, p.expr()) })
	}
	w.OrderBy = p.orderBy()
	if p.is("ROWS") || p.is("RANGE") {
		start := p.pos
		for !p.is(")") {
			t := p.next()
			if t.Kind != lexer.Word && t.Kind != lexer.Number {
				p.failAt(t.Pos)
			}
		}
		w.Frame = p.textFrom(start)
	}
	p.expect(")")
	return w
}

// special parses the functions whose arguments are not just a list.
func (p *parser) special(name string) ast.Expr {
	p.pos++
	p.expect("(")
	f := &ast.Func{Name: name}
	arg := func() { f.Args = append(f.Args, p.expr()) }
	switch name {
	case "CAST":
		x := p.expr()
		p.expect("AS")
		c := &ast.Cast{X: x, Type: p.castType()}
		p.expect(")")
		return c
	case "CONVERT":
		x := p.expr()
		if p.accept("USING") {
			u := &ast.Using{X: x, Charset: strings.ToLower(p.charset())}
			p.expect(")")
			return u
		}
		p.expect(",")
		c := &ast.Cast{X: x, Type: p.castType()}
		p.expect(")")
		return c
	case "EXTRACT":
		f.Unit = p.unit()
		p.expect("FROM")
		arg()
	case "TIMESTAMPADD", "TIMESTAMPDIFF":
		f.Unit = p.unit()
		p.expect(",")
		arg()
		p.expect(",")
		arg()
	case "GET_FORMAT":
		p.unsupported(name)
	case "TRIM":
		f.Unit = p.acceptAny("BOTH", "LEADING", "TRAILING")
		if f.Unit != "" && p.accept("FROM") {
			arg()
			break
		}
		x := p.expr()
		if p.accept("FROM") {
			f.Args = append(f.Args, p.expr(), x)
		} else {
			f.Args = append(f.Args, x)
		}
	case "POSITION":
		sub := p.level(0)
		p.expect("IN")
		f.Name = "LOCATE"
		f.Args = []ast.Expr{sub, p.expr()}
	case "SUBSTRING", "SUBSTR", "MID":
		f.Name = "SUBSTRING"
		arg()
		if !p.accept("FROM") {
			p.expect(",")
		}
		arg()
		if p.accept("FOR") || p.accept(",") {
			arg()
		}
	case "GROUP_CONCAT":
		f.Distinct = p.accept("DISTINCT")
		p.list(arg)
		f.OrderBy = p.orderBy()
		f.Separator = ","
		if p.accept("SEPARATOR") {
			f.Separator = p.text()
		}
	case "CHAR":
		p.list(arg)
		if p.accept("USING") {
			f.Separator = strings.ToLower(p.charset())
		}
	case "VALUES", "VALUE":
		v := &ast.Values{Name: p.columnName()}
		p.expect(")")
		return v
	case "DEFAULT":
		d := &ast.Default{Name: p.columnName()}
		p.expect(")")
		return d
	case "MATCH":
		p.unsupported("MATCH AGAINST")
	default:
		if !p.is(")") {
			p.list(arg)
		}
	}
	p.expect(")")
	p.over(f)
	return f
}

// columnName takes the name of a column, leaving out the table's.
func (p *parser) columnName() string {
	n := p.name()
	for p.accept(".") {
		n = p.name()
	}
	return n
}

// charset takes the name of a character set or collation.
func (p *parser) charset() string {
	t := p.next()
	if t.Kind != lexer.Word && t.Kind != lexer.String && t.Kind != lexer.QuotedName {
		p.pos--
		p.fail()
	}
	return strings.ToLower(t.Value(p.mode))
}

// castType parses the type of a CAST.
func (p *parser) castType() ast.TypeName {
	switch p.acceptAny("SIGNED", "UNSIGNED") {
	case "SIGNED":
		_ = p.accept("INTEGER") || p.accept("INT")
		return ast.TypeName{Name: "SIGNED"}
	case "UNSIGNED":
		_ = p.accept("INTEGER") || p.accept("INT")
		return ast.TypeName{Name: "UNSIGNED"}
	}
	return p.typeName()
}

// synonyms of types.
var synonyms = map[string]string{
	"INTEGER": "INT", "INT4": "INT", "INT1": "TINYINT", "INT2": "SMALLINT", "INT3": "MEDIUMINT", "INT8": "BIGINT", "MIDDLEINT": "MEDIUMINT",
	"NUMERIC": "DECIMAL", "DEC": "DECIMAL", "FIXED": "DECIMAL", "REAL": "DOUBLE", "FLOAT8": "DOUBLE", "FLOAT4": "FLOAT",
	"CHARACTER": "CHAR", "NCHAR": "CHAR", "NVARCHAR": "VARCHAR", "VARCHARACTER": "VARCHAR", "LONG": "MEDIUMTEXT",
}

// known are the types that the engine has.
var known = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`TINYINT SMALLINT MEDIUMINT INT BIGINT DECIMAL FLOAT DOUBLE BIT DATE TIME DATETIME TIMESTAMP YEAR
		CHAR VARCHAR BINARY VARBINARY TINYTEXT TEXT MEDIUMTEXT LONGTEXT TINYBLOB BLOB MEDIUMBLOB LONGBLOB ENUM SET JSON`) {
		m[w] = true
	}
	return m
}()

// typeName parses a data type with what belongs to it.
func (p *parser) typeName() ast.TypeName {
	word := p.next()
	t := ast.TypeName{Name: strings.ToUpper(word.Text)}
	if s, ok := synonyms[t.Name]; ok {
		t.Name = s
	}
	switch t.Name {
	case "BOOL", "BOOLEAN":
		t.Name, t.Args = "TINYINT", []int{1}
	case "SERIAL":
		t.Name, t.Unsigned = "BIGINT", true
	case "DOUBLE":
		p.accept("PRECISION")
	case "CHAR":
		if p.accept("VARYING") {
			t.Name = "VARCHAR"
		}
		if p.accept("BYTE") {
			t.Name = "BINARY"
		}
	case "NATIONAL":
		t.Name = "CHAR"
		if p.next().Is("VARCHAR") {
			t.Name = "VARCHAR"
		}
	}
	if word.Kind != lexer.Word || !known[t.Name] {
		p.pos--
		switch t.Name {
		case "GEOMETRY", "POINT", "POLYGON", "LINESTRING", "UUID", "INET6", "INET4", "VECTOR", "MULTIPOINT":
			p.unsupported("type " + t.Name)
		}
		p.fail()
	}
	if p.accept("(") {
		if t.Name == "ENUM" || t.Name == "SET" {
			p.list(func() { t.Values = append(t.Values, p.text()) })
		} else {
			p.list(func() { t.Args = append(t.Args, p.integer()) })
		}
		p.expect(")")
	}
	for {
		switch {
		case p.accept("UNSIGNED"):
			t.Unsigned = true
		case p.accept("SIGNED"):
		case p.accept("ZEROFILL"):
			t.Unsigned, t.Zerofill = true, true
		case p.accept("BINARY"):
			t.Binary = true
		case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
			p.accept("=")
			t.Charset = p.charset()
		case p.accept("ASCII"):
			t.Charset = "latin1"
		case p.accept("UNICODE"):
			t.Charset = "ucs2"
		case p.is("COLLATE"):
			p.pos++
			p.accept("=")
			t.Collate = p.charset()
		default:
			return t
		}
	}
}
