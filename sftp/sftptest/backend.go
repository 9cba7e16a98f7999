package sftptest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// Backend is the suite that every backend passes. Each part calls create for a
// backend of its own and an empty directory in it, a path of the form that
// backends get.
func Backend(t *testing.T, create func(t *testing.T) (b sftpserver.Backend, dir string)) {
	for _, part := range []struct {
		name string
		run  func(*tester)
	}{
		{"create, write, read", (*tester).readWrite},
		{"open flags", (*tester).openFlags},
		{"append", (*tester).appends},
		{"holes", (*tester).holes},
		{"open what is no file", (*tester).openOther},
		{"list", (*tester).list},
		{"stat", (*tester).stat},
		{"set attributes", (*tester).setStat},
		{"set attributes of an open file", (*tester).setFileStat},
		{"mkdir", (*tester).mkdir},
		{"remove", (*tester).remove},
		{"rmdir", (*tester).rmdir},
		{"rename", (*tester).rename},
		{"rename over something", (*tester).renameOver},
		{"hard link", (*tester).link},
		{"symbolic link", (*tester).symlink},
		{"symbolic link in the middle", (*tester).symlinkDir},
		{"symbolic link that leads nowhere", (*tester).symlinkDangling},
		{"symbolic link that leads to itself", (*tester).symlinkLoop},
		{"real path", (*tester).realPath},
		{"space", (*tester).space},
		{"set attributes of a link", (*tester).setLinkStat},
		{"homes", (*tester).homes},
		{"names of owners", (*tester).ownerNames},
		{"copy a range", (*tester).copyRange},
	} {
		t.Run(part.name, func(t *testing.T) {
			b, dir := create(t)
			part.run(&tester{T: t, b: b, dir: dir, ctx: t.Context()})
		})
	}
}

// tester is a backend under test.
type tester struct {
	*testing.T
	b   sftpserver.Backend
	dir string
	ctx context.Context //nolint:containedctx // of one test
}

func (t *tester) p(name string) string { return path.Join(t.dir, name) }

// ok fails the test unless err is nil.
func (t *tester) ok(err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// is fails the test unless err says want, which nil makes any error.
func (t *tester) is(err, want error, what string) {
	t.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

const (
	rw     = sftp.OpenRead | sftp.OpenWrite
	create = rw | sftp.OpenCreate
)

func (t *tester) open(name string, flags sftp.OpenFlags) sftpserver.File {
	t.Helper()
	f, err := t.b.Open(t.ctx, t.p(name), flags, 0o644)
	t.ok(err, "open "+name)
	t.Cleanup(func() { f.Close() })
	return f
}

func (t *tester) write(name, text string) {
	t.Helper()
	f, err := t.b.Open(t.ctx, t.p(name), create|sftp.OpenTruncate, 0o644)
	t.ok(err, "create "+name)
	_, err = f.WriteAt([]byte(text), 0)
	t.ok(err, "write "+name)
	t.ok(f.Close(), "close "+name)
}

func (t *tester) content(name string) string {
	t.Helper()
	f, err := t.b.Open(t.ctx, t.p(name), sftp.OpenRead, 0)
	t.ok(err, "open "+name)
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	t.ok(err, "read "+name)
	return string(b)
}

func (t *tester) wantContent(name, want string) {
	t.Helper()
	if got := t.content(name); got != want {
		t.Errorf("%s holds %q, want %q", name, got, want)
	}
}

func (t *tester) missing(name string) {
	t.Helper()
	_, err := t.b.Stat(t.ctx, t.p(name), false)
	t.is(err, fs.ErrNotExist, "stat "+name+", which is not there")
}

func (t *tester) lstat(name string) sftp.Attrs {
	t.Helper()
	a, err := t.b.Stat(t.ctx, t.p(name), false)
	t.ok(err, "lstat "+name)
	return a
}

func (t *tester) mode(name string, want fs.FileMode) {
	t.Helper()
	a := t.lstat(name)
	if got := a.FileMode().Type(); got != want {
		t.Errorf("type of %s is %v, want %v", name, got, want)
	}
}

func (t *tester) names(name string, n int) []string {
	t.Helper()
	d, err := t.b.OpenDir(t.ctx, t.p(name))
	t.ok(err, "opendir "+name)
	defer func() { t.ok(d.Close(), "close directory") }()
	var all []string
	for {
		list, err := d.ReadDir(n)
		if len(list) > n {
			t.Fatalf("ReadDir(%d) returned %d entries", n, len(list))
		}
		for _, e := range list {
			all = append(all, e.Name)
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(all)
			return all
		}
		t.ok(err, "readdir "+name)
		if len(list) == 0 {
			t.Fatalf("ReadDir(%d) returned nothing and no error", n)
		}
	}
}

func (t *tester) readWrite() {
	f := t.open("a", create)
	for _, part := range []struct {
		off  int64
		text string
	}{{6, "world"}, {0, "hello "}, {5, "_"}} {
		n, err := f.WriteAt([]byte(part.text), part.off)
		if n != len(part.text) || err != nil {
			t.Errorf("WriteAt(%q, %d) = %d, %v", part.text, part.off, n, err)
		}
	}
	b := make([]byte, 20)
	if n, err := f.ReadAt(b, 6); string(b[:n]) != "world" || !errors.Is(err, io.EOF) {
		t.Errorf("ReadAt(6) = %q, %v, want \"world\", EOF", b[:n], err)
	}
	if n, err := f.ReadAt(b[:5], 0); string(b[:n]) != "hello" || err != nil {
		t.Errorf("ReadAt(0) = %q, %v", b[:n], err)
	}
	for _, off := range []int64{11, 12, 1 << 40} {
		if n, err := f.ReadAt(b, off); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("ReadAt(%d), behind the end, = %d, %v, want 0, EOF", off, n, err)
		}
	}
	a, err := f.Stat()
	if err != nil || !a.Has(sftp.AttrSize) || a.Size != 11 {
		t.Errorf("Stat of the open file = %+v, %v, want size 11", a, err)
	}
	if s, ok := f.(sftpserver.Syncer); ok {
		t.ok(s.Sync(), "sync")
	}
	t.ok(f.Close(), "close")
	t.wantContent("a", "hello_world")
}

func (t *tester) openFlags() {
	_, err := t.b.Open(t.ctx, t.p("none"), sftp.OpenRead, 0)
	t.is(err, fs.ErrNotExist, "open of a missing file")
	_, err = t.b.Open(t.ctx, t.p("none/a"), create, 0o644)
	t.is(err, fs.ErrNotExist, "create in a missing directory")
	t.write("a", "abc")
	_, err = t.b.Open(t.ctx, t.p("a"), create|sftp.OpenExcl, 0o644)
	t.is(err, fs.ErrExist, "exclusive creation of an existing file")
	t.open("a", create)
	t.wantContent("a", "abc")
	t.open("a", sftp.OpenWrite|sftp.OpenTruncate)
	t.wantContent("a", "")
	t.open("new", create|sftp.OpenExcl)
	t.wantContent("new", "")
}

func (t *tester) appends() {
	t.write("a", "one")
	f := t.open("a", sftp.OpenWrite|sftp.OpenAppend)
	for _, text := range []string{",two", ",three"} {
		_, err := f.WriteAt([]byte(text), 0)
		t.ok(err, "append")
	}
	t.wantContent("a", "one,two,three")
}

func (t *tester) holes() {
	f := t.open("a", create)
	_, err := f.WriteAt([]byte("end"), 100_000)
	t.ok(err, "write far behind the end")
	b := make([]byte, 100_003)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("ReadAt: %v", err)
	}
	for i, x := range b[:100_000] {
		if x != 0 {
			t.Fatalf("byte %d of a hole is %#x", i, x)
		}
	}
	if string(b[100_000:]) != "end" {
		t.Errorf("behind the hole stands %q, want \"end\"", b[100_000:])
	}
}

func (t *tester) openOther() {
	t.write("file", "x")
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	_, err := t.b.Open(t.ctx, t.p("dir"), sftp.OpenRead, 0)
	t.is(err, nil, "open of a directory as a file")
	_, err = t.b.OpenDir(t.ctx, t.p("file"))
	t.is(err, nil, "opendir of a file")
	_, err = t.b.OpenDir(t.ctx, t.p("none"))
	t.is(err, fs.ErrNotExist, "opendir of nothing")
	_, err = t.b.Open(t.ctx, t.p("file/below"), create, 0o644)
	t.is(err, nil, "open below a file")
}

func (t *tester) list() {
	want := []string{"a", "b c", "d", "name with \u00e9"}
	for _, name := range want {
		t.write(name, "12345")
	}
	for _, n := range []int{1, 3, 100} {
		if got := t.names(".", n); !slices.Equal(got, want) {
			t.Errorf("listed by %d: %q, want %q", n, got, want)
		}
	}
	t.ok(t.b.Mkdir(t.ctx, t.p("empty"), 0o755), "mkdir")
	if got := t.names("empty", 10); len(got) != 0 {
		t.Errorf("an empty directory holds %q", got)
	}
	d, err := t.b.OpenDir(t.ctx, t.dir)
	t.ok(err, "opendir")
	defer d.Close()
	list, err := d.ReadDir(10)
	t.ok(err, "readdir")
	for _, e := range list {
		if e.Name == "a" && (e.Attrs.Size != 5 || !e.Attrs.FileMode().IsRegular()) {
			t.Errorf("a is listed with %+v, want a regular file of 5 bytes", e.Attrs)
		}
		if e.Name == "empty" && !e.Attrs.FileMode().IsDir() {
			t.Errorf("empty is listed with %+v, want a directory", e.Attrs)
		}
	}
}

func (t *tester) stat() {
	t.write("a", "12345")
	a := t.lstat("a")
	if a.Size != 5 || !a.FileMode().IsRegular() || time.Since(a.ModTime()).Abs() > time.Hour {
		t.Errorf("attributes %+v, want a new regular file of 5 bytes", a)
	}
	t.mode(".", fs.ModeDir)
	t.missing("none")
	_, err := t.b.Stat(t.ctx, t.p("a/below"), true)
	t.is(err, nil, "stat below a file")
}

// wantAttrs are set by both tests of setting attributes.
func wantAttrs() (a sftp.Attrs) {
	a.SetSize(3)
	a.SetPermissions(0o600)
	a.SetTimes(time.Unix(1_000_000_000, 0), time.Unix(1_100_000_000, 0))
	return a
}

func (t *tester) checkAttrs(name string) {
	t.Helper()
	got, want := t.lstat(name), wantAttrs()
	if got.Size != want.Size || got.MTime != want.MTime || got.ATime != want.ATime {
		t.Errorf("attributes %+v, want %+v", got, want)
	}
	if got.FileMode() != 0o600 && got.FileMode() != 0o666 { // Windows knows only writable or not
		t.Errorf("mode %v, want -rw-------", got.FileMode())
	}
	if got := t.content(name); got != "123" {
		t.Errorf("content %q after truncation, want \"123\"", got)
	}
}

func (t *tester) setStat() {
	t.write("a", "12345")
	a := wantAttrs()
	a.SetPermissions(0o600 | sftp.ModeDir) // the type is not the client's to set
	t.ok(t.b.SetStat(t.ctx, t.p("a"), &a), "setstat")
	a = t.lstat("a")
	if !a.FileMode().IsRegular() {
		t.Errorf("setstat changed the type to %v", a.FileMode())
	}
	t.ok(t.b.SetStat(t.ctx, t.p("a"), ptr(wantAttrs())), "setstat")
	a = t.lstat("a")
	if a.Size != 3 || a.MTime != 1_100_000_000 || a.ATime != 1_000_000_000 {
		t.Errorf("attributes %+v, want size 3 and the times set", a)
	}
	t.ok(t.b.SetStat(t.ctx, t.p("a"), &sftp.Attrs{}), "setstat of nothing")
	var grow sftp.Attrs
	grow.SetSize(6)
	t.ok(t.b.SetStat(t.ctx, t.p("a"), &grow), "setstat of a larger size")
	t.wantContent("a", "123\x00\x00\x00")
	t.is(t.b.SetStat(t.ctx, t.p("none"), &grow), fs.ErrNotExist, "setstat of a missing file")
	var mode sftp.Attrs
	mode.SetPermissions(0o700)
	t.ok(t.b.Mkdir(t.ctx, t.p("dir"), 0o755), "mkdir")
	t.ok(t.b.SetStat(t.ctx, t.p("dir"), &mode), "setstat of a directory")
}

func ptr[T any](v T) *T { return &v }

func (t *tester) setFileStat() {
	t.write("a", "12345")
	f := t.open("a", rw)
	t.ok(f.SetStat(ptr(wantAttrs())), "setstat")
	t.ok(f.Close(), "close")
	t.checkAttrs("a")
}
