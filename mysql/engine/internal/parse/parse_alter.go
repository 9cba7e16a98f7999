package parse

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// alter parses ALTER.
func (p *parser) alter() ast.Stmt {
	p.expect("ALTER")
	if p.acceptAny("DATABASE", "SCHEMA") != "" {
		d := &ast.CreateDatabase{Alter: true}
		if p.isName() && !p.is("CHARSET") {
			d.Name = p.name()
		}
		p.databaseOptions(d)
		return d
	}
	_ = p.accept("ONLINE") || p.accept("IGNORE")
	if !p.accept("TABLE") {
		if w := p.peek(); w.Kind == lexer.Word {
			p.unsupported("ALTER " + strings.ToUpper(w.Text))
		}
		p.fail()
	}
	p.accept("IF", "EXISTS")
	a := &ast.AlterTable{Table: p.tableName()}
	if p.peek().Kind == lexer.End || p.is(";") {
		return a
	}
	p.list(func() { p.alterSpec(a) })
	return a
}

func (p *parser) alterSpec(a *ast.AlterTable) {
	s := ast.AlterSpec{}
	switch {
	case p.accept("ADD"):
		p.alterAdd(a)
		return
	case p.accept("DROP"):
		s = p.alterDrop()
	case p.accept("MODIFY"):
		p.accept("COLUMN")
		s.Exists = p.accept("IF", "EXISTS")
		s.What, s.Col = "MODIFY", p.columnDef()
		s.Name = s.Col.Name
	case p.accept("CHANGE"):
		p.accept("COLUMN")
		s.Exists = p.accept("IF", "EXISTS")
		s.What, s.Name = "CHANGE", p.name()
		s.Col = p.columnDef()
	case p.accept("RENAME", "COLUMN"):
		s.What, s.Name = "RENAME COLUMN", p.name()
		p.expect("TO")
		s.NewName = p.name()
	case p.accept("RENAME", "INDEX"), p.accept("RENAME", "KEY"):
		s.What, s.Name = "RENAME INDEX", p.name()
		p.expect("TO")
		s.NewName = p.name()
	case p.accept("RENAME"):
		_ = p.accept("TO") || p.accept("AS")
		s.What, s.To = "RENAME", p.tableName()
	case p.accept("ALTER"):
		p.accept("COLUMN")
		s.Name = p.name()
		if p.accept("DROP", "DEFAULT") {
			s.What = "DROP DEFAULT"
		} else {
			p.expect("SET", "DEFAULT")
			s.What, s.Col.Default = "SET DEFAULT", p.defaultValue()
		}
	case p.accept("CONVERT", "TO"):
		p.unsupported("CONVERT TO CHARACTER SET")
	case p.accept("DISABLE", "KEYS"), p.accept("ENABLE", "KEYS"), p.accept("FORCE"):
		s.What = "NOTHING"
	case p.acceptAny("ALGORITHM", "LOCK") != "":
		p.accept("=")
		p.next()
		s.What = "NOTHING"
	case p.is("PARTITION"), p.is("ORDER"):
		p.unsupported("ALTER TABLE " + strings.ToUpper(p.peek().Text))
	default:
		at := p.pos
		s.What = "OPTIONS"
		p.tableOptions(&s.Options)
		if p.pos == at {
			p.fail()
		}
	}
	a.Specs = append(a.Specs, s)
}

func (p *parser) alterAdd(a *ast.AlterTable) {
	name := ""
	if p.accept("CONSTRAINT") && p.isName() {
		name = p.name()
	}
	switch {
	case p.is("FOREIGN"):
		a.Specs = append(a.Specs, ast.AlterSpec{What: "ADD FOREIGN", Foreign: p.foreignKey(name)})
		return
	case p.accept("CHECK"):
		p.expect("(")
		a.Specs = append(a.Specs, ast.AlterSpec{What: "ADD CHECK", Check: ast.CheckDef{Name: name, Text: p.balanced()}})
		return
	case p.atIndex():
		ix := p.indexDef()
		if ix.Name == "" {
			ix.Name = name
		}
		a.Specs = append(a.Specs, ast.AlterSpec{What: "ADD INDEX", Index: ix})
		return
	}
	p.accept("COLUMN")
	exists := p.accept("IF", "NOT", "EXISTS")
	if p.accept("(") {
		p.list(func() {
			a.Specs = append(a.Specs, ast.AlterSpec{What: "ADD COLUMN", Col: p.columnDef(), Exists: exists})
		})
		p.expect(")")
		return
	}
	a.Specs = append(a.Specs, ast.AlterSpec{What: "ADD COLUMN", Col: p.columnDef(), Exists: exists})
}

func (p *parser) alterDrop() ast.AlterSpec {
	s := ast.AlterSpec{What: "DROP COLUMN"}
	switch {
	case p.accept("PRIMARY", "KEY"):
		s.What = "DROP PRIMARY"
		return s
	case p.accept("FOREIGN", "KEY"):
		s.What = "DROP FOREIGN"
	case p.acceptAny("INDEX", "KEY") != "":
		s.What = "DROP INDEX"
	case p.accept("CONSTRAINT"), p.accept("CHECK"):
		s.What = "DROP CHECK"
	default:
		p.accept("COLUMN")
	}
	s.Exists = p.accept("IF", "EXISTS")
	s.Name = p.name()
	_ = p.accept("RESTRICT") || p.accept("CASCADE")
	return s
}

// drop parses DROP.
func (p *parser) drop() ast.Stmt {
	p.expect("DROP")
	if p.acceptAny("DATABASE", "SCHEMA") != "" {
		return &ast.DropDatabase{IfExists: p.accept("IF", "EXISTS"), Name: p.name()}
	}
	if p.acceptAny("INDEX", "KEY") != "" {
		exists := p.accept("IF", "EXISTS")
		n := p.name()
		p.expect("ON")
		return &ast.AlterTable{Table: p.tableName(), Specs: []ast.AlterSpec{{What: "DROP INDEX", Name: n, Exists: exists}}}
	}
	if p.is("PREPARE") {
		p.pos++
		return &ast.Deallocate{Name: p.name()}
	}
	d := &ast.DropTable{Temporary: p.accept("TEMPORARY")}
	switch {
	case p.acceptAny("TABLE", "TABLES") != "":
	case p.accept("VIEW"):
		d.View = true
	default:
		if w := p.peek(); w.Kind == lexer.Word {
			p.unsupported("DROP " + strings.ToUpper(w.Text))
		}
		p.fail()
	}
	d.IfExists = p.accept("IF", "EXISTS")
	p.list(func() { d.Tables = append(d.Tables, p.tableName()) })
	_ = p.accept("RESTRICT") || p.accept("CASCADE")
	return d
}
