package shell

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// commands returns the table of all commands, in the order of help.
func commands() []command { return table[:] }

var table []command

func init() { // the table's help command refers to the table
	table = []command{
		{[]string{"ls", "dir"}, "ls [-1ahlnrSt] [PATH...]", "list a remote directory", "1alhnrSt", 0, -1, (*Shell).ls},
		{[]string{"cd"}, "cd [PATH]", "change the remote directory", "", 0, 1, (*Shell).cd},
		{[]string{"pwd"}, "pwd", "print the remote directory", "", 0, 0, (*Shell).pwd},
		{[]string{"get"}, "get [-apr] REMOTE... [LOCAL]", "fetch files; -a continues, -p keeps modes and times, -r with directories", "aPpRr", 1, -1, (*Shell).get},
		{[]string{"put"}, "put [-apr] LOCAL... [REMOTE]", "send files; the flags are those of get", "aPpRr", 1, -1, (*Shell).put},
		{[]string{"mkdir"}, "mkdir [-p] PATH", "make a remote directory", "p", 1, 1, (*Shell).mkdir},
		{[]string{"rm", "delete"}, "rm [-r] PATH...", "remove remote files", "r", 1, -1, (*Shell).rm},
		{[]string{"rmdir"}, "rmdir PATH...", "remove empty remote directories", "", 1, -1, (*Shell).rmdir},
		{[]string{"rename", "mv"}, "rename [-l] OLD NEW", "give a remote file another name", "l", 2, 2, (*Shell).rename},
		{[]string{"cp", "copy"}, "cp PATH NEW", "copy a remote file on the server", "", 2, 2, (*Shell).cp},
		{[]string{"ln"}, "ln [-s] OLD NEW", "make a link, with -s a symbolic one", "s", 2, 2, (*Shell).ln},
		{[]string{"symlink"}, "symlink TARGET NEW", "make a symbolic link", "", 2, 2, (*Shell).symlink},
		{[]string{"chmod"}, "chmod MODE PATH...", "change modes, octal", "", 2, -1, (*Shell).chmod},
		{[]string{"chown"}, "chown UID PATH...", "change owners, by number", "", 2, -1, (*Shell).chown},
		{[]string{"chgrp"}, "chgrp GID PATH...", "change groups, by number", "", 2, -1, (*Shell).chgrp},
		{[]string{"stat"}, "stat PATH...", "show what the server knows about files", "", 1, -1, (*Shell).stat},
		{[]string{"df"}, "df [-hi] [PATH]", "show the space of the remote file system", "hi", 0, 1, (*Shell).df},
		{[]string{"lcd"}, "lcd [PATH]", "change the local directory", "", 0, 1, (*Shell).lcd},
		{[]string{"lpwd"}, "lpwd", "print the local directory", "", 0, 0, (*Shell).lpwd},
		{[]string{"lls"}, "lls [-al] [PATH]", "list a local directory", "al1", 0, 1, (*Shell).lls},
		{[]string{"lmkdir"}, "lmkdir PATH", "make a local directory", "", 1, 1, (*Shell).lmkdir},
		{[]string{"progress"}, "progress", "switch the display of progress on or off", "", 0, 0, (*Shell).toggleProgress},
		{[]string{"version"}, "version", "show the protocol version and extensions", "", 0, 0, (*Shell).version},
		{[]string{"help", "?"}, "help", "this list", "", 0, -1, (*Shell).help},
		{[]string{"exit", "quit", "bye"}, "exit", "end the session", "", 0, 0, func(*Shell, context.Context, string, []word) error { return ErrExit }},
	}
}

func (s *Shell) printf(format string, args ...any) { fmt.Fprintf(s.cfg.Stdout, format, args...) }

func (s *Shell) remark(format string, args ...any) {
	if !s.cfg.Quiet {
		fmt.Fprintf(s.cfg.Stderr, format+"\n", args...)
	}
}

func (s *Shell) cd(ctx context.Context, _ string, args []word) error {
	if len(args) == 0 {
		home, err := s.client.Getwd(ctx)
		if err == nil {
			s.cwd = home
		}
		return err
	}
	names, err := s.glob(ctx, args[0])
	if err != nil {
		return err
	}
	if len(names) > 1 {
		return usagef("%s is more than one directory", args[0].Text)
	}
	dir, err := s.client.RealPath(ctx, names[0])
	if err != nil {
		return err
	}
	info, err := s.client.Stat(ctx, dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "cd", Path: dir, Err: errors.New("not a directory")}
	}
	s.cwd = dir
	return nil
}

func (s *Shell) pwd(context.Context, string, []word) error {
	s.printf("%s\n", s.cfg.Clean(s.cwd))
	return nil
}

func (s *Shell) mkdir(ctx context.Context, flags string, args []word) error {
	name := s.remote(args[0].Text)
	if strings.Contains(flags, "p") {
		return s.client.MkdirAll(ctx, name, 0o777)
	}
	return s.client.Mkdir(ctx, name, 0o777)
}

func (s *Shell) rm(ctx context.Context, flags string, args []word) error {
	return s.each(ctx, args, func(name string) error {
		if strings.Contains(flags, "r") {
			return s.client.RemoveAll(ctx, name)
		}
		return s.client.Remove(ctx, name)
	})
}

func (s *Shell) rmdir(ctx context.Context, _ string, args []word) error {
	return s.each(ctx, args, func(name string) error { return s.client.Rmdir(ctx, name) })
}

// rename replaces an existing file where the server can do that in one step,
// as sftp(1) does; -l asks for the plain operation, which refuses to.
func (s *Shell) rename(ctx context.Context, flags string, args []word) error {
	from, to := s.remote(args[0].Text), s.remote(args[1].Text)
	if _, ok := s.client.Extension("posix-rename@openssh.com"); ok && !strings.Contains(flags, "l") {
		return s.client.PosixRename(ctx, from, to)
	}
	return s.client.Rename(ctx, from, to)
}

func (s *Shell) ln(ctx context.Context, flags string, args []word) error {
	if strings.Contains(flags, "s") {
		return s.symlink(ctx, "", args)
	}
	return s.client.Link(ctx, s.remote(args[0].Text), s.remote(args[1].Text))
}

func (s *Shell) symlink(ctx context.Context, _ string, args []word) error {
	return s.client.Symlink(ctx, args[0].Text, s.remote(args[1].Text))
}

func (s *Shell) chmod(ctx context.Context, _ string, args []word) error {
	n, err := strconv.ParseUint(args[0].Text, 8, 12)
	if err != nil {
		return usagef("%q is no mode: use octal digits, as 644", args[0].Text)
	}
	mode := fs.FileMode(n & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= flag
		}
	}
	return s.each(ctx, args[1:], func(name string) error { return s.client.Chmod(ctx, name, mode) })
}

func (s *Shell) chown(ctx context.Context, _ string, args []word) error {
	return s.changeOwner(ctx, args, func(_, gid int, n int) (int, int) { return n, gid })
}

func (s *Shell) chgrp(ctx context.Context, _ string, args []word) error {
	return s.changeOwner(ctx, args, func(uid, _ int, n int) (int, int) { return uid, n })
}

// changeOwner changes one of the two numbers, which SFTP sets together.
func (s *Shell) changeOwner(ctx context.Context, args []word, set func(uid, gid, n int) (int, int)) error {
	n, err := strconv.ParseUint(args[0].Text, 10, 31)
	if err != nil {
		return usagef("%q is no number of a user or group", args[0].Text)
	}
	return s.each(ctx, args[1:], func(name string) error {
		info, err := s.client.Stat(ctx, name)
		if err != nil {
			return err
		}
		a := info.Attrs()
		uid, gid := set(int(a.UID), int(a.GID), int(n))
		return s.client.Chown(ctx, name, uid, gid)
	})
}

func (s *Shell) df(ctx context.Context, flags string, args []word) error {
	dir := s.cwd
	if len(args) > 0 {
		dir = s.remote(args[0].Text)
	}
	v, err := s.client.StatVFS(ctx, dir)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.cfg.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	size := func(blocks uint64) string {
		n := blocks * v.Frsize
		if strings.Contains(flags, "h") {
			return Size(n)
		}
		return strconv.FormatUint(n/1024, 10)
	}
	used := v.Blocks - min(v.Bfree, v.Blocks)
	full := "-"
	if total := used + v.Bavail; total > 0 {
		full = fmt.Sprintf("%d%%", (used*100+total-1)/total)
	}
	if strings.Contains(flags, "i") {
		fmt.Fprintf(w, "inodes\tused\tfree\tavailable\t\n%d\t%d\t%d\t%d\t\n", v.Files, v.Files-min(v.Ffree, v.Files), v.Ffree, v.Favail)
		return w.Flush()
	}
	fmt.Fprintf(w, "size\tused\tavailable\t(root)\tcapacity\t\n%s\t%s\t%s\t%s\t%s\t\n",
		size(v.Blocks), size(used), size(v.Bavail), size(v.Bfree), full)
	return w.Flush()
}

// Size writes a number of bytes for people: three digits and a binary unit.
func Size(n uint64) string {
	if n < 1024 {
		return fmt.Sprintf("%dB", n)
	}
	x, units := float64(n), "KMGTPE"
	i := -1
	for x >= 999.5 && i < len(units)-1 || i < 0 {
		x /= 1024
		i++
	}
	if x < 9.95 {
		return fmt.Sprintf("%.1f%c", x, units[i])
	}
	return fmt.Sprintf("%.0f%c", x, units[i])
}

func (s *Shell) local(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(s.lcwd, name)
}

func (s *Shell) lcd(_ context.Context, _ string, args []word) error {
	dir := s.cfg.Home
	if len(args) > 0 {
		dir = s.local(args[0].Text)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "lcd", Path: dir, Err: errors.New("not a directory")}
	}
	s.lcwd = dir
	return nil
}

func (s *Shell) lpwd(context.Context, string, []word) error {
	s.printf("%s\n", s.lcwd)
	return nil
}

func (s *Shell) lls(_ context.Context, flags string, args []word) error {
	dir := s.lcwd
	if len(args) > 0 {
		dir = s.local(args[0].Text)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), ".") && !strings.Contains(flags, "a") {
			continue
		}
		if info, err := e.Info(); err == nil && strings.Contains(flags, "l") {
			s.printf("%s\n", fs.FormatFileInfo(info))
			continue
		}
		s.printf("%s\n", e.Name())
	}
	return nil
}

func (s *Shell) lmkdir(_ context.Context, _ string, args []word) error {
	return os.Mkdir(s.local(args[0].Text), 0o777)
}

func (s *Shell) toggleProgress(context.Context, string, []word) error {
	s.progress = !s.progress
	state := "off"
	if s.progress {
		state = "on"
	}
	s.remark("progress is %s", state)
	return nil
}

func (s *Shell) version(context.Context, string, []word) error {
	s.printf("SFTP version %d\n", s.client.Version())
	extensions := s.client.Extensions()
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		s.printf("  %s %s\n", s.cfg.Clean(name), s.cfg.Clean(extensions[name]))
	}
	return nil
}

func (s *Shell) help(context.Context, string, []word) error {
	w := tabwriter.NewWriter(s.cfg.Stdout, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(w, "%s\t%s\n", c.usage, c.about)
	}
	return w.Flush()
}
