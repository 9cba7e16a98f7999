package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// entry is a line of a listing.
type entry struct {
	name string // as shown
	info *sftpclient.Info
}

// ls lists directories and files: -1 one a line, -l with attributes, -n the
// same with numbers, -h sizes for people, -a with hidden names, -t by time, -S
// by size, -r reversed.
func (s *Shell) ls(ctx context.Context, flags string, args []word) error {
	if len(args) == 0 {
		return s.list(ctx, s.cwd, flags, false)
	}
	var files []entry
	var dirs []string
	var errs []error
	for _, w := range args {
		names, err := s.glob(ctx, w)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, name := range names {
			info, err := s.client.Stat(ctx, name)
			if errors.Is(err, fs.ErrNotExist) {
				info, err = s.client.Lstat(ctx, name) // a link that leads nowhere
			}
			if err == nil && !info.IsDir() && strings.ContainsAny(flags, "ln") {
				info, err = s.client.Lstat(ctx, name) // a link is shown, not what it leads to
			}
			switch {
			case err != nil:
				errs = append(errs, err)
			case info.IsDir() && (len(names) == 1 || !w.magic()):
				dirs = append(dirs, name)
			default:
				files = append(files, entry{s.shown(w, name), info})
			}
		}
	}
	s.print(ctx, files, flags)
	for _, dir := range dirs {
		errs = append(errs, s.list(ctx, dir, flags, len(dirs)+len(files) > 1))
	}
	return errors.Join(errs...)
}

// shown is how a listing names a file: as the user wrote it, or relative when
// it was written relative.
func (s *Shell) shown(w word, name string) string {
	if !w.magic() {
		return w.Text
	}
	if rel, ok := strings.CutPrefix(name, strings.TrimSuffix(s.cwd, "/")+"/"); ok && !path.IsAbs(w.Text) {
		return rel
	}
	return name
}

func (s *Shell) list(ctx context.Context, dir, flags string, title bool) error {
	infos, err := s.client.ReadDir(ctx, dir)
	if err != nil {
		return err
	}
	if title {
		s.printf("\n%s:\n", s.cfg.Clean(dir))
	}
	var entries []entry
	for _, i := range infos {
		if strings.HasPrefix(i.Name(), ".") && !strings.Contains(flags, "a") {
			continue
		}
		entries = append(entries, entry{i.Name(), i})
	}
	s.print(ctx, entries, flags)
	return nil
}

func (s *Shell) print(ctx context.Context, entries []entry, flags string) {
	order(entries, flags)
	if strings.ContainsAny(flags, "ln") {
		if !strings.Contains(flags, "n") {
			s.learn(ctx, entries)
		}
		for _, e := range entries {
			s.printf("%s %s\n", s.cfg.Clean(s.long(e.info, flags)), s.cfg.Clean(e.name))
		}
		return
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = s.cfg.Clean(e.name)
	}
	if s.cfg.Columns == 0 || strings.Contains(flags, "1") {
		for _, n := range names {
			s.printf("%s\n", n)
		}
		return
	}
	s.columns(names)
}

func order(entries []entry, flags string) {
	slices.SortStableFunc(entries, func(a, b entry) int {
		var c int
		switch {
		case strings.Contains(flags, "t"):
			c = b.info.ModTime().Compare(a.info.ModTime())
		case strings.Contains(flags, "S"):
			c = cmp.Compare(b.info.Size(), a.info.Size())
		}
		return cmp.Or(c, strings.Compare(a.name, b.name))
	})
	if strings.Contains(flags, "r") {
		slices.Reverse(entries)
	}
}

// columns prints names below each other in as many columns as fit.
func (s *Shell) columns(names []string) {
	width := 0
	for _, n := range names {
		width = max(width, utf8.RuneCountInString(n)+2)
	}
	if width == 0 {
		return
	}
	n := max(1, s.cfg.Columns/width)
	rows := (len(names) + n - 1) / n
	for r := range rows {
		var b strings.Builder
		for i := r; i < len(names); i += rows {
			fmt.Fprintf(&b, "%-*s", width, names[i])
		}
		s.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// long is the part of a long line in front of the name. It is made from the
// attributes.
func (s *Shell) long(i *sftpclient.Info, flags string) string {
	a := i.Attrs()
	owner, group := fmt.Sprint(a.UID), fmt.Sprint(a.GID)
	if !strings.Contains(flags, "n") {
		owner, group = s.owners.of(i)
	}
	size := fmt.Sprint(i.Size())
	if strings.Contains(flags, "h") {
		size = Size(uint64(max(0, i.Size())))
	}
	t := i.ModTime()
	when := t.Format("Jan _2 15:04")
	if age := time.Since(t); age > 180*24*time.Hour || age < -time.Hour {
		when = t.Format("Jan _2  2006")
	}
	return fmt.Sprintf("%s %-8s %-8s %12s %s", modeString(i.Mode()), owner, group, size, when)
}

// modeString writes a mode as ls does.
func modeString(m fs.FileMode) string {
	kind := byte('-')
	switch {
	case m&fs.ModeDir != 0:
		kind = 'd'
	case m&fs.ModeSymlink != 0:
		kind = 'l'
	case m&fs.ModeNamedPipe != 0:
		kind = 'p'
	case m&fs.ModeSocket != 0:
		kind = 's'
	case m&fs.ModeCharDevice != 0:
		kind = 'c'
	case m&fs.ModeDevice != 0:
		kind = 'b'
	}
	b := []byte(string(kind) + m.Perm().String()[1:])
	for _, x := range []struct {
		bit   fs.FileMode
		at    int
		upper byte
	}{{fs.ModeSetuid, 3, 'S'}, {fs.ModeSetgid, 6, 'S'}, {fs.ModeSticky, 9, 'T'}} {
		if m&x.bit != 0 {
			if b[x.at] == 'x' {
				b[x.at] = x.upper | 0x20
			} else {
				b[x.at] = x.upper
			}
		}
	}
	return string(b)
}

// stat prints the attributes of files.
func (s *Shell) stat(ctx context.Context, _ string, args []word) error {
	return s.each(ctx, args, func(name string) error {
		i, err := s.client.Lstat(ctx, name)
		if err != nil {
			return err
		}
		a := i.Attrs()
		s.printf("%s\n  mode %s (%04o)  uid %d  gid %d\n  size %d\n  changed %s\n",
			s.cfg.Clean(name), modeString(i.Mode()), a.Permissions&0o7777, a.UID, a.GID, i.Size(), i.ModTime().Format(time.RFC3339))
		if i.Mode()&fs.ModeSymlink != 0 {
			target, err := s.client.Readlink(ctx, name)
			if err != nil {
				return err
			}
			s.printf("  leads to %s\n", s.cfg.Clean(target))
		}
		return nil
	})
}
