package translate

import (
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/store"
)

// writer translates a statement that stores to one table.
type writer struct {
	e       *scope.Env
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
		return scope.Itoa(n)
	}
	c := &w.t.Columns[pos]
	n := len(w.e.State.Stores)
	w.e.State.Stores = append(w.e.State.Stores, store.Store{
		Type: c.Type, Name: c.Name, From: from, NotNull: c.NotNull, KeepZero: w.e.KeepZero, Auto: c.Auto, Lenient: w.lenient, NoNull: w.noNull && !w.update, First: pos == w.first, Update: w.update,
		Place: "`" + w.t.DB + "`.`" + w.t.Name + "`.`" + c.Name + "`",
		Check: "`" + w.t.DB + "`.`" + w.t.Name + "`",
	})
	w.stores[key] = n
	return scope.Itoa(n)
}

// target finds the table of a change.
func target(e *scope.Env, n *ast.TableName) *catalog.Table {
	t := e.Lookup(n)
	if t.View != "" {
		scope.Fail(1288, "The target table %s of the statement is not updatable", t.Name)
	}
	if t.System {
		scope.Fail(1044, "Access denied for user to database '%s'", t.DB)
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
func Insert(e *scope.Env, in *ast.Insert) (r *scope.Result, t *catalog.Table, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	if in.Returning != nil {
		scope.Unsupported("INSERT ... RETURNING")
	}
	t = target(e, &in.Table)
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
	ref := e.Alias()
	sql := verb + physical(t) + " AS " + ref + " (" + strings.Join(names, ", ") + ") " + body
	if len(in.OnDup) > 0 {
		src := w.source(ref)
		s := &scope.Scope{Sources: []*scope.Source{src}, Excluded: true, NoAgg: true}
		sql += " ON CONFLICT DO UPDATE SET " + w.set(s, in.OnDup, in.Ignore)
	}
	return &scope.Result{SQL: sql, Args: e.Args}, t, nil
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
			scope.Fail(1054, "Unknown column '%s' in 'field list'", n)
		}
		if seen[p] {
			scope.Fail(1110, "Column '%s' specified twice", n)
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
	s := &scope.Scope{NoAgg: true}
	var b strings.Builder
	b.WriteString("VALUES ")
	for i, row := range rows {
		if len(row) != len(positions) {
			scope.Fail(1136, "Column count doesn't match value count at row %d", i+1)
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
					scope.Fail(1906, "The value specified for generated column '%s' in table '%s' has been ignored", c.Name, w.t.Name)
				}
				continue
			}
			b.WriteString(sep)
			sep = ", "
			if !ok || isDefault(row[at]) {
				b.WriteString(w.missing(p, ok))
				continue
			}
			v := w.e.Single(s, row[at])
			b.WriteString("wl_store(" + w.store(p, v.Rep()) + ", " + v.SQL + ")")
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
			scope.Fail(1364, "Field '%s' doesn't have a default value", c.Name)
		}
		if w.lenient {
			w.e.State.Warn(1364, "Field '%s' doesn't have a default value", c.Name)
		}
		z := store.Zero(&c.Type)
		return "wl_store(" + w.store(p, c.Type.Rep()) + ", " + w.e.Bind(z) + ")"
	}
	if c.DefExpr != "" && !strings.HasPrefix(c.DefExpr, "current_timestamp") {
		v := defaultExpr(w.e, c)
		return "wl_store(" + w.store(p, v.Rep()) + ", " + v.SQL + ")"
	}
	v := w.e.ColumnDefault(c, c.Type)
	return "wl_store(" + w.store(p, v.Rep()) + ", " + v.SQL + ")"
}

func (w *writer) fromQuery(q *ast.Select, positions []int) string {
	c := w.e.Query(w.e, nil, q, nil)
	if len(c.Cols) != len(positions) {
		scope.Fail(1136, "Column count doesn't match value count at row 1")
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
		col := scope.Materialized(c.Cols[at].Type)
		list = append(list, "wl_store("+w.store(p, col.Rep())+", "+scope.OutName(at)+")")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (" + c.SQL + ") WHERE 1"
}

// source is the table of a change as something that names can mean.
func (w *writer) source(ref string) *scope.Source {
	src := &scope.Source{Db: w.t.DB, Alias: w.t.Name, Table: w.t, Ref: ref}
	for i := range w.t.Columns {
		c := &w.t.Columns[i]
		ct := c.Type
		ct.NotNull = c.NotNull
		src.Cols = append(src.Cols, scope.SrcCol{
			Column: scope.Column{Name: c.Name, Type: ct, DB: w.t.DB, Table: w.t.Name, OrgTable: w.t.Name, OrgName: c.Name},
			SQL:    ref + "." + catalog.QuoteName(c.Name),
		})
	}
	return src
}

// set compiles the assignments of an update. In MySQL the later ones see what
// the earlier ones have assigned; SQLite evaluates them in the order of the
// columns.
func (w *writer) set(s *scope.Scope, list []ast.Assign, lenient bool) string {
	w.update, w.lenient = true, lenient || !w.e.Strict
	type change struct{ value, old, store string }
	changes := map[int]change{}
	w.first = len(w.t.Columns)
	for _, a := range list {
		if p := w.t.Position(a.Col.Name); p >= 0 {
			w.first = min(w.first, p)
		}
	}
	s.Subst = map[string]scope.Val{}
	ref := ""
	for _, src := range s.Sources {
		if src.Table == w.t {
			ref = src.Ref
		}
	}
	for _, a := range list {
		target := w.e.Resolve(&scope.Scope{Sources: s.Sources}, &a.Col)
		p := w.t.Position(target.Col.OrgName)
		c := &w.t.Columns[p]
		if c.Gen != "" {
			scope.Fail(1906, "The value specified for generated column '%s' in table '%s' has been ignored", c.Name, w.t.Name)
		}
		var v scope.Val
		if isDefault(a.X) {
			v = w.e.ColumnDefault(c, c.Type)
		} else {
			v = w.e.Single(s, a.X)
		}
		st := w.store(p, v.Rep())
		changes[p] = change{v.SQL, ref + "." + catalog.QuoteName(c.Name), st}
		assigned := target
		assigned.SQL, assigned.Col = "wl_conv("+st+", "+v.SQL+")", nil
		s.Subst[strings.ToLower(target.SQL)] = assigned
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
func defaultExpr(e *scope.Env, c *catalog.Column) scope.Val {
	x, err := e.Parse(c.DefExpr)
	if err != nil {
		panic(scope.Abort{Err: err})
	}
	return e.Single(&scope.Scope{NoAgg: true}, x)
}

// Update translates UPDATE.
func Update(e *scope.Env, u *ast.Update) (r *scope.Result, t *catalog.Table, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	if len(u.With) > 0 {
		scope.Unsupported("WITH ... UPDATE")
	}
	s := &scope.Scope{NoAgg: true}
	from := compileFrom(e, s, u.From)
	t = updated(e, s, u.Set)
	if t.View != "" || t.System {
		scope.Fail(1288, "The target table %s of the statement is not updatable", t.Name)
	}
	var src *scope.Source
	for _, o := range s.Sources {
		if o.Table == t {
			src = o
		}
	}
	w := &writer{e: e, t: t, stores: map[string]int{}}
	where := compileWhere(e, s, u.Where)
	if len(s.Sources) == 1 {
		sql := "UPDATE " + physical(t) + " AS " + src.Ref + " SET " + w.set(s, u.Set, u.Ignore)
		sql += pick(e, s, t, src.Ref, where, u.OrderBy, u.Limit)
		return &scope.Result{SQL: orIgnore(sql, u.Ignore), Args: e.Args}, t, nil
	}
	if u.OrderBy != nil || u.Limit != nil {
		scope.Fail(1221, "Incorrect usage of UPDATE and ORDER BY")
	}
	ref := e.Alias()
	cond := ref + "._rowid_ = " + src.Ref + "._rowid_"
	if where != "" {
		cond += " AND (" + where + ")"
	}
	sql := "UPDATE " + physical(t) + " AS " + ref + " SET " + w.set(s, u.Set, u.Ignore) + " FROM " + from + " WHERE " + cond
	return &scope.Result{SQL: orIgnore(sql, u.Ignore), Args: e.Args}, t, nil
}

func orIgnore(sql string, ignore bool) string {
	if ignore {
		return "UPDATE OR IGNORE" + strings.TrimPrefix(sql, "UPDATE")
	}
	return sql
}

// updated returns the table whose columns are assigned.
func updated(e *scope.Env, s *scope.Scope, set []ast.Assign) *catalog.Table {
	var t *catalog.Table
	for _, a := range set {
		v := e.Resolve(&scope.Scope{Sources: s.Sources}, &a.Col)
		var own *catalog.Table
		for _, src := range s.Sources {
			if src.Table != nil && strings.EqualFold(src.Alias, v.Col.Table) && strings.EqualFold(src.Db, v.Col.DB) {
				own = src.Table
			}
		}
		if own == nil {
			scope.Fail(1288, "The target table %s of the UPDATE is not updatable", v.Col.Table)
		}
		if t != nil && t != own {
			scope.Unsupported("UPDATE of several tables at once")
		}
		t = own
	}
	return t
}

func compileWhere(e *scope.Env, s *scope.Scope, x ast.Expr) string {
	if x == nil {
		return ""
	}
	defer e.In("where clause")()
	return e.AsBool(e.Expr(&scope.Scope{Sources: s.Sources, NoAgg: true}, x))
}

// pick is the WHERE of a change of one table, with ORDER BY and LIMIT.
func pick(e *scope.Env, s *scope.Scope, t *catalog.Table, ref, where string, order []ast.Order, limit ast.Expr) string {
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
		sub += e.OrderBy(s, order)
	}
	return " WHERE " + ref + "._rowid_ IN (" + sub + " LIMIT " + count(e, s, limit) + ")"
}

// Delete translates DELETE: the statements to be run one after the other, and
// the tables that those before which no table stands do not count for.
func Delete(e *scope.Env, d *ast.Delete) (list []*scope.Result, tables []*catalog.Table, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	if len(d.With) > 0 {
		scope.Unsupported("WITH ... DELETE")
	}
	s := &scope.Scope{NoAgg: true}
	from := compileFrom(e, s, d.From)
	where := compileWhere(e, s, d.Where)
	if d.Targets == nil {
		src := s.Sources[0]
		t := target(e, d.From.(*ast.TableName))
		sql := "DELETE FROM " + physical(t) + " AS " + src.Ref + pick(e, s, t, src.Ref, where, d.OrderBy, d.Limit)
		return []*scope.Result{{SQL: sql, Args: e.Args}}, []*catalog.Table{t}, nil
	}
	if where != "" {
		from += " WHERE " + where
	}
	var deletes []*scope.Result
	var owned []*catalog.Table
	for i, target := range d.Targets {
		src := findSource(s, &target)
		if src == nil || src.Table == nil || src.Table.View != "" || src.Table.System {
			scope.Fail(1109, "Unknown table '%s' in MULTI DELETE", target.Name)
		}
		if len(d.Targets) == 1 {
			sql := "DELETE FROM " + physical(src.Table) + " WHERE _rowid_ IN (SELECT " + src.Ref + "._rowid_ FROM " + from + ")"
			return []*scope.Result{{SQL: sql, Args: e.Args}}, []*catalog.Table{src.Table}, nil
		}
		tmp := "temp." + catalog.QuoteName("wirelark.delete."+scope.Itoa(i))
		list = append(list, &scope.Result{SQL: "DROP TABLE IF EXISTS " + tmp}, &scope.Result{SQL: "CREATE TEMP TABLE " + strings.TrimPrefix(tmp, "temp.") + " AS SELECT " + src.Ref + "._rowid_ AS id FROM " + from, Args: e.Args})
		deletes = append(deletes, &scope.Result{SQL: "DELETE FROM " + physical(src.Table) + " WHERE _rowid_ IN (SELECT id FROM " + tmp + ")"})
		tables = append(tables, nil, nil)
		owned = append(owned, src.Table)
	}
	return append(list, deletes...), append(tables, owned...), nil
}

func findSource(s *scope.Scope, n *ast.TableName) *scope.Source {
	for _, src := range s.Sources {
		if strings.EqualFold(src.Alias, n.Name) && (n.DB == "" || strings.EqualFold(src.Db, n.DB)) {
			return src
		}
	}
	return nil
}

// Check translates a condition of a table, or the expression of a generated
// column, for CREATE TABLE.
func Check(e *scope.Env, t *catalog.Table, x ast.Expr) (sql string, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	src := &scope.Source{Db: t.DB, Alias: t.Name, Table: t}
	for i := range t.Columns {
		c := &t.Columns[i]
		src.Cols = append(src.Cols, scope.SrcCol{Column: scope.Column{Name: c.Name, Type: c.Type}, SQL: catalog.QuoteName(c.Name)})
	}
	v := e.Single(&scope.Scope{Sources: []*scope.Source{src}, NoAgg: true}, x)
	for i := len(e.Args); i > 0; i-- {
		v.SQL = strings.ReplaceAll(v.SQL, "?"+scope.Itoa(i), scope.Inline(e.Args[i-1]))
	}
	return v.SQL, nil
}

// Generated is Check for the expression of a generated column, converted to
// the column's type.
func Generated(e *scope.Env, t *catalog.Table, c *catalog.Column, x ast.Expr) (sql string, err error) {
	defer scope.Catch(&err)
	hookUp(e)
	src := &scope.Source{Db: t.DB, Alias: t.Name, Table: t}
	for i := range t.Columns {
		o := &t.Columns[i]
		src.Cols = append(src.Cols, scope.SrcCol{Column: scope.Column{Name: o.Name, Type: o.Type}, SQL: catalog.QuoteName(o.Name)})
	}
	v := e.Convert(e.Single(&scope.Scope{Sources: []*scope.Source{src}, NoAgg: true}, x), c.Type)
	for i := len(e.Args); i > 0; i-- {
		v.SQL = strings.ReplaceAll(v.SQL, "?"+scope.Itoa(i), scope.Inline(e.Args[i-1]))
	}
	return v.SQL, nil
}
