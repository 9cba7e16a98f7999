package mysqlshell

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/wirelark/wirelark/mysql/lexer"
)

// maxCommand is how long the line of a command may be.
const maxCommand = 64 << 10

// sandboxMark begins the line with which dumps of MariaDB switch off local
// commands.
const sandboxMark = `/*!999999\-`

// Script runs the statements and commands that r holds. It ends with the first
// that fails, as *StatementError, unless Config.Force is set; then it runs them
// all and returns *FailedError if some failed. The commands quit and exit end it
// without error.
func (s *Shell) Script(ctx context.Context, r io.Reader) error {
	outer, typed := s.cut, s.typed
	s.cut, s.typed = s.newCutter(outer.Delimiter()), nil
	defer func() { s.cut, s.typed = outer, typed }()
	sc := &script{Shell: s, in: bufio.NewReaderSize(r, maxCommand)}
	err := sc.run(ctx)
	switch {
	case err == nil && sc.failed.Failed > 0:
		return &sc.failed
	case errors.Is(err, ErrExit) && s.depth == 0:
		return nil
	}
	return err
}

// script is a run of Script.
type script struct {
	*Shell
	in     *bufio.Reader
	line   int  // lines that were read
	mid    bool // the next byte is inside a line
	failed FailedError
}

func (sc *script) run(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		start, peekErr := sc.peekLine()
		if sc.cut.Pending() == 0 && !sc.mid {
			if sc.mark(start) {
				if err := sc.skipLine(); err != nil {
					return err
				}
				sc.cut.Feed([]byte{'\n'})
				continue
			}
			if c, arg, ok := sc.lineCommand(string(start)); ok && peekErr == nil {
				line := string(start)
				if err := sc.skipLine(); err != nil {
					return err
				}
				if c.name != "delimiter" {
					sc.cut.Feed([]byte{'\n'}) // so that it counts the line
				}
				if err := sc.done(sc.line, line, sc.Shell.run(ctx, c, arg)); err != nil {
					return err
				}
				continue
			}
		}
		if peekErr != nil && !errors.Is(peekErr, io.EOF) && !errors.Is(peekErr, bufio.ErrBufferFull) {
			return peekErr
		}
		if errors.Is(peekErr, io.EOF) && len(start) == 0 {
			sc.cut.Finish()
			return sc.statements(ctx)
		}
		sc.cut.Feed(start)
		sc.mid = start[len(start)-1] != '\n'
		if !sc.mid {
			sc.line++
		}
		if _, err := sc.in.Discard(len(start)); err != nil {
			return err
		}
		if err := sc.statements(ctx); err != nil {
			return err
		}
	}
}

// peekLine returns the next line with its end, or as much of it as there is or
// fits; then with an error. It waits for no more than that line.
func (sc *script) peekLine() ([]byte, error) {
	for n := max(1, sc.in.Buffered()); ; n = sc.in.Buffered() + 1 {
		_, err := sc.in.Peek(n)
		b, _ := sc.in.Peek(sc.in.Buffered()) // it may have read more than was asked for
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			return b[:i+1], nil
		}
		switch {
		case errors.Is(err, io.EOF) && len(b) > 0:
			return b, nil
		case err != nil:
			return b, err
		case len(b) == sc.in.Size():
			return b, bufio.ErrBufferFull
		}
	}
}

func (sc *script) skipLine() error {
	sc.line++
	_, err := sc.in.ReadSlice('\n')
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// mark takes the line that switches local commands off.
func (sc *script) mark(line []byte) bool {
	if !bytes.HasPrefix(line, []byte(sandboxMark)) {
		return false
	}
	sc.sandbox = true
	return true
}

// statements runs what is complete.
func (sc *script) statements(ctx context.Context) error {
	for {
		st, ok, err := sc.cut.Next()
		if err != nil {
			return &StatementError{Line: sc.line + 1, Err: err}
		}
		if !ok {
			return nil
		}
		if err := sc.done(st.Line, st.SQL, sc.complete(ctx, st)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// done counts, and decides whether the script goes on.
func (sc *script) done(line int, sql string, err error) error {
	switch {
	case err == nil:
		sc.failed.Done++
		return nil
	case errors.Is(err, ErrExit), errors.Is(err, context.Canceled):
		return err
	}
	if _, inner := errors.AsType[*StatementError](err); !inner {
		err = &StatementError{Line: line, SQL: lexer.MaskSecrets(sql, lexer.Config{Mode: sc.mode}), Err: err}
	}
	if !sc.cfg.Force || sc.conn == nil || sc.conn.Err() != nil {
		return err
	}
	sc.failed.Failed++
	if sc.failed.First == nil {
		sc.failed.First = err
	}
	sc.tell(err)
	return nil
}

// complete runs a statement that the cutter found, which may be a command
// behind another statement in its line.
func (s *Shell) complete(ctx context.Context, st lexer.Statement) error {
	if st.End == `\c` {
		return nil
	}
	if c, arg, ok := s.command(st.SQL); ok {
		return s.run(ctx, c, arg)
	}
	if strings.TrimSpace(st.SQL) == "" {
		return nil
	}
	return s.query(ctx, st.SQL, st.End == `\G`)
}
