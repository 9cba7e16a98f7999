package mysqlshell

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Connect connects, when there is no connection that lives.
func (s *Shell) Connect(ctx context.Context) error {
	if s.conn != nil && s.conn.Err() == nil {
		transaction := s.inTransaction()
		if !s.cfg.Interactive {
			return nil
		}
		err := s.conn.Check()
		if err == nil {
			return nil
		}
		if transaction {
			return err
		}
		if e, ok := errors.AsType[*mysqlclient.ConnError](err); ok {
			err = e.Err
		}
		s.sayf("the connection was lost while nothing was asked: %v", err)
	}
	again := s.conn != nil
	if again {
		_ = s.conn.Close() // why it was lost was told before
	}
	conn, err := s.cfg.Connect(ctx, s.schema)
	if err != nil {
		return err
	}
	s.conn = conn
	s.follow()
	if again {
		s.sayf("connected again, as connection %d: variables, temporary tables, locks and transactions of the old session are gone", conn.Server().ConnID)
	}
	return nil
}

// follow takes over what the session has become.
func (s *Shell) follow() {
	st := s.conn.State()
	s.schema = st.Schema
	var mode lexer.Mode
	if st.Status&mysql.StatusNoBackslashEscapes != 0 {
		mode |= lexer.NoBackslashEscapes
	}
	if st.Status&mysql.StatusANSIQuotes != 0 {
		mode |= lexer.ANSIQuotes
	}
	s.mode = mode
}

func (s *Shell) inTransaction() bool {
	return s.conn != nil && s.conn.Err() == nil && s.conn.State().Status&mysql.StatusInTrans != 0
}

// Conn returns the connection; nil: there is none.
func (s *Shell) Conn() *mysqlclient.Conn { return s.conn }

// retry decides whether a statement that met a lost connection runs again on a
// new one: only when the server has not seen a byte of it, and nothing that it
// builds on was lost.
func (s *Shell) retry(err error, transaction bool) bool {
	e, ok := errors.AsType[*mysqlclient.ConnError](err)
	if !ok || !s.cfg.Interactive || transaction || !e.SafeToRetry() {
		return false
	}
	s.sayf("the connection was lost: %v", e.Err)
	return true
}

// lostHint says what the loss of the connection means for the statement.
func (s *Shell) lostHint(err error) string {
	e, ok := errors.AsType[*mysqlclient.ConnError](err)
	switch {
	case !ok:
		return "The next statement connects again."
	case errors.Is(err, mysqlclient.ErrOutcomeUnknown):
		return "Look at the data before you repeat the transaction."
	case !e.SafeToRetry():
		return "The server may have seen the statement: look before you repeat it. An open transaction is rolled back."
	}
	return "The server has not seen the statement. An open transaction is rolled back."
}

func (s *Shell) reconnect(ctx context.Context, arg string) error {
	if arg, _, _ = strings.Cut(arg, " "); arg != "" {
		s.schema = unquoteName(arg)
	}
	if s.conn != nil {
		_ = s.conn.Close() // it is given up anyway
		s.conn = nil
	}
	s.names.forget()
	if err := s.Connect(ctx); err != nil {
		return err
	}
	s.sayf("connection %d, database %s", s.conn.Server().ConnID, orElse(s.schema, "(none)"))
	return nil
}

func (s *Shell) reset(ctx context.Context, _ string) error {
	if err := s.Connect(ctx); err != nil {
		return err
	}
	err := s.conn.Reset(ctx)
	s.follow()
	return err
}

func (s *Shell) use(ctx context.Context, arg string) error {
	name := unquoteName(arg)
	if name == "" {
		return &UsageError{"use needs the name of a database"}
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	if err := s.conn.Use(ctx, name); err != nil {
		return err
	}
	s.follow()
	s.schema = name
	if s.cfg.Interactive {
		s.sayf("Database changed")
	}
	return nil
}

// unquoteName takes the quotes off a name.
func unquoteName(arg string) string {
	arg = strings.TrimSpace(arg)
	if len(arg) >= 2 && (arg[0] == '`' || arg[0] == '"' || arg[0] == '\'') {
		q := arg[:1]
		if i := strings.LastIndex(arg, q); i > 0 {
			return strings.ReplaceAll(arg[1:i], q+q, q)
		}
	}
	name, _, _ := strings.Cut(arg, " ")
	return name
}

// status shows what is known; only the server's uptime is asked for.
func (s *Shell) status(ctx context.Context, _ string) error {
	if err := s.Connect(ctx); err != nil {
		return err
	}
	srv, f := s.conn.Server(), &s.cfg.Facts
	kind := "MySQL"
	if srv.MariaDB {
		kind = "MariaDB"
	}
	encrypted := "not in use"
	if srv.TLS != nil {
		encrypted = fmt.Sprintf("%s, %s", tlsVersion(srv.TLS.Version), cipherName(srv.TLS.CipherSuite))
	}
	where := orElse(f.Host, "localhost") + " via TCP"
	if f.Port != "" {
		where = net.JoinHostPort(orElse(f.Host, "localhost"), f.Port) + " via TCP"
	}
	if f.Socket != "" {
		where = f.Socket + " via a socket"
	}
	if f.Through != "" {
		where += ", through SSH to " + f.Through
	}
	line := func(name, value string) { s.sayf("%-20s %s", name+":", value) }
	s.out.say("--------------\n")
	line("Connection", fmt.Sprint(srv.ConnID))
	line("Current database", s.schema)
	line("Current user", f.User)
	line("Server", kind+" "+srv.Version)
	line("Address", where)
	line("TLS", encrypted)
	line("Capabilities", srv.Capabilities.String())
	line("Status", s.conn.State().Status.String())
	line("Delimiter", s.cut.Delimiter())
	line("Session began", time.Since(s.began).Round(time.Second).String()+" ago")
	if text, err := s.conn.Statistics(ctx); err == nil {
		s.out.say("\n")
		s.sayf("%s", text)
	}
	s.out.say("--------------\n")
	return nil
}
