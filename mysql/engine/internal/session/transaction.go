package session

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/engine/internal/ast"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// transaction is the state of a session's transaction. SQLite's begins with
// the first statement that reads or writes, since one that begins with a write
// waits for other writers at once instead of failing later.
type transaction struct {
	auto     bool // autocommit
	explicit bool // BEGIN was said
	open     bool // SQLite's transaction is open
	readOnly bool
	next     bool     // the next one is read only
	saves    []string // savepoints
}

// active reports whether statements belong to a transaction that lasts.
func (t *transaction) active() bool { return t.explicit || !t.auto }

// begin makes sure that SQLite's transaction is open if there is one.
func (s *Session) begin(ctx context.Context, write bool) error {
	if write && s.txn.readOnly && s.txn.explicit {
		return mysqlserver.Errorf(1792, "Cannot execute statement in a READ ONLY transaction")
	}
	if !s.txn.active() || s.txn.open {
		return nil
	}
	verb := "BEGIN"
	if write {
		verb = "BEGIN IMMEDIATE"
	}
	if _, err := s.Exec(ctx, verb); err != nil {
		return err
	}
	s.txn.open = true
	s.status()
	return nil
}

// status tells the client what the session is in.
func (s *Session) status() {
	if s.Client == nil {
		return
	}
	s.Client.SetStatus(mysql.StatusInTrans, s.txn.explicit || s.txn.open)
	s.Client.SetStatus(mysql.StatusAutocommit, s.txn.auto)
	s.Client.SetStatus(mysql.StatusInTransReadonly, s.txn.explicit && s.txn.readOnly)
}

// Commit ends the transaction.
func (s *Session) Commit(ctx context.Context) error {
	if s.txn.open {
		if _, err := s.Exec(ctx, "COMMIT"); err != nil {
			return err
		}
	}
	s.txn.open, s.txn.explicit, s.txn.readOnly, s.txn.saves = false, false, false, nil
	s.status()
	return nil
}

// rollback undoes the transaction. It takes no notice of a context that has
// ended.
func (s *Session) rollback(ctx context.Context) {
	if s.txn.open {
		// An error here means that SQLite has rolled back already.
		_, _ = s.Exec(context.WithoutCancel(ctx), "ROLLBACK")
	}
	s.txn.open, s.txn.explicit, s.txn.readOnly, s.txn.saves = false, false, false, nil
	s.status()
}

// transaction answers BEGIN, COMMIT, ROLLBACK and savepoints.
func (s *Session) transaction(ctx context.Context, w *mysqlserver.Writer, st ast.Stmt) error {
	switch st := st.(type) {
	case *ast.Begin:
		if err := s.Commit(ctx); err != nil {
			return err
		}
		s.txn.explicit = true
		s.txn.readOnly = st.ReadOnly || s.txn.next && !st.ReadWrite
		s.txn.next = false
		s.status()
		if st.Snapshot {
			if err := s.begin(ctx, false); err != nil {
				return err
			}
			if _, err := s.Rows(ctx, `SELECT count(*) FROM "wirelark.databases"`); err != nil {
				return err
			}
		}
	case *ast.End:
		readOnly := s.txn.readOnly
		if st.Rollback {
			s.rollback(ctx)
		} else if err := s.Commit(ctx); err != nil {
			return err
		}
		if st.Chain {
			s.txn.explicit, s.txn.readOnly = true, readOnly
			s.status()
		}
	case *ast.Savepoint:
		if err := s.savepoint(ctx, st); err != nil {
			return err
		}
	}
	return s.Ok(w, mysqlserver.Result{})
}

func (s *Session) savepoint(ctx context.Context, st *ast.Savepoint) error {
	name := strings.ToLower(st.Name)
	at := -1
	for i, n := range s.txn.saves {
		if n == name {
			at = i
		}
	}
	quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	switch st.Verb {
	case "SAVEPOINT":
		if !s.txn.active() {
			return nil // it would end with this statement
		}
		if err := s.begin(ctx, false); err != nil {
			return err
		}
		if at >= 0 { // the older one of that name goes
			s.txn.saves[at] = ""
		}
		if _, err := s.Exec(ctx, "SAVEPOINT "+quoted); err != nil {
			return err
		}
		s.txn.saves = append(s.txn.saves, name)
		return nil
	}
	if at < 0 {
		return mysqlserver.Errorf(1305, "SAVEPOINT %s does not exist", st.Name)
	}
	if st.Verb == "RELEASE" {
		_, err := s.Exec(ctx, "RELEASE "+quoted)
		s.txn.saves = s.txn.saves[:at]
		return err
	}
	_, err := s.Exec(ctx, "ROLLBACK TO "+quoted)
	s.txn.saves = s.txn.saves[:at+1]
	return err
}
