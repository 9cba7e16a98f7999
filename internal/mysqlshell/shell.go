// Package mysqlshell is the interactive client and the runner of scripts for
// MySQL and MariaDB: the commands, prompt and output formats of the mysql
// command line, over any connection of package mysqlclient.
//
//	sh := mysqlshell.New(mysqlshell.Config{Connect: connect, Out: out, Err: messages})
//	err := sh.Script(ctx, strings.NewReader("select 1; select 2\\G"))
//
// It reads lines and statements from what it is given, and writes to what it is
// given: it knows no terminal, no environment and no exit codes. Whoever calls
// it brings the line editor.
//
// Results stream; an aligned table collects rows up to a bound. A script runs
// no command that touches this machine unless [Config.LocalCommands] is set.
//
// Limits: statements are in UTF-8. It keeps one connection, and opens others
// only to kill a statement and to look up names for completion.
package mysqlshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// Config says how a shell behaves.
type Config struct {
	// Connect makes a connection; database is the one to begin in, "" leaves it
	// to the function. It is called for the first statement, after a loss, and
	// for completion.
	Connect func(ctx context.Context, database string) (*mysqlclient.Conn, error)

	Out, Err io.Writer // results; everything else

	Format  string         // of results, see package format; empty: table
	Options format.Options // of results

	// Interactive adds what people want to read: a line with the number of
	// rows and the time below each result, what the server is, how to get help.
	Interactive bool
	Echo        bool // write each statement before it runs
	Footers     bool // write numbers of rows and times, also when not Interactive
	Warnings    bool // show warnings after each statement
	Force       bool // a script goes on after an error
	Text        bool // never use the binary protocol for speed
	LineNumbers bool // of the script, in errors

	// LocalCommands allows the commands that touch this machine: system, edit,
	// source, tee, pager.
	LocalCommands bool
	// LocalInfile allows LOAD DATA LOCAL, for the file that the statement names.
	// The connections must allow it too.
	LocalInfile bool
	// Names are looked up for completion.
	Names bool

	Prompt string // "" is DefaultPrompt
	// Facts are what the prompt and the command status show of the connection.
	Facts Facts

	// Interrupts tells of each Ctrl-C while a statement runs; nil: only the
	// context does.
	Interrupts <-chan os.Signal

	// Edit lets the user change a text in an editor. Page starts a program that
	// shows what is written to it, System one that has the terminal. They are
	// not called without LocalCommands.
	Edit   func(ctx context.Context, text string) (string, error)
	Page   func(ctx context.Context, command string) (io.WriteCloser, error)
	System func(ctx context.Context, command string) error
}

// Facts are what is known of the connection without asking the server.
type Facts struct {
	User, Host string
	Port       string
	Socket     string
	Through    string // the hosts that it goes through; empty: none
}

// Shell runs statements and commands. It is for one goroutine at a time.
type Shell struct {
	cfg    Config
	out    *output
	conn   *mysqlclient.Conn
	schema string

	cut             *lexer.Cutter
	mode            lexer.Mode
	typed           []byte // what was typed of the unfinished statement
	last            string // the last statement
	prompt          string
	warnings        bool
	hidden          bool // the last result was not shown, as it was interrupted
	pendingWarnings bool // of the last statement, not shown yet
	sandbox         bool // local commands were switched off by the script
	depth           int  // of source
	names           *names
	statement       int // counted for \c
	began           time.Time
}

// ErrExit is returned by a line that ends the session.
var ErrExit = errors.New("exit")

// ErrLocal says that a script asks for something on this machine.
var ErrLocal = errors.New("commands that touch this machine are not run from a script")

// StatementError says which statement of a script failed.
type StatementError struct {
	Line int    // in the script, from 1
	SQL  string // without passwords
	Err  error
}

func (e *StatementError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what was wrong.
func (e *StatementError) Unwrap() error { return e.Err }

// FailedError says that a script was run to its end although statements of it
// failed.
type FailedError struct {
	Failed, Done int
	First        error
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("%d statements failed and %d were done", e.Failed, e.Done)
}

// Unwrap returns the first failure.
func (e *FailedError) Unwrap() error { return e.First }

// New returns a shell. It connects with the first statement, or by Connect.
func New(cfg Config) *Shell {
	if cfg.Format == "" {
		cfg.Format = "table"
	}
	s := &Shell{cfg: cfg, prompt: cfg.Prompt, warnings: cfg.Warnings, began: time.Now()}
	if s.prompt == "" {
		s.prompt = DefaultPrompt
	}
	s.out = &output{to: cfg.Out, err: cfg.Err}
	s.cut = s.newCutter(";")
	s.names = newNames(s)
	return s
}

func (s *Shell) newCutter(delimiter string) *lexer.Cutter {
	return lexer.NewCutter(lexer.CutConfig{Mode: s.mode, Delimiter: delimiter, Commands: true})
}

// Close ends the connection and what commands have opened. A connection that
// was lost before is no error: it was told.
func (s *Shell) Close() error {
	err := s.out.close()
	s.names.close()
	if s.conn != nil {
		err = errors.Join(err, s.conn.Close())
		s.conn = nil
	}
	return err
}

// sayf tells people something.
func (s *Shell) sayf(text string, args ...any) {
	s.out.say(format.Harmless(fmt.Sprintf(text, args...)) + "\n")
}

// local reports whether commands may touch this machine.
func (s *Shell) local() bool { return s.cfg.LocalCommands && !s.sandbox }
