package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// writes prepares the session for a statement that changes t.
func (s *session) writes(ctx context.Context, t *catalog.Table, deleting bool) error {
	s.written, s.deleting = t, deleting
	return s.begin(ctx, true)
}

// foundRows reports whether the client counts the rows that an update finds
// and not those that it changes.
func (s *session) foundRows() bool {
	return s.client != nil && s.client.Capabilities().Has(mysql.ClientFoundRows)
}

// numbering gives the session the AUTO_INCREMENT of t.
func (s *session) numbering(ctx context.Context, t *catalog.Table) error {
	c := t.Auto()
	if c == nil {
		return nil
	}
	key := t.Physical()
	if t.Temporary {
		key = fmt.Sprintf("%d/%s", s.id, key)
	}
	s.e.mu.Lock()
	_, known := s.e.auto[key]
	s.e.mu.Unlock()
	if !known {
		from := catalog.QuoteName(t.Physical())
		if t.Temporary {
			from = "temp." + from
		}
		rows, err := s.rows(ctx, "SELECT max("+catalog.QuoteName(c.Name)+") FROM "+from)
		if err != nil {
			return err
		}
		next := max(t.AutoStart, 1)
		if n, ok := rows[0][0].(int64); ok && n > 0 {
			next = max(next, uint64(n)+1)
		}
		s.e.mu.Lock()
		s.e.auto[key] = max(next, s.e.auto[key])
		s.e.mu.Unlock()
	}
	s.st.NextAuto = func(used uint64) uint64 {
		s.e.mu.Lock()
		defer s.e.mu.Unlock()
		if used == 0 {
			n := s.e.auto[key]
			s.e.auto[key] = n + 1
			return n
		}
		if int64(used) > 0 && used >= s.e.auto[key] {
			s.e.auto[key] = used + 1
		}
		return used
	}
	return nil
}

// forgetAuto makes the AUTO_INCREMENT of t begin anew.
func (s *session) forgetAuto(t *catalog.Table) {
	s.e.mu.Lock()
	delete(s.e.auto, t.Physical())
	delete(s.e.auto, fmt.Sprintf("%d/%s", s.id, t.Physical()))
	s.e.mu.Unlock()
}

// insert answers INSERT and REPLACE.
func (s *session) insert(ctx context.Context, w *mysqlserver.Writer, st *ast.Insert, params []translate.Value) error {
	r, t, err := s.env(params).Insert(st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, t, false); err != nil {
		return err
	}
	if err := s.numbering(ctx, t); err != nil {
		return err
	}
	before := int64(0)
	if st.Replace {
		if before, err = s.size(ctx, t); err != nil {
			return err
		}
	}
	n, err := s.exec(ctx, r.SQL, r.Args...)
	if err != nil {
		return err
	}
	if s.st.Rows == 0 {
		n = 0 // SQLite tells of an earlier statement
	}
	affected := n
	switch {
	case st.Replace:
		after, err := s.size(ctx, t)
		if err != nil {
			return err
		}
		affected += n - (after - before)
	case len(st.OnDup) > 0:
		inserted := int64(s.st.Rows - s.st.Matched)
		affected = inserted + 2*int64(s.st.Changed)
		if s.foundRows() {
			affected += int64(s.st.Matched - s.st.Changed)
		}
	}
	return s.inserted(w, t, st, affected)
}

// inserted answers with what INSERT says.
func (s *session) inserted(w *mysqlserver.Writer, t *catalog.Table, st *ast.Insert, affected int64) error {
	res := mysqlserver.Result{AffectedRows: uint64(affected)}
	switch {
	case s.st.NewID != 0:
		s.st.LastID = s.st.NewID
		res.LastInsertID = s.st.NewID
	case s.st.SetID:
		res.LastInsertID = s.st.LastID
	}
	if c := t.Auto(); c != nil && res.LastInsertID == 0 {
		if n, ok := s.st.Row[strings.ToLower(c.Name)].(int64); ok && affected > 0 {
			res.LastInsertID = uint64(n)
		}
	}
	if len(st.Rows) > 1 || st.Query != nil {
		dup := int64(s.st.Rows) - affected
		if len(st.OnDup) > 0 {
			dup = int64(s.st.Matched)
		} else if st.Replace {
			dup = affected - int64(s.st.Rows)
		}
		res.Info = fmt.Sprintf("Records: %d  Duplicates: %d  Warnings: %d", s.st.Rows, max(dup, 0), len(s.st.Warnings))
	}
	return s.ok(w, res)
}

// size counts the rows of a table.
func (s *session) size(ctx context.Context, t *catalog.Table) (int64, error) {
	from := catalog.QuoteName(t.Physical())
	if t.Temporary {
		from = "temp." + from
	}
	rows, err := s.rows(ctx, "SELECT count(*) FROM "+from)
	if err != nil {
		return 0, err
	}
	n, _ := rows[0][0].(int64)
	return n, nil
}

// update answers UPDATE.
func (s *session) update(ctx context.Context, w *mysqlserver.Writer, st *ast.Update, params []translate.Value) error {
	r, t, err := s.env(params).Update(st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, t, false); err != nil {
		return err
	}
	if _, err := s.exec(ctx, r.SQL, r.Args...); err != nil {
		return err
	}
	res := mysqlserver.Result{AffectedRows: uint64(s.st.Changed)}
	if s.foundRows() {
		res.AffectedRows = uint64(s.st.Matched)
	}
	if s.st.SetID {
		res.LastInsertID = s.st.LastID
	}
	res.Info = fmt.Sprintf("Rows matched: %d  Changed: %d  Warnings: %d", s.st.Matched, s.st.Changed, len(s.st.Warnings))
	return s.ok(w, res)
}

// delete answers DELETE.
func (s *session) delete(ctx context.Context, w *mysqlserver.Writer, st *ast.Delete, params []translate.Value) error {
	list, tables, err := s.env(params).Delete(st)
	if err != nil {
		return err
	}
	if err := s.writes(ctx, tables[len(tables)-1], true); err != nil {
		return err
	}
	total := int64(0)
	for i, r := range list {
		n, err := s.exec(ctx, r.SQL, r.Args...)
		if err != nil {
			return err
		}
		if tables[i] != nil {
			total += n
		}
	}
	return s.ok(w, mysqlserver.Result{AffectedRows: uint64(total)})
}

// truncate answers TRUNCATE.
func (s *session) truncate(ctx context.Context, w *mysqlserver.Writer, st *ast.Truncate) error {
	t, err := s.lookup(&st.Table)
	if err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	s.written, s.deleting = t, true
	from := catalog.QuoteName(t.Physical())
	if t.Temporary {
		from = "temp." + from
	}
	if _, err := s.exec(ctx, "DELETE FROM "+from); err != nil {
		return err
	}
	s.forgetAuto(t)
	return s.ok(w, mysqlserver.Result{})
}

// lookup finds a table that statements may change.
func (s *session) lookup(n *ast.TableName) (*catalog.Table, error) {
	db := n.DB
	if db == "" {
		db = s.db
	}
	if db == "" {
		return nil, mysqlserver.Errorf(1046, "No database selected")
	}
	if t := s.table(db, n.Name); t != nil {
		return t, nil
	}
	if s.database(db) == "" {
		return nil, mysqlserver.Errorf(1049, "Unknown database '%s'", db)
	}
	return nil, mysqlserver.Errorf(1146, "Table '%s.%s' doesn't exist", db, n.Name)
}

// constantOf returns a parameter as the translation takes it.
func constantOf(v *mysql.Value, collation string) translate.Value {
	typ := func(t catalog.Type) catalog.Type { t.Expr = true; return t }
	binary := "binary"
	switch v.Kind() {
	case mysql.KindNull:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeNull, Collation: binary})}
	case mysql.KindInt:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeLonglong, Length: 20, Precision: 19, Collation: binary, NotNull: true}), Value: v.Int64()}
	case mysql.KindUint:
		t := typ(catalog.Type{Kind: mysql.TypeLonglong, Length: 20, Precision: 20, Unsigned: true, Collation: binary, NotNull: true})
		return translate.Value{Type: t, Value: unsigned(v.Uint64())}
	case mysql.KindFloat, mysql.KindDouble:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeDouble, Length: 23, Decimals: 31, Collation: binary, NotNull: true}), Value: v.Float64()}
	case mysql.KindDecimal:
		text := string(v.Bytes())
		_, frac, _ := strings.Cut(text, ".")
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeNewDecimal, Length: len(text), Precision: len(text), Decimals: len(frac), Collation: binary, NotNull: true}), Value: text}
	case mysql.KindDate:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeDate, Length: 10, Collation: binary, NotNull: true}), Value: v.String()}
	case mysql.KindDateTime:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeDatetime, Length: 26, Decimals: 6, Collation: binary, NotNull: true}), Value: withMicros(v.String())}
	case mysql.KindTime:
		return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeTime, Length: 17, Decimals: 6, Collation: binary, NotNull: true}), Value: withMicros(v.String())}
	}
	b := string(v.Bytes())
	return translate.Value{Type: typ(catalog.Type{Kind: mysql.TypeVarString, Length: len(b), Collation: textOrBytes(b, collation), NotNull: true}), Value: textValue(b)}
}

func withMicros(s string) string {
	if strings.Contains(s, ".") {
		return s
	}
	return s + ".000000"
}
