package parse

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// insert parses INSERT and REPLACE.
func (p *parser) insert() ast.Stmt {
	in := &ast.Insert{Replace: p.accept("REPLACE")}
	if !in.Replace {
		p.expect("INSERT")
	}
	for {
		w := p.acceptAny("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE")
		if w == "" {
			break
		}
		in.Ignore = in.Ignore || w == "IGNORE"
	}
	p.accept("INTO")
	in.Table = p.tableName()
	if p.is("(") && !p.atQuery() && !p.parenQuery() {
		if p.peekAt(1).Is(")") {
			p.pos += 2
		} else {
			p.expect("(")
			p.list(func() { in.Cols = append(in.Cols, p.columnName()) })
			p.expect(")")
		}
	}
	switch {
	case p.is("VALUES"), p.is("VALUE"):
		p.pos++
		p.list(func() { in.Rows = append(in.Rows, p.valueRow()) })
	case p.accept("SET"):
		var row []ast.Expr
		p.list(func() {
			in.Cols = append(in.Cols, p.columnName())
			p.expect("=")
			row = append(row, p.expr())
		})
		in.Rows = [][]ast.Expr{row}
	default:
		if !p.atQuery() && !p.parenQuery() {
			p.fail()
		}
		in.Query = p.query()
	}
	if p.accept("ON") {
		p.expect("DUPLICATE", "KEY", "UPDATE")
		in.OnDup = p.assigns()
	}
	if p.accept("RETURNING") {
		p.list(func() { in.Returning = append(in.Returning, p.item()) })
	}
	return in
}

func (p *parser) valueRow() []ast.Expr {
	p.accept("ROW")
	p.expect("(")
	row := []ast.Expr{}
	if !p.is(")") {
		p.list(func() { row = append(row, p.expr()) })
	}
	p.expect(")")
	return row
}

func (p *parser) assigns() []ast.Assign {
	var list []ast.Assign
	p.list(func() {
		c, ok := p.column().(*ast.Col)
		if !ok {
			p.fail()
		}
		if !p.accept("=") {
			p.expect(":=")
		}
		list = append(list, ast.Assign{Col: *c, X: p.expr()})
	})
	return list
}

func (p *parser) update(with []ast.CTE) ast.Stmt {
	p.expect("UPDATE")
	p.accept("LOW_PRIORITY")
	u := &ast.Update{With: with, Ignore: p.accept("IGNORE")}
	u.From = p.tableRefs()
	p.expect("SET")
	u.Set = p.assigns()
	if p.accept("WHERE") {
		u.Where = p.expr()
	}
	u.OrderBy = p.orderBy()
	if p.accept("LIMIT") {
		u.Limit = p.primary()
	}
	return u
}

func (p *parser) delete(with []ast.CTE) ast.Stmt {
	p.expect("DELETE")
	d := &ast.Delete{With: with}
	for {
		w := p.acceptAny("LOW_PRIORITY", "QUICK", "IGNORE")
		if w == "" {
			break
		}
		d.Ignore = d.Ignore || w == "IGNORE"
	}
	target := func() {
		n := p.name()
		t := ast.TableName{Name: n}
		for p.accept(".") {
			if p.accept("*") {
				break
			}
			t.DB, t.Name = t.Name, p.name()
		}
		d.Targets = append(d.Targets, t)
	}
	if !p.accept("FROM") { // DELETE a, b FROM …
		p.list(target)
		p.expect("FROM")
		d.From = p.tableRefs()
	} else {
		start := p.pos
		p.list(target)
		if p.accept("USING") { // DELETE FROM a, b USING …
			d.From = p.tableRefs()
		} else {
			p.pos, d.Targets = start, nil
			n := p.tableName()
			n.Alias = p.alias()
			d.From = &n
		}
	}
	if p.accept("WHERE") {
		d.Where = p.expr()
	}
	d.OrderBy = p.orderBy()
	if p.accept("LIMIT") {
		d.Limit = p.primary()
	}
	return d
}

// load parses LOAD DATA.
func (p *parser) load() ast.Stmt {
	p.expect("LOAD", "DATA")
	_ = p.accept("LOW_PRIORITY") || p.accept("CONCURRENT")
	l := &ast.Load{Local: p.accept("LOCAL"), FieldsBy: "\t", Escaped: "\\", LinesBy: "\n"}
	p.expect("INFILE")
	l.File = p.text()
	switch p.acceptAny("REPLACE", "IGNORE") {
	case "REPLACE":
		l.Replace = true
	case "IGNORE":
		l.Ignore = true
	}
	p.expect("INTO", "TABLE")
	l.Table = p.tableName()
	if p.accept("CHARACTER", "SET") {
		l.CharsetSet = p.charset()
	}
	if p.acceptAny("FIELDS", "COLUMNS") != "" {
		p.loadFields(l)
	}
	if p.accept("LINES") {
		for {
			if p.accept("STARTING", "BY") {
				l.LinesStart = p.text()
			} else if p.accept("TERMINATED", "BY") {
				l.LinesBy = p.text()
			} else {
				break
			}
		}
	}
	if p.accept("IGNORE") {
		l.Skip = p.integer()
		if p.acceptAny("LINES", "ROWS") == "" {
			p.fail()
		}
	}
	if p.accept("(") && !p.accept(")") {
		p.list(func() {
			if t := p.peek(); t.Kind == lexer.UserVar {
				p.pos++
				l.Cols = append(l.Cols, &ast.UserVar{Name: strings.ToLower(t.Value(p.mode))})
				return
			}
			l.Cols = append(l.Cols, &ast.Col{Name: p.name()})
		})
		p.expect(")")
	}
	if p.accept("SET") {
		l.Set = p.assigns()
	}
	return l
}

func (p *parser) loadFields(l *ast.Load) {
	for {
		switch {
		case p.accept("TERMINATED", "BY"):
			l.FieldsBy = p.text()
		case p.accept("OPTIONALLY", "ENCLOSED", "BY"):
			l.Enclosed, l.Optionally = p.text(), true
		case p.accept("ENCLOSED", "BY"):
			l.Enclosed = p.text()
		case p.accept("ESCAPED", "BY"):
			l.Escaped = p.text()
		default:
			return
		}
	}
}
