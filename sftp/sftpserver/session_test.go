package sftpserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestHandshake(t *testing.T) {
	for _, version := range []uint32{0, 2, 3, 6, 99} {
		c := start(t, nil, nil)
		c.rude = true
		c.raw(mustPacket(t, &sftp.Init{Version: version}))
		b, err := c.r.ReadPacket(nil)
		if err != nil {
			t.Fatal(err)
		}
		var v sftp.VersionReply
		if err := sftp.Parse(b, &v, wire.Dialect{}); err != nil || v.Version != 3 {
			t.Errorf("INIT %d is answered with %+v, %v, want version 3", version, v, err)
		}
		for _, e := range []sftp.Extension{
			{Name: sftp.ExtPosixRename, Data: "1"},
			{Name: sftp.ExtHardlink, Data: "1"},
			{Name: sftp.ExtFSync, Data: "1"},
			{Name: sftp.ExtLimits, Data: "1"},
			{Name: sftp.ExtStatVFS, Data: "2"},
			{Name: sftp.ExtFStatVFS, Data: "2"},
			{Name: sftp.ExtLSetStat, Data: "1"},
			{Name: sftp.ExtExpandPath, Data: "1"},
			{Name: sftp.ExtHomeDir, Data: "1"},
			{Name: sftp.ExtCopyData, Data: "1"},
		} {
			if !v.Offers(e.Name, e.Data) {
				t.Errorf("VERSION does not offer %s %s", e.Name, e.Data)
			}
		}
		c.done()
	}
}

func mustPacket(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := sftp.AppendPacket(nil, m, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEnds shows how Serve ends: without an error only between packets.
func TestEnds(t *testing.T) {
	init := mustPacket(t, &sftp.Init{Version: 3})
	for _, row := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"nothing at all", nil, nil},
		{"only INIT", init, nil},
		{"half a length", init[:2], io.ErrUnexpectedEOF},
		{"half an INIT", init[:6], io.ErrUnexpectedEOF},
		{"half a request", append(slices.Clone(init), 0, 0, 0, 9, sftp.NumStat), io.ErrUnexpectedEOF},
		{"no INIT first", mustPacket(t, &sftp.Stat{Path: "/"}), sftpserver.ErrProtocol},
		{"second INIT", append(slices.Clone(init), init...), sftpserver.ErrProtocol},
		{"INIT cut short", []byte{0, 0, 0, 3, sftp.NumInit, 0, 0}, sftpserver.ErrProtocol},
		{"no request id", append(slices.Clone(init), 0, 0, 0, 3, sftp.NumStat, 0, 0), sftpserver.ErrProtocol},
		{"length 0", append(slices.Clone(init), 0, 0, 0, 0), sftp.ErrPacketLength},
		{"length beyond the limit", append(slices.Clone(init), 0, 4, 4, 1), sftp.ErrPacketLength},
		{"length 2³²-1", append(slices.Clone(init), 0xff, 0xff, 0xff, 0xff), sftp.ErrPacketLength},
		{"a line of text", []byte("SSH-2.0-x\r\n"), sftp.ErrPacketLength},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := start(t, nil, nil)
			c.raw(row.stream)
			if err := c.end(); !errors.Is(err, row.want) {
				t.Errorf("Serve = %v, want %v", err, row.want)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	c := session(t, nil, nil)
	c.write("a", "hello")
	c.wantContent("/a", "hello")
	c.wantContent("./x/../a", "hello")
	c.wantContent("../../a", "hello")
	h := c.open("a", create)
	c.wantCode(&sftp.Write{Handle: h, Offset: 5, Data: []byte(" world")}, sftp.StatusOK)
	c.wantCode(&sftp.Extended{Request: sftp.ExtFSync, Handle: h}, sftp.StatusOK)
	if r, ok := c.call(&sftp.FStat{Handle: h}).(*sftp.AttrsReply); !ok || r.Attrs.Size != 11 {
		t.Errorf("FSTAT: %+v, want size 11", r)
	}
	c.wantCode(&sftp.Read{Handle: h, Offset: 11, Length: 10}, sftp.StatusEOF)
	c.wantCode(&sftp.Read{Handle: h, Offset: 0, Length: 0}, sftp.StatusEOF)
	c.wantCode(&sftp.Read{Handle: h, Offset: 1<<64 - 1, Length: 10}, sftp.StatusEOF)
	c.wantCode(&sftp.Write{Handle: h, Offset: 1<<64 - 1, Data: []byte("x")}, sftp.StatusFailure)
	if r, ok := c.call(&sftp.Read{Handle: h, Offset: 6, Length: 1 << 31}).(*sftp.Data); !ok || string(r.Data) != "world" {
		t.Errorf("READ of 2 GiB: %+v, want \"world\"", r)
	}
	var a sftp.Attrs
	a.SetSize(2)
	c.wantCode(&sftp.FSetStat{Handle: h, Attrs: a}, sftp.StatusOK)
	a.SetSize(1 << 63)
	c.wantCode(&sftp.FSetStat{Handle: h, Attrs: a}, sftp.StatusFailure)
	c.wantCode(&sftp.Close{Handle: h}, sftp.StatusOK)
	c.wantContent("a", "he")
	c.wantCode(&sftp.Open{Filename: "a", Flags: sftp.OpenRead | sftp.OpenTruncate}, sftp.StatusFailure)
	c.wantCode(&sftp.Open{Filename: "none"}, sftp.StatusNoSuchFile)
	c.done()
}

func TestNames(t *testing.T) {
	c := session(t, nil, nil)
	c.wantCode(&sftp.Mkdir{Path: "d"}, sftp.StatusOK)
	c.wantCode(&sftp.Mkdir{Path: "d"}, sftp.StatusFailure)
	c.write("d/a", "x")
	c.wantCode(sftp.NewSymlink(0, "/d/l", "a", sftp.OrderOpenSSH), sftp.StatusOK)
	if r, ok := c.call(&sftp.ReadLink{Path: "d/l"}).(*sftp.Name); !ok || r.Names[0].Filename != "a" {
		t.Errorf("READLINK: %+v, want \"a\"", r)
	}
	if r, ok := c.call(&sftp.RealPath{Path: "d/./l"}).(*sftp.Name); !ok || r.Names[0].Filename != "/d/a" {
		t.Errorf("REALPATH: %+v, want \"/d/a\"", r)
	}
	if r, ok := c.call(&sftp.RealPath{}).(*sftp.Name); !ok || r.Names[0].Filename != "/" {
		t.Errorf("REALPATH of nothing: %+v, want \"/\"", r)
	}
	if r, ok := c.call(&sftp.LStat{Path: "d/l"}).(*sftp.AttrsReply); !ok || r.Attrs.Permissions&sftp.ModeType != sftp.ModeSymlink {
		t.Errorf("LSTAT: %+v, want a symbolic link", r)
	}
	if r, ok := c.call(&sftp.Stat{Path: "d/l"}).(*sftp.AttrsReply); !ok || r.Attrs.Permissions&sftp.ModeType != sftp.ModeRegular {
		t.Errorf("STAT: %+v, want a regular file", r)
	}
	c.wantCode(&sftp.Extended{Request: sftp.ExtHardlink, OldPath: "d/a", NewPath: "d/b"}, sftp.StatusOK)
	c.wantCode(&sftp.Rename{OldPath: "d/l", NewPath: "d/b"}, sftp.StatusFailure)
	c.wantCode(&sftp.Rename{OldPath: "d/l", NewPath: "d/m"}, sftp.StatusOK)
	c.wantCode(&sftp.Extended{Request: sftp.ExtPosixRename, OldPath: "d/m", NewPath: "d/b"}, sftp.StatusOK)
	var a sftp.Attrs
	a.SetPermissions(0o600)
	c.wantCode(&sftp.SetStat{Path: "d/a", Attrs: a}, sftp.StatusOK)
	c.wantCode(&sftp.Rmdir{Path: "d"}, sftp.StatusFailure)
	c.wantCode(&sftp.Remove{Filename: "d/a"}, sftp.StatusOK)
	c.wantCode(&sftp.Remove{Filename: "d/b"}, sftp.StatusOK)
	c.wantCode(&sftp.Rmdir{Path: "d"}, sftp.StatusOK)
	c.wantCode(&sftp.Rmdir{Path: "d"}, sftp.StatusNoSuchFile)
	c.done()
}

func TestDraftSymlinkOrder(t *testing.T) {
	c := session(t, nil, &sftpserver.Config{SymlinkOrder: sftp.OrderDraft})
	c.wantCode(&sftp.Symlink{LinkPath: "link", TargetPath: "target"}, sftp.StatusOK)
	if r, ok := c.call(&sftp.ReadLink{Path: "link"}).(*sftp.Name); !ok || r.Names[0].Filename != "target" {
		t.Errorf("READLINK: %+v, want \"target\"", r)
	}
	c.done()
}

func TestExtensions(t *testing.T) {
	c := session(t, nil, &sftpserver.Config{MaxPacket: 64 << 10, MaxHandles: 7})
	if r, ok := c.call(&sftp.Extended{Request: sftp.ExtLimits}).(*sftp.LimitsReply); !ok ||
		r.MaxPacket != 64<<10 || r.MaxRead != 63<<10 || r.MaxWrite != 63<<10 || r.MaxHandles != 7 {
		t.Errorf("limits: %+v", r)
	}
	if r, ok := c.call(&sftp.Extended{Request: sftp.ExtStatVFS, Path: "/"}).(*sftp.StatVFSReply); !ok || r.Blocks == 0 {
		t.Errorf("statvfs: %+v", r)
	}
	h := c.open("a", create)
	if r, ok := c.call(&sftp.Extended{Request: sftp.ExtFStatVFS, Handle: h}).(*sftp.StatVFSReply); !ok || r.Blocks == 0 {
		t.Errorf("fstatvfs: %+v", r)
	}
	c.wantCode(&sftp.Extended{Request: "nonsense@example.org", Rest: []byte("data")}, sftp.StatusOpUnsupported)
	c.wantCode(&sftp.Extended{Request: ""}, sftp.StatusOpUnsupported)
	c.done()
}

// TestUnknownPacketDoesNotEndTheSession and the next one are about servers
// that close the session, or never answer, where a status is due.
func TestUnknownPacketDoesNotEndTheSession(t *testing.T) {
	c := session(t, nil, nil)
	c.rude = true
	for _, number := range []byte{0, 3 + 18, 22, 23, 99, 101, 104, 201, 210, 255} {
		c.packet(number, 0, 0, 0, 77, 1, 2, 3)
		b, err := c.r.ReadPacket(nil)
		if err != nil {
			t.Fatalf("message %d: %v", number, err)
		}
		var s sftp.Status
		if err := sftp.Parse(b, &s, wire.Dialect{}); err != nil || s.ID != 77 || s.Code != sftp.StatusOpUnsupported {
			t.Errorf("message %d is answered with %+v, %v, want SSH_FX_OP_UNSUPPORTED for 77", number, s, err)
		}
	}
	c.id = 1000
	c.write("a", "alive")
	c.done()
}

func TestMalformedPacketDoesNotEndTheSession(t *testing.T) {
	c := session(t, nil, nil)
	c.rude = true
	for e := range sftp.Messages.All() {
		if !e.From.Allows(wire.C2S) || e.Number == sftp.NumInit {
			continue
		}
		c.packet(e.Number, 0, 0, 0, 78, 0xff, 0xff)
		if s, ok := c.recv().(*sftp.Status); !ok || s.ID != 78 || s.Code != sftp.StatusBadMessage || !strings.Contains(s.Message, e.Name) {
			t.Errorf("a short %s is answered with %+v, want SSH_FX_BAD_MESSAGE", e.Name, s)
		}
	}
	c.id = 1000
	c.write("a", "alive")
	b := mustPacket(t, &sftp.Stat{ID: 79, Path: "/a"})
	c.packet(append(b[sftp.LengthSize:], "bytes too many"...)...)
	if r, ok := c.recv().(*sftp.AttrsReply); !ok || r.ID != 79 {
		t.Errorf("a STAT with excess bytes is answered with %+v, want attributes", r)
	}
	c.done()
}

func TestBadPaths(t *testing.T) {
	c := session(t, nil, nil)
	c.write("a", "x")
	for _, p := range []string{"a\x00b", "\x00", "/a\x00", strings.Repeat("x/", 3000)} {
		for _, m := range []wire.Message{
			&sftp.Open{Filename: p}, &sftp.Stat{Path: p}, &sftp.LStat{Path: p}, &sftp.SetStat{Path: p}, &sftp.OpenDir{Path: p},
			&sftp.Remove{Filename: p}, &sftp.Mkdir{Path: p}, &sftp.Rmdir{Path: p}, &sftp.RealPath{Path: p}, &sftp.ReadLink{Path: p},
			&sftp.Rename{OldPath: "a", NewPath: p}, &sftp.Rename{OldPath: p, NewPath: "b"},
			&sftp.Symlink{LinkPath: p, TargetPath: "l"}, &sftp.Symlink{LinkPath: "t", TargetPath: p},
			&sftp.Extended{Request: sftp.ExtPosixRename, OldPath: "a", NewPath: p},
			&sftp.Extended{Request: sftp.ExtHardlink, OldPath: "a", NewPath: p},
			&sftp.Extended{Request: sftp.ExtStatVFS, Path: p},
		} {
			c.wantCode(m, sftp.StatusFailure)
		}
	}
	c.wantContent("a", "x")
	c.done()
}

func TestHandles(t *testing.T) {
	c := session(t, nil, &sftpserver.Config{MaxHandles: 3})
	c.write("a", "x")
	f, d := c.open("a", sftp.OpenRead), c.openDir("/")
	w := c.open("b", sftp.OpenWrite|sftp.OpenCreate)
	for range 2 {
		c.wantCode(&sftp.Open{Filename: "a", Flags: sftp.OpenRead}, sftp.StatusFailure)
		c.wantCode(&sftp.OpenDir{Path: "/"}, sftp.StatusFailure)
	}
	c.wantCode(&sftp.Read{Handle: d, Length: 1}, sftp.StatusFailure)
	c.wantCode(&sftp.Write{Handle: d}, sftp.StatusFailure)
	c.wantCode(&sftp.ReadDir{Handle: f}, sftp.StatusFailure)
	c.wantCode(&sftp.Extended{Request: sftp.ExtFSync, Handle: d}, sftp.StatusFailure)
	c.wantCode(&sftp.Write{Handle: f, Data: []byte("x")}, sftp.StatusPermissionDenied)
	c.wantCode(&sftp.Read{Handle: w, Length: 1}, sftp.StatusPermissionDenied)
	if _, ok := c.call(&sftp.FStat{Handle: d}).(*sftp.AttrsReply); !ok {
		t.Error("FSTAT of a directory has no attributes")
	}
	for _, h := range [][]byte{nil, {}, {1}, f[1:], append(slices.Clone(f), 0), bytes.Repeat([]byte{0xff}, 8), bytes.Repeat([]byte{1}, 300)} {
		c.wantCode(&sftp.Read{Handle: h, Length: 1}, sftp.StatusFailure)
		c.wantCode(&sftp.Write{Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.FStat{Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.FSetStat{Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.ReadDir{Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.Close{Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.Extended{Request: sftp.ExtFSync, Handle: h}, sftp.StatusFailure)
		c.wantCode(&sftp.Extended{Request: sftp.ExtFStatVFS, Handle: h}, sftp.StatusFailure)
	}
	c.wantCode(&sftp.Close{Handle: f}, sftp.StatusOK)
	c.wantCode(&sftp.Close{Handle: f}, sftp.StatusFailure)
	if again := c.open("a", sftp.OpenRead); bytes.Equal(again, f) {
		t.Error("a closed handle was handed out again at once")
	}
	c.done()
}

func TestReadDirInBatches(t *testing.T) {
	b := backend.Memory(0)
	const entries = 3000
	for i := range entries {
		if err := b.Mkdir(t.Context(), fmt.Sprintf("/%04d-%s", i, strings.Repeat("n", i%200)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := session(t, b, nil)
	h := c.openDir("/")
	seen, batches := map[string]bool{}, 0
	for {
		r, ok := c.call(&sftp.ReadDir{Handle: h}).(*sftp.Name)
		if !ok {
			break
		}
		batches++
		if n := len(mustPacket(t, r)); n > 70<<10 {
			t.Errorf("a NAME of %d bytes", n)
		}
		for _, e := range r.Names {
			if seen[e.Filename] || !strings.Contains(e.Longname, e.Filename) {
				t.Errorf("entry %+v is there twice or has a strange long name", e)
			}
			seen[e.Filename] = true
		}
	}
	if len(seen) != entries || batches > 20 {
		t.Errorf("%d entries in %d batches, want %d in at most 20", len(seen), batches, entries)
	}
	c.wantCode(&sftp.ReadDir{Handle: h}, sftp.StatusEOF)
	c.done()
}

func TestAccess(t *testing.T) {
	var size sftp.Attrs
	size.SetSize(0)
	changes := func() []wire.Message {
		return []wire.Message{
			&sftp.Open{Filename: "a", Flags: sftp.OpenWrite}, &sftp.Open{Filename: "a", Flags: sftp.OpenRead | sftp.OpenTruncate},
			&sftp.Open{Filename: "n", Flags: sftp.OpenRead | sftp.OpenCreate}, &sftp.Open{Filename: "a", Flags: sftp.OpenAppend},
			&sftp.SetStat{Path: "a", Attrs: size}, &sftp.FSetStat{Attrs: size}, &sftp.Remove{Filename: "a"}, &sftp.Mkdir{Path: "m"}, &sftp.Rmdir{Path: "d"},
			&sftp.Rename{OldPath: "a", NewPath: "n"}, &sftp.Symlink{LinkPath: "a", TargetPath: "n"},
			&sftp.Extended{Request: sftp.ExtPosixRename, OldPath: "a", NewPath: "n"}, &sftp.Extended{Request: sftp.ExtHardlink, OldPath: "a", NewPath: "n"},
		}
	}
	discloses := func() []wire.Message {
		return []wire.Message{
			&sftp.Open{Filename: "a", Flags: sftp.OpenRead}, &sftp.Open{Filename: "a"},
			&sftp.Open{Filename: "a", Flags: create}, &sftp.OpenDir{Path: "/"}, &sftp.ReadLink{Path: "l"}, &sftp.ReadDir{},
		}
	}
	b := backend.Memory(0)
	c := session(t, b, nil)
	c.write("a", "x")
	c.wantCode(&sftp.Mkdir{Path: "d"}, sftp.StatusOK)
	c.wantCode(sftp.NewSymlink(0, "l", "a", 0), sftp.StatusOK)
	c.done()
	for _, row := range []struct {
		access  sftpserver.Access
		refused []wire.Message
	}{{sftpserver.ReadOnly, changes()}, {sftpserver.WriteOnly, discloses()}} {
		c := session(t, b, &sftpserver.Config{Access: row.access})
		for _, m := range row.refused {
			c.wantCode(m, sftp.StatusPermissionDenied)
		}
		if _, ok := c.call(&sftp.Stat{Path: "a"}).(*sftp.AttrsReply); !ok {
			t.Errorf("access %d: no attributes", row.access)
		}
		c.done()
	}
	c = session(t, b, &sftpserver.Config{Access: sftpserver.ReadOnly})
	c.wantContent("a", "x")
	c.done()
	c = session(t, b, &sftpserver.Config{Access: sftpserver.WriteOnly})
	h := c.open("new", sftp.OpenWrite|sftp.OpenCreate|sftp.OpenTruncate)
	c.wantCode(&sftp.Write{Handle: h, Data: []byte("dropped")}, sftp.StatusOK)
	c.done()
}

func TestDiskFull(t *testing.T) {
	c := session(t, backend.Memory(1000), nil)
	h := c.open("a", create)
	c.wantCode(&sftp.Write{Handle: h, Data: make([]byte, 900)}, sftp.StatusOK)
	r, ok := c.call(&sftp.Write{Handle: h, Offset: 900, Data: make([]byte, 900)}).(*sftp.Status)
	if !ok || r.Code != sftp.StatusFailure || !strings.Contains(r.Message, "no space left") {
		t.Errorf("a WRITE that does not fit is answered with %+v, want SSH_FX_FAILURE that says why", r)
	}
	c.wantCode(&sftp.Close{Handle: h}, sftp.StatusOK)
	c.done()
}

func TestErrorsDoNotShowHostPaths(t *testing.T) {
	dir := t.TempDir()
	b, err := backend.Rooted(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := session(t, b, nil)
	for _, m := range []wire.Message{
		&sftp.Open{Filename: "none"}, &sftp.Stat{Path: "none"}, &sftp.OpenDir{Path: "none"}, &sftp.Remove{Filename: "none"},
		&sftp.Rename{OldPath: "none", NewPath: "x"}, &sftp.Rmdir{Path: "none"}, &sftp.ReadLink{Path: "none"}, &sftp.Mkdir{Path: "none/x"},
	} {
		if r, ok := c.call(m).(*sftp.Status); !ok || r.Code != sftp.StatusNoSuchFile || strings.Contains(r.Message, "/") {
			t.Errorf("%T is answered with %+v, want SSH_FX_NO_SUCH_FILE and no path", m, r)
		}
	}
	c.done()
}

// watcher records what a server tells its tracer.
type watcher struct {
	mu      sync.Mutex
	info    trace.Info
	packets [2][][]byte
	closed  int
}

func (w *watcher) Open(i trace.Info) trace.Conn { w.info = i; return w }
func (w *watcher) Wire(wire.Dir, []byte)        {}
func (w *watcher) Secret(string)                {}
func (w *watcher) Event(trace.Event)            {}
func (w *watcher) Close(error)                  { w.closed++ }
func (w *watcher) Packet(dir wire.Dir, b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.packets[dir] = append(w.packets[dir], bytes.Clone(b))
}

func TestTraceAndOperations(t *testing.T) {
	w := &watcher{}
	var ops []sftpserver.Operation
	c := session(t, nil, &sftpserver.Config{
		Trace: w, Carrier: trace.Info{Channel: 5, Label: "subsystem sftp"},
		Operation: func(o sftpserver.Operation) { ops = append(ops, o) },
	})
	c.write("d/../a", "hello")
	c.wantContent("a", "hello")
	c.done()
	if w.info.Proto != "sftp" || w.info.Role != trace.Server || w.info.Channel != 5 || w.closed != 1 {
		t.Errorf("trace was opened with %+v and closed %d times", w.info, w.closed)
	}
	if c2s, s2c := len(w.packets[wire.C2S]), len(w.packets[wire.S2C]); c2s != 8 || s2c != 8 {
		t.Errorf("trace saw %d and %d packets, want 8 and 8", c2s, s2c)
	}
	var got []string
	for _, o := range ops {
		got = append(got, fmt.Sprintf("%s %s %d %d %d %v", o.Name, o.Path, o.Bytes, o.Read, o.Written, o.Err))
	}
	want := []string{
		"SSH_FXP_OPEN /a 0 0 0 <nil>", "SSH_FXP_WRITE /a 5 0 0 <nil>", "SSH_FXP_CLOSE /a 0 0 5 <nil>",
		"SSH_FXP_OPEN /a 0 0 0 <nil>", "SSH_FXP_READ /a 5 0 0 <nil>", "SSH_FXP_READ /a 0 0 0 EOF", "SSH_FXP_CLOSE /a 0 5 0 <nil>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("operations\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// What is still open when a session ends is told as closes that failed, in the
// order of the opens and behind everything else.
func TestAbandonedHandlesAreTold(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(c *client)
	}{
		{"the stream ends", func(c *client) { c.done() }},
		{"the server stops", func(c *client) { c.cancel(errors.New("enough")); _ = c.wait() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := &counting{Backend: backend.Memory(0)}
			var got []string
			c := session(t, b, &sftpserver.Config{Operation: func(o sftpserver.Operation) {
				if o.Name != "SSH_FXP_CLOSE" {
					return
				}
				if o.Start.IsZero() || o.Err != nil && !errors.Is(o.Err, sftpserver.ErrSessionEnded) {
					t.Errorf("told %+v", o)
				}
				got = append(got, fmt.Sprintf("%s %d %d %t", o.Path, o.Read, o.Written, o.Err != nil))
			}})
			c.write("a", "hello")
			up, down := c.open("up", create), c.open("a", sftp.OpenRead)
			c.openDir("/")
			c.wantCode(&sftp.Write{Handle: up, Data: []byte("half")}, sftp.StatusOK)
			c.call(&sftp.Read{Handle: down, Length: 3})
			row.end(c)
			if want := []string{"/a 0 5 false", "/up 0 4 true", "/a 3 0 true", "/ 0 0 true"}; !slices.Equal(got, want) {
				t.Errorf("told %q, want %q", got, want)
			}
			if n := b.open.Load(); n != 0 {
				t.Errorf("%d handles are still open", n)
			}
		})
	}
}

func TestCancelEndsTheSession(t *testing.T) {
	b := &counting{Backend: backend.Memory(0)}
	c := session(t, b, nil)
	c.open("a", create)
	c.openDir("/")
	cause := errors.New("enough")
	c.cancel(cause)
	if err := c.wait(); !errors.Is(err, cause) {
		t.Errorf("Serve = %v, want %v", err, cause)
	}
	if n := b.open.Load(); n != 0 {
		t.Errorf("%d handles are still open", n)
	}
	if _, err := c.conn.Read(make([]byte, 1)); err == nil {
		t.Error("the stream is still open")
	}
}

func TestContextThatHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client, server := testkit.Pipe()
	defer client.Close()
	if err := sftpserver.Serve(ctx, server, backend.Memory(0), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Serve = %v, want context.Canceled", err)
	}
}
