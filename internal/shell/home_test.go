package shell

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// nest is a backend with homes and names.
type nest struct{ *backend.MemoryFS }

func (nest) HomeDir() string { return "/home/lark" }

func (nest) UserHome(_ context.Context, user string) (string, error) {
	if user != "wren" {
		return "", fs.ErrNotExist
	}
	return "/home/wr*n", nil
}

func (nest) UserName(_ context.Context, uid uint32) string {
	return map[uint32]string{0: "lark", 7: "w\x1bren"}[uid]
}

func (nest) GroupName(_ context.Context, gid uint32) string {
	return map[uint32]string{0: "birds"}[gid]
}

func newNest(t *testing.T) *bench {
	t.Helper()
	files := nest{backend.Memory(0)}
	for _, dir := range []string{"/home", "/home/lark", "/home/wr*n", "/home/wr*n/eggs", "/home/wrxn"} {
		if err := files.Mkdir(t.Context(), dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := newBenchOn(t, false, files)
	b.write(t, "one", "1")
	b.write(t, "two", "22")
	return b
}

func TestHomes(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{"cd /", "cd ~", "pwd"}, "/home/lark\n"},
		{[]string{"cd ~wren/eggs", "pwd"}, "/home/wr*n/eggs\n"},
		{[]string{"ls ~wren"}, "eggs\n"},
		{[]string{"put one ~wren/e1", "ls ~wren/e*"}, "/home/wr*n/e1\n/home/wr*n/eggs\n"},
		{[]string{"put one ~wren/here", "cd /", "ls ~wren/"}, "eggs\nhere\n"},
		{[]string{"put one '~'", `put two '~x'`, "ls"}, "~\n~x\n"},
		{[]string{"put one '~'", `rename \~ plain`, "ls"}, "plain\n"},
		{[]string{"put one", "rename one ~wren/moved", "ls ~wren"}, "eggs\nmoved\n"},
		{[]string{"symlink ~/x l", "stat l"}, "leads to ~/x\n"},
		{[]string{"ln -s ~/x l", "stat l"}, "leads to ~/x\n"},
		{[]string{"put one", "ln one ~wren/l", "ls ~wren"}, "eggs\nl\n"},
		{[]string{"put one", "chmod 600 ~/one", "ls -l one"}, "-rw------- "},
		{[]string{"mkdir -p ~/a/b", "ls"}, "a\n"},
		{[]string{"put one a~b", "ls"}, "a~b\n"},
		{[]string{"put one", "get ~/one back", "lls"}, "back\none\ntwo\n"},
	} {
		b := newNest(t)
		if got := b.run(t, tt.lines...); got != tt.want && (!strings.Contains(tt.want, " ") || !strings.Contains(got, tt.want)) {
			t.Errorf("%q printed %q, want %q", tt.lines, got, tt.want)
		}
	}
	b := newNest(t)
	if err := b.Run(t.Context(), "ls ~nobody"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ls ~nobody: %v", err)
	}
	if got, want := b.Complete(t.Context(), "ls ~wren/e"), []string{"ls ~wren/eggs/"}; !slices.Equal(got, want) {
		t.Errorf("completion offers %q, want %q", got, want)
	}
}

func TestCopy(t *testing.T) {
	b := newNest(t)
	b.run(t, "put one", "put two", "mkdir d", "cp one three", "cp two ~wren", "cp t* d", "cp d/two one")
	for line, want := range map[string]string{"ls": "d\none\nthree\ntwo\n", "ls ~wren": "eggs\ntwo\n", "ls d": "three\ntwo\n"} {
		if got := b.run(t, line); got != want {
			t.Errorf("%s printed %q, want %q", line, got, want)
		}
	}
	if got := b.run(t, "stat one"); !strings.Contains(got, "size 2\n") {
		t.Errorf("one was not replaced: %q", got)
	}
	for _, line := range []string{"cp one one", "cp none x", "cp t* one", "cp t* nowhere"} {
		if err := b.Run(t.Context(), line); err == nil {
			t.Errorf("%s succeeded", line)
		}
	}
	if got := b.run(t, "stat one"); !strings.Contains(got, "size 2\n") {
		t.Errorf("one was changed by a copy that failed: %q", got)
	}
}

func TestOwners(t *testing.T) {
	b := newNest(t)
	b.run(t, "put one", "put two", "mkdir d", "chown 7 two", "chgrp 8 two")
	for _, line := range []string{"ls -l", "ls -l one two"} {
		got := b.run(t, line)
		if !strings.Contains(got, " lark     birds ") || !strings.Contains(got, " w?ren    8 ") {
			t.Errorf("%s printed\n%s", line, got)
		}
	}
	if got := b.run(t, "ls -n two"); !strings.Contains(got, " 7        8 ") {
		t.Errorf("ls -n printed %q", got)
	}
	b.run(t, "chown 5 one")
	if got := b.run(t, "ls -n one"); !strings.Contains(got, " 5        0 ") {
		t.Errorf("chown changed more than the owner: %q", got)
	}
	b = newBenchOn(t, false, bare{backend.Memory(0)})
	b.write(t, "one", "1")
	if got := b.run(t, "put one", "ls -l one"); !strings.Contains(got, " 0        0 ") {
		t.Errorf("without names ls -l printed %q", got)
	}
}

// bare is a backend that knows no names.
type bare struct{ sftpserver.Backend }
