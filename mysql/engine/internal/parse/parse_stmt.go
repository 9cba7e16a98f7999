package parse

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// statement parses any statement.
func (p *parser) statement() ast.Stmt {
	t := p.peek()
	if t.Kind == lexer.End || t.Is(";") {
		return &ast.Nothing{}
	}
	if t.Is("(") {
		return p.query()
	}
	if t.Kind != lexer.Word {
		p.fail()
	}
	switch w := strings.ToUpper(t.Text); w {
	case "SELECT", "VALUES":
		return p.query()
	case "WITH":
		return p.with()
	case "INSERT", "REPLACE":
		return p.insert()
	case "UPDATE":
		return p.update(nil)
	case "DELETE":
		return p.delete(nil)
	case "TRUNCATE":
		p.pos++
		p.accept("TABLE")
		return &ast.Truncate{Table: p.tableName()}
	case "CREATE":
		return p.create()
	case "ALTER":
		return p.alter()
	case "DROP":
		return p.drop()
	case "RENAME":
		return p.rename()
	case "LOAD":
		return p.load()
	case "SET":
		return p.set()
	case "SHOW":
		return p.show()
	case "DESCRIBE", "DESC", "EXPLAIN":
		return p.explain()
	}
	return p.session()
}

// with parses what begins with WITH.
func (p *parser) with() ast.Stmt {
	at := p.pos
	p.expect("WITH")
	p.accept("RECURSIVE")
	with := p.ctes()
	switch {
	case p.is("UPDATE"):
		return p.update(with)
	case p.is("DELETE"):
		return p.delete(with)
	}
	p.pos, p.params = at, 0
	return p.query()
}

func (p *parser) rename() ast.Stmt {
	p.expect("RENAME")
	if p.acceptAny("TABLE", "TABLES") == "" {
		p.unsupported("RENAME " + strings.ToUpper(p.peek().Text))
	}
	r := &ast.RenameTable{}
	p.list(func() {
		r.From = append(r.From, p.tableName())
		p.expect("TO")
		r.To = append(r.To, p.tableName())
	})
	return r
}

// session parses the statements about the session.
func (p *parser) session() ast.Stmt {
	t := p.next()
	switch w := strings.ToUpper(t.Text); w {
	case "USE":
		return &ast.Use{Name: p.name()}
	case "BEGIN":
		p.accept("WORK")
		return &ast.Begin{}
	case "START":
		return p.start()
	case "COMMIT", "ROLLBACK":
		p.accept("WORK")
		if w == "ROLLBACK" && p.accept("TO") {
			p.accept("SAVEPOINT")
			return &ast.Savepoint{Verb: "ROLLBACK", Name: p.name()}
		}
		e := &ast.End{Rollback: w == "ROLLBACK"}
		if p.accept("AND") {
			e.Chain = !p.accept("NO")
			p.expect("CHAIN")
		}
		if !p.accept("NO", "RELEASE") {
			e.Release = p.accept("RELEASE")
		}
		return e
	case "SAVEPOINT":
		return &ast.Savepoint{Verb: "SAVEPOINT", Name: p.name()}
	case "RELEASE":
		p.expect("SAVEPOINT")
		return &ast.Savepoint{Verb: "RELEASE", Name: p.name()}
	case "KILL":
		_ = p.accept("HARD") || p.accept("SOFT")
		k := &ast.Kill{Query: p.accept("QUERY")}
		if !k.Query {
			p.accept("CONNECTION")
		}
		k.ID = p.expr()
		return k
	case "DO":
		d := &ast.Do{}
		p.list(func() { d.List = append(d.List, p.expr()) })
		return d
	case "PREPARE":
		n := p.name()
		p.expect("FROM")
		return &ast.Prepare{Name: n, From: p.expr()}
	case "EXECUTE":
		e := &ast.Execute{Name: p.name()}
		if p.accept("USING") {
			p.list(func() {
				v := p.next()
				if v.Kind != lexer.UserVar {
					p.failAt(v.Pos)
				}
				e.Using = append(e.Using, strings.ToLower(v.Value(p.mode)))
			})
		}
		return e
	case "DEALLOCATE":
		p.expect("PREPARE")
		return &ast.Deallocate{Name: p.name()}
	case "ANALYZE", "CHECK", "OPTIMIZE", "REPAIR":
		return p.maintain(w)
	case "LOCK", "UNLOCK", "FLUSH":
		return p.nothing(w)
	case "GRANT", "REVOKE", "CALL", "XA", "HANDLER", "INSTALL", "UNINSTALL", "CHANGE", "RESET", "PURGE", "SIGNAL", "RESIGNAL",
		"STOP", "SHUTDOWN", "BINLOG", "CACHE", "HELP", "IMPORT", "CLONE", "RESTART", "GET", "BACKUP":
		p.unsupported(w)
	}
	p.failAt(t.Pos)
	return nil
}

func (p *parser) start() ast.Stmt {
	if !p.accept("TRANSACTION") {
		p.unsupported("START " + strings.ToUpper(p.peek().Text))
	}
	b := &ast.Begin{}
	for {
		switch {
		case p.accept("WITH", "CONSISTENT", "SNAPSHOT"):
			b.Snapshot = true
		case p.accept("READ", "ONLY"):
			b.ReadOnly = true
		case p.accept("READ", "WRITE"):
			b.ReadWrite = true
		default:
			return b
		}
		if !p.accept(",") {
			return b
		}
	}
}

func (p *parser) maintain(verb string) ast.Stmt {
	p.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
	if p.acceptAny("TABLE", "TABLES") == "" {
		p.fail()
	}
	m := &ast.Maintain{Verb: strings.ToLower(verb)}
	p.list(func() { m.Tables = append(m.Tables, p.tableName()) })
	p.acceptAny("QUICK", "FAST", "MEDIUM", "EXTENDED", "CHANGED")
	return m
}

// nothing parses LOCK TABLES, UNLOCK TABLES and FLUSH: with one writer at a
// time and no caches there is nothing for them to do.
func (p *parser) nothing(verb string) ast.Stmt {
	if verb != "FLUSH" && p.acceptAny("TABLES", "TABLE") == "" {
		p.fail()
	}
	for p.peek().Kind != lexer.End && !p.is(";") {
		p.next()
	}
	return &ast.Nothing{Verb: verb}
}

// set parses SET.
func (p *parser) set() ast.Stmt {
	p.expect("SET")
	s := &ast.Set{}
	switch {
	case p.accept("NAMES"):
		it := ast.SetItem{Scope: "names", Bare: "default"}
		if !p.accept("DEFAULT") {
			it.Bare = p.charset()
		}
		if p.accept("COLLATE") {
			it.Name = p.charset()
		}
		s.Items = append(s.Items, it)
		return s
	case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
		s.Items = append(s.Items, ast.SetItem{Scope: "charset", Bare: p.charset()})
		return s
	case p.is("PASSWORD"):
		p.unsupported("SET PASSWORD")
	case p.is("ROLE"), p.is("STATEMENT") && !p.peekAt(1).Is("="):
		p.unsupported("SET " + strings.ToUpper(p.peek().Text))
	}
	p.list(func() { s.Items = append(s.Items, p.setItem()) })
	return s
}

func (p *parser) setItem() ast.SetItem {
	t := p.peek()
	var it ast.SetItem
	switch t.Kind {
	case lexer.UserVar:
		p.pos++
		it.Scope, it.Name = "user", strings.ToLower(t.Value(p.mode))
	case lexer.SysVar:
		p.pos++
		it.Scope, it.Name = splitScope(t.Value(p.mode))
	default:
		it.Scope = strings.ToLower(p.acceptAny("GLOBAL", "SESSION", "LOCAL"))
		if it.Scope == "local" {
			it.Scope = "session"
		}
		if p.accept("TRANSACTION") {
			return p.setTransaction(it.Scope)
		}
		it.Name = strings.ToLower(p.name())
		if p.accept(".") {
			it.Name = p.name()
		}
	}
	if !p.accept("=") {
		p.expect(":=")
	}
	if it.Scope != "user" {
		if p.is("DEFAULT") && !p.peekAt(1).Is("(") {
			p.pos++
			return it
		}
		// ON, utf8mb4 and the like stand there without quotes.
		if v := p.peek(); v.Kind == lexer.Word && !p.peekAt(1).Is("(") && !p.peekAt(1).Is(".") && !strings.EqualFold(v.Text, "TRUE") &&
			!strings.EqualFold(v.Text, "FALSE") && !strings.EqualFold(v.Text, "NULL") && !strings.EqualFold(v.Text, "CASE") && !strings.HasPrefix(v.Text, "_") &&
			!strings.EqualFold(v.Text, "NOT") {
			p.pos++
			it.Bare = v.Text
			it.X = &ast.Lit{Kind: ast.LitString, Text: v.Text}
			return it
		}
	}
	it.X = p.expr()
	return it
}

func (p *parser) setTransaction(scope string) ast.SetItem {
	it := ast.SetItem{Scope: "transaction", Name: scope}
	for {
		switch {
		case p.accept("READ", "ONLY"), p.accept("READ", "WRITE"):
			it.Bare += "," + strings.ToUpper(p.toks[p.pos-1].Text)
		default:
			p.expect("ISOLATION", "LEVEL")
			switch {
			case p.accept("REPEATABLE", "READ"), p.accept("READ", "COMMITTED"), p.accept("READ", "UNCOMMITTED"):
				it.Bare += "," + strings.ToUpper(p.toks[p.pos-2].Text+"-"+p.toks[p.pos-1].Text)
			default:
				p.expect("SERIALIZABLE")
				it.Bare += ",SERIALIZABLE"
			}
		}
		if !p.accept(",") {
			it.Bare = strings.TrimPrefix(it.Bare, ",")
			return it
		}
	}
}
