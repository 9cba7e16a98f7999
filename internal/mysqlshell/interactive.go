package mysqlshell

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// An Editor reads lines from a person.
type Editor interface {
	// Line shows the prompt and returns the line that was typed: io.EOF at the
	// end, ErrAborted when it was given up with Ctrl-C.
	Line(ctx context.Context, prompt string) (string, error)
	// Remember adds a statement to the history.
	Remember(statement string)
}

// ErrAborted says that a line was given up.
var ErrAborted = errors.New("the line was given up")

// Interactive reads lines until one ends the session. What fails is told, and
// the session goes on.
func (s *Shell) Interactive(ctx context.Context, e Editor) error {
	if s.cfg.Interactive {
		s.greet()
	}
	for {
		line, err := e.Line(ctx, s.Prompt())
		switch {
		case errors.Is(err, ErrAborted):
			if s.cut.Pending() != 0 {
				s.sayf("^C: the statement was dropped")
			}
			s.cut.Reset()
			s.typed = nil
			continue
		case errors.Is(err, io.EOF):
			s.out.say("\n")
			return nil
		case err != nil:
			return err
		}
		err = s.Line(ctx, line, e.Remember)
		switch {
		case errors.Is(err, ErrExit):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}

func (s *Shell) greet() {
	if s.conn == nil {
		return
	}
	srv := s.conn.Server()
	kind := "MySQL"
	if srv.MariaDB {
		kind = "MariaDB"
	}
	s.sayf("%s %s, connection %d. Type help for help; statements end with %s", kind, srv.Version, srv.ConnID, s.cut.Delimiter())
	if srv.TLS == nil && s.cfg.Facts.Socket == "" && s.cfg.Facts.Through == "" && !loopback(s.cfg.Facts.Host) {
		s.sayf("The connection is not encrypted.")
	}
}

func loopback(host string) bool {
	return host == "" || host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Line takes one line that was typed. remember is called with each statement
// and command that is complete, but for those that hold a password. Failures
// are told to the user and returned.
func (s *Shell) Line(ctx context.Context, line string, remember func(string)) error {
	if remember == nil {
		remember = func(string) {}
	}
	wait := s.cut.Pending()
	if wait == 0 || (wait == ';' && aside(line)) {
		if c, arg, ok := s.lineCommand(line); ok {
			if !s.secret(line) {
				remember(strings.TrimSpace(line))
			}
			return s.told(s.run(ctx, c, arg))
		}
	}
	if wait == 0 && strings.TrimSpace(line) == "" {
		return nil
	}
	s.typed = append(append(s.typed, line...), '\n')
	s.cut.Feed([]byte(line + "\n"))
	for {
		st, ok, err := s.cut.Next()
		if err != nil {
			s.cut, s.typed = s.newCutter(s.cut.Delimiter()), nil
			return s.told(err)
		}
		if !ok {
			if s.cut.Pending() == 0 {
				s.typed = nil
			}
			return nil
		}
		s.typed = nil
		if !s.secret(st.SQL) && st.SQL != "" {
			remember(oneLine(st.SQL) + st.End)
		}
		if err := s.told(s.complete(ctx, st)); err != nil {
			return err // what else stands in the line is dropped, as nobody has seen this come
		}
	}
}

// aside reports a line that is a command in the middle of a statement.
func aside(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) == 2 && line[0] == '\\' && strings.IndexByte(`epc?hs#`, line[1]) >= 0
}

// told tells err to the user, and returns it.
func (s *Shell) told(err error) error {
	switch {
	case err == nil, errors.Is(err, ErrExit):
	case errors.Is(err, context.Canceled): // guard has told
	default:
		s.tell(err)
	}
	return err
}

// tell writes err as the mysql command line does, and what helps.
func (s *Shell) tell(err error) {
	where := ""
	if e, ok := errors.AsType[*StatementError](err); ok {
		where, err = " at line "+itoa(e.Line), e.Err
	}
	text := describe(err)
	if where != "" {
		head, rest, _ := strings.Cut(text, ": ")
		text = head + where + ": " + rest
	}
	s.out.say(string(format.AppendHarmless(nil, []byte(text), true)) + "\n")
	if hint := s.hint(err); hint != "" && s.cfg.Interactive {
		s.out.say(hint + "\n")
	}
}

// hint is what a person may do about an error.
func (s *Shell) hint(err error) string {
	code, _, _ := serverError(err)
	switch code {
	case 1820: // ER_MUST_CHANGE_PASSWORD
		return "The password has expired. Set a new one first: ALTER USER USER() IDENTIFIED BY '…';"
	case 1046: // ER_NO_DB_ERROR
		return "Choose a database: use NAME; what there is: show databases;"
	case 1175: // ER_UPDATE_WITHOUT_KEY_IN_SAFE_MODE
		return "Safe updates are on: name rows by a key, or add LIMIT."
	}
	if errors.Is(err, net.ErrClosed) {
		return s.lostHint(err)
	}
	if errors.Is(err, ErrLocal) {
		return "What was read switched them off."
	}
	return ""
}

// secret reports whether a statement holds a password.
func (s *Shell) secret(sql string) bool { return lexer.HasSecret(sql, lexer.Config{Mode: s.mode}) }

// oneLine joins the lines of a statement, where they mean the same in one.
func oneLine(sql string) string {
	if !strings.Contains(sql, "\n") {
		return sql
	}
	var b strings.Builder
	for t := range lexer.Tokens(sql, lexer.Config{}) {
		switch {
		case t.Kind == lexer.Space:
			b.WriteByte(' ')
		case strings.Contains(t.Text, "\n"):
			return sql // a string, or a comment that would swallow what follows
		case t.Kind == lexer.Comment && !strings.HasPrefix(t.Text, "/*"):
			return sql
		default:
			b.WriteString(t.Text)
		}
	}
	return strings.TrimSpace(b.String())
}
