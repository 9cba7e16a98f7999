package session

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// writes prepares the session for a statement that changes t.
func (s *Session) writes(ctx context.Context, t *catalog.Table, deleting bool) error {
	s.Written, s.deleting = t, deleting
	return s.begin(ctx, true)
}

// foundRows reports whether the client counts the rows that an update finds
// and not those that it changes.
func (s *Session) foundRows() bool {
	return s.Client != nil && s.Client.Capabilities().Has(mysql.ClientFoundRows)
}

// Numbering gives the session the AUTO_INCREMENT of t.
func (s *Session) Numbering(ctx context.Context, t *catalog.Table) error {
	c := t.Auto()
	if c == nil {
		return nil
	}
	key := t.Physical()
	if t.Temporary {
		key = fmt.Sprintf("%d/%s", s.id, key)
	}
	s.E.Mu.Lock()
	_, known := s.E.Auto[key]
	s.E.Mu.Unlock()
	if !known {
		from := catalog.QuoteName(t.Physical())
		if t.Temporary {
			from = "temp." + from
		}
		rows, err := s.Rows(ctx, "SELECT max("+catalog.QuoteName(c.Name)+") FROM "+from)
		if err != nil {
			return err
		}
		next := max(t.AutoStart, 1)
		if n, ok := rows[0][0].(int64); ok && n > 0 {
			next = max(next, uint64(n)+1)
		}
		s.E.Mu.Lock()
		s.E.Auto[key] = max(next, s.E.Auto[key])
		s.E.Mu.Unlock()
	}
	s.St.NextAuto = func(used uint64) uint64 {
		s.E.Mu.Lock()
		defer s.E.Mu.Unlock()
		if used == 0 {
			n := s.E.Auto[key]
			s.E.Auto[key] = n + 1
			return n
		}
		if int64(used) > 0 && used >= s.E.Auto[key] {
			s.E.Auto[key] = used + 1
		}
		return used
	}
	return nil
}

// ForgetAuto makes the AUTO_INCREMENT of t begin anew.
func (s *Session) ForgetAuto(t *catalog.Table) {
	s.E.Mu.Lock()
	delete(s.E.Auto, t.Physical())
	delete(s.E.Auto, fmt.Sprintf("%d/%s", s.id, t.Physical()))
	s.E.Mu.Unlock()
}

// insert answers INSERT and REPLACE.
func (s *Session) insert(ctx context.Context, w *mysqlserver.Writer, st *ast.Insert, params []scope.Value) error {
	r, t, err := translate.Insert(s.Env(params), st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, t, false); err != nil {
		return err
	}
	if err := s.Numbering(ctx, t); err != nil {
		return err
	}
	before := int64(0)
	if st.Replace {
		if before, err = s.Size(ctx, t); err != nil {
			return err
		}
	}
	n, err := s.Exec(ctx, r.SQL, r.Args...)
	if err != nil {
		return err
	}
	if s.St.Rows == 0 {
		n = 0 // SQLite tells of an earlier statement
	}
	affected := n
	switch {
	case st.Replace:
		after, err := s.Size(ctx, t)
		if err != nil {
			return err
		}
		affected += n - (after - before)
	case len(st.OnDup) > 0:
		inserted := int64(s.St.Rows - s.St.Matched)
		affected = inserted + 2*int64(s.St.Changed)
		if s.foundRows() {
			affected += int64(s.St.Matched - s.St.Changed)
		}
	}
	return s.inserted(w, t, st, affected)
}

// inserted answers with what INSERT says.
func (s *Session) inserted(w *mysqlserver.Writer, t *catalog.Table, st *ast.Insert, affected int64) error {
	res := mysqlserver.Result{AffectedRows: uint64(affected)}
	switch {
	case s.St.NewID != 0:
		s.St.LastID = s.St.NewID
		res.LastInsertID = s.St.NewID
	case s.St.SetID:
		res.LastInsertID = s.St.LastID
	}
	if c := t.Auto(); c != nil && res.LastInsertID == 0 {
		if n, ok := s.St.Row[strings.ToLower(c.Name)].(int64); ok && affected > 0 {
			res.LastInsertID = uint64(n)
		}
	}
	if len(st.Rows) > 1 || st.Query != nil {
		dup := int64(s.St.Rows) - affected
		if len(st.OnDup) > 0 {
			dup = int64(s.St.Matched)
		} else if st.Replace {
			dup = affected - int64(s.St.Rows)
		}
		res.Info = fmt.Sprintf("Records: %d  Duplicates: %d  Warnings: %d", s.St.Rows, max(dup, 0), len(s.St.Warnings))
	}
	return s.Ok(w, res)
}

// Size counts the rows of a table.
func (s *Session) Size(ctx context.Context, t *catalog.Table) (int64, error) {
	from := catalog.QuoteName(t.Physical())
	if t.Temporary {
		from = "temp." + from
	}
	rows, err := s.Rows(ctx, "SELECT count(*) FROM "+from)
	if err != nil {
		return 0, err
	}
	n, _ := rows[0][0].(int64)
	return n, nil
}

// update answers UPDATE.
func (s *Session) update(ctx context.Context, w *mysqlserver.Writer, st *ast.Update, params []scope.Value) error {
	r, t, err := translate.Update(s.Env(params), st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, t, false); err != nil {
		return err
	}
	if _, err := s.Exec(ctx, r.SQL, r.Args...); err != nil {
		return err
	}
	res := mysqlserver.Result{AffectedRows: uint64(s.St.Changed)}
	if s.foundRows() {
		res.AffectedRows = uint64(s.St.Matched)
	}
	if s.St.SetID {
		res.LastInsertID = s.St.LastID
	}
	res.Info = fmt.Sprintf("Rows matched: %d  Changed: %d  Warnings: %d", s.St.Matched, s.St.Changed, len(s.St.Warnings))
	return s.Ok(w, res)
}

// delete answers DELETE.
func (s *Session) delete(ctx context.Context, w *mysqlserver.Writer, st *ast.Delete, params []scope.Value) error {
	list, tables, err := translate.Delete(s.Env(params), st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, tables[len(tables)-1], true); err != nil {
		return err
	}
	total := int64(0)
	for i, r := range list {
		n, err := s.Exec(ctx, r.SQL, r.Args...)
		if err != nil {
			return err
		}
		if tables[i] != nil {
			total += n
		}
	}
	return s.Ok(w, mysqlserver.Result{AffectedRows: uint64(total)})
}

// Truncate answers TRUNCATE.
func (s *Session) Truncate(ctx context.Context, w *mysqlserver.Writer, st *ast.Truncate) error {
	t, err := s.Lookup(&st.Table)
	if err != nil {
		return err
	}
	if err := s.Commit(ctx); err != nil {
		return err
	}
	s.Written, s.deleting = t, true
	from := catalog.QuoteName(t.Physical())
	if t.Temporary {
		from = "temp." + from
	}
	if _, err := s.Exec(ctx, "DELETE FROM "+from); err != nil {
		return err
	}
	s.ForgetAuto(t)
	return s.Ok(w, mysqlserver.Result{})
}

// Lookup finds a table that statements may change.
func (s *Session) Lookup(n *ast.TableName) (*catalog.Table, error) {
	db := n.DB
	if db == "" {
		db = s.Db
	}
	if db == "" {
		return nil, mysqlserver.Errorf(1046, "No database selected")
	}
	if t := s.Table(db, n.Name); t != nil {
		return t, nil
	}
	if s.Database(db) == "" {
		return nil, mysqlserver.Errorf(1049, "Unknown database '%s'", db)
	}
	return nil, mysqlserver.Errorf(1146, "Table '%s.%s' doesn't exist", db, n.Name)
}

// constantOf returns a parameter as the translation takes it.
func constantOf(v *mysql.Value, collation string) scope.Value {
	typ := func(t catalog.Type) catalog.Type { t.Expr = true; return t }
	binary := "binary"
	switch v.Kind() {
	case mysql.KindNull:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeNull, Collation: binary})}
	case mysql.KindInt:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeLonglong, Length: 20, Precision: 19, Collation: binary, NotNull: true}), Value: v.Int64()}
	case mysql.KindUint:
		t := typ(catalog.Type{Kind: mysql.TypeLonglong, Length: 20, Precision: 20, Unsigned: true, Collation: binary, NotNull: true})
		return scope.Value{Type: t, Value: unsigned(v.Uint64())}
	case mysql.KindFloat, mysql.KindDouble:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeDouble, Length: 23, Decimals: 31, Collation: binary, NotNull: true}), Value: v.Float64()}
	case mysql.KindDecimal:
		text := string(v.Bytes())
		_, frac, _ := strings.Cut(text, ".")
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeNewDecimal, Length: len(text), Precision: len(text), Decimals: len(frac), Collation: binary, NotNull: true}), Value: text}
	case mysql.KindDate:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeDate, Length: 10, Collation: binary, NotNull: true}), Value: v.String()}
	case mysql.KindDateTime:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeDatetime, Length: 26, Decimals: 6, Collation: binary, NotNull: true}), Value: withMicros(v.String())}
	case mysql.KindTime:
		return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeTime, Length: 17, Decimals: 6, Collation: binary, NotNull: true}), Value: withMicros(v.String())}
	}
	b := string(v.Bytes())
	return scope.Value{Type: typ(catalog.Type{Kind: mysql.TypeVarString, Length: len(b), Collation: textOrBytes(b, collation), NotNull: true}), Value: textValue(b)}
}

func withMicros(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".000000"
}
