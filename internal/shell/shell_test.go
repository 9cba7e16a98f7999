package shell

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/sftp/transfer"
)

// bench is a shell with a server in memory and a local directory.
type bench struct {
	*Shell
	out, remarks bytes.Buffer
	local        string
	ended        int // transfers that were shown
}

func newBench(t *testing.T, quiet bool) *bench {
	t.Helper()
	return newBenchOn(t, quiet, backend.Memory(1<<30))
}

func newBenchOn(t *testing.T, quiet bool, files sftpserver.Backend) *bench {
	t.Helper()
	near, far := testkit.Pipe()
	served := make(chan error, 1)
	go func() { served <- sftpserver.Serve(t.Context(), far, files, nil) }() // stops when the pipe is closed
	client, err := sftpclient.NewPipe(t.Context(), near, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		<-served
	})
	b := &bench{local: t.TempDir()}
	b.Shell, err = New(t.Context(), client, b.local, Config{
		Stdout: &b.out, Stderr: &b.remarks, Quiet: quiet, Home: b.local, Clean: func(s string) string { return strings.ReplaceAll(s, "\x1b", "?") },
		Progress: func() (func(transfer.Event), func()) { return func(transfer.Event) {}, func() { b.ended++ } },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// run carries out lines, which must succeed, and returns what the last one
// printed.
func (b *bench) run(t *testing.T, lines ...string) string {
	t.Helper()
	for _, line := range lines {
		b.out.Reset()
		if err := b.Run(t.Context(), line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return b.out.String()
}

func (b *bench) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.local, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string // the output of the last one is looked at
		want  string
	}{
		{"nothing", []string{"", "   ", "# comment"}, ""},
		{"start", []string{"pwd"}, "/\n"},
		{"directories", []string{"mkdir a", "mkdir a/b", "cd a", "cd b", "pwd"}, "/a/b\n"},
		{"home again", []string{"mkdir a", "cd a", "cd", "pwd"}, "/\n"},
		{"up", []string{"mkdir -p a/b", "cd a/b", "cd ../..", "pwd"}, "/\n"},
		{"cd by pattern", []string{"mkdir long-name", "cd lo*", "pwd"}, "/long-name\n"},
		{"list", []string{"put one", "put two", "mkdir dir", "ls"}, "dir\none\ntwo\n"},
		{"hidden", []string{"put one .one", "put one", "ls"}, "one\n"},
		{"all", []string{"put one .one", "put one", "ls -a"}, ".one\none\n"},
		{"reversed", []string{"put one", "put two", "ls -r"}, "two\none\n"},
		{"by size", []string{"put one", "put two", "ls -S"}, "two\none\n"},
		{"several", []string{"put one", "mkdir d", "put two d", "ls one d"}, "one\n\n/d:\ntwo\n"},
		{"pattern", []string{"put one", "put one other", "put two", "ls o*"}, "one\nother\n"},
		{"pattern below", []string{"mkdir d", "put one d", "ls d/o*"}, "d/one\n"},
		{"quoted", []string{`put one "a b"`, `put one 'c*d'`, "put one cd", `ls a\ b "c*d"`}, "a b\nc*d\n"},
		{"rename", []string{"put one", "rename one three", "ls"}, "three\n"},
		{"rename over", []string{"put one", "put two", "rename two one", "ls"}, "one\n"},
		{"remove", []string{"put one", "put two", "rm o*", "ls"}, "two\n"},
		{"remove all", []string{"mkdir -p d/e/f", "put one d/e", "rm -r d", "ls"}, ""},
		{"rmdir", []string{"mkdir d", "mkdir e", "rmdir d e", "ls"}, ""},
		{"symbolic link", []string{"put one", "ln -s one l", "stat l"}, "leads to one\n"},
		{"link", []string{"put two", "ln two l", "ls"}, "l\ntwo\n"},
		{"mode", []string{"put one", "chmod 711 one", "ls -l one"}, "-rwx--x--x "},
		{"long", []string{"put two", "ls -ln"}, " 8 "},
		{"attributes", []string{"put two", "stat two"}, "size 8\n"},
		{"local", []string{"lmkdir sub", "lcd sub", "lcd ..", "lls"}, "one\nsub\ntwo\n"},
		{"version", []string{"version"}, "SFTP version 3\n"},
		{"help", []string{"help"}, "rename [-l] OLD NEW"},
		{"names of a terminal", []string{"put one 'a\x1bb'", "ls"}, "a?b\n"},
		{"flags end", []string{"put -- one -x", "ls"}, "-x\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, false)
			b.write(t, "one", "1")
			b.write(t, "two", "22222222")
			got := b.run(t, tt.lines...)
			if got != tt.want && !(tt.want != "" && len(tt.want) < len(got) && strings.Contains(got, tt.want)) {
				t.Errorf("%q printed %q, want %q", tt.lines[len(tt.lines)-1], got, tt.want)
			}
		})
	}
}

func TestPut(t *testing.T) {
	b := newBench(t, false)
	b.write(t, "one", "1")
	b.write(t, "two", "22")
	if err := os.MkdirAll(filepath.Join(b.local, "tree", "deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.write(t, "tree/deep/leaf", "green")
	b.run(t, "put one two /", "put -r tree", "mkdir in", "put o* t?o in/", "put one in/renamed")
	for line, want := range map[string]string{
		"ls": "in\none\ntree\ntwo\n", "ls in": "one\nrenamed\ntwo\n", "ls tree/deep": "leaf\n", "get tree/deep/leaf back": "",
	} {
		if got := b.run(t, line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(b.local, "back")); err != nil || string(text) != "green" {
		t.Errorf("came back as %q, %v", text, err)
	}
}

func TestGet(t *testing.T) {
	b := newBench(t, false)
	b.write(t, "one", "1")
	b.write(t, "two", "22")
	b.run(t, "put one", "put two", "mkdir -p d/e", "put one d/e", "lmkdir got", "get one got/renamed", "get o* t* got", "get -r d got", "lcd got", "get -p one again")
	for name, want := range map[string]string{"got/renamed": "1", "got/one": "1", "got/two": "22", "got/d/e/one": "1", "got/again": "1"} {
		text, err := os.ReadFile(filepath.Join(b.local, name))
		if err != nil || string(text) != want {
			t.Errorf("%s holds %q (%v), want %q", name, text, err, want)
		}
	}
	if b.ended == 0 {
		t.Error("no transfer was shown")
	}
	shown := b.ended
	b.run(t, "progress", "get two third")
	if b.ended != shown {
		t.Error("a transfer was shown though that is switched off")
	}
	if got := b.remarks.String(); got != "progress is off\n" {
		t.Errorf("remarks %q", got)
	}
	// A file that is there in part is continued.
	b.write(t, "got/two", "2")
	b.run(t, "get -a two")
	if text, err := os.ReadFile(filepath.Join(b.local, "got/two")); err != nil || string(text) != "22" {
		t.Errorf("continued: %q, %v", text, err)
	}
}

func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		line  string
		usage bool
		is    error
	}{
		{"frob", true, nil},
		{"ls -Z", true, nil},
		{"cd a b", true, nil},
		{"rename one", true, nil},
		{"get", true, nil},
		{`put "one`, true, nil},
		{"chmod rwx one", true, nil},
		{"chmod 99999 one", true, nil},
		{"chown root one", true, nil},
		{"chgrp -1 one", true, nil},
		{"ls [", true, nil},
		{"cd t*", true, nil}, // more than one
		{"cd nowhere", false, fs.ErrNotExist},
		{"ls nowhere", false, fs.ErrNotExist},
		{"ls nowhere*", false, fs.ErrNotExist},
		{"get nowhere", false, fs.ErrNotExist},
		{"get nowhere*", false, fs.ErrNotExist},
		{"put nowhere", false, fs.ErrNotExist},
		{"put nowhere*", false, fs.ErrNotExist},
		{"rm nowhere two", false, fs.ErrNotExist},
		{"stat nowhere", false, fs.ErrNotExist},
		{"lcd nowhere", false, fs.ErrNotExist},
		{"lls nowhere", false, fs.ErrNotExist},
		{"lmkdir here", false, fs.ErrExist},
		{"rename -l one two", false, nil}, // there already
		{"rename nowhere two", false, fs.ErrNotExist},
		{"mkdir dir", false, nil}, // there already
		{"rmdir dir", false, nil}, // not empty
		{"cd one", false, nil},
		{"lcd one", false, nil},
		{"get dir", false, transfer.ErrIsDirectory},
		{"get one two no-directory", false, transfer.ErrNotDirectory},
		{"exit", false, ErrExit},
		{"bye", false, ErrExit},
	} {
		t.Run(tt.line, func(t *testing.T) {
			b := newBench(t, true)
			b.write(t, "one", "1")
			b.run(t, "put one", "put one two", "put one three", "mkdir dir", "put one dir", "lmkdir here")
			err := b.Run(t.Context(), tt.line)
			var usage *UsageError
			if err == nil || errors.As(err, &usage) != tt.usage || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("%s: %v, want %v (wrong line: %v)", tt.line, err, tt.is, tt.usage)
			}
			if strings.HasPrefix(tt.line, "rm ") && b.run(t, "ls") != "dir\none\nthree\n" {
				t.Error("what could be removed was not")
			}
		})
	}
}

func TestCanceled(t *testing.T) {
	b := newBench(t, true)
	b.write(t, "one", "1")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, line := range []string{"ls", "cd /", "put one", "rm *"} {
		if err := b.Run(ctx, line); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", line, err)
		}
	}
	b.run(t, "put one", "ls") // the session lives
}

func TestComplete(t *testing.T) {
	b := newBench(t, true)
	b.write(t, "one", "1")
	b.run(t, "put one", "put one other", "put one 'a b'", "mkdir -p dir/sub")
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"lp", []string{"lpwd "}},
		{"re", []string{"rename "}},
		{"zz", nil},
		{"get o", []string{"get one ", "get other "}},
		{"get a", nil}, // it would need quotes
		{"cd d", []string{"cd dir/"}},
		{"cd dir/", []string{"cd dir/sub/"}},
		{"cd /dir/s", []string{"cd /dir/sub/"}},
		{"ls nowhere/", nil},
	} {
		if got := b.Complete(t.Context(), tt.line); !slices.Equal(got, tt.want) {
			t.Errorf("Complete(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

func TestColumns(t *testing.T) {
	b := newBench(t, true)
	b.write(t, "f", "")
	b.cfg.Columns = 20
	b.run(t, "put f aaaa", "put f b", "put f cc", "put f ddd", "put f eeee")
	if got, want := b.run(t, "ls"), "aaaa  cc    eeee\nb     ddd\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if got, want := b.run(t, "ls -1"), "aaaa\nb\ncc\nddd\neeee\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestSize(t *testing.T) {
	for _, tt := range []struct {
		n    uint64
		want string
	}{
		{0, "0B"}, {1023, "1023B"}, {1024, "1.0K"}, {10 << 10, "10K"}, {1<<20 - 1, "1.0M"}, {1536 << 10, "1.5M"}, {1 << 40, "1.0T"}, {1<<64 - 1, "16E"},
	} {
		if got := Size(tt.n); got != tt.want {
			t.Errorf("Size(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
}
