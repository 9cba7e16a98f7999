package shell

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/wirelark/wirelark/sftp/transfer"
)

// get and put take -r (or -R) for directories, -p (or -P) to keep modes and
// times, -a to continue files that are there in part.

func (s *Shell) get(ctx context.Context, flags string, args []word) error {
	target := s.lcwd
	if len(args) > 1 && !args[len(args)-1].magic() {
		target = s.local(args[len(args)-1].Text)
		args = args[:len(args)-1]
	}
	var sources []string
	for _, w := range args {
		names, err := s.glob(ctx, w)
		if err != nil {
			return err
		}
		sources = append(sources, names...)
	}
	o, done := s.options(flags)
	defer done()
	_, err := transfer.Get(ctx, s.client, sources, target, o)
	return err
}

func (s *Shell) put(ctx context.Context, flags string, args []word) error {
	target := s.cwd
	if len(args) > 1 {
		target = s.remote(args[len(args)-1].Text)
		if strings.HasSuffix(args[len(args)-1].Text, "/") {
			target += "/"
		}
		args = args[:len(args)-1]
	}
	var sources []string
	for _, w := range args {
		names, err := s.localGlob(w)
		if err != nil {
			return err
		}
		sources = append(sources, names...)
	}
	o, done := s.options(flags)
	defer done()
	_, err := transfer.Put(ctx, s.client, sources, target, o)
	return err
}

// localGlob returns the local paths that w stands for. What matches nothing is
// taken as a name, whose absence the transfer will tell.
func (s *Shell) localGlob(w word) ([]string, error) {
	if !w.magic() {
		return []string{s.local(w.Text)}, nil
	}
	pattern := w.Pattern
	if filepath.Separator == '\\' {
		pattern = w.Text // a backslash separates on Windows and escapes nothing
	}
	if !filepath.IsAbs(pattern) {
		dir := s.lcwd
		if filepath.Separator != '\\' {
			dir = quote(dir)
		}
		pattern = filepath.Join(dir, pattern)
	}
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, usagef("the pattern %q is wrong", w.Text)
	}
	if len(names) == 0 {
		return []string{s.local(w.Text)}, nil
	}
	return names, nil
}

func (s *Shell) options(flags string) (o *transfer.Options, done func()) {
	o = &transfer.Options{
		Recursive: strings.ContainsAny(flags, "rR"),
		Preserve:  s.cfg.Preserve || strings.ContainsAny(flags, "pP"),
		Resume:    strings.Contains(flags, "a"),
	}
	report, done := func(transfer.Event) {}, func() {}
	if s.progress && s.cfg.Progress != nil {
		report, done = s.cfg.Progress()
	}
	o.Progress = func(e transfer.Event) {
		if e.Kind == transfer.Note {
			s.remark("%s: %s", s.cfg.Clean(e.Path), s.cfg.Clean(e.Text))
			return
		}
		report(e)
	}
	return o, done
}
