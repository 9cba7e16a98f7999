package parse

import (
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// query parses a query with everything that may follow it.
func (p *parser) query() *ast.Select {
	p.enter()
	defer p.leave()
	var with []ast.CTE
	recursive := false
	if p.accept("WITH") {
		recursive = p.accept("RECURSIVE")
		with = p.ctes()
	}
	q := p.setOps()
	if len(with) > 0 {
		if len(q.With) > 0 {
			q = &ast.Select{Core: &ast.Core{Items: []ast.Item{{X: &ast.Star{}, Text: "*"}}, From: &ast.Derived{Query: q, Alias: "\x01"}}}
		}
		q.With, q.Recursive = with, recursive
	}
	return q
}

func (p *parser) ctes() []ast.CTE {
	var list []ast.CTE
	p.list(func() {
		c := ast.CTE{Name: p.name()}
		if p.is("(") {
			c.Cols = p.names()
		}
		p.expect("AS")
		p.expect("(")
		c.Query = p.query()
		p.expect(")")
		list = append(list, c)
	})
	return list
}

// setOps parses queries joined by UNION and the like, from left to right;
// INTERSECT binds closer.
func (p *parser) setOps() *ast.Select {
	q := p.intersect()
	for {
		op := p.acceptAny("UNION", "EXCEPT")
		if op == "" {
			break
		}
		if p.accept("ALL") {
			op += " ALL"
		} else {
			p.accept("DISTINCT")
		}
		q = &ast.Select{SetOp: op, Left: q, Right: p.intersect()}
	}
	p.tail(q)
	return q
}

func (p *parser) intersect() *ast.Select {
	q := p.operand()
	for p.accept("INTERSECT") {
		if !p.accept("ALL") {
			p.accept("DISTINCT")
		}
		q = &ast.Select{SetOp: "INTERSECT", Left: q, Right: p.operand()}
	}
	return q
}

// operand parses one SELECT, or a query in parentheses.
func (p *parser) operand() *ast.Select {
	if p.accept("(") {
		q := p.query()
		p.expect(")")
		if p.is("ORDER") || p.is("LIMIT") {
			q = &ast.Select{Core: &ast.Core{Items: []ast.Item{{X: &ast.Star{}, Text: "*"}}, From: &ast.Derived{Query: q, Alias: "\x01"}}}
		}
		return q
	}
	if p.accept("VALUES") {
		c := &ast.Core{}
		p.list(func() {
			p.expect("(")
			var row []ast.Expr
			p.list(func() { row = append(row, p.expr()) })
			p.expect(")")
			c.Rows = append(c.Rows, row)
		})
		return &ast.Select{Core: c}
	}
	q := &ast.Select{}
	q.Core = p.core(q)
	return q
}

// tail parses ORDER BY, LIMIT and locks.
func (p *parser) tail(q *ast.Select) {
	if o := p.orderBy(); o != nil {
		q.OrderBy = o
	}
	if p.accept("LIMIT") {
		q.Limit = p.primary()
		if p.accept(",") {
			q.Offset, q.Limit = q.Limit, p.primary()
		} else if p.accept("OFFSET") {
			q.Offset = p.primary()
		}
	}
	if p.accept("PROCEDURE") {
		p.unsupported("PROCEDURE ANALYSE")
	}
	if p.accept("INTO") {
		p.into(q)
	}
	for {
		switch {
		case p.accept("FOR", "UPDATE"), p.accept("FOR", "SHARE"):
			q.Lock = true
			_ = p.accept("NOWAIT") || p.accept("SKIP", "LOCKED")
		case p.accept("LOCK", "IN", "SHARE", "MODE"):
			q.Lock = true
		default:
			return
		}
	}
}

// into parses the variables of SELECT … INTO.
func (p *parser) into(q *ast.Select) {
	if p.is("OUTFILE") || p.is("DUMPFILE") {
		p.unsupported("SELECT INTO a file")
	}
	p.list(func() {
		t := p.next()
		if t.Kind != lexer.UserVar {
			p.failAt(t.Pos)
		}
		q.IntoVars = append(q.IntoVars, t.Value(p.mode))
	})
}

func (p *parser) orderBy() []ast.Order {
	if !p.accept("ORDER") {
		return nil
	}
	p.expect("BY")
	return p.orders()
}

func (p *parser) orders() []ast.Order {
	var list []ast.Order
	p.list(func() {
		o := ast.Order{X: p.expr()}
		if p.accept("DESC") {
			o.Desc = true
		} else {
			p.accept("ASC")
		}
		list = append(list, o)
	})
	return list
}

// core parses one SELECT without ORDER BY.
func (p *parser) core(q *ast.Select) *ast.Core {
	p.expect("SELECT")
	c := &ast.Core{}
	for {
		switch w := p.acceptAny("ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "STRAIGHT_JOIN", "SQL_SMALL_RESULT",
			"SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_NO_CACHE", "SQL_CACHE", "SQL_CALC_FOUND_ROWS"); w {
		case "DISTINCT", "DISTINCTROW":
			c.Distinct = true
		case "SQL_CALC_FOUND_ROWS":
			c.FoundRows = true
		case "":
			p.list(func() { c.Items = append(c.Items, p.item()) })
			if p.accept("INTO") {
				p.into(q)
			}
			p.clauses(c)
			return c
		}
	}
}

func (p *parser) item() ast.Item {
	if p.accept("*") {
		return ast.Item{X: &ast.Star{}, Text: "*"}
	}
	start := p.pos
	x := p.expr()
	it := ast.Item{X: x, Text: p.textFrom(start)}
	if _, star := x.(*ast.Star); star {
		return it
	}
	if p.peek().Kind == lexer.String {
		it.Alias = p.text()
	} else {
		it.Alias = p.alias()
	}
	return it
}

func (p *parser) clauses(c *ast.Core) {
	if p.accept("FROM") {
		if !p.accept("DUAL") {
			c.From = p.tableRefs()
		}
	}
	if p.accept("WHERE") {
		c.Where = p.expr()
	}
	if p.accept("GROUP") {
		p.expect("BY")
		c.GroupBy = p.orders()
		c.Rollup = p.accept("WITH", "ROLLUP")
	}
	if p.accept("HAVING") {
		c.Having = p.expr()
	}
	if p.accept("WINDOW") {
		p.list(func() {
			n := p.name()
			p.expect("AS")
			c.Windows = append(c.Windows, ast.NamedWindow{Name: n, Spec: p.window()})
		})
	}
}

// tableRefs parses what stands in FROM.
func (p *parser) tableRefs() ast.TableRef {
	x := p.joined()
	for p.accept(",") {
		x = &ast.Join{Kind: "CROSS", L: x, R: p.joined()}
	}
	return x
}

func (p *parser) joined() ast.TableRef {
	p.enter()
	defer p.leave()
	x := p.tableFactor()
	for {
		j := &ast.Join{Kind: "INNER", L: x}
		switch {
		case p.accept("JOIN"), p.accept("INNER", "JOIN"), p.accept("STRAIGHT_JOIN"):
		case p.accept("CROSS", "JOIN"):
			j.Kind = "CROSS"
		case p.accept("LEFT", "JOIN"), p.accept("LEFT", "OUTER", "JOIN"):
			j.Kind = "LEFT"
		case p.accept("RIGHT", "JOIN"), p.accept("RIGHT", "OUTER", "JOIN"):
			j.Kind = "RIGHT"
		case p.accept("NATURAL"):
			j.Natural = true
			j.Kind = p.acceptAny("LEFT", "RIGHT", "INNER")
			if j.Kind == "" {
				j.Kind = "INNER"
			}
			p.accept("OUTER")
			p.expect("JOIN")
		default:
			return x
		}
		j.R = p.tableFactor()
		switch {
		case j.Natural:
		case p.accept("ON"):
			j.On = p.expr()
		case p.accept("USING"):
			j.Using = p.names()
		case j.Kind == "LEFT" || j.Kind == "RIGHT":
			p.fail()
		}
		x = j
	}
}

func (p *parser) tableFactor() ast.TableRef {
	lateral := p.accept("LATERAL")
	if p.is("(") {
		if !p.atQuery() && !p.parenQuery() {
			p.pos++
			x := p.tableRefs()
			p.expect(")")
			return x
		}
		p.pos++
		d := &ast.Derived{Query: p.query()}
		p.expect(")")
		if lateral {
			p.unsupported("LATERAL")
		}
		d.Alias = p.alias()
		if p.is("(") {
			d.Cols = p.names()
		}
		if d.Alias == "" {
			panic(bail{&Error{Near: "Every derived table must have its own alias"}})
		}
		return d
	}
	if p.is("JSON_TABLE") && p.peekAt(1).Is("(") {
		p.unsupported("JSON_TABLE")
	}
	n := p.tableName()
	if p.is("PARTITION") && p.peekAt(1).Is("(") {
		p.unsupported("PARTITION")
	}
	n.Alias = p.alias()
	p.indexHints()
	return &n
}

// indexHints takes USE INDEX and the like, which change nothing but the plan.
func (p *parser) indexHints() {
	for {
		if p.acceptAny("USE", "FORCE", "IGNORE") == "" {
			return
		}
		if p.acceptAny("INDEX", "KEY") == "" {
			p.fail()
		}
		if p.accept("FOR") {
			_ = p.accept("JOIN") || p.accept("ORDER", "BY") || p.accept("GROUP", "BY")
		}
		p.expect("(")
		for !p.accept(")") {
			p.next()
			p.accept(",")
		}
	}
}
