package sftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

// birds is a backend with homes and names.
type birds struct{ *backend.MemoryFS }

func (birds) HomeDir() string { return "/home/lark" }

func (birds) UserHome(_ context.Context, user string) (string, error) {
	if user != "wren" {
		return "", fs.ErrNotExist
	}
	return "/home/wren", nil
}

func (birds) UserName(_ context.Context, uid uint32) string {
	if uid%2 == 1 {
		return ""
	}
	return fmt.Sprint("u", uid)
}

func (birds) GroupName(_ context.Context, gid uint32) string { return fmt.Sprint("g", gid) }

// served begins a session with our own server, which has b and cfg.
func served(tb testing.TB, pipe testkit.PipeConfig, b sftpserver.Backend, cfg *sftpserver.Config) *sftpclient.Client {
	tb.Helper()
	near, far := testkit.NewPipe(pipe)
	served := make(chan struct{})
	go func() { // stops when the client closes its end
		defer close(served)
		_ = sftpserver.Serve(context.Background(), far, b, cfg)
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

func TestHomes(t *testing.T) {
	c := served(t, testkit.PipeConfig{}, birds{backend.Memory(0)}, nil)
	ctx := t.Context()
	for _, dir := range []string{"/home/lark", "/home/wren"} {
		if err := c.MkdirAll(ctx, dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for p, want := range map[string]string{"~": "/home/lark", "~/x": "/home/lark/x", "~wren": "/home/wren", "x": "/home/lark/x"} {
		if got, err := c.ExpandPath(ctx, p); got != want || err != nil {
			t.Errorf("ExpandPath(%s) = %q, %v, want %q", p, got, err, want)
		}
	}
	for user, want := range map[string]string{"": "/home/lark", "wren": "/home/wren"} {
		if got, err := c.HomeDir(ctx, user); got != want || err != nil {
			t.Errorf("HomeDir(%q) = %q, %v, want %q", user, got, err, want)
		}
	}
	if _, err := c.ExpandPath(ctx, "~nobody/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the home of nobody: %v", err)
	}
	if _, err := c.HomeDir(ctx, "nobody"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the home of nobody: %v", err)
	}
}

// The answer of ProFTPD to home-directory would end the session, so it is not
// asked; what it can answer is.
func TestHomeDirOfProFTPD(t *testing.T) {
	for _, sign := range [][2]string{{"xattr@proftpd.org", "1"}, {"vendor-id", "\x00\x00\x00\x0fProFTPD Project"}} {
		exts := []string{sftp.ExtHomeDir, "1", sign[0], sign[1]}
		c := start(t, nil, exts, serve(func(m wire.Message, id uint32) []wire.Message {
			t.Errorf("the client sent %+v", m)
			return []wire.Message{status(id, sftp.StatusFailure)}
		}))
		if _, err := c.HomeDir(t.Context(), ""); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("HomeDir = %v, want errors.ErrUnsupported", err)
		}
		c = start(t, nil, append(exts, sftp.ExtExpandPath, "1"), serve(func(m wire.Message, id uint32) []wire.Message {
			if e, ok := m.(*sftp.Extended); !ok || e.Request != sftp.ExtExpandPath || e.Path != "~x" {
				t.Errorf("the client sent %+v", m)
			}
			return []wire.Message{&sftp.Name{ID: id, Names: []sftp.NameEntry{{Filename: "/home/x"}}}}
		}))
		if got, err := c.HomeDir(t.Context(), "x"); got != "/home/x" || err != nil {
			t.Errorf("HomeDir = %q, %v", got, err)
		}
	}
}

func TestOwnerNames(t *testing.T) {
	c := served(t, testkit.PipeConfig{}, birds{backend.Memory(0)}, nil)
	for _, row := range []struct{ uids, gids int }{{0, 0}, {3, 0}, {0, 2}, {700, 900}, {5000, 1}} {
		uids, gids := make([]uint32, row.uids), make([]uint32, row.gids)
		for i := range uids {
			uids[i] = uint32(i)
		}
		for i := range gids {
			gids[i] = uint32(i)
		}
		users, groups, err := c.Names(t.Context(), uids, gids)
		if err != nil || len(users) != len(uids) || len(groups) != len(gids) {
			t.Errorf("Names of %d and %d = %d and %d, %v", len(uids), len(gids), len(users), len(groups), err)
		}
		for i, u := range users {
			if want := (birds{}).UserName(t.Context(), uint32(i)); u != want {
				t.Fatalf("user %d is %q, want %q", i, u, want)
			}
		}
		for i, g := range groups {
			if want := fmt.Sprint("g", i); g != want {
				t.Fatalf("group %d is %q, want %q", i, g, want)
			}
		}
	}
	c = start(t, nil, []string{sftp.ExtUsersGroups, "1"}, serve(func(_ wire.Message, id uint32) []wire.Message {
		return []wire.Message{&sftp.UsersGroupsReply{ID: id, Users: []string{"a", "b"}}}
	}))
	var broken *sftpclient.ProtocolError
	if _, _, err := c.Names(t.Context(), []uint32{1}, nil); !errors.As(err, &broken) {
		t.Errorf("two names for one number: %v, want a ProtocolError", err)
	}
}

func TestLinkAttributes(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx, old := t.Context(), time.Unix(1e9, 0)
	err := errors.Join(write(ctx, c, "/a", "x"), c.Symlink(ctx, "a", "/l"),
		c.Lchtimes(ctx, "/l", old, old), c.Lchown(ctx, "/l", 3, 4), c.Lchmod(ctx, "/l", 0o700))
	if err != nil {
		t.Fatal(err)
	}
	l, err := c.Lstat(ctx, "/l")
	if err != nil || !l.ModTime().Equal(old) || l.Attrs().UID != 3 || l.Attrs().GID != 4 || l.Mode() != fs.ModeSymlink|0o700 {
		t.Errorf("the link is %+v, %v", l, err)
	}
	a, err := c.Stat(ctx, "/l")
	if err != nil || a.ModTime().Equal(old) || a.Attrs().UID != 0 || a.Mode().Perm() == 0o700 {
		t.Errorf("the file is %+v, %v", a, err)
	}
	if err := c.Lchown(ctx, "/l", -1, 0); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Lchown of -1 = %v", err)
	}
}

// Nothing is sent to a server that has not announced it in the right version.
func TestNothingUnannounced(t *testing.T) {
	for _, exts := range [][]string{nil, {sftp.ExtLSetStat, "2", sftp.ExtExpandPath, "", sftp.ExtCopyData, "11", sftp.ExtHomeDir, "0", sftp.ExtUsersGroups, "x"}} {
		c := start(t, nil, exts, serve(func(m wire.Message, id uint32) []wire.Message {
			t.Errorf("the client sent %+v", m)
			return []wire.Message{status(id, sftp.StatusFailure)}
		}))
		ctx := t.Context()
		f, err := c.Open(ctx, "f")
		if err != nil {
			t.Fatal(err)
		}
		_, homeErr := c.HomeDir(ctx, "")
		_, expandErr := c.ExpandPath(ctx, "~")
		_, _, namesErr := c.Names(ctx, []uint32{1}, nil)
		_, copyErr := c.Copy(ctx, "a", "b")
		for what, err := range map[string]error{
			"Lchmod": c.Lchmod(ctx, "x", 0), "Lchown": c.Lchown(ctx, "x", 0, 0), "Lchtimes": c.Lchtimes(ctx, "x", time.Now(), time.Now()),
			"HomeDir": homeErr, "ExpandPath": expandErr, "Names": namesErr, "Copy": copyErr, "CopyTo": f.CopyTo(ctx, f, 0, 0, 0),
		} {
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s = %v, want errors.ErrUnsupported", what, err)
			}
		}
	}
}

func TestCopy(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	big := strings.Repeat("0123456789abcdef", 3<<20/16)
	for _, row := range []struct{ name, from, over, want string }{
		{"new", "hello", "", "hello"},
		{"over a shorter one", "hello", "abc", "hello"},
		{"over a longer one", "hello", "abcdefghijk", "hello"},
		{"empty", "", "", ""},
		{"empty over something", "", "abc", ""},
		{"large", big, "", big},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := errors.Join(write(ctx, c, "/from", row.from), c.Chmod(ctx, "/from", 0o640), c.RemoveAll(ctx, "/to")); err != nil {
				t.Fatal(err)
			}
			if row.over != "" {
				if err := write(ctx, c, "/to", row.over); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := c.Copy(ctx, "/from", "/to"); n != int64(len(row.want)) || err != nil {
				t.Errorf("Copy = %d, %v", n, err)
			}
			if b, err := c.ReadFile(ctx, "/to"); string(b) != row.want || err != nil {
				t.Errorf("the copy holds %.20q (%d bytes), %v", b, len(b), err)
			}
			if i, err := c.Stat(ctx, "/to"); err != nil || row.over == "" && i.Mode() != 0o640 {
				t.Errorf("the copy is %v, %v", i, err)
			}
		})
	}
}

// A file copied to itself, by whatever name, stays what it is.
func TestCopyToItself(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	if err := errors.Join(write(ctx, c, "/a", "hello"), c.Link(ctx, "/a", "/b"), c.Symlink(ctx, "a", "/l")); err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]string{{"/a", "/a"}, {"/a", "/b"}, {"/l", "/a"}, {"/b", "/./a"}} {
		_, err := c.Copy(ctx, pair[0], pair[1])
		var link *os.LinkError
		if !errors.As(err, &link) || link.Old != pair[0] || link.New != pair[1] {
			t.Errorf("Copy(%q) = %v", pair, err)
		}
		if b, err := c.ReadFile(ctx, "/a"); string(b) != "hello" || err != nil {
			t.Errorf("after Copy(%q) the file holds %q, %v", pair, b, err)
		}
	}
	if _, err := c.Copy(ctx, "/none", "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Copy of nothing = %v", err)
	}
	if _, err := c.Lstat(ctx, "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was copied from nothing: %v", err)
	}
}

func TestCopyTo(t *testing.T) {
	c := memory(t, testkit.PipeConfig{}, nil)
	ctx := t.Context()
	if err := errors.Join(write(ctx, c, "/a", "0123456789"), write(ctx, c, "/b", "")); err != nil {
		t.Fatal(err)
	}
	open := func(c *sftpclient.Client, name string) *sftpclient.File {
		f, err := c.OpenFile(ctx, name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b := open(c, "/a"), open(c, "/b")
	if err := a.CopyTo(ctx, b, 2, 1, 5); err != nil {
		t.Error(err)
	}
	if err := b.CopyTo(ctx, a, 0, 10, 0); err != nil {
		t.Error(err)
	}
	if got, err := c.ReadFile(ctx, "/a"); string(got) != "0123456789\x0023456" || err != nil {
		t.Errorf("a holds %q, %v", got, err)
	}
	var part *sftpclient.PartialError
	if err := a.CopyTo(ctx, b, 10, 0, 100); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &part) || part.Committed != 0 {
		t.Errorf("more than there is: %v", err)
	}
	for _, n := range [][3]int64{{-1, 0, 0}, {0, -1, 0}, {0, 0, -1}, {0, math.MaxInt64, 1}} {
		if err := a.CopyTo(ctx, b, n[0], n[1], n[2]); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("CopyTo(%v) = %v, want fs.ErrInvalid", n, err)
		}
	}
	other := memory(t, testkit.PipeConfig{}, nil)
	if err := write(ctx, other, "/b", ""); err != nil {
		t.Fatal(err)
	}
	if err := a.CopyTo(ctx, open(other, "/b"), 0, 0, 0); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("to a file of another session: %v, want fs.ErrInvalid", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := a.CopyTo(ctx, b, 0, 0, 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("to a closed file: %v, want fs.ErrClosed", err)
	}
}

// Large files are copied in pieces, of which several are in flight; the first
// failure counts, and what is done before it is told.
func TestCopyPieces(t *testing.T) {
	const piece = 64 << 20
	synctest.Test(t, func(t *testing.T) {
		var lengths []uint64
		var size uint64 = 5 + 4*piece
		c := startOn(t, far, nil, []string{sftp.ExtCopyData, "1"}, serve(func(m wire.Message, id uint32) []wire.Message {
			e, ok := m.(*sftp.Extended)
			if !ok {
				return []wire.Message{&sftp.AttrsReply{ID: id, Attrs: sftp.Attrs{Flags: sftp.AttrSize, Size: size}}}
			}
			lengths = append(lengths, e.Length)
			switch {
			case e.ReadOffset != e.WriteOffset+5:
				t.Errorf("copies %d bytes from %d to %d", e.Length, e.ReadOffset, e.WriteOffset)
			case e.WriteOffset == 2*piece && e.Length < piece:
				return []wire.Message{status(id, sftp.StatusEOF)}
			}
			return []wire.Message{status(id, sftp.StatusOK)}
		}))
		a, err := c.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.OpenFile(t.Context(), "b", os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := a.CopyTo(t.Context(), b, 5, 0, 4*piece); err != nil || time.Since(began) > 60*time.Millisecond {
			t.Errorf("CopyTo = %v after %v, want one round trip", err, time.Since(began))
		}
		var part *sftpclient.PartialError
		if err := a.CopyTo(t.Context(), b, 5, 0, 2*piece+1); !errors.As(err, &part) || part.Committed != 2*piece {
			t.Errorf("CopyTo = %v, want %d bytes", err, 2*piece)
		}
		// A server that calls a short copy a success is found out.
		size = 5 + 10
		if err := a.CopyTo(t.Context(), b, 5, 0, 20); !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &part) || part.Committed != 10 {
			t.Errorf("CopyTo from a short file = %v, want 10 bytes", err)
		}
		if want := []uint64{piece, piece, piece, piece, piece, piece, 1, 20}; !slices.Equal(lengths, want) {
			t.Errorf("lengths %d, want %d", lengths, want)
		}
	})
}
