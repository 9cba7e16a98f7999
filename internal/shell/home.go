package shell

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// expand replaces "~" and "~user" at the beginning of the arguments that are
// remote paths, where the server can say what they mean; elsewhere they are
// names like any other, as quoted ones are everywhere.
func (s *Shell) expand(ctx context.Context, c *command, flags string, args []word) ([]word, error) {
	from, to := remoteArgs(c.names[0], flags, args)
	args = slices.Clone(args)
	for i := from; i < to; i++ {
		if !strings.HasPrefix(args[i].Pattern, "~") {
			continue
		}
		home, rest, err := s.home(ctx, args[i].Text)
		if err != nil {
			return nil, err
		}
		if home == "" {
			continue
		}
		tail := args[i].Pattern[strings.IndexByte(args[i].Pattern+"/", '/'):]
		args[i] = word{home + rest, quote(home) + tail}
	}
	return args, nil
}

// remoteArgs tells which arguments of a command are remote paths.
func remoteArgs(name, flags string, args []word) (from, to int) {
	n := len(args)
	switch name {
	case "lcd", "lls", "lmkdir", "help":
		return 0, 0
	case "put":
		return max(n-1, 1), n
	case "get":
		if n > 1 && !args[n-1].magic() {
			return 0, n - 1
		}
	case "symlink", "chmod", "chown", "chgrp":
		return min(1, n), n
	case "ln":
		if strings.Contains(flags, "s") {
			return min(1, n), n
		}
	}
	return 0, n
}

// home returns the directory that the first component of p, "~" or "~user",
// stands for, and the rest of p; "" where the server cannot say.
func (s *Shell) home(ctx context.Context, p string) (home, rest string, err error) {
	at := strings.IndexByte(p+"/", '/')
	home, err = s.client.ExpandPath(ctx, p[:at])
	if errors.Is(err, errors.ErrUnsupported) {
		return "", p, nil
	}
	return strings.TrimSuffix(home, "/"), "/" + strings.TrimPrefix(p[at:], "/"), err
}

// cp copies a file on the server. A directory as its target means a file of
// the same name in there.
func (s *Shell) cp(ctx context.Context, _ string, args []word) error {
	sources, err := s.glob(ctx, args[0])
	if err != nil {
		return err
	}
	to := s.remote(args[1].Text)
	info, err := s.client.Stat(ctx, to)
	dir := err == nil && info.IsDir()
	if len(sources) > 1 && !dir {
		return &fs.PathError{Op: "cp", Path: to, Err: errors.New("several files, and this is no directory")}
	}
	var errs []error
	for _, from := range sources {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		target := to
		if dir {
			target = path.Join(to, path.Base(from))
		}
		_, err := s.client.Copy(ctx, from, target)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
