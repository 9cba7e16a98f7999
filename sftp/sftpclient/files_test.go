package sftpclient_test

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

func TestFS(t *testing.T) {
	c := memory(t, testkit.PipeConfig{Buffer: 1 << 20}, nil)
	ctx := t.Context()
	if err := c.MkdirAll(ctx, "/root/dir/deep", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "dir/b", "dir/deep/c", "dir/.hidden"} {
		if err := write(ctx, c, "/root/"+name, "text of "+name); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Symlink(ctx, "a", "/root/link"); err != nil {
		t.Fatal(err)
	}
	f := c.FS(ctx, "/root")
	if err := fstest.TestFS(f, "a", "dir/b", "dir/deep/c", "dir/.hidden", "link"); err != nil {
		t.Error(err)
	}
	if target, err := fs.ReadLink(f, "link"); target != "a" || err != nil {
		t.Errorf("ReadLink = %q, %v", target, err)
	}
	if b, err := fs.ReadFile(f, "link"); string(b) != "text of a" || err != nil {
		t.Errorf("ReadFile = %q, %v", b, err)
	}
	sub, err := fs.Sub(f, "dir")
	if err != nil {
		t.Fatal(err)
	}
	if i, err := fs.Stat(sub, "b"); err != nil || i.Name() != "b" || i.Size() != 13 {
		t.Errorf("Stat in Sub = %v, %v", i, err)
	}
	for _, name := range []string{"../x", "/a", ""} {
		if _, err := f.Open(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Open(%q) = %v", name, err)
		}
	}
	var pe *fs.PathError
	if _, err := f.Open("none"); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &pe) || pe.Path != "none" {
		t.Errorf("Open of nothing = %v", err)
	}
}

// 64 MiB there and back, and the reader's other ways.
func TestHash(t *testing.T) {
	if testing.Short() {
		t.Skip("64 MiB")
	}
	c := memory(t, testkit.PipeConfig{Buffer: 1 << 20}, nil)
	ctx := t.Context()
	content := randomBytes(64<<20, 7)
	f, err := c.Create(ctx, "/big")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Write(content); n != len(content) || err != nil {
		t.Fatalf("Write = %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err = c.Open(ctx, "/big"); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if n, err := f.WriteTo(h); n != int64(len(content)) || err != nil {
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	if want := sha256.Sum256(content); string(h.Sum(nil)) != string(want[:]) {
		t.Error("what came back is not what was sent")
	}
}

func TestFile(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	content := randomBytes(10_000, 3)
	f, err := c.Create(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content[:5000]); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(content[5000:], 5000); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(ctx); err != nil {
		t.Errorf("Sync = %v", err)
	}
	if err := iotest.TestReader(io.NewSectionReader(f, 0, 10_000), content); err != nil {
		t.Error(err)
	}
	if off, err := f.Seek(-10, io.SeekEnd); off != 9990 || err != nil {
		t.Errorf("Seek = %d, %v", off, err)
	}
	if off, err := f.Seek(-20_000, io.SeekCurrent); off != 9990 || !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Seek before the beginning = %d, %v", off, err)
	}
	then := time.Unix(1_000_000_000, 0)
	err = errors.Join(f.Truncate(ctx, 77), f.Chmod(ctx, 0o640), f.Chtimes(ctx, then, then))
	if err != nil {
		t.Error(err)
	}
	i, err := f.Stat(ctx)
	if err != nil || i.Size() != 77 || i.Mode() != 0o640 || !i.ModTime().Equal(then) || i.Name() != "f" || i.IsDir() {
		t.Errorf("Stat = %v, %v", i, err)
	}
	read, err := c.Open(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := iotest.TestReader(read, content[:77]); err != nil {
		t.Error(err)
	}
}

func TestPaths(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	if err := write(ctx, c, "/a", "x"); err != nil {
		t.Fatal(err)
	}
	then := time.Unix(1_000_000_000, 0)
	ok := map[string]error{
		"Chmod":       c.Chmod(ctx, "/a", 0o600),
		"Truncate":    c.Truncate(ctx, "/a", 5),
		"Chtimes":     c.Chtimes(ctx, "/a", then, then),
		"Rename":      c.Rename(ctx, "/a", "/b"),
		"Link":        c.Link(ctx, "/b", "/c"),
		"PosixRename": c.PosixRename(ctx, "/c", "/d"),
		"Symlink":     c.Symlink(ctx, "d", "/l"),
		"Remove":      c.Remove(ctx, "/b"),
		"Mkdir":       c.Mkdir(ctx, "/m", 0o755),
		"Rmdir":       c.Rmdir(ctx, "/m"),
	}
	for name, err := range ok {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if i, err := c.Stat(ctx, "/l"); err != nil || i.Size() != 5 || !i.ModTime().Equal(then) {
		t.Errorf("Stat = %v, %v", i, err)
	}
	if i, err := c.Lstat(ctx, "/l"); err != nil || i.Type() != fs.ModeSymlink {
		t.Errorf("Lstat = %v, %v", i, err)
	}
	if p, err := c.RealPath(ctx, "/x/../l"); p != "/d" && p != "/l" || err != nil {
		t.Errorf("RealPath = %q, %v", p, err)
	}
	if p, err := c.Getwd(ctx); p != "/" || err != nil {
		t.Errorf("Getwd = %q, %v", p, err)
	}
	var le *os.LinkError
	if err := c.Rename(ctx, "/none", "/x"); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &le) {
		t.Errorf("Rename of nothing = %v", err)
	}
	if err := c.Chown(ctx, "/d", -1, 0); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Chown(-1) = %v", err)
	}
	if l, err := c.Limits(ctx); err != nil || l.MaxRead == 0 {
		t.Errorf("Limits = %+v, %v", l, err)
	}
	if c.Version() != 3 {
		t.Errorf("Version = %d", c.Version())
	}
}

// A file is read with OPEN, READ and CLOSE only: some servers refuse the rest.
func TestReadNeedsNoStat(t *testing.T) {
	c := start(t, nil, nil, serve(func(m wire.Message, id uint32) []wire.Message {
		r, ok := m.(*sftp.Read)
		switch {
		case !ok:
			t.Errorf("the client sent %T", m)
			return []wire.Message{status(id, sftp.StatusOpUnsupported)}
		case r.Offset == 0:
			return []wire.Message{&sftp.Data{ID: id, Data: []byte("hello")}}
		}
		return []wire.Message{status(id, sftp.StatusEOF)}
	}))
	if b, err := c.ReadFile(t.Context(), "/f"); string(b) != "hello" || err != nil {
		t.Errorf("ReadFile = %q, %v", b, err)
	}
}

// Chunks are as large as the server states, and never larger.
func TestChunks(t *testing.T) {
	tests := []struct {
		name   string
		limits *sftp.LimitsReply // nil: not announced
		max    int
		want   uint32 // length of the first READ
	}{
		{"nothing stated", nil, 0, 32 << 10},
		{"stated", &sftp.LimitsReply{MaxRead: 100_000, MaxWrite: 100_000}, 0, 100_000},
		{"zero means unknown", &sftp.LimitsReply{}, 0, 32 << 10},
		{"too much", &sftp.LimitsReply{MaxRead: 1 << 40}, 0, 128 << 10}, // an eighth of the first budget
		{"less wanted", &sftp.LimitsReply{MaxRead: 100_000}, 5000, 5000},
		{"small", &sftp.LimitsReply{MaxRead: 10}, 0, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var exts []string
			if tt.limits != nil {
				exts = []string{sftp.ExtLimits, "1"}
			}
			first := make(chan uint32, 1)
			c := start(t, &sftpclient.Config{MaxChunk: tt.max}, exts, serve(func(m wire.Message, id uint32) []wire.Message {
				switch m := m.(type) {
				case *sftp.Extended:
					l := *tt.limits
					l.ID = id
					return []wire.Message{&l}
				case *sftp.Read:
					select {
					case first <- m.Length:
					default:
					}
				}
				return []wire.Message{status(id, sftp.StatusEOF)}
			}))
			if _, err := c.Limits(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := c.ReadFile(t.Context(), "/f"); err != nil {
				t.Fatal(err)
			}
			if got := <-first; got != tt.want {
				t.Errorf("first READ asks for %d bytes, want %d", got, tt.want)
			}
		})
	}
}
