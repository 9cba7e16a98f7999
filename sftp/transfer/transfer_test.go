package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// connect begins a session with our own server over a pipe.
func connect(tb testing.TB, b sftpserver.Backend, pipe testkit.PipeConfig) *sftpclient.Client {
	tb.Helper()
	near, far := testkit.NewPipe(pipe)
	served := make(chan struct{})
	go func() { // stops when the client closes its end
		defer close(served)
		_ = sftpserver.Serve(context.Background(), far, b, nil)
	}()
	c, err := sftpclient.NewPipe(context.Background(), near, nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Close()
		<-served
	})
	return c
}

func memory(tb testing.TB) *sftpclient.Client {
	return connect(tb, backend.Memory(0), testkit.PipeConfig{Buffer: 1 << 20})
}

// tree is what there is below a directory: text of files by path, "/" behind
// directories, "->" before the targets of links.
type tree map[string]string

func (tr tree) build(t *testing.T, dir string) {
	t.Helper()
	for _, name := range tr.names() {
		full := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(full), 0o755)
		switch text := tr[name]; {
		case err != nil:
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(full, 0o755)
		case strings.HasPrefix(text, "->"):
			err = os.Symlink(text[2:], full)
		default:
			err = os.WriteFile(full, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (tr tree) names() []string {
	var list []string
	for name := range tr {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (tr tree) upload(t *testing.T, c *sftpclient.Client, dir string) {
	t.Helper()
	for _, name := range tr.names() {
		full := path.Join(dir, name)
		err := c.MkdirAll(t.Context(), path.Dir(full), 0o755)
		switch text := tr[name]; {
		case err != nil:
		case strings.HasSuffix(name, "/"):
			err = c.MkdirAll(t.Context(), full, 0o755)
		case strings.HasPrefix(text, "->"):
			err = c.Symlink(t.Context(), text[2:], full)
		default:
			err = write(t.Context(), c, full, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(ctx context.Context, c *sftpclient.Client, name, text string) error {
	f, err := c.Create(ctx, name)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// read reads a tree back.
func read(t *testing.T, f fs.FS) tree {
	t.Helper()
	tr := tree{}
	err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case d.IsDir():
			tr[name+"/"] = ""
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			target, err := fs.ReadLink(f, name)
			tr[name] = "->" + target
			return err
		}
		b, err := fs.ReadFile(f, name)
		tr[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (tr tree) String() string {
	var b strings.Builder
	for _, name := range tr.names() {
		fmt.Fprintf(&b, "%s=%.20q ", name, tr[name])
	}
	return b.String()
}

func random(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return string(b)
}

var sample = tree{
	"a": "text", "empty": "", "big": random(700_000), "d/e/f": "deep", "d/.hidden": "dot", "hollow/": "", "d/two": random(40_000),
}

// What goes up and comes down again is the same.
func TestThereAndBack(t *testing.T) {
	c := memory(t)
	dir := t.TempDir()
	sample.build(t, filepath.Join(dir, "src"))
	ctx := t.Context()
	o := &Options{Recursive: true}
	up, err := Put(ctx, c, []string{filepath.Join(dir, "src")}, "/up", o)
	if err != nil {
		t.Fatal(err)
	}
	want := read(t, os.DirFS(filepath.Join(dir, "src")))
	if got := read(t, c.FS(ctx, "/up")); got.String() != want.String() {
		t.Errorf("on the server: %v\nwant %v", got, want)
	}
	down, err := Get(ctx, c, []string{"/up"}, filepath.Join(dir, "down"), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, os.DirFS(filepath.Join(dir, "down"))); got.String() != want.String() {
		t.Errorf("back again: %v\nwant %v", got, want)
	}
	if res := (Result{Files: 6, Dirs: 4, Bytes: 740_011}); up != res || down != res {
		t.Errorf("results %+v and %+v, want %+v", up, down, res)
	}
}

// Each row is where things go, as cp and scp have it.
func TestTargets(t *testing.T) {
	tests := []struct {
		name    string
		sources []string
		target  string
		want    tree
		err     error
	}{
		{"file to a new name", []string{"a"}, "new", tree{"new": "A", "dir/": ""}, nil},
		{"file over a file", []string{"a"}, "old", tree{"old": "A", "dir/": ""}, nil},
		{"file into a directory", []string{"a"}, "dir", tree{"dir/": "", "dir/a": "A"}, nil},
		{"files into a directory", []string{"a", "b"}, "dir", tree{"dir/": "", "dir/a": "A", "dir/b": "B"}, nil},
		{"files to a new name", []string{"a", "b"}, "new", tree{"dir/": ""}, ErrNotDirectory},
		{"directory to a new name", []string{"d"}, "new", tree{"dir/": "", "new/": "", "new/x": "X"}, nil},
		{"directory into a directory", []string{"d"}, "dir", tree{"dir/": "", "dir/d/": "", "dir/d/x": "X"}, nil},
		{"what is in a directory", []string{"d/."}, "dir", tree{"dir/": "", "dir/d/": "", "dir/d/x": "X"}, nil},
		{"nothing", []string{"none"}, "new", tree{"dir/": ""}, fs.ErrNotExist},
		{"nothing and something", []string{"none", "a"}, "dir", tree{"dir/": "", "dir/a": "A"}, fs.ErrNotExist},
	}
	src := tree{"a": "A", "b": "B", "d/x": "X"}
	for _, tt := range tests {
		before := tree{"dir/": ""}
		if tt.target == "old" {
			before["old"] = "previous and longer"
		}
		t.Run("get "+tt.name, func(t *testing.T) {
			c := memory(t)
			dir := t.TempDir()
			src.upload(t, c, "/src")
			before.build(t, dir)
			var sources []string
			for _, s := range tt.sources {
				sources = append(sources, "/src/"+s)
			}
			_, err := Get(t.Context(), c, sources, filepath.Join(dir, tt.target), &Options{Recursive: true})
			if got := read(t, os.DirFS(dir)); got.String() != tt.want.String() || !errors.Is(err, tt.err) {
				t.Errorf("%v, %v\nwant %v, %v", got, err, tt.want, tt.err)
			}
		})
		t.Run("put "+tt.name, func(t *testing.T) {
			c := memory(t)
			dir := t.TempDir()
			src.build(t, dir)
			before.upload(t, c, "/to")
			var sources []string
			for _, s := range tt.sources {
				sources = append(sources, dir+"/"+s)
			}
			_, err := Put(t.Context(), c, sources, "/to/"+tt.target, &Options{Recursive: true})
			if got := read(t, c.FS(t.Context(), "/to")); got.String() != tt.want.String() || !errors.Is(err, tt.err) {
				t.Errorf("%v, %v\nwant %v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestPreserve(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are POSIX's")
	}
	c := memory(t)
	dir := t.TempDir()
	tree{"s/d/f": "x"}.build(t, dir)
	then := time.Unix(1_000_000_000, 0)
	for name, mode := range map[string]fs.FileMode{"s/d/f": 0o640 | fs.ModeSetuid, "s/d": 0o550} {
		full := filepath.Join(dir, name)
		if err := errors.Join(os.Chmod(full, mode), os.Chtimes(full, then, then)); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(full, 0o700)
	}
	ctx := t.Context()
	o := &Options{Recursive: true, Preserve: true}
	if _, err := Put(ctx, c, []string{dir + "/s"}, "/s", o); err != nil {
		t.Fatal(err)
	}
	// A server that tells of set-id bits does not get them onto our disk.
	if err := errors.Join(c.Chmod(ctx, "/s/d/f", 0o640|fs.ModeSetuid), c.Chtimes(ctx, "/s/d/f", then, then)); err != nil {
		t.Fatal(err)
	}
	if _, err := Get(ctx, c, []string{"/s"}, dir+"/back", o); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir+"/back/d", 0o700)
	for name, want := range map[string]fs.FileMode{"back/d/f": 0o640, "back/d": 0o550 | fs.ModeDir} {
		i, err := os.Stat(filepath.Join(dir, name))
		if err != nil || i.Mode() != want || !i.ModTime().Equal(then) {
			t.Errorf("%s: %v", name, fs.FormatFileInfo(i))
		}
	}
	for name, want := range map[string]fs.FileMode{"/s/d": 0o550 | fs.ModeDir} {
		i, err := c.Stat(ctx, name)
		if err != nil || i.Mode() != want || !i.ModTime().Equal(then) {
			t.Errorf("%s: %v, %v", name, i, err)
		}
	}
}

// Links in a tree are skipped with a note, or what they lead to is copied.
func TestLinks(t *testing.T) {
	links := tree{"t/f": "x", "t/link": "->f", "t/dirlink": "->d", "t/d/y": "y"}
	for _, follow := range []bool{false, true} {
		want, skipped := tree{"f": "x", "d/": "", "d/y": "y"}, int64(2)
		if follow {
			want["link"], want["dirlink/"], want["dirlink/y"], skipped = "x", "", "y", 0
		}
		var notes atomic.Int64
		o := &Options{Recursive: true, FollowLinks: follow, Progress: func(e Event) {
			if e.Kind == Note {
				notes.Add(1)
			}
		}}
		c := memory(t)
		ctx := t.Context()
		dir := t.TempDir()
		links.upload(t, c, "/")
		links.build(t, dir)
		got, err := Get(ctx, c, []string{"/t"}, dir+"/down", o)
		if tr := read(t, os.DirFS(dir+"/down")); tr.String() != want.String() || err != nil || got.Skipped != skipped {
			t.Errorf("follow %v: got %v, %+v, %v", follow, tr, got, err)
		}
		put, err := Put(ctx, c, []string{dir + "/t"}, "/up", o)
		if tr := read(t, c.FS(ctx, "/up")); tr.String() != want.String() || err != nil || put.Skipped != skipped {
			t.Errorf("follow %v: put %v, %+v, %v", follow, tr, put, err)
		}
		if notes.Load() != 2*skipped {
			t.Errorf("%d notes", notes.Load())
		}
	}
}

// A local link below the target of a download leads nowhere outside of it.
func TestGetStaysInside(t *testing.T) {
	c := memory(t)
	dir := t.TempDir()
	tree{"s/evil": "bad", "s/way/f": "bad"}.upload(t, c, "/")
	tree{"to/s/evil": "->../../outside", "to/s/way": "->../..", "outside": "good"}.build(t, dir)
	_, err := Get(t.Context(), c, []string{"/s"}, dir+"/to", &Options{Recursive: true})
	var te *Error
	if !errors.As(err, &te) || te.Count != 2 {
		t.Errorf("Get = %v, want two failures", err)
	}
	if b, err := os.ReadFile(dir + "/outside"); string(b) != "good" || err != nil {
		t.Errorf("a file outside: %q, %v", b, err)
	}
	if _, err := os.Stat(dir + "/f"); err == nil {
		t.Error("a file was made outside")
	}
}

func TestResume(t *testing.T) {
	content := random(300_000)
	tests := []struct {
		name  string
		have  string
		bytes int64 // copied
	}{
		{"nothing there", "", 300_000},
		{"a part", content[:200_000], 100_000},
		{"a small part", content[:3], 299_997},
		{"everything", content, 0},
		{"something else", random(200_000), 300_000},
		{"too much", content + "x", 300_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := memory(t)
			ctx := t.Context()
			dir := t.TempDir()
			tree{"src": content, "to": tt.have}.build(t, dir)
			tree{"src": content, "to": tt.have}.upload(t, c, "/")
			o := &Options{Resume: true}
			down, err := Get(ctx, c, []string{"/src"}, dir+"/to", o)
			if b, _ := os.ReadFile(dir + "/to"); string(b) != content || err != nil || down.Bytes != tt.bytes {
				t.Errorf("Get copied %d bytes, %v; right: %v", down.Bytes, err, string(b) == content)
			}
			up, err := Put(ctx, c, []string{dir + "/src"}, "/to", o)
			if b, _ := c.ReadFile(ctx, "/to"); string(b) != content || err != nil || up.Bytes != tt.bytes {
				t.Errorf("Put copied %d bytes, %v; right: %v", up.Bytes, err, string(b) == content)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	c := memory(t)
	tree{"a.go": "", "b.go": "", ".c.go": "", "d/e.go": "", "d2/e.go": "", "d2/f": "", "x[1]": ""}.upload(t, c, "/")
	tests := []struct {
		pattern string
		want    []string
	}{
		{"/*.go", []string{"/a.go", "/b.go"}},
		{"*.go", []string{"a.go", "b.go"}},
		{"/.*", []string{"/.c.go"}},
		{"/d*/e.go", []string{"/d/e.go", "/d2/e.go"}},
		{"/d*/f", []string{"/d2/f"}},
		{"/?.go", []string{"/a.go", "/b.go"}},
		{"/none*", nil},
		{"/none", []string{"/none"}},
		{`/x\[1]`, []string{"/x[1]"}},
	}
	for _, tt := range tests {
		if got, err := Glob(t.Context(), c, tt.pattern); !slices.Equal(got, tt.want) || err != nil {
			t.Errorf("Glob(%q) = %q, %v, want %q", tt.pattern, got, err, tt.want)
		}
	}
	if _, err := Glob(t.Context(), c, "[a"); !errors.Is(err, path.ErrBadPattern) {
		t.Errorf("bad pattern: %v", err)
	}
}

// 200 small files over a line of 50 ms share their round trips, in a tree and
// each by its name.
func TestSmallFilesAreFast(t *testing.T) {
	dir := t.TempDir()
	files := tree{}
	for i := range 200 {
		files[fmt.Sprintf("src/%d", i)] = random(1024)
	}
	files.build(t, dir)
	if err := os.Mkdir(dir+"/each", 0o755); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		line := testkit.Line{Delay: 25 * time.Millisecond}
		c := connect(t, backend.Memory(0), testkit.PipeConfig{Buffer: 4 << 20, C2S: line, S2C: line})
		o := &Options{Recursive: true}
		began := time.Now()
		if _, err := Put(t.Context(), c, []string{dir + "/src"}, "/up", o); err != nil {
			t.Fatal(err)
		}
		put := time.Since(began)
		began = time.Now()
		if _, err := Get(t.Context(), c, []string{"/up"}, dir+"/down", o); err != nil {
			t.Fatal(err)
		}
		get := time.Since(began)
		var sources []string
		for i := range 200 {
			sources = append(sources, fmt.Sprintf("/up/%d", i))
		}
		began = time.Now()
		if _, err := Get(t.Context(), c, sources, dir+"/each", nil); err != nil {
			t.Fatal(err)
		}
		each := time.Since(began)
		const most = 600 * time.Millisecond
		if put > most || get > most || each > most {
			t.Errorf("put took %v, get %v, get of each %v, want at most %v", put, get, each, most)
		}
		t.Logf("put %v, get %v, get of each %v", put, get, each)
	})
	for _, where := range []string{"/down", "/each"} {
		got := read(t, os.DirFS(dir+where))
		if len(got) != len(files) {
			t.Errorf("%s has %d files, want %d", where, len(got), len(files))
		}
		for name, text := range got {
			if !bytes.Equal([]byte(text), []byte(files["src/"+name])) {
				t.Errorf("%s%s is different", where, name)
			}
		}
	}
}
