package parse

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// create parses CREATE.
func (p *parser) create() ast.Stmt {
	p.expect("CREATE")
	replace := p.accept("OR", "REPLACE")
	if p.acceptAny("DATABASE", "SCHEMA") != "" {
		d := &ast.CreateDatabase{OrReplace: replace, IfNotExists: p.accept("IF", "NOT", "EXISTS"), Name: p.name()}
		p.databaseOptions(d)
		return d
	}
	temporary := p.accept("TEMPORARY")
	if p.accept("TABLE") {
		return p.createTable(replace, temporary)
	}
	for p.is("ALGORITHM") || p.is("DEFINER") || p.is("SQL") {
		for !p.is("VIEW") && !p.is("SQL") && p.peek().Kind != lexer.End || p.accept("SQL") {
			p.pos++
		}
	}
	if p.accept("VIEW") {
		v := &ast.CreateView{OrReplace: replace}
		p.accept("IF", "NOT", "EXISTS")
		v.Name = p.tableName()
		if p.is("(") {
			v.Cols = p.names()
		}
		p.expect("AS")
		start := p.pos
		v.Query = p.query()
		v.Text = p.textFrom(start)
		if p.accept("WITH") {
			p.unsupported("WITH CHECK OPTION")
		}
		return v
	}
	kind := p.acceptAny("UNIQUE", "FULLTEXT", "SPATIAL")
	if p.acceptAny("INDEX", "KEY") != "" {
		ix := ast.IndexDef{Kind: kind}
		if kind == "" {
			ix.Kind = "KEY"
		}
		exists := p.accept("IF", "NOT", "EXISTS")
		ix.Name = p.name()
		p.indexType()
		p.expect("ON")
		t := p.tableName()
		p.indexCols(&ix)
		return &ast.AlterTable{Table: t, Specs: []ast.AlterSpec{{What: "ADD INDEX", Index: ix, Exists: exists}}}
	}
	if w := p.peek(); w.Kind == lexer.Word {
		p.unsupported("CREATE " + strings.ToUpper(w.Text))
	}
	p.fail()
	return nil
}

func (p *parser) databaseOptions(d *ast.CreateDatabase) {
	for {
		p.accept("DEFAULT")
		switch {
		case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
			p.accept("=")
			d.Charset = p.charset()
		case p.accept("COLLATE"):
			p.accept("=")
			d.Collate = p.charset()
		case p.accept("COMMENT"):
			p.accept("=")
			p.text()
		default:
			return
		}
	}
}

func (p *parser) createTable(replace, temporary bool) ast.Stmt {
	t := &ast.CreateTable{OrReplace: replace, Temporary: temporary, IfNotExists: p.accept("IF", "NOT", "EXISTS")}
	t.Table = p.tableName()
	if p.accept("LIKE") {
		n := p.tableName()
		t.Like = &n
		return t
	}
	if p.is("(") && p.peekAt(1).Is("LIKE") {
		p.pos += 2
		n := p.tableName()
		t.Like = &n
		p.expect(")")
		return t
	}
	if p.is("(") && !p.atQuery() && !p.parenQuery() {
		p.expect("(")
		p.list(func() { p.tableElement(t) })
		p.expect(")")
	}
	p.tableOptions(&t.Options)
	if p.is("PARTITION") {
		p.unsupported("PARTITION BY")
	}
	if p.acceptAny("IGNORE", "REPLACE") == "IGNORE" {
		t.Ignore = true
	}
	p.accept("AS")
	if p.atQuery() || p.parenQuery() {
		t.Query = p.query()
	}
	if t.Query == nil && len(t.Cols) == 0 {
		p.fail()
	}
	return t
}

// tableElement parses a column, a key or a constraint.
func (p *parser) tableElement(t *ast.CreateTable) {
	name := ""
	if p.accept("CONSTRAINT") && p.isName() {
		name = p.name()
	}
	switch {
	case p.is("FOREIGN"):
		t.Foreign = append(t.Foreign, p.foreignKey(name))
	case p.accept("CHECK"):
		p.expect("(")
		t.Checks = append(t.Checks, ast.CheckDef{Name: name, Text: p.balanced()})
	case p.atIndex():
		ix := p.indexDef()
		if ix.Name == "" {
			ix.Name = name
		}
		t.Indexes = append(t.Indexes, ix)
	default:
		t.Cols = append(t.Cols, p.columnDef())
	}
}

func (p *parser) atIndex() bool {
	return p.is("PRIMARY") || p.is("UNIQUE") || p.is("INDEX") || p.is("KEY") || p.is("FULLTEXT") || p.is("SPATIAL")
}

// indexDef parses a key of a table.
func (p *parser) indexDef() ast.IndexDef {
	ix := ast.IndexDef{Kind: "KEY"}
	switch p.acceptAny("PRIMARY", "UNIQUE", "FULLTEXT", "SPATIAL") {
	case "PRIMARY":
		p.expect("KEY")
		ix.Kind = "PRIMARY"
	case "UNIQUE":
		ix.Kind = "UNIQUE"
		p.acceptAny("INDEX", "KEY")
	case "FULLTEXT":
		ix.Kind = "FULLTEXT"
		p.acceptAny("INDEX", "KEY")
	case "SPATIAL":
		p.unsupported("SPATIAL INDEX")
	default:
		p.acceptAny("INDEX", "KEY")
	}
	p.accept("IF", "NOT", "EXISTS")
	if p.isName() && !p.is("USING") {
		ix.Name = p.name()
	}
	p.indexType()
	p.indexCols(&ix)
	return ix
}

func (p *parser) indexType() {
	if p.accept("USING") {
		if p.acceptAny("BTREE", "HASH", "RTREE") == "" {
			p.fail()
		}
	}
}

func (p *parser) indexCols(ix *ast.IndexDef) {
	p.expect("(")
	p.list(func() {
		if p.is("(") {
			p.unsupported("functional key parts")
		}
		c := ast.IndexCol{Name: p.name()}
		if p.accept("(") {
			c.Length = p.integer()
			p.expect(")")
		}
		c.Desc = p.acceptAny("ASC", "DESC") == "DESC"
		ix.Cols = append(ix.Cols, c)
	})
	p.expect(")")
	for {
		switch {
		case p.is("USING"):
			p.indexType()
		case p.accept("COMMENT"):
			p.accept("=")
			ix.Comment = p.text()
		case p.accept("KEY_BLOCK_SIZE"):
			p.accept("=")
			p.integer()
		case p.accept("VISIBLE"), p.accept("INVISIBLE"), p.accept("IGNORED"), p.accept("NOT", "IGNORED"):
		default:
			return
		}
	}
}

// foreignKey parses FOREIGN KEY.
func (p *parser) foreignKey(name string) ast.ForeignKey {
	p.expect("FOREIGN", "KEY")
	p.accept("IF", "NOT", "EXISTS")
	if p.isName() {
		n := p.name()
		if name == "" {
			name = n
		}
	}
	f := p.references(p.names())
	f.Name = name
	return f
}

func (p *parser) references(cols []string) ast.ForeignKey {
	p.expect("REFERENCES")
	f := ast.ForeignKey{Cols: cols, Table: p.tableName()}
	if p.is("(") {
		f.RefCols = p.names()
	}
	if p.accept("MATCH") {
		p.next()
	}
	for p.accept("ON") {
		what := p.acceptAny("DELETE", "UPDATE")
		var do string
		switch {
		case p.accept("SET", "NULL"):
			do = "SET NULL"
		case p.accept("NO", "ACTION"):
			do = "NO ACTION"
		case p.accept("SET", "DEFAULT"):
			do = "SET DEFAULT"
		default:
			do = p.acceptAny("CASCADE", "RESTRICT")
		}
		switch {
		case do == "" || what == "":
			p.fail()
		case what == "DELETE":
			f.OnDelete = do
		default:
			f.OnUpdate = do
		}
	}
	return f
}

// columnDef parses the definition of a column.
func (p *parser) columnDef() ast.ColumnDef {
	c := ast.ColumnDef{Name: p.name()}
	serial := p.is("SERIAL")
	c.Type = p.typeName()
	if serial {
		c.NotNull, c.Auto, c.Unique = true, true, true
	}
	for p.columnAttribute(&c) {
	}
	return c
}

// columnAttribute parses one thing that stands behind a column's type.
func (p *parser) columnAttribute(c *ast.ColumnDef) bool {
	switch {
	case p.accept("NOT", "NULL"):
		c.NotNull = true
	case p.accept("NULL"):
		c.Null = true
	case p.accept("DEFAULT"):
		c.Default = p.defaultValue()
	case p.accept("ON", "UPDATE"):
		if w := p.acceptAny("CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"); w == "" {
			p.fail()
		}
		if p.accept("(") {
			if !p.is(")") {
				p.integer()
			}
			p.expect(")")
		}
		c.OnUpdate = true
	case p.accept("AUTO_INCREMENT"):
		c.Auto = true
	case p.accept("PRIMARY", "KEY"), p.accept("PRIMARY"):
		c.Primary = true
	case p.accept("UNIQUE"):
		p.accept("KEY")
		c.Unique = true
	case p.accept("KEY"):
		c.Primary = true
	case p.accept("COMMENT"):
		c.Comment = p.text()
	case p.accept("COLLATE"):
		c.Type.Collate = p.charset()
	case p.accept("CHECK"):
		p.expect("(")
		c.Check = p.balanced()
	case p.accept("GENERATED", "ALWAYS", "AS"), p.accept("AS"):
		p.expect("(")
		c.Gen = p.balanced()
		if w := p.acceptAny("VIRTUAL", "STORED", "PERSISTENT"); w == "STORED" || w == "PERSISTENT" {
			c.Stored = true
		}
	case p.is("REFERENCES"):
		f := p.references([]string{c.Name})
		c.Refs = &f
	case p.accept("INVISIBLE"):
		p.unsupported("INVISIBLE")
	case p.accept("CONSTRAINT"):
		if p.isName() {
			p.name()
		}
	case p.accept("FIRST"):
		c.First = true
	case p.accept("AFTER"):
		c.After = p.name()
	default:
		return false
	}
	return true
}

// defaultValue parses a default: a literal, a function, or (expression).
func (p *parser) defaultValue() ast.Expr {
	x := p.unary()
	if f, ok := x.(*ast.Func); ok && (f.Name == "NOW" || strings.HasPrefix(f.Name, "LOCALTIME")) {
		f.Name = "CURRENT_TIMESTAMP"
	}
	return x
}

func (p *parser) tableOptions(o *ast.TableOptions) {
	for {
		p.accept(",")
		p.accept("DEFAULT")
		switch {
		case p.accept("ENGINE"), p.accept("TYPE"):
			p.accept("=")
			o.Engine = p.charset()
		case p.accept("CHARACTER", "SET"), p.accept("CHARSET"):
			p.accept("=")
			o.Charset = p.charset()
		case p.accept("COLLATE"):
			p.accept("=")
			o.Collate = p.charset()
		case p.accept("COMMENT"):
			p.accept("=")
			o.Comment = p.text()
		case p.accept("AUTO_INCREMENT"):
			p.accept("=")
			t := p.next()
			n, err := strconv.ParseUint(t.Text, 10, 64)
			if err != nil {
				p.failAt(t.Pos)
			}
			o.Auto = n
		case p.acceptAny("ROW_FORMAT", "AVG_ROW_LENGTH", "MAX_ROWS", "MIN_ROWS", "CHECKSUM", "PACK_KEYS", "DELAY_KEY_WRITE",
			"STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "KEY_BLOCK_SIZE", "PAGE_CHECKSUM", "TRANSACTIONAL") != "":
			p.accept("=")
			p.next()
		default:
			return
		}
	}
}
