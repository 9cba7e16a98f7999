package sftpserver_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

// people is a backend with homes and names.
type people struct{ sftpserver.Backend }

func (people) HomeDir() string { return "/home/lark" }

func (people) UserHome(_ context.Context, user string) (string, error) {
	if user != "wren" {
		return "", fs.ErrNotExist
	}
	return "/home/wren", nil
}

func (people) UserName(_ context.Context, uid uint32) string {
	return map[uint32]string{0: "root", 7: "lark"}[uid]
}

func (people) GroupName(_ context.Context, gid uint32) string {
	return map[uint32]string{7: "birds"}[gid]
}

// bare is a backend that has nothing beyond what it must have.
type bare struct{ sftpserver.Backend }

// TestOffers: what a backend cannot do is not offered, and refused if asked.
func TestOffers(t *testing.T) {
	c := start(t, bare{backend.Memory(0)}, nil)
	c.send(&sftp.Init{Version: 3})
	v := c.recv().(*sftp.VersionReply)
	for _, name := range []string{sftp.ExtStatVFS, sftp.ExtFStatVFS, sftp.ExtLSetStat, sftp.ExtUsersGroups} {
		if slices.ContainsFunc(v.Extensions, func(e sftp.Extension) bool { return e.Name == name }) {
			t.Errorf("%s is offered", name)
		}
		if name != sftp.ExtFStatVFS {
			c.wantCode(&sftp.Extended{Request: name, Path: "/"}, sftp.StatusOpUnsupported)
		}
	}
	for _, name := range []string{sftp.ExtExpandPath, sftp.ExtHomeDir, sftp.ExtCopyData} {
		if !v.Offers(name, sftp.ExtVersionOne) {
			t.Errorf("%s is not offered", name)
		}
	}
	c.done()
}

// TestHomes: a jail knows no other home than its own.
func TestHomes(t *testing.T) {
	for _, row := range []struct {
		name    string
		backend sftpserver.Backend
		expand  map[string]string // "": no such user
		homes   map[string]string
	}{
		{"homes", people{backend.Memory(0)}, map[string]string{
			"~": "/home/lark", "~/": "/home/lark", "~/a/../b": "/home/lark/b", "~wren": "/home/wren", "~wren/x": "/home/wren/x",
			"": "/home/lark", "a": "/home/lark/a", "a/~": "/home/lark/a/~", "/~": "/~", "/x": "/x", "~/../..": "/", "~nobody": "", "~wren/../../..": "/",
		}, map[string]string{"": "/home/lark", "wren": "/home/wren", "nobody": "", "../x": ""}},
		{"none", backend.Memory(0), map[string]string{"~": "/", "~/a": "/a", "~root": "", "~root/x": "", "a": "/a"}, map[string]string{"": "/", "root": ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := session(t, row.backend, nil)
			for _, dir := range []string{"/home", "/home/lark", "/home/wren", "/home/lark/a"} {
				c.wantCode(&sftp.Mkdir{Path: dir}, sftp.StatusOK)
			}
			check := func(m *sftp.Extended, what, want string) {
				t.Helper()
				switch r := c.call(m).(type) {
				case *sftp.Name:
					if len(r.Names) != 1 || r.Names[0].Filename != want {
						t.Errorf("%s %q is %+v, want %q", m.Request, what, r.Names, want)
					}
				case *sftp.Status:
					if want != "" || r.Code != sftp.StatusNoSuchFile {
						t.Errorf("%s %q: %v %q, want %q", m.Request, what, r.Code, r.Message, want)
					}
				}
			}
			if row.name == "none" {
				c.wantCode(&sftp.Mkdir{Path: "/a"}, sftp.StatusOK)
			}
			for p, want := range row.expand {
				check(&sftp.Extended{Request: sftp.ExtExpandPath, Path: p}, p, want)
			}
			for user, want := range row.homes {
				check(&sftp.Extended{Request: sftp.ExtHomeDir, User: user}, user, want)
			}
			c.wantCode(&sftp.Extended{Request: sftp.ExtExpandPath, Path: "~\x00"}, sftp.StatusFailure)
			c.wantCode(&sftp.Extended{Request: sftp.ExtHomeDir, User: strings.Repeat("x", 5000)}, sftp.StatusFailure)
			c.done()
		})
	}
}

func TestOwnerNames(t *testing.T) {
	c := session(t, people{backend.Memory(0)}, nil)
	r, ok := c.call(&sftp.Extended{Request: sftp.ExtUsersGroups, UIDs: []uint32{7, 8, 0}, GIDs: []uint32{8, 7}}).(*sftp.UsersGroupsReply)
	if !ok || !slices.Equal(r.Users, []string{"lark", "", "root"}) || !slices.Equal(r.Groups, []string{"", "birds"}) {
		t.Errorf("the names are %+v", r)
	}
	if r, ok := c.call(&sftp.Extended{Request: sftp.ExtUsersGroups}).(*sftp.UsersGroupsReply); !ok || len(r.Users)+len(r.Groups) != 0 {
		t.Errorf("the names of nobody are %+v", r)
	}
	c.wantCode(&sftp.Extended{Request: sftp.ExtUsersGroups, UIDs: make([]uint32, 4097)}, sftp.StatusFailure)
	c.done()
}

func TestSetLinkStat(t *testing.T) {
	c := session(t, nil, nil)
	c.write("a", "hello")
	c.wantCode(sftp.NewSymlink(0, "l", "a", 0), sftp.StatusOK)
	var a sftp.Attrs
	a.SetOwner(3, 4)
	a.SetTimes(time.Unix(1e9, 0), time.Unix(1e9, 0))
	c.wantCode(&sftp.Extended{Request: sftp.ExtLSetStat, Path: "l", Attrs: a}, sftp.StatusOK)
	for p, want := range map[string]uint32{"l": 3, "a": 0} {
		if r, ok := c.call(&sftp.LStat{Path: p}).(*sftp.AttrsReply); !ok || r.Attrs.UID != want || (r.Attrs.MTime == 1e9) != (want == 3) {
			t.Errorf("%s has %+v, want the owner %d", p, r, want)
		}
	}
	a.SetSize(1)
	c.wantCode(&sftp.Extended{Request: sftp.ExtLSetStat, Path: "l", Attrs: a}, sftp.StatusBadMessage)
	c.wantContent("a", "hello")
	c.done()
	c = session(t, nil, &sftpserver.Config{Access: sftpserver.ReadOnly})
	c.wantCode(&sftp.Extended{Request: sftp.ExtLSetStat, Path: "/"}, sftp.StatusPermissionDenied)
	c.done()
}

func copyData(from, to []byte, off, n, woff uint64) *sftp.Extended {
	return &sftp.Extended{Request: sftp.ExtCopyData, ReadHandle: from, ReadOffset: off, Length: n, WriteHandle: to, WriteOffset: woff}
}

// TestCopyData copies in memory, where the server reads and writes, and in
// files, where the system may copy.
func TestCopyData(t *testing.T) {
	root, err := backend.Rooted(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, b := range map[string]sftpserver.Backend{"memory": backend.Memory(1 << 20), "files": root} {
		t.Run(name, func(t *testing.T) {
			c := session(t, b, &sftpserver.Config{MaxCopy: 1000})
			c.write("a", "0123456789")
			c.write("big", strings.Repeat("x", 1001))
			c.wantCode(&sftp.Extended{Request: sftp.ExtHardlink, OldPath: "a", NewPath: "same"}, sftp.StatusOK)
			a, same, big := c.open("a", create), c.open("same", create), c.open("big", create)
			readOnly, writeOnly := c.open("a", sftp.OpenRead), c.open("w", sftp.OpenWrite|sftp.OpenCreate)
			appends := c.open("log", sftp.OpenAppend|sftp.OpenWrite|sftp.OpenCreate)
			dir, d := c.openDir("/"), c.open("d", create)
			for _, row := range []struct {
				name string
				m    *sftp.Extended
				code sftp.StatusCode
				want string // of d
			}{
				{"everything", copyData(a, d, 0, 0, 0), sftp.StatusOK, "0123456789"},
				{"a part", copyData(a, d, 2, 3, 8), sftp.StatusOK, "01234567234"},
				{"from an offset to the end", copyData(a, d, 8, 0, 0), sftp.StatusOK, "89234567234"},
				{"nothing behind the end", copyData(a, d, 10, 0, 0), sftp.StatusOK, "89234567234"},
				{"more than there is", copyData(a, d, 7, 4, 0), sftp.StatusEOF, "78934567234"},
				{"bytes behind the end", copyData(a, d, 10, 1, 0), sftp.StatusEOF, "78934567234"},
				{"to a file opened for writing", copyData(a, writeOnly, 0, 0, 0), sftp.StatusOK, "78934567234"},
				{"behind what is there", copyData(a, appends, 0, 4, 0), sftp.StatusOK, "78934567234"},
				{"behind it again", copyData(a, appends, 4, 4, 0), sftp.StatusOK, "78934567234"},
				{"the same handle", copyData(d, d, 0, 0, 20), sftp.StatusFailure, "78934567234"},
				{"the same file", copyData(readOnly, a, 0, 0, 20), sftp.StatusFailure, "78934567234"},
				{"the same file by another name", copyData(same, a, 0, 0, 20), sftp.StatusFailure, "78934567234"},
				{"from a file not opened for reading", copyData(writeOnly, d, 0, 0, 0), sftp.StatusPermissionDenied, "78934567234"},
				{"to a file not opened for writing", copyData(d, readOnly, 0, 0, 0), sftp.StatusPermissionDenied, "78934567234"},
				{"from a directory", copyData(dir, d, 0, 0, 0), sftp.StatusFailure, "78934567234"},
				{"to no handle", copyData(a, []byte("x"), 0, 0, 0), sftp.StatusFailure, "78934567234"},
				{"from an absurd offset", copyData(a, d, 1<<63, 0, 0), sftp.StatusFailure, "78934567234"},
				{"to an absurd offset", copyData(a, d, 0, 10, 1<<63-5), sftp.StatusFailure, "78934567234"},
				{"an absurd length", copyData(a, d, 0, 1<<64-1, 0), sftp.StatusFailure, "78934567234"},
				{"too much at once", copyData(a, d, 0, 1001, 0), sftp.StatusFailure, "78934567234"},
				{"too much to the end", copyData(big, d, 0, 0, 0), sftp.StatusFailure, strings.Repeat("x", 1000)},
			} {
				if r, ok := c.call(row.m).(*sftp.Status); !ok || r.Code != row.code {
					t.Errorf("%s: %+v, want %v", row.name, r, row.code)
				}
				c.wantContent("d", row.want)
			}
			c.wantContent("w", "0123456789")
			c.wantContent("log", "01234567")
			c.wantContent("a", "0123456789")
			c.done()
		})
	}
}

// TestCopyKeepsItsOrder: a copy sees what was written before it and not what
// was written later, on both sides, however slow files are.
func TestCopyKeepsItsOrder(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			c := session(t, &slow{Backend: backend.Memory(0), delay: random(seed)}, nil)
			a, b := c.open("a", create), c.open("b", create)
			c.send(
				&sftp.Write{ID: 100, Handle: a, Data: []byte("first")},
				&sftp.Write{ID: 101, Handle: b, Offset: 1, Data: []byte("below")},
				func() wire.Message { m := copyData(a, b, 0, 0, 2); m.ID = 102; return m }(),
				&sftp.Write{ID: 103, Handle: a, Data: []byte("LATER")},
				&sftp.Write{ID: 104, Handle: b, Offset: 6, Data: []byte("!?")},
				func() wire.Message { m := copyData(b, a, 1, 6, 5); m.ID = 105; return m }(),
				&sftp.Close{ID: 106, Handle: a}, &sftp.Close{ID: 107, Handle: b},
			)
			c.replies(100, 8)
			c.wantContent("b", "\x00bfirs!?")
			c.wantContent("a", "LATERbfirs!")
			c.done()
		})
	}
}

// TestCopyHoldsUpNobody: other files are read while a long copy runs.
func TestCopyHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, &slow{Backend: backend.Memory(0), delay: constant(time.Second)}, &sftpserver.Config{AnyOrder: true})
		c.write("c", "hello")
		from, to, other := c.open("a", create), c.open("b", create), c.open("c", sftp.OpenRead)
		var a sftp.Attrs
		a.SetSize(10 << 20) // some 80 steps
		c.wantCode(&sftp.FSetStat{Handle: from, Attrs: a}, sftp.StatusOK)
		m := copyData(from, to, 0, 0, 0)
		m.ID = 100
		began := time.Now()
		c.send(m, &sftp.Read{ID: 101, Handle: other, Length: 5})
		if r, ok := c.recv().(*sftp.Data); !ok || r.ID != 101 || time.Since(began) > 2*time.Second {
			t.Errorf("first comes %+v after %v, want what was read", r, time.Since(began))
		}
		if r, ok := c.recv().(*sftp.Status); !ok || r.ID != 100 || r.Code != sftp.StatusOK {
			t.Errorf("then comes %+v, want the end of the copy", r)
		}
		c.done()
	})
}

// TestCopyEndsWithTheSession: a long copy is given up when nobody waits for it.
func TestCopyEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, &slow{Backend: backend.Memory(0), delay: constant(time.Second)}, nil)
		h, to := c.open("a", create), c.open("b", create)
		var a sftp.Attrs
		a.SetSize(100 << 20)
		c.wantCode(&sftp.FSetStat{Handle: h, Attrs: a}, sftp.StatusOK)
		c.send(copyData(h, to, 0, 0, 0))
		time.Sleep(5 * time.Second)
		gone, began := errors.New("gone"), time.Now()
		c.cancel(gone)
		if err := c.wait(); !errors.Is(err, gone) || time.Since(began) > 3*time.Second {
			t.Errorf("Serve = %v after %v, want it at once", err, time.Since(began))
		}
		c.conn.Close()
	})
}
