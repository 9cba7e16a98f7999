// Package shell is the interactive SFTP client: it reads command lines as
// sftp(1) has them, from a person or a batch file, and carries them out on an
// SFTP session.
//
// It prompts, prints and keeps the two current directories; files move in
// package transfer. It runs no local programs. A Shell is used by one
// goroutine.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/transfer"
)

// Config says where a Shell prints and how it behaves.
type Config struct {
	Stdout   io.Writer // what was asked for: listings, paths
	Stderr   io.Writer // everything else
	Quiet    bool      // no remarks
	Preserve bool      // get and put keep modes and times
	Home     string    // local directory for lcd without a path
	// Clean makes text from the server safe to print; required.
	Clean func(string) string
	// Progress shows how a transfer goes while it runs. It returns what the
	// transfer reports to, and what to call at its end. nil: nothing is shown.
	Progress func() (report func(transfer.Event), done func())
	// Columns is the width of listings; 0: one name a line.
	Columns int
}

// Shell is an interactive session.
type Shell struct {
	cfg      Config
	client   *sftpclient.Client
	cwd      string // remote, absolute
	lcwd     string // local, absolute
	progress bool
	owners   owners
}

// ErrExit is returned by [Shell.Run] for the commands that end the session.
var ErrExit = errors.New("exit")

// UsageError says that a command line is wrong.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }

func usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// New starts a shell in the server's start directory and the local directory
// lcwd.
func New(ctx context.Context, client *sftpclient.Client, lcwd string, cfg Config) (*Shell, error) {
	cwd, err := client.Getwd(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the start directory: %w", err)
	}
	return &Shell{cfg: cfg, client: client, cwd: cwd, lcwd: lcwd, progress: cfg.Progress != nil}, nil
}

// Run carries out one line. The error is [ErrExit] when the session should
// end, a [*UsageError] when the line is wrong, and otherwise why the command
// failed.
func (s *Shell) Run(ctx context.Context, line string) error {
	words, err := split(line)
	if err != nil {
		return usagef("%v", err)
	}
	if len(words) == 0 {
		return nil
	}
	name := words[0].Text
	c := find(name)
	if c == nil {
		return usagef("there is no command %q; help lists them", name)
	}
	flags, args, err := c.parse(words[1:])
	if err != nil {
		return err
	}
	if args, err = s.expand(ctx, c, flags, args); err != nil {
		return err
	}
	return c.run(s, ctx, flags, args)
}

// command is one command of the shell.
type command struct {
	names       []string
	usage       string
	about       string
	flags       string // letters it takes
	least, most int    // arguments; most < 0: any number
	run         func(s *Shell, ctx context.Context, flags string, args []word) error
}

// parse takes the flags from the words and counts the rest.
func (c *command) parse(words []word) (flags string, args []word, err error) {
	for len(words) > 0 && len(words[0].Text) > 1 && words[0].Text[0] == '-' {
		if words[0].Text == "--" {
			words = words[1:]
			break
		}
		for _, f := range words[0].Text[1:] {
			if !strings.ContainsRune(c.flags, f) {
				return "", nil, usagef("%s has no flag -%c: %s", c.names[0], f, c.usage)
			}
			flags += string(f)
		}
		words = words[1:]
	}
	if len(words) < c.least || c.most >= 0 && len(words) > c.most {
		return "", nil, usagef("usage: %s", c.usage)
	}
	return flags, words, nil
}

func find(name string) *command {
	for i := range commands() {
		if c := &commands()[i]; slices.Contains(c.names, name) {
			return c
		}
	}
	return nil
}

// Names returns the names of the commands that begin with prefix, for
// completion.
func Names(prefix string) []string {
	var out []string
	for _, c := range commands() {
		for _, n := range c.names {
			if strings.HasPrefix(n, prefix) {
				out = append(out, n)
			}
		}
	}
	return out
}

// Complete returns what the last word of line could become, as whole lines:
// commands, then remote names.
func (s *Shell) Complete(ctx context.Context, line string) []string {
	i := strings.LastIndexAny(line, " \t") + 1
	head, last := line[:i], line[i:]
	var out []string
	if strings.TrimSpace(head) == "" {
		for _, n := range Names(last) {
			out = append(out, head+n+" ")
		}
		return out
	}
	dir, prefix := path.Split(last)
	at := dir
	if strings.HasPrefix(dir, "~") {
		if home, rest, err := s.home(ctx, dir); err == nil {
			at = home + rest
		}
	}
	list, err := s.client.ReadDir(ctx, s.remote(orDot(at)))
	if err != nil {
		return nil
	}
	for _, e := range list {
		if !strings.HasPrefix(e.Name(), prefix) || strings.ContainsAny(e.Name(), " \t\"'\\*?[#") || s.cfg.Clean(e.Name()) != e.Name() {
			continue
		}
		end := " "
		if e.IsDir() {
			end = "/"
		}
		out = append(out, head+dir+e.Name()+end)
	}
	return out
}

func orDot(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

// remote returns the absolute path that name means.
func (s *Shell) remote(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(s.cwd, name)
}

// glob returns the remote paths that w stands for: itself, or what its
// pattern matches, in order. Nothing matching is an error.
func (s *Shell) glob(ctx context.Context, w word) ([]string, error) {
	if !w.magic() {
		return []string{s.remote(w.Text)}, nil
	}
	pattern := w.Pattern
	if !path.IsAbs(pattern) {
		pattern = strings.TrimSuffix(quote(s.cwd), "/") + "/" + pattern
	}
	matches, err := transfer.Glob(ctx, s.client, pattern)
	if errors.Is(err, path.ErrBadPattern) {
		return nil, usagef("the pattern %q is wrong", w.Text)
	}
	if err == nil && len(matches) == 0 {
		err = &fs.PathError{Op: "nothing on the host matches", Path: w.Text, Err: fs.ErrNotExist}
	}
	return matches, err
}

// quote makes a path a pattern that matches only itself.
func quote(name string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `\`, `\\`).Replace(name)
}

// each carries out do for every path of every argument. It goes on after a
// failure and returns all of them.
func (s *Shell) each(ctx context.Context, args []word, do func(name string) error) error {
	var errs []error
	for _, w := range args {
		names, err := s.glob(ctx, w)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			errs = append(errs, do(name))
		}
	}
	return errors.Join(errs...)
}
