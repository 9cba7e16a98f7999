package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/peterh/liner"

	"github.com/wirelark/wirelark/internal/mysqlshell"
	"github.com/wirelark/wirelark/internal/shell"
)

// untilTerm returns a context that ends when the process is asked to end; a
// Ctrl-C does not end it.
func (a *app) untilTerm(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.WithoutCancel(ctx), syscall.SIGTERM)
}

// lineEditor reads statements from the terminal, with history and completion.
type lineEditor struct {
	*liner.State
	before     liner.ModeApplier // the terminal as it was; nil: unknown
	interrupts <-chan os.Signal
	path       string // of the history; empty: it is not kept
	added      []string
	warn       func(error)
}

func (a *app) newEditor(sh *mysqlshell.Shell, interrupts <-chan os.Signal) *lineEditor {
	before, err := liner.TerminalMode()
	if err != nil {
		before = nil // it is no terminal that has modes
	}
	e := &lineEditor{State: liner.NewLiner(), before: before, interrupts: interrupts, path: a.mysqlHistory()}
	e.warn = func(err error) { a.infof("wirelark: warning: the history is not kept: %v", err) }
	e.SetCtrlCAborts(true)
	e.SetMultiLineMode(true)
	e.SetTabCompletionStyle(liner.TabPrints)
	e.SetCompleter(func(line string) []string { return sh.Complete(context.Background(), line) })
	if e.path == "" {
		return e
	}
	if f, err := os.Open(e.path); err == nil {
		if _, err := e.ReadHistory(f); err != nil {
			e.warn(err)
		}
		_ = f.Close() // it was only read
	}
	return e
}

// mysqlHistory is where statements are remembered, in the user's state
// directory. $MYSQL_HISTFILE says only whether: people set it to /dev/null who
// want no history.
func (a *app) mysqlHistory() string {
	if a.Getenv("MYSQL_HISTFILE") == os.DevNull {
		return ""
	}
	dir := a.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := a.home()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "wirelark", "mysql_history")
}

// Line reads one line.
func (e *lineEditor) Line(ctx context.Context, prompt string) (string, error) {
	select {
	case <-e.interrupts: // a Ctrl-C that came between two statements ends nothing
	default:
	}
	line, err := editLine(ctx, e.State, prompt)
	if errors.Is(err, liner.ErrPromptAborted) {
		return "", mysqlshell.ErrAborted
	}
	return line, err
}

// Remember adds a statement to the history.
func (e *lineEditor) Remember(statement string) {
	for line := range strings.Lines(statement) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			e.AppendHistory(line)
			e.added = append(e.added, line)
		}
	}
}

// close restores the terminal and keeps what was added to the history, which
// nobody else may read.
func (e *lineEditor) close() {
	_ = e.Close() // nothing can be done about a terminal that is gone
	if e.path == "" || len(e.added) == 0 {
		return
	}
	if err := e.save(); err != nil {
		e.warn(err)
	}
}

// historyBytes bounds the file; the older half is dropped beyond it.
const historyBytes = 1 << 20

func (e *lineEditor) save() error {
	if err := os.MkdirAll(filepath.Dir(e.path), 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(e.path); err == nil && info.Size() > historyBytes {
		if err := halve(e.path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(e.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, strings.Join(e.added, "\n")+"\n")
	return errors.Join(err, f.Close())
}

func halve(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	half := string(text[len(text)/2:])
	if _, rest, ok := strings.Cut(half, "\n"); ok {
		half = rest
	}
	return os.WriteFile(path, []byte(half), 0o600)
}

// aside gives the terminal to somebody else, as it was before.
func (e *lineEditor) aside(do func() error) error {
	if e.before == nil {
		return do()
	}
	ours, err := liner.TerminalMode()
	if err != nil {
		return do()
	}
	err = e.before.ApplyMode()
	return errors.Join(err, do(), ours.ApplyMode())
}

// editText lets the user change a text in $VISUAL or $EDITOR.
func (a *app) editText(ctx context.Context, text string) (string, error) {
	editor := a.Getenv("VISUAL")
	if editor == "" {
		editor = a.Getenv("EDITOR")
	}
	if editor == "" {
		editor = "vi"
	}
	words, err := shell.Words(editor)
	if err != nil || len(words) == 0 {
		return "", &Error{Code: exitUsage, What: fmt.Sprintf("$EDITOR %q is no command", editor), Err: err, Next: []string{"name a program"}}
	}
	dir, err := os.MkdirTemp("", "wirelark-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "statement.sql")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], file)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, a.Stdout, a.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", words[0], err)
	}
	b, err := os.ReadFile(file)
	return string(b), err
}

// startPager runs a program that reads results.
func (a *app) startPager(ctx context.Context, command string) (io.WriteCloser, error) {
	cmd := a.shellCommand(ctx, command)
	cmd.Stdout, cmd.Stderr = a.Stdout, a.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &pager{in, cmd}, nil
}

// pager is a program that results are written to.
type pager struct {
	io.WriteCloser
	cmd *exec.Cmd
}

// Close ends the input and waits for the program: its status says nothing about
// the result.
func (p *pager) Close() error {
	_ = p.WriteCloser.Close() // it may have left before
	err := p.cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return nil
	}
	return err
}

// runCommand runs a command of this machine that has the terminal.
func (a *app) runCommand(ctx context.Context, command string) error {
	cmd := a.shellCommand(ctx, command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.Stdin, a.Stdout, a.Stderr
	return cmd.Run()
}
