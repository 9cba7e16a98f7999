package parse

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// show parses SHOW.
func (p *parser) show() ast.Stmt {
	p.expect("SHOW")
	s := &ast.Show{}
	if p.accept("COUNT") {
		p.expect("(", "*", ")")
		s.Count = true
	}
	for {
		w := p.acceptAny("FULL", "EXTENDED", "GLOBAL", "SESSION", "LOCAL", "STORAGE")
		if w == "" {
			break
		}
		s.Full = s.Full || w == "FULL"
		s.Global = s.Global || w == "GLOBAL"
	}
	switch {
	case p.accept("DATABASES"), p.accept("SCHEMAS"):
		s.What = "DATABASES"
	case p.accept("TABLES"):
		s.What = "TABLES"
		s.DB = p.showDB()
	case p.accept("OPEN", "TABLES"):
		s.What = "OPEN TABLES"
		s.DB = p.showDB()
	case p.accept("TABLE", "STATUS"):
		s.What = "TABLE STATUS"
		s.DB = p.showDB()
	case p.accept("TRIGGERS"):
		s.What = "TRIGGERS"
		s.DB = p.showDB()
	case p.accept("EVENTS"):
		s.What = "EVENTS"
		s.DB = p.showDB()
	case p.accept("COLUMNS"), p.accept("FIELDS"):
		s.What = "COLUMNS"
		p.showTable(s)
	case p.acceptAny("INDEX", "INDEXES", "KEYS") != "":
		s.What = "INDEX"
		p.showTable(s)
	case p.accept("CREATE"):
		p.showCreate(s)
		return s
	case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
		s.What = "CHARACTER SET"
	case p.accept("GRANTS"):
		s.What = "GRANTS"
		if p.accept("FOR") {
			p.expr()
		}
		return s
	case p.accept("PROCEDURE", "STATUS"), p.accept("FUNCTION", "STATUS"):
		s.What = strings.ToUpper(p.toks[p.pos-2].Text) + " STATUS"
	case p.accept("MASTER", "STATUS"), p.accept("BINARY", "LOGS"), p.accept("SLAVE", "STATUS"), p.accept("REPLICA", "STATUS"),
		p.accept("ENGINE"), p.accept("PROFILES"), p.accept("BINLOG"):
		p.unsupported("SHOW " + strings.ToUpper(p.toks[p.pos-1].Text))
	default:
		s.What = p.acceptAny("VARIABLES", "STATUS", "WARNINGS", "ERRORS", "PROCESSLIST", "ENGINES", "COLLATION", "PLUGINS", "PRIVILEGES")
		if s.What == "" {
			p.fail()
		}
	}
	p.showTail(s)
	return s
}

func (p *parser) showDB() string {
	if p.accept("FROM") || p.accept("IN") {
		return p.name()
	}
	return ""
}

func (p *parser) showTable(s *ast.Show) {
	if !p.accept("FROM") {
		p.expect("IN")
	}
	s.Table = p.tableName()
	if db := p.showDB(); db != "" {
		s.Table.DB = db
	}
}

func (p *parser) showCreate(s *ast.Show) {
	switch {
	case p.accept("TABLE"):
		s.What = "CREATE TABLE"
	case p.accept("VIEW"):
		s.What = "CREATE VIEW"
	case p.accept("DATABASE"), p.accept("SCHEMA"):
		s.What = "CREATE DATABASE"
		p.accept("IF", "NOT", "EXISTS")
		s.DB = p.name()
		return
	default:
		p.unsupported("SHOW CREATE " + strings.ToUpper(p.peek().Text))
	}
	s.Table = p.tableName()
}

func (p *parser) showTail(s *ast.Show) {
	switch {
	case p.accept("LIKE"):
		l := p.text()
		s.Like = &l
	case p.accept("WHERE"):
		s.Where = p.expr()
	case p.is("LIMIT"):
		s.Limit = &ast.Select{}
		p.tail(s.Limit)
	}
}

// explain parses EXPLAIN and DESCRIBE.
func (p *parser) explain() ast.Stmt {
	p.pos++
	e := &ast.Explain{}
	for {
		switch {
		case p.accept("EXTENDED"), p.accept("PARTITIONS"):
			continue
		case p.accept("FORMAT"):
			p.expect("=")
			e.Format = p.charset()
			continue
		case p.accept("ANALYZE"):
			p.unsupported("EXPLAIN ANALYZE")
		case p.accept("FOR", "CONNECTION"):
			p.unsupported("EXPLAIN FOR CONNECTION")
		}
		break
	}
	for _, w := range []string{"SELECT", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE", "(", "VALUES"} {
		if p.is(w) {
			e.Stmt = p.statement()
			return e
		}
	}
	s := &ast.Show{What: "COLUMNS", Table: p.tableName()}
	if p.isName() {
		n := p.name()
		s.Like = &n
	} else if p.peek().Kind == lexer.String {
		n := p.text()
		s.Like = &n
	}
	return s
}
