package session

import (
	"context"
	"errors"
	"strings"

	"modernc.org/sqlite"

	"github.com/wirelark/wirelark/mysql/engine/internal/catalog"
	"github.com/wirelark/wirelark/mysql/engine/internal/parse"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// sqliteNotADB is the result code for a file that holds something else.
const sqliteNotADB = 26

// The result codes of SQLite that have a number in MySQL.
const (
	sqliteBusy         = 5
	sqliteLocked       = 6
	sqliteInterrupt    = 9
	sqliteFull         = 13
	sqliteTooBig       = 18
	sqliteMismatch     = 20
	sqliteBusySnapshot = 517
	constraintCheck    = 275
	constraintForeign  = 787
	constraintNotNull  = 1299
	constraintPrimary  = 1555
	constraintUnique   = 2067
	constraintRowid    = 2579
)

// errorOf returns what the client is told about err; nil if err is none that
// is his: of the connection.
func (s *Session) errorOf(ctx context.Context, err error) *mysqlserver.Error {
	var own *mysqlserver.Error
	var cat *catalog.Error
	var syntax *parse.Error
	var lite *sqlite.Error
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &cat):
		return errorf(cat)
	case errors.As(err, &syntax):
		code := uint16(1064)
		switch {
		case syntax.Unsupported != "":
			code = 1235
		case strings.HasPrefix(syntax.Near, "Every derived"):
			return mysqlserver.Errorf(1248, "%s", syntax.Near)
		}
		return mysqlserver.Errorf(code, "%s", syntax.Error())
	case errors.As(err, &lite):
		return s.sqliteError(ctx, lite)
	case ctx.Err() != nil:
		return mysqlserver.Errorf(1317, "Query execution was interrupted")
	}
	if found := catalog.ErrorIn(err.Error()); found != nil {
		return errorf(found)
	}
	return nil
}

// states are the SQLSTATEs in which MariaDB differs from MySQL.
var states = map[uint16]string{1366: "22007", 4025: "23000"}

func errorf(e *catalog.Error) *mysqlserver.Error {
	out := mysqlserver.Errorf(e.Code, "%s", e.Message)
	if s := states[e.Code]; s != "" {
		out.State = s
	}
	return out
}

func (s *Session) sqliteError(ctx context.Context, err *sqlite.Error) *mysqlserver.Error {
	text := err.Error()
	if found := catalog.ErrorIn(text); found != nil {
		return errorf(found)
	}
	if ctx.Err() != nil {
		return mysqlserver.Errorf(1317, "Query execution was interrupted")
	}
	code := err.Code()
	switch code {
	case sqliteBusySnapshot:
		s.rollback(ctx)
		return mysqlserver.Errorf(1213, "Deadlock found when trying to get lock; try restarting transaction")
	case constraintUnique, constraintPrimary, constraintRowid:
		return s.duplicate(constraintText(text, "UNIQUE constraint failed: "))
	case constraintNotNull:
		col := columnIn(constraintText(text, "NOT NULL constraint failed: "))
		return mysqlserver.Errorf(1048, "Column '%s' cannot be null", col)
	case constraintCheck:
		return s.checkFailed(constraintText(text, "CHECK constraint failed: "))
	case constraintForeign:
		return s.foreignFailed()
	}
	switch code & 0xff {
	case sqliteBusy, sqliteLocked:
		return mysqlserver.Errorf(1205, "Lock wait timeout exceeded; try restarting transaction")
	case sqliteInterrupt:
		return mysqlserver.Errorf(1317, "Query execution was interrupted")
	case sqliteFull:
		return mysqlserver.Errorf(1114, "The table is full")
	case sqliteTooBig:
		return mysqlserver.Errorf(1301, "Result of the statement was larger than max_allowed_packet - truncated")
	case sqliteMismatch:
		return mysqlserver.Errorf(1264, "Out of range value for column of the primary key at row 1")
	}
	return mysqlserver.Errorf(1235, "This version of Wirelark doesn't yet support this statement: %s", strings.TrimPrefix(text, "SQL logic error: "))
}

// constraintText returns what stands behind mark, without the code at the end.
func constraintText(text, mark string) string {
	if i := strings.LastIndex(text, mark); i >= 0 {
		text = text[i+len(mark):]
	}
	if i := strings.LastIndex(text, " ("); i >= 0 {
		text = text[:i]
	}
	return text
}

// columnIn returns the column of "db.table.column".
func columnIn(s string) string {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s
	}
	return s[i+1:]
}

// duplicate makes error 1062 of the columns of a key.
func (s *Session) duplicate(cols string) *mysqlserver.Error {
	t := s.Written
	key := "PRIMARY"
	var names, values []string
	for _, c := range strings.Split(cols, ", ") {
		if t != nil {
			if n, ok := strings.CutPrefix(c, t.Physical()+"."); ok {
				names = append(names, n)
				continue
			}
		}
		n := columnIn(c)
		names = append(names, n)
	}
	if t != nil {
		for _, ix := range t.Indexes {
			if ix.Unique && SameColumns(ix.Cols, names) {
				key = ix.Name
				break
			}
		}
		for _, n := range names {
			v := s.St.Row[strings.ToLower(n)]
			c := t.Column(n)
			if c == nil {
				continue
			}
			mv := Value(&c.Type, v)
			values = append(values, mv.String())
		}
	}
	return mysqlserver.Errorf(1062, "Duplicate entry '%s' for key '%s'", strings.Join(values, "-"), key)
}

// SameColumns reports whether a key has these columns.
func SameColumns(cols []catalog.IndexCol, names []string) bool {
	if len(cols) != len(names) {
		return false
	}
	for i, c := range cols {
		if !strings.EqualFold(c.Name, names[i]) {
			return false
		}
	}
	return true
}

func (s *Session) checkFailed(name string) *mysqlserver.Error {
	if s.Written == nil {
		return errorf(catalog.Errorf(4025, "CONSTRAINT `%s` failed", name))
	}
	return errorf(catalog.Errorf(4025, "CONSTRAINT `%s` failed for `%s`.`%s`", name, s.Written.DB, s.Written.Name))
}

// foreignFailed makes error 1452 or 1451: SQLite does not tell which reference
// it was.
func (s *Session) foreignFailed() *mysqlserver.Error {
	t := s.Written
	if t != nil && !s.deleting && len(t.Foreign) > 0 {
		return mysqlserver.Errorf(1452, "Cannot add or update a child row: a foreign key constraint fails (`%s`.`%s`, %s)", t.DB, t.Name, t.Foreign[0].Text(t.DB))
	}
	if t != nil {
		for _, db := range s.E.Cat.Load().Databases {
			for _, child := range db.Tables {
				for _, f := range child.Foreign {
					if strings.EqualFold(f.Table, t.Name) && strings.EqualFold(f.DB, t.DB) {
						return mysqlserver.Errorf(1451, "Cannot delete or update a parent row: a foreign key constraint fails (`%s`.`%s`, %s)", child.DB, child.Name, f.Text(child.DB))
					}
				}
			}
		}
	}
	return mysqlserver.Errorf(1451, "Cannot delete or update a parent row: a foreign key constraint fails")
}
