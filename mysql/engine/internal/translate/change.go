package translate

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql/engine/internal/store"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
)

// writer translates a statement that stores to one table.
type writer struct {
	e       *Env
	t       *catalog.Table
	lenient bool
	noNull  bool // NULL is an error even when other values are made to fit
	update  bool
	first   int // position of the column that a row begins with
	stores  map[string]int
}

// store returns the number of the Store for a column and a form of value.
func (w *writer) store(pos int, from catalog.Rep) string {
	key := strconv.Itoa(pos) + "/" + strconv.Itoa(int(from)) + "/" + strconv.FormatBool(w.update)
	if n, ok := w.stores[key]; ok {
		return itoa(n)
	}
	c := &w.t.Columns[pos]
	n := len(w.e.State.Stores)
	w.e.State.Stores = append(w.e.State.Stores, store.Store{
		Type: c.Type, Name: c.Name, From: from, NotNull: c.NotNull, Auto: c.Auto, Lenient: w.lenient, NoNull: w.noNull && !w.update, First: pos == w.first, Update: w.update,
		Place: "`" + w.t.DB + "`.`" + w.t.Name + "`.`" + c.Name + "`",
		Check: "`" + w.t.DB + "`.`" + w.t.Name + "`",
	})
	w.stores[key] = n
	return itoa(n)
}

// target finds the table of a change.
func (e *Env) target(n *ast.TableName) *catalog.Table {
	t := e.Lookup(n)
	if t.View != "" {
		fail(1288, "The target table %s of the statement is not updatable", t.Name)
	}
	if t.System {
		fail(1044, "Access denied for user to database '%s'", t.DB)
	}
	return t
}

// physical is the name of a table in a change.
func physical(t *catalog.Table) string {
	if t.Temporary {
		return "temp." + catalog.QuoteName(t.Physical())
	}
	return catalog.QuoteName(t.Physical())
}

// Insert translates INSERT and REPLACE.
func (e *Env) Insert(in *ast.Insert) (r *Result, t *catalog.Table, err error) {
	defer catch(&err)
	e.hook()
	if in.Returning != nil {
		unsupported("INSERT ... RETURNING")
	}
	t = e.target(&in.Table)
	w := &writer{e: e, t: t, lenient: in.Ignore || !e.Strict, stores: map[string]int{}}
	w.noNull = !in.Ignore && in.Query == nil && len(in.Rows) == 1
	positions := w.positions(in)
	var body string
	if in.Query != nil {
		body = w.fromQuery(in.Query, positions)
	} else {
		body = w.fromRows(in.Rows, positions)
	}
	var names []string
	for i := range t.Columns {
		if t.Columns[i].Gen == "" {
			names = append(names, catalog.QuoteName(t.Columns[i].Name))
		}
	}
	verb := "INSERT INTO "
	switch {
	case in.Replace:
		verb = "REPLACE INTO "
	case in.Ignore:
		verb = "INSERT OR IGNORE INTO "
	}
	ref := e.alias()
	sql := verb + physical(t) + " AS " + ref + " (" + strings.Join(names, ", ") + ") " + body
	if len(in.OnDup) > 0 {
		src := w.source(ref)
		s := &scope{sources: []*source{src}, excluded: true, noAgg: true}
		sql += " ON CONFLICT DO UPDATE SET " + w.set(s, in.OnDup, in.Ignore)
	}
	return &Result{SQL: sql, Args: e.args}, t, nil
}

// positions returns the columns that values are given for.
func (w *writer) positions(in *ast.Insert) []int {
	var list []int
	if in.Cols == nil {
		for i := range w.t.Columns {
			list = append(list, i)
		}
		if len(in.Rows) == 1 && len(in.Rows[0]) == 0 { // VALUES ()
			return nil
		}
		return list
	}
	seen := map[int]bool{}
	for _, n := range in.Cols {
		p := w.t.Position(n)
		if p < 0 {
			fail(1054, "Unknown column '%s' in 'field list'", n)
		}
		if seen[p] {
			fail(1110, "Column '%s' specified twice", n)
		}
		seen[p] = true
		list = append(list, p)
	}
	return list
}

func (w *writer) fromRows(rows [][]ast.Expr, positions []int) string {
	given := map[int]int{}
	for i, p := range positions {
		given[p] = i
	}
	s := &scope{noAgg: true}
	var b strings.Builder
	b.WriteString("VALUES ")
	for i, row := range rows {
		if len(row) != len(positions) {
			fail(1136, "Column count doesn't match value count at row %d", i+1)
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		sep := ""
		for p := range w.t.Columns {
			c := &w.t.Columns[p]
			at, ok := given[p]
			if c.Gen != "" {
				if ok && !isDefault(row[at]) {
					fail(1906, "The value specified for generated column '%s' in table '%s' has been ignored", c.Name, w.t.Name)
				}
				continue
			}
			b.WriteString(sep)
			sep = ", "
			if !ok || isDefault(row[at]) {
				b.WriteString(w.missing(p, ok))
				continue
			}
			v := w.e.single(s, row[at])
			b.WriteString("wl_store(" + w.store(p, v.rep()) + ", " + v.sql + ")")
		}
		b.WriteByte(')')
	}
	return b.String()
}

func isDefault(x ast.Expr) bool {
	d, ok := x.(*ast.Default)
	return ok && d.Name == ""
}

// missing is what is stored to a column that is given no value.
func (w *writer) missing(p int, said bool) string {
	c := &w.t.Columns[p]
	if c.Auto {
		return "wl_store(" + w.store(p, catalog.RepNull) + ", NULL)"
	}
	if !c.HasDef && c.DefExpr == "" && c.NotNull {
		if !w.lenient && !(c.Type.Kind == mysql.TypeEnum && !said) {
			fail(1364, "Field '%s' doesn't have a default value", c.Name)
		}
		if w.lenient {
			w.e.State.Warn(1364, "Field '%s' doesn't have a default value", c.Name)
		}
		z := store.Zero(&c.Type)
		return "wl_store(" + w.store(p, c.Type.Rep()) + ", " + w.e.bind(z) + ")"
	}
	if c.DefExpr != "" && !strings.HasPrefix(c.DefExpr, "current_timestamp") {
		v := w.e.defaultExpr(c)
		return "wl_store(" + w.store(p, v.rep()) + ", " + v.sql + ")"
	}
	v := w.e.columnDefault(c, c.Type)
	return "wl_store(" + w.store(p, v.rep()) + ", " + v.sql + ")"
}

func (w *writer) fromQuery(q *ast.Select, positions []int) string {
	c := w.e.Query(w.e, nil, q, nil)
	if len(c.cols) != len(positions) {
		fail(1136, "Column count doesn't match value count at row 1")
	}
	given := map[int]int{}
	for i, p := range positions {
		given[p] = i
	}
	var list []string
	for p := range w.t.Columns {
		if w.t.Columns[p].Gen != "" {
			continue
		}
		at, ok := given[p]
		if !ok {
			list = append(list, w.missing(p, false))
			continue
		}
		col := materialized(c.cols[at].Type)
		list = append(list, "wl_store("+w.store(p, col.Rep())+", "+outName(at)+")")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (" + c.sql + ") WHERE 1"
}

// source is the table of a change as something that names can mean.
func (w *writer) source(ref string) *source {
	src := &source{db: w.t.DB, alias: w.t.Name, table: w.t, ref: ref}
	for i := range w.t.Columns {
		c := &w.t.Columns[i]
		ct := c.Type
		ct.NotNull = c.NotNull
		src.cols = append(src.cols, srcCol{
			Column: Column{Name: c.Name, Type: ct, DB: w.t.DB, Table: w.t.Name, OrgTable: w.t.Name, OrgName: c.Name},
			sql:    ref + "." + catalog.QuoteName(c.Name),
		})
	}
	return src
}

// set compiles the assignments of an update. In MySQL the later ones see what
// the earlier ones have assigned; SQLite evaluates them in the order of the
// columns.
func (w *writer) set(s *scope, list []ast.Assign, lenient bool) string {
	w.update, w.lenient = true, lenient || !w.e.Strict
	type change struct{ value, old, store string }
	changes := map[int]change{}
	w.first = len(w.t.Columns)
	for _, a := range list {
		if p := w.t.Position(a.Col.Name); p >= 0 {
			w.first = min(w.first, p)
		}
	}
	s.subst = map[string]val{}
	ref := ""
	for _, src := range s.sources {
		if src.table == w.t {
			ref = src.ref
		}
	}
	for _, a := range list {
		target := w.e.resolve(&scope{sources: s.sources}, &a.Col)
		p := w.t.Position(target.col.OrgName)
		c := &w.t.Columns[p]
		if c.Gen != "" {
			fail(1906, "The value specified for generated column '%s' in table '%s' has been ignored", c.Name, w.t.Name)
		}
		var v val
		if isDefault(a.X) {
			v = w.e.columnDefault(c, c.Type)
		} else {
			v = w.e.single(s, a.X)
		}
		st := w.store(p, v.rep())
		changes[p] = change{v.sql, ref + "." + catalog.QuoteName(c.Name), st}
		assigned := target
		assigned.sql, assigned.col = "wl_conv("+st+", "+v.sql+")", nil
		s.subst[strings.ToLower(target.sql)] = assigned
	}
	var sets, differ []string
	for p := range w.t.Columns {
		if ch, ok := changes[p]; ok {
			differ = append(differ, "wl_conv("+ch.store+", "+ch.value+") IS NOT "+ch.old)
		}
	}
	for p := range w.t.Columns {
		c := &w.t.Columns[p]
		ch, ok := changes[p]
		switch {
		case ok:
			sets = append(sets, catalog.QuoteName(c.Name)+" = wl_change("+ch.store+", "+ch.value+", "+ch.old+")")
		case c.OnUpdate:
			st := w.store(p, catalog.RepDatetime)
			sets = append(sets, catalog.QuoteName(c.Name)+" = wl_onupdate("+st+", "+ref+"."+catalog.QuoteName(c.Name)+", "+strings.Join(differ, " OR ")+")")
		}
	}
	return strings.Join(sets, ", ")
}

// defaultExpr compiles the default of a column that is an expression.
func (e *Env) defaultExpr(c *catalog.Column) val {
	x, err := e.Parse(c.DefExpr)
	if err != nil {
		panic(abort{err})
	}
	return e.single(&scope{noAgg: true}, x)
}

// Update translates UPDATE.
func (e *Env) Update(u *ast.Update) (r *Result, t *catalog.Table, err error) {
	defer catch(&err)
	e.hook()
	if len(u.With) > 0 {
		unsupported("WITH ... UPDATE")
	}
	s := &scope{noAgg: true}
	from := e.from(s, u.From)
	t = e.updated(s, u.Set)
	if t.View != "" || t.System {
		fail(1288, "The target table %s of the statement is not updatable", t.Name)
	}
	var src *source
	for _, o := range s.sources {
		if o.table == t {
			src = o
		}
	}
	w := &writer{e: e, t: t, stores: map[string]int{}}
	where := e.where(s, u.Where)
	if len(s.sources) == 1 {
		sql := "UPDATE " + physical(t) + " AS " + src.ref + " SET " + w.set(s, u.Set, u.Ignore)
		sql += e.pick(s, t, src.ref, where, u.OrderBy, u.Limit)
		return &Result{SQL: orIgnore(sql, u.Ignore), Args: e.args}, t, nil
	}
	if u.OrderBy != nil || u.Limit != nil {
		fail(1221, "Incorrect usage of UPDATE and ORDER BY")
	}
	ref := e.alias()
	cond := ref + "._rowid_ = " + src.ref + "._rowid_"
	if where != "" {
		cond += " AND (" + where + ")"
	}
	sql := "UPDATE " + physical(t) + " AS " + ref + " SET " + w.set(s, u.Set, u.Ignore) + " FROM " + from + " WHERE " + cond
	return &Result{SQL: orIgnore(sql, u.Ignore), Args: e.args}, t, nil
}

func orIgnore(sql string, ignore bool) string {
	if ignore {
		return "UPDATE OR IGNORE" + strings.TrimPrefix(sql, "UPDATE")
	}
	return sql
}

// updated returns the table whose columns are assigned.
func (e *Env) updated(s *scope, set []ast.Assign) *catalog.Table {
	var t *catalog.Table
	for _, a := range set {
		v := e.resolve(&scope{sources: s.sources}, &a.Col)
		var own *catalog.Table
		for _, src := range s.sources {
			if src.table != nil && strings.EqualFold(src.alias, v.col.Table) && strings.EqualFold(src.db, v.col.DB) {
				own = src.table
			}
		}
		if own == nil {
			fail(1288, "The target table %s of the UPDATE is not updatable", v.col.Table)
		}
		if t != nil && t != own {
			unsupported("UPDATE of several tables at once")
		}
		t = own
	}
	return t
}

func (e *Env) where(s *scope, x ast.Expr) string {
	if x == nil {
		return ""
	}
	defer e.in("where clause")()
	return e.asBool(e.expr(&scope{sources: s.sources, noAgg: true}, x))
}

// pick is the WHERE of a change of one table, with ORDER BY and LIMIT.
func (e *Env) pick(s *scope, t *catalog.Table, ref, where string, order []ast.Order, limit ast.Expr) string {
	if limit == nil {
		if where == "" {
			return ""
		}
		return " WHERE " + where
	}
	sub := "SELECT _rowid_ FROM " + physical(t) + " AS " + ref
	if where != "" {
		sub += " WHERE " + where
	}
	if len(order) > 0 {
		sub += e.orderBy(s, order)
	}
	return " WHERE " + ref + "._rowid_ IN (" + sub + " LIMIT " + e.count(s, limit) + ")"
}

// Delete translates DELETE: the statements to be run one after the other, and
// the tables that those before which no table stands do not count for.
func (e *Env) Delete(d *ast.Delete) (list []*Result, tables []*catalog.Table, err error) {
	defer catch(&err)
	e.hook()
	if len(d.With) > 0 {
		unsupported("WITH ... DELETE")
	}
	s := &scope{noAgg: true}
	from := e.from(s, d.From)
	where := e.where(s, d.Where)
	if d.Targets == nil {
		src := s.sources[0]
		t := e.target(d.From.(*ast.TableName))
		sql := "DELETE FROM " + physical(t) + " AS " + src.ref + e.pick(s, t, src.ref, where, d.OrderBy, d.Limit)
		return []*Result{{SQL: sql, Args: e.args}}, []*catalog.Table{t}, nil
	}
	if where != "" {
		from += " WHERE " + where
	}
	var deletes []*Result
	var owned []*catalog.Table
	for i, target := range d.Targets {
		src := findSource(s, &target)
		if src == nil || src.table == nil || src.table.View != "" || src.table.System {
			fail(1109, "Unknown table '%s' in MULTI DELETE", target.Name)
		}
		if len(d.Targets) == 1 {
			sql := "DELETE FROM " + physical(src.table) + " WHERE _rowid_ IN (SELECT " + src.ref + "._rowid_ FROM " + from + ")"
			return []*Result{{SQL: sql, Args: e.args}}, []*catalog.Table{src.table}, nil
		}
		tmp := "temp." + catalog.QuoteName("wirelark.delete."+itoa(i))
		list = append(list, &Result{SQL: "DROP TABLE IF EXISTS " + tmp}, &Result{SQL: "CREATE TEMP TABLE " + strings.TrimPrefix(tmp, "temp.") + " AS SELECT " + src.ref + "._rowid_ AS id FROM " + from, Args: e.args})
		deletes = append(deletes, &Result{SQL: "DELETE FROM " + physical(src.table) + " WHERE _rowid_ IN (SELECT id FROM " + tmp + ")"})
		tables = append(tables, nil, nil)
		owned = append(owned, src.table)
	}
	return append(list, deletes...), append(tables, owned...), nil
}

func findSource(s *scope, n *ast.TableName) *source {
	for _, src := range s.sources {
		if strings.EqualFold(src.alias, n.Name) && (n.DB == "" || strings.EqualFold(src.db, n.DB)) {
			return src
		}
	}
	return nil
}

// Check translates a condition of a table, or the expression of a generated
// column, for CREATE TABLE.
func (e *Env) Check(t *catalog.Table, x ast.Expr) (sql string, err error) {
	defer catch(&err)
	e.hook()
	src := &source{db: t.DB, alias: t.Name, table: t}
	for i := range t.Columns {
		c := &t.Columns[i]
		src.cols = append(src.cols, srcCol{Column: Column{Name: c.Name, Type: c.Type}, sql: catalog.QuoteName(c.Name)})
	}
	v := e.single(&scope{sources: []*source{src}, noAgg: true}, x)
	for i := len(e.args); i > 0; i-- {
		v.sql = strings.ReplaceAll(v.sql, "?"+itoa(i), inline(e.args[i-1]))
	}
	return v.sql, nil
}

// Generated is Check for the expression of a generated column, converted to
// the column's type.
func (e *Env) Generated(t *catalog.Table, c *catalog.Column, x ast.Expr) (sql string, err error) {
	defer catch(&err)
	e.hook()
	src := &source{db: t.DB, alias: t.Name, table: t}
	for i := range t.Columns {
		o := &t.Columns[i]
		src.cols = append(src.cols, srcCol{Column: Column{Name: o.Name, Type: o.Type}, sql: catalog.QuoteName(o.Name)})
	}
	v := e.convert(e.single(&scope{sources: []*source{src}, noAgg: true}, x), c.Type)
	for i := len(e.args); i > 0; i-- {
		v.sql = strings.ReplaceAll(v.sql, "?"+itoa(i), inline(e.args[i-1]))
	}
	return v.sql, nil
}
