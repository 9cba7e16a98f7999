package sftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// far is a line with 50 ms there and back.
var far = testkit.PipeConfig{Buffer: 4 << 20, C2S: testkit.Line{Delay: 25 * time.Millisecond}, S2C: testkit.Line{Delay: 25 * time.Millisecond}}

// A listing of 5,000 names over a line of 50 ms takes a few round trips and
// not one for each hundred names.
func TestListingIsPipelined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 50
		c := startOn(t, far, nil, nil, serve(func(_ wire.Message, id uint32) []wire.Message {
			if left == 0 {
				return []wire.Message{status(id, sftp.StatusEOF)}
			}
			left--
			m := names(id, ".", "..")
			for i := range 100 {
				m.Names = append(m.Names, sftp.NameEntry{Filename: fmt.Sprintf("f%d-%d", left, i)})
			}
			return []wire.Message{m}
		}))
		began := time.Now()
		list, err := c.ReadDir(t.Context(), "/")
		if len(list) != 5000 || err != nil {
			t.Errorf("ReadDir = %d entries, %v", len(list), err)
		}
		if d := time.Since(began); d > 350*time.Millisecond {
			t.Errorf("took %v, want at most 7 round trips", d)
		}
	})
}

// Leaving a listing early closes the directory and leaves the session usable.
func TestListingLeftEarly(t *testing.T) {
	var closed atomic.Bool
	c := start(t, nil, nil, func(f *fake) {
		for {
			m, id := f.next()
			switch m.(type) {
			case nil:
				return
			case *sftp.ReadDir:
				f.send(names(id, "a", "b"))
			case *sftp.LStat:
				f.send(&sftp.AttrsReply{ID: id})
			default:
				_, is := m.(*sftp.Close)
				closed.Store(closed.Load() || is)
				f.usual(m, id)
			}
		}
	})
	for i, err := range c.ReadDirSeq(t.Context(), "/") {
		if err != nil || i.Name() != "a" {
			t.Errorf("first entry: %v, %v", i, err)
		}
		break
	}
	if _, err := c.Lstat(t.Context(), "/"); err != nil {
		t.Error(err)
	}
	if !closed.Load() {
		t.Error("the directory was not closed")
	}
}

func TestListingError(t *testing.T) {
	n := 0
	c := start(t, nil, nil, serve(func(_ wire.Message, id uint32) []wire.Message {
		if n++; n == 1 {
			return []wire.Message{names(id, "a")}
		}
		return []wire.Message{status(id, sftp.StatusPermissionDenied)}
	}))
	list, err := c.ReadDir(t.Context(), "/d")
	var pe *fs.PathError
	if len(list) != 1 || !errors.Is(err, fs.ErrPermission) || !errors.As(err, &pe) || pe.Path != "/d" {
		t.Errorf("ReadDir = %v, %v", list, err)
	}
}

// Hundreds of small operations at once share their round trips.
func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, far, nil)
		began := time.Now()
		g, ctx := sftpclient.NewGroup(t.Context(), 100)
		for i := range 100 {
			g.Go(func(context.Context) error { return c.Mkdir(ctx, fmt.Sprintf("/d%d", i), 0o755) })
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > 60*time.Millisecond {
			t.Errorf("100 operations took %v, want one round trip", d)
		}
	})
}

func TestRemoveAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := memory(t, far, nil)
		ctx := t.Context()
		g, _ := sftpclient.NewGroup(ctx, 50)
		for i := range 20 {
			g.Go(func(ctx context.Context) error {
				dir := fmt.Sprintf("/t/%d/a/b", i)
				if err := c.MkdirAll(ctx, dir, 0o755); err != nil {
					return err
				}
				for j := range 10 {
					if err := write(ctx, c, fmt.Sprintf("%s/%d", dir, j), "x"); err != nil {
						return err
					}
				}
				return c.Symlink(ctx, "/keep", dir+"/link")
			})
		}
		if err := errors.Join(g.Wait(), write(ctx, c, "/keep", "me")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := c.RemoveAll(ctx, "/t"); err != nil {
			t.Errorf("RemoveAll = %v", err)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("took %v for 280 entries in 61 directories", d)
		}
		if _, err := c.Lstat(ctx, "/t"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the tree is still there: %v", err)
		}
		if b, err := c.ReadFile(ctx, "/keep"); string(b) != "me" || err != nil {
			t.Errorf("what a link led to: %q, %v", b, err)
		}
		if err := c.RemoveAll(ctx, "/t"); err != nil {
			t.Errorf("RemoveAll of nothing = %v", err)
		}
		for _, name := range []string{"", "/", ".", "..", "a/..", "./"} {
			if err := c.RemoveAll(ctx, name); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("RemoveAll(%q) = %v", name, err)
			}
		}
	})
}

// A server whose tree has no end is left after a bounded number of levels.
func TestRemoveAllEndless(t *testing.T) {
	dir := sftp.Attrs{}
	dir.SetPermissions(sftp.ModeDir | 0o755)
	listed := map[string]bool{}
	c := start(t, nil, nil, func(f *fake) {
		n := 0
		for {
			m, id := f.next()
			switch m := m.(type) {
			case nil:
				return
			case *sftp.LStat:
				f.send(&sftp.AttrsReply{ID: id, Attrs: dir})
			case *sftp.OpenDir:
				n++
				f.send(&sftp.Handle{ID: id, Handle: fmt.Append(nil, n)})
			case *sftp.ReadDir:
				if h := string(m.Handle); !listed[h] {
					listed[h] = true
					f.send(&sftp.Name{ID: id, Names: []sftp.NameEntry{{Filename: "d", Attrs: dir}}})
				} else {
					f.send(status(id, sftp.StatusEOF))
				}
			default:
				f.usual(m, id)
			}
		}
	})
	if err := c.RemoveAll(t.Context(), "/t"); !errors.Is(err, sftpclient.ErrTooDeep) {
		t.Errorf("RemoveAll = %v, want ErrTooDeep", err)
	}
}

func TestMkdirAll(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	if err := c.MkdirAll(ctx, "/a/b/c/", 0o755); err != nil {
		t.Error(err)
	}
	if err := c.MkdirAll(ctx, "/a/b/c", 0o755); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := write(ctx, c, "/a/f", "x"); err != nil {
		t.Fatal(err)
	}
	if err := c.MkdirAll(ctx, "/a/f", 0o755); err == nil {
		t.Error("a file is no directory")
	}
	if err := c.MkdirAll(ctx, "/a/f/g", 0o755); err == nil {
		t.Error("below a file there are no directories")
	}
}

func TestGroupStopsAtError(t *testing.T) {
	g, ctx := sftpclient.NewGroup(t.Context(), 1)
	want := errors.New("first")
	g.Go(func(context.Context) error { return want })
	<-ctx.Done()
	for g.Go(func(context.Context) error { return nil }) { //nolint:revive // until it refuses
	}
	if err := g.Wait(); err != want { //nolint:errorlint // the very value
		t.Errorf("Wait = %v", err)
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
