package sftpclient_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

type op = func(ctx context.Context, c *sftpclient.Client) error

func stat(ctx context.Context, c *sftpclient.Client) error {
	_, err := c.Stat(ctx, "/x")
	return err
}

func realPath(ctx context.Context, c *sftpclient.Client) error {
	_, err := c.RealPath(ctx, "/x")
	return err
}

func readLink(ctx context.Context, c *sftpclient.Client) error {
	_, err := c.Readlink(ctx, "/x")
	return err
}

func remove(ctx context.Context, c *sftpclient.Client) error { return c.Remove(ctx, "/x") }

func list(ctx context.Context, c *sftpclient.Client) error {
	_, err := c.ReadDir(ctx, "/d")
	return err
}

func readSome(ctx context.Context, c *sftpclient.Client) error {
	f, err := c.Open(ctx, "/x")
	if err != nil {
		return err
	}
	defer f.Release()
	_, err = f.ReadAt(make([]byte, 10), 0)
	return err
}

func names(id uint32, list ...string) *sftp.Name {
	m := &sftp.Name{ID: id}
	for _, n := range list {
		m.Names = append(m.Names, sftp.NameEntry{Filename: n})
	}
	return m
}

// Each row is a server's answer that no client may swallow.
func TestBadAnswers(t *testing.T) {
	tests := []struct {
		name   string
		op     op
		answer func(m wire.Message, id uint32) []wire.Message
		dead   bool   // the session does not survive
		want   string // in the error
	}{
		{"unknown id", stat, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{status(id+77, sftp.StatusOK)}
		}, true, "not open"},
		{"answered twice", func(ctx context.Context, c *sftpclient.Client) error {
			if err := remove(ctx, c); err != nil {
				return err
			}
			<-c.Done()
			return c.Err()
		}, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{status(id, sftp.StatusOK), status(id, sftp.StatusOK)}
		}, true, "not open"},
		{"wrong type", stat, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{handle(id)}
		}, true, "SSH_FXP_HANDLE for a request that is answered by SSH_FXP_STATUS or SSH_FXP_ATTRS"},
		{"request instead of an answer", stat, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{&sftp.Remove{ID: id}}
		}, true, "no answer"},
		{"OK without attributes", stat, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{status(id, sftp.StatusOK)}
		}, false, "status OK"},
		{"two names", realPath, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id, "/a", "/b")}
		}, false, "2 names"},
		{"no name", readLink, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id)}
		}, false, "0 names"},
		{"more data than asked", readSome, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{&sftp.Data{ID: id, Data: make([]byte, 11)}}
		}, true, "11 bytes of data where 10"},
		{"no data for ever", readSome, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{&sftp.Data{ID: id}}
		}, false, "no data"},
		{"listing without names", list, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id)}
		}, false, "without names"},
		{"slash in a listed name", list, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id, "../../etc/passwd")}
		}, false, "impossible name"},
		{"NUL in a listed name", list, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id, "a\x00b")}
		}, false, "impossible name"},
		{"empty listed name", list, func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{names(id, "")}
		}, false, "impossible name"},
		{"huge handle", readSome, func(m wire.Message, id uint32) []wire.Message {
			return []wire.Message{&sftp.Handle{ID: id, Handle: make([]byte, sftp.MaxHandle+1)}}
		}, true, "a handle of 257 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			play := serve(tt.answer)
			if tt.name == "huge handle" {
				play = func(f *fake) {
					m, id := f.next()
					f.send(tt.answer(m, id)...)
					silent(f)
				}
			}
			c := start(t, nil, nil, play)
			err := tt.op(t.Context(), c)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %q", err, tt.want)
			}
			if tt.dead {
				<-c.Done()
				var pe *sftpclient.ProtocolError
				if !errors.As(c.Err(), &pe) {
					t.Errorf("the session ended with %v, want a *ProtocolError", c.Err())
				}
			} else if c.Err() != nil {
				t.Errorf("the session ended: %v", c.Err())
			}
		})
	}
}

// Bytes that are no packets end the session.
func TestBrokenPackets(t *testing.T) {
	tests := []struct {
		name string
		b    string
		want error
	}{
		{"length 0", "\x00\x00\x00\x00", sftp.ErrPacketLength},
		{"length 4 GiB", "\xff\xff\xff\xff", sftp.ErrPacketLength},
		{"no id", "\x00\x00\x00\x01\x65", nil},
		{"cut", "\x00\x00\x00\x09\x65", net.ErrClosed},
		{"broken status", "\x00\x00\x00\x0b\x65\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00", wire.ErrShort},
		{"end", "", net.ErrClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, nil, nil, func(f *fake) {
				f.next()
				_, _ = f.conn.Write([]byte(tt.b))
				_ = f.conn.Close()
			})
			err := stat(t.Context(), c)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want one that is %v", err, tt.want)
			}
			<-c.Done()
			if err := stat(t.Context(), c); err == nil {
				t.Error("a dead session still answers")
			}
		})
	}
}

func TestStart(t *testing.T) {
	version := func(v uint32) string {
		b, err := sftp.AppendPacket(nil, &sftp.VersionReply{Version: v}, wire.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	tests := []struct {
		name, answer, want string
	}{
		{"text of a shell", "Welcome to the machine\r\n", `"Welcome to the machine" (does a start-up file`},
		{"version 2", version(2), "version 2"},
		{"version 4", version(4), "version 4"},
		{"not VERSION", "\x00\x00\x00\x05\x65\x00\x00\x00\x01", "SSH_FXP_STATUS where SSH_FXP_VERSION was due"},
		{"short VERSION", "\x00\x00\x00\x02\x02\x00", "message ends too early"},
		{"end", "", "the server ended the channel"},
		{"end inside", "\x00\x00\x00\x05\x02", "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := testkit.Pipe()
			go func() { // stops when it has read INIT and answered
				_, _ = sftp.NewPacketReader(b, 0).ReadPacket(nil)
				_, _ = b.Write([]byte(tt.answer))
				_ = b.Close()
			}()
			_, err := sftpclient.NewPipe(t.Context(), a, nil)
			var se *sftpclient.StartError
			if !errors.As(err, &se) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want a *StartError with %q", err, tt.want)
			}
			if _, err := a.Write([]byte("x")); err == nil {
				t.Error("the stream was not closed")
			}
		})
	}
}

func TestStartCanceled(t *testing.T) {
	a, b := testkit.Pipe()
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := sftpclient.NewPipe(ctx, a, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

// A request that is canceled leaves the session alone: its answer is expected
// and thrown away, and the handle that it brings is closed.
func TestCancel(t *testing.T) {
	came, release := make(chan struct{}), make(chan struct{})
	closed := make(chan string, 1)
	c := start(t, nil, nil, func(f *fake) {
		_, open := f.next()
		close(came)
		_, other := f.next()
		f.send(&sftp.AttrsReply{ID: other})
		<-release
		f.send(&sftp.Handle{ID: open, Handle: []byte("late")})
		m, id := f.next()
		if m, ok := m.(*sftp.Close); ok {
			closed <- string(m.Handle)
		}
		f.send(status(id, sftp.StatusOK))
		_, again := f.next()
		f.send(&sftp.AttrsReply{ID: again})
	})
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error)
	go func() { // stops when the request is canceled
		_, err := c.Open(ctx, "/x")
		opened <- err
	}()
	<-came
	if err := stat(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-opened; !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
	close(release)
	if h := <-closed; h != "late" {
		t.Errorf("handle %q was closed, want the late one", h)
	}
	if err := stat(t.Context(), c); err != nil {
		t.Errorf("after the cancel: %v", err)
	}
}

func TestCanceledBefore(t *testing.T) {
	c := start(t, nil, nil, silent)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	for name, f := range map[string]op{"stat": stat, "list": list, "read": readSome, "remove": remove} {
		if err := f(ctx, c); !errors.Is(err, cause) {
			t.Errorf("%s = %v, want the cause of the context", name, err)
		}
	}
}

// An answer that never comes ends the session, if that was asked for; requests
// that are answered one after the other do not, however long they take all
// together.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := 8
		c := start(t, &sftpclient.Config{Timeout: 10 * time.Second}, nil, func(f *fake) {
			for {
				m, id := f.next()
				if m == nil {
					return
				}
				if slow--; slow >= 0 {
					time.Sleep(7 * time.Second)
					f.send(&sftp.AttrsReply{ID: id})
				}
			}
		})
		for range 8 {
			if err := stat(t.Context(), c); err != nil {
				t.Fatalf("slow answer: %v", err)
			}
		}
		began := time.Now()
		err := stat(t.Context(), c)
		var te *sftpclient.TimeoutError
		if !errors.As(err, &te) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error is %v, want a *TimeoutError", err)
		}
		if d := time.Since(began); d < 10*time.Second || d > 15*time.Second {
			t.Errorf("gave up after %v, want 10 s to 15 s", d)
		}
	})
}

// Requests in flight end when the client is closed.
func TestClose(t *testing.T) {
	asked := make(chan struct{})
	c := start(t, nil, nil, func(f *fake) {
		f.next()
		close(asked)
		silent(f)
	})
	waiting := make(chan error)
	go func() { waiting <- stat(context.Background(), c) }() // stops when the client is closed
	<-asked
	if err := c.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the request ended with %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
	var pe *fs.PathError
	if err := stat(t.Context(), c); !errors.Is(err, net.ErrClosed) || !errors.As(err, &pe) {
		t.Errorf("after Close: %v", err)
	}
}

// A file that was released is closed there before the channel is, also on a
// slow line.
func TestCloseBehindRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := testkit.Line{Delay: 25 * time.Millisecond}
		closed := make(chan bool, 1)
		c := startOn(t, testkit.PipeConfig{Buffer: 1 << 20, C2S: line, S2C: line}, nil, nil, func(f *fake) {
			for {
				m, id := f.next()
				if m == nil {
					close(closed)
					return
				}
				if _, ok := m.(*sftp.Close); ok {
					closed <- true
				}
				f.usual(m, id)
			}
		})
		f, err := c.Open(t.Context(), "/f")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := errors.Join(f.Release(), c.Close()); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d > 60*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		if !<-closed {
			t.Error("the server saw no CLOSE")
		}
	})
}

// A server that takes nothing, or answers nothing, does not hold up Close for
// long.
func TestCloseIsBounded(t *testing.T) {
	for name, play := range map[string]func(f *fake){
		"no answer": func(f *fake) { f.usual(f.next()); silent(f) },
		"no reader": func(f *fake) { f.usual(f.next()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startOn(t, testkit.PipeConfig{Buffer: 64}, nil, nil, play)
				f, err := c.Open(t.Context(), "/f")
				if err != nil {
					t.Fatal(err)
				}
				for range 100 {
					go func() { _ = stat(context.Background(), c) }() // stops when the client is closed
				}
				synctest.Wait()
				began := time.Now()
				if err := errors.Join(f.Release(), c.Close()); err != nil {
					t.Error(err)
				}
				if d := time.Since(began); d > 3*time.Second {
					t.Errorf("Close took %v", d)
				}
			})
		})
	}
}

// What the server has not announced is not sent: it might never be answered.
func TestUnadvertised(t *testing.T) {
	c := start(t, nil, []string{"statvfs@openssh.com", "1"}, func(f *fake) {
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			if _, ok := m.(*sftp.Extended); ok {
				t.Error("an extended request was sent")
			}
			f.usual(m, id)
		}
	})
	ctx := t.Context()
	f, err := c.Create(ctx, "/x")
	if err != nil {
		t.Fatal(err)
	}
	_, vfs := c.StatVFS(ctx, "/")
	_, raw := c.Extended(ctx, "unheard@of", nil)
	for name, err := range map[string]error{
		"posix-rename": c.PosixRename(ctx, "a", "b"), "link": c.Link(ctx, "a", "b"),
		"statvfs of another version": vfs, "fsync": f.Sync(ctx), "raw": raw,
	} {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s = %v, want errors.ErrUnsupported", name, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestExtended(t *testing.T) {
	c := start(t, nil, []string{"echo@example", "x", sftp.ExtStatVFS, "2"}, serve(func(m wire.Message, id uint32) []wire.Message {
		e := m.(*sftp.Extended)
		if e.Request == sftp.ExtStatVFS {
			return []wire.Message{&sftp.StatVFSReply{ID: id, Bsize: 7, Namemax: uint64(len(e.Path))}}
		}
		if string(e.Rest) == "no" {
			return []wire.Message{status(id, sftp.StatusPermissionDenied)}
		}
		return []wire.Message{&sftp.ExtendedReply{ID: id, Rest: e.Rest}}
	}))
	ctx := t.Context()
	if b, err := c.Extended(ctx, "echo@example", []byte("hello")); err != nil || string(b[5:]) != "hello" {
		t.Errorf("Extended = %q, %v", b, err)
	}
	if _, err := c.Extended(ctx, "echo@example", []byte("no")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Extended = %v, want fs.ErrPermission", err)
	}
	if _, err := c.Extended(ctx, sftp.ExtStatVFS, []byte("\x00\x00\x00\x01/")); err != nil {
		t.Errorf("a known request as raw bytes: %v", err)
	}
	if r, err := c.StatVFS(ctx, "/abc"); err != nil || r.Bsize != 7 || r.Namemax != 4 {
		t.Errorf("StatVFS = %+v, %v", r, err)
	}
}

func TestSymlinkOrder(t *testing.T) {
	announced := []string{"symlink-order@rjk.greenend.org.uk", "linkpath-targetpath"}
	tests := []struct {
		name  string
		order sftpclient.SymlinkOrder
		exts  []string
		want  sftp.SymlinkOrder
	}{
		{"default", sftpclient.SymlinkAuto, nil, sftp.OrderOpenSSH},
		{"announced", sftpclient.SymlinkAuto, announced, sftp.OrderDraft},
		{"told", sftpclient.SymlinkDraft, nil, sftp.OrderDraft},
		{"told against the announcement", sftpclient.SymlinkOpenSSH, announced, sftp.OrderOpenSSH},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := start(t, &sftpclient.Config{SymlinkOrder: tt.order}, tt.exts, serve(func(m wire.Message, id uint32) []wire.Message {
				if link, target := m.(*sftp.Symlink).Paths(tt.want); link != "link" || target != "target" {
					t.Errorf("link %q to %q", link, target)
				}
				return []wire.Message{status(id, sftp.StatusOK)}
			}))
			if err := c.Symlink(t.Context(), "target", "link"); err != nil {
				t.Error(err)
			}
		})
	}
}
