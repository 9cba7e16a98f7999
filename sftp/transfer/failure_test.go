package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// troubled is a backend with trouble, by the last component of the path.
type troubled struct {
	sftpserver.Backend
	opened func(name string) error // called before a file is opened
	file   func(name string, f sftpserver.File) sftpserver.File
	dir    func(name string, d sftpserver.Dir) sftpserver.Dir
}

func (b *troubled) Open(ctx context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	if b.opened != nil {
		if err := b.opened(name); err != nil {
			return nil, err
		}
	}
	f, err := b.Backend.Open(ctx, name, flags, perm)
	if err == nil && b.file != nil {
		f = b.file(name, f)
	}
	return f, err
}

func (b *troubled) OpenDir(ctx context.Context, name string) (sftpserver.Dir, error) {
	d, err := b.Backend.OpenDir(ctx, name)
	if err == nil && b.dir != nil {
		d = b.dir(name, d)
	}
	return d, err
}

// short is a file that ends earlier than it is listed.
type short struct {
	sftpserver.File
	size int64
}

func (s *short) ReadAt(b []byte, off int64) (int, error) {
	if off >= s.size {
		return s.File.ReadAt(b[:0], 1<<40)
	}
	n := min(int64(len(b)), s.size-off)
	return s.File.ReadAt(b[:n], off)
}

// full is a file on a disk that is full behind size bytes.
type full struct {
	sftpserver.File
	size int64
}

func (f *full) WriteAt(b []byte, off int64) (int, error) {
	if off+int64(len(b)) > f.size {
		return 0, syscall.ENOSPC
	}
	return f.File.WriteAt(b, off)
}

// crowded is a backend that says that it has no room left.
type crowded struct{ *troubled }

func (*crowded) StatVFS(context.Context, string) (sftp.StatVFSReply, error) {
	return sftp.StatVFSReply{Blocks: 100}, nil
}

// One file's failure leaves the others alone, and all failures are told.
func TestPartlyDone(t *testing.T) {
	b := &troubled{Backend: backend.Memory(0), opened: func(name string) error {
		if strings.HasSuffix(name, "secret") {
			return fs.ErrPermission
		}
		return nil
	}}
	c := connect(t, b, testkit.PipeConfig{})
	dir := t.TempDir()
	tree{"t/a": "A", "t/d/b": "B"}.upload(t, c, "/")
	tree{"t/secret": "no", "t/d/secret": "no"}.build(t, dir)
	ctx := t.Context()
	ended := map[string]bool{}
	o := &Options{Recursive: true, Progress: func(e Event) {
		if e.Kind == End {
			ended[e.Path] = e.Err == nil
		}
	}}
	tree{"u/a": "A", "u/d/b": "B", "u/secret": "S"}.build(t, dir)
	res, err := Put(ctx, c, []string{dir + "/u"}, "/up", o)
	var te *Error
	if !errors.As(err, &te) || te.Count != 1 || !te.Partly() || te.Done != res || res.Files != 2 || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Put = %+v, %v", res, err)
	}
	if !ended[dir+"/u/a"] || !ended[dir+"/u/d/b"] || ended[dir+"/u/secret"] || len(ended) != 3 {
		t.Errorf("progress was told %v", ended)
	}
	if got, want := read(t, c.FS(ctx, "/up")).String(), (tree{"a": "A", "d/": "", "d/b": "B"}).String(); got != want {
		t.Errorf("on the server: %s, want %s", got, want)
	}
	if _, err := Put(ctx, c, []string{dir + "/u/secret"}, "/secret", nil); !errors.As(err, &te) || te.Partly() || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("Put of one file = %v", err)
	}
}

// A file that ends before its listed size is a failure, also in the middle of
// others.
func TestShrank(t *testing.T) {
	b := &troubled{Backend: backend.Memory(0)}
	c := connect(t, b, testkit.PipeConfig{})
	tree{"t/good": random(100_000), "t/short": random(100_000)}.upload(t, c, "/")
	b.file = func(name string, f sftpserver.File) sftpserver.File {
		if strings.HasSuffix(name, "short") {
			return &short{f, 60_000}
		}
		return f
	}
	res, err := Get(t.Context(), c, []string{"/t"}, t.TempDir()+"/t", &Options{Recursive: true})
	if !errors.Is(err, ErrShrank) || res.Files != 1 {
		t.Errorf("Get = %+v, %v", res, err)
	}
}

// A full disk at the server ends the transfer, and the file that met it is cut
// to what is confirmed.
func TestServerDiskFull(t *testing.T) {
	const room = 600_000
	b := &crowded{&troubled{Backend: backend.Memory(0), file: func(_ string, f sftpserver.File) sftpserver.File {
		return &full{f, room}
	}}}
	c := connect(t, b, testkit.PipeConfig{})
	dir := t.TempDir()
	src := tree{"big": random(1_000_000)}
	src.build(t, dir)
	ctx := t.Context()
	_, err := Put(ctx, c, []string{dir + "/big"}, "/big", nil)
	var pe *sftpclient.PartialError
	if !errors.As(err, &pe) || pe.Committed > room || pe.Committed < room-256<<10 {
		t.Fatalf("Put = %v", err)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Put = %v, which does not tell that the disk is full", err)
	}
	if got, err := c.ReadFile(ctx, "/big"); string(got) != src["big"][:pe.Committed] || err != nil {
		t.Errorf("the file has %d bytes, %v; %d are committed", len(got), err, pe.Committed)
	}
}

// A full local disk is reported with the path, and ends the transfer.
func TestLocalDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("the system has no /dev/full")
	}
	c := memory(t)
	tree{"a": random(100_000)}.upload(t, c, "/")
	_, err := Get(t.Context(), c, []string{"/a"}, "/dev/full", nil)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("Get = %v", err)
	}
}

// Names that the local system would take for one are not written over each
// other.
func TestCollision(t *testing.T) {
	n := names{}
	for _, tt := range []struct {
		name string
		want bool
	}{{"readme", false}, {"README", true}, {"other", false}, {"Readme", true}, {"readme", false}} {
		if got := n.clashes(tt.name); got != tt.want {
			t.Errorf("%q clashes: %v, want %v", tt.name, got, tt.want)
		}
	}
	c := memory(t)
	tree{"t/readme": "one", "t/README": "two", "t/x": "x"}.upload(t, c, "/")
	ctx := t.Context()
	j, inner, err := newJob(ctx, c, &Options{Recursive: true})
	if err != nil {
		t.Fatal(err)
	}
	j.fold = true
	dir := t.TempDir()
	for src, about := range j.stats(inner, []string{"/t"}) {
		if err := j.getTop(inner, src, about, place{name: dir + "/t"}, false); err != nil {
			t.Error(err)
		}
	}
	res, err := j.end(ctx)
	if !errors.Is(err, ErrCollision) || res.Files != 2 {
		t.Errorf("Get = %+v, %v", res, err)
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	deep, wide := tree{"t/1/2/3/4/f": ""}, tree{}
	for i := range 30 {
		wide[fmt.Sprintf("w/%d", i)] = ""
	}
	deep.build(t, dir)
	wide.build(t, dir)
	c := memory(t)
	deep.upload(t, c, "/")
	wide.upload(t, c, "/")
	ctx := t.Context()
	tests := []struct {
		name string
		o    Options
		src  string
		want error
	}{
		{"deep", Options{Recursive: true, MaxDepth: 3}, "/t", ErrTooDeep},
		{"wide", Options{Recursive: true, MaxEntries: 20}, "/w", ErrTooManyEntries},
		{"not asked for", Options{}, "/t", ErrIsDirectory},
	}
	for i, tt := range tests {
		to := fmt.Sprintf("/to%d", i)
		if _, err := Get(ctx, c, []string{tt.src}, dir+to, &tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: Get = %v", tt.name, err)
		}
		if _, err := Put(ctx, c, []string{dir + tt.src}, to, &tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: Put = %v", tt.name, err)
		}
	}
}

// Canceling ends a transfer with the context's error.
func TestCanceled(t *testing.T) {
	c := memory(t)
	dir := t.TempDir()
	src := tree{}
	for i := range 50 {
		src[fmt.Sprintf("t/%d", i)] = random(50_000)
	}
	src.build(t, dir)
	src.upload(t, c, "/")
	cause := errors.New("enough")
	for name, run := range map[string]func(context.Context, *Options) error{
		"get": func(ctx context.Context, o *Options) error {
			_, err := Get(ctx, c, []string{"/t"}, dir+"/down", o)
			return err
		},
		"put": func(ctx context.Context, o *Options) error {
			_, err := Put(ctx, c, []string{dir + "/t"}, "/up", o)
			return err
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		o := &Options{Recursive: true, Files: 2, Progress: func(e Event) {
			if e.Kind == End {
				cancel(cause)
			}
		}}
		if err := run(ctx, o); !errors.Is(err, cause) {
			t.Errorf("%s = %v", name, err)
		}
		if err := run(ctx, o); !errors.Is(err, cause) {
			t.Errorf("%s with an ended context = %v", name, err)
		}
	}
	if c.Err() != nil {
		t.Errorf("the session ended: %v", c.Err())
	}
}

// Files that are not regular are left alone: opening a FIFO would wait for
// ever.
func TestDevices(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no device files")
	}
	c := memory(t)
	if _, err := Put(t.Context(), c, []string{os.DevNull}, "/x", nil); !errors.Is(err, ErrNotRegular) {
		t.Errorf("Put = %v", err)
	}
	if _, err := Put(t.Context(), c, []string{"/nonexistent/x"}, "/x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Put = %v", err)
	}
}

// A dead session ends the transfer and does not try every file.
func TestServerGone(t *testing.T) {
	var c *sftpclient.Client
	b := &troubled{Backend: backend.Memory(0)}
	c = connect(t, b, testkit.PipeConfig{})
	src := tree{}
	for i := range 500 {
		src[fmt.Sprintf("t/%d", i)] = "x"
	}
	dir := t.TempDir()
	src.build(t, dir)
	n := 0
	o := &Options{Recursive: true, Files: 4, Progress: func(e Event) {
		if n++; n == 20 {
			go c.Close() // stops when the session has ended
		}
	}}
	_, err := Put(t.Context(), c, []string{dir + "/t"}, "/t", o)
	var te *Error
	if !errors.As(err, &te) || te.Count > 20 {
		t.Errorf("Put = %v", err)
	}
}
