package engine

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/function"
	"github.com/wirelark/wirelark/mysql/engine/internal/scope"
	"github.com/wirelark/wirelark/mysql/engine/internal/session"
	"github.com/wirelark/wirelark/mysql/engine/internal/translate"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// listing is a table that is made on the spot: the answer of SHOW, or a table
// of information_schema.
type listing struct {
	name  string // of the table that the columns are of; empty: of none
	table catalog.Table
	rows  [][]any
}

// newListing makes a listing with columns "name:type", the type one of
// those of listingColumns.
func newListing(cols ...string) *listing {
	l := &listing{}
	l.table.Columns = listingColumns(cols)
	l.table.System = true
	return l
}

func listingColumns(cols []string) []catalog.Column {
	var list []catalog.Column
	for _, c := range cols {
		name, kind, _ := strings.Cut(c, ":")
		t := catalog.Type{Kind: mysql.TypeVarString, Length: 64, Collation: "utf8mb3_general_ci"}
		switch kind {
		case "long":
			t = catalog.Type{Kind: mysql.TypeLongBlob, Length: 1<<32 - 1, Collation: "utf8mb3_general_ci"}
		case "wide":
			t.Length = 1024
		case "int":
			t = catalog.Type{Kind: mysql.TypeLong, Length: 11, Precision: 10, Collation: "binary"}
		case "bigint":
			t = catalog.Type{Kind: mysql.TypeLonglong, Length: 21, Precision: 20, Collation: "binary", Unsigned: true}
		case "number":
			t = catalog.Type{Kind: mysql.TypeLonglong, Length: 21, Precision: 20, Collation: "binary"}
		case "uint":
			t = catalog.Type{Kind: mysql.TypeLong, Length: 10, Precision: 10, Collation: "binary", Unsigned: true}
		case "datetime":
			t = catalog.Type{Kind: mysql.TypeDatetime, Length: 19, Collation: "binary"}
		}
		list = append(list, catalog.Column{Name: name, Type: t})
	}
	return list
}

func (l *listing) add(row ...any) { l.rows = append(l.rows, row) }

// filter keeps the rows whose n-th column matches a pattern of LIKE.
func (l *listing) filter(like *string, n int) {
	if like == nil {
		return
	}
	p := []rune(strings.ToLower(*like))
	kept := l.rows[:0]
	for _, r := range l.rows {
		if name, ok := r[n].(string); ok && function.Like([]rune(strings.ToLower(name)), p, '\\') {
			kept = append(kept, r)
		}
	}
	l.rows = kept
}

// sendListing sends a listing as it is.
func sendListing(ctx context.Context, s *session.Session, w *mysqlserver.Writer, l *listing) error {
	return sendWhere(ctx, s, w, l, nil, nil)
}

// sendWhere sends the rows of a listing for which where is true.
func sendWhere(ctx context.Context, s *session.Session, w *mysqlserver.Writer, l *listing, where ast.Expr, limit *ast.Select) error {
	env := s.Env([]scope.Value{})
	l.table.DB, l.table.Name = session.InformationSchema, "SHOW"
	env.Table = func(db, name string) *catalog.Table {
		if name == "SHOW" {
			return &l.table
		}
		return s.Table(db, name)
	}
	env.Rows = func(t *catalog.Table) (string, error) {
		if t != &l.table {
			return systemRows(s, t)
		}
		return l.json()
	}
	q := &ast.Select{Core: &ast.Core{
		Items: []ast.Item{{X: &ast.Star{}}}, From: &ast.TableName{DB: session.InformationSchema, Name: "SHOW"}, Where: where,
	}}
	if limit != nil {
		q.Limit, q.Offset = limit.Limit, limit.Offset
	}
	r, err := translate.Select(env, q)
	if err != nil {
		return err
	}
	for i := range r.Columns {
		c := &r.Columns[i]
		c.Table, c.OrgTable = l.name, l.name
		if l.name == "" {
			c.DB, c.OrgName = "", ""
		}
	}
	return s.Send(ctx, w, r)
}

func (l *listing) json() (string, error) {
	rows := l.rows
	if rows == nil {
		rows = [][]any{}
	}
	b, err := json.Marshal(rows)
	return string(b), err
}
