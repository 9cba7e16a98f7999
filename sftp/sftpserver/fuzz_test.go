package sftpserver_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

// script is a stream that a client sends, without anybody reading along.
type script struct {
	io.Reader
	out bytes.Buffer
}

func (s *script) Write(b []byte) (int, error) { return s.out.Write(b) }
func (s *script) Close() error                { return nil }

// FuzzServe sends a server bytes. Whatever they are, each packet with an id is
// answered once, in order, with a reply that can be decoded.
func FuzzServe(f *testing.F) {
	h := []byte{0, 0, 0, 0, 0, 0, 0, 1}
	var seed []byte
	for _, m := range []wire.Message{
		&sftp.Init{Version: 3}, &sftp.Mkdir{ID: 1, Path: "d"}, &sftp.Open{ID: 2, Filename: "d/a", Flags: create},
		&sftp.Write{ID: 3, Handle: h, Data: []byte("hello")}, &sftp.Write{ID: 4, Handle: h, Offset: 3, Data: []byte("hello")},
		&sftp.Read{ID: 5, Handle: h, Length: 100}, &sftp.FSetStat{ID: 6, Handle: h, Attrs: sftp.Attrs{Flags: sftp.AttrSize, Size: 3}},
		&sftp.FStat{ID: 7, Handle: h}, &sftp.Close{ID: 8, Handle: h}, sftp.NewSymlink(9, "l", "d/a", 0), &sftp.RealPath{ID: 10, Path: "l"},
		&sftp.OpenDir{ID: 11, Path: "/"}, &sftp.ReadDir{ID: 12, Handle: []byte{0, 0, 0, 0, 0, 0, 0, 2}},
		&sftp.Extended{ID: 13, Request: sftp.ExtStatVFS, Path: "/"}, &sftp.Extended{ID: 14, Request: sftp.ExtLimits},
		&sftp.Extended{ID: 15, Request: sftp.ExtPosixRename, OldPath: "d/a", NewPath: "b"}, &sftp.Remove{ID: 16, Filename: "b"},
		&sftp.Open{ID: 17, Filename: "x", Flags: create}, &sftp.Open{ID: 18, Filename: "y", Flags: create},
		&sftp.Write{ID: 19, Handle: []byte{0, 0, 0, 0, 0, 0, 0, 3}, Data: []byte("hello")},
		&sftp.Extended{ID: 20, Request: sftp.ExtCopyData, ReadHandle: []byte{0, 0, 0, 0, 0, 0, 0, 3}, WriteHandle: []byte{0, 0, 0, 0, 0, 0, 0, 4}, WriteOffset: 2},
		&sftp.Extended{ID: 21, Request: sftp.ExtExpandPath, Path: "~/x"}, &sftp.Extended{ID: 22, Request: sftp.ExtHomeDir},
		&sftp.Extended{ID: 23, Request: sftp.ExtUsersGroups, UIDs: []uint32{0}, GIDs: []uint32{0, 1}},
		&sftp.Extended{ID: 24, Request: sftp.ExtLSetStat, Path: "l", Attrs: sftp.Attrs{Flags: sftp.AttrUIDGID, UID: 1, GID: 2}},
	} {
		seed = append(seed, mustPacket(f, m)...)
	}
	f.Add(seed)
	f.Add(append(seed[:9:9], 0, 0, 0, 5, 99, 0, 0, 0, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		s := &script{Reader: bytes.NewReader(b)}
		err := sftpserver.Serve(t.Context(), s, backend.Memory(1<<20), &sftpserver.Config{MaxHandles: 4})
		if err != nil && !errors.Is(err, sftpserver.ErrProtocol) && !errors.Is(err, sftp.ErrPacketLength) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Serve = %v", err)
		}
		var got []uint32
		r := sftp.NewPacketReader(&s.out, 0)
		for {
			p, err := r.ReadPacket(nil)
			if err != nil {
				if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("replies: %v", err)
				}
				break
			}
			e := sftp.Messages.Find("", p[0])
			if e == nil || e.From != wire.FromServer {
				t.Fatalf("reply with number %d", p[0])
			}
			if err := sftp.Parse(p, e.New(), wire.Dialect{}); err != nil {
				t.Fatalf("reply: %v", err)
			}
			if _, id, ok := sftp.Header(p); ok {
				got = append(got, id)
			}
		}
		if want := requests(b); !slices.Equal(got, want) {
			t.Errorf("replies to %v, want to %v", got, want)
		}
	})
}

// requests returns the ids of the requests in a client's stream, up to where
// a server must give up.
func requests(b []byte) (ids []uint32) {
	for first := true; len(b) >= 4; first = false {
		n := binary.BigEndian.Uint32(b)
		if n == 0 || n > sftp.MaxPacket || uint64(n) > uint64(len(b)-4) {
			break
		}
		p := b[4 : 4+n]
		b = b[4+n:]
		_, id, ok := sftp.Header(p)
		switch {
		case first && (p[0] != sftp.NumInit || sftp.Parse(p, new(sftp.Init), wire.Dialect{}) != nil):
			return nil
		case first:
		case !ok:
			return ids
		default:
			ids = append(ids, id)
		}
	}
	return ids
}

// TestModel compares a session with a few lines of Go that do the same to maps
// and slices, for random requests of which many are in flight at a time.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := session(t, nil, &sftpserver.Config{Parallel: 3})
		defer c.done()
		m := model{files: map[string]*[]byte{}, open: map[string]*[]byte{}}
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		handle := func(rt *rapid.T) []byte {
			return []byte{0, 0, 0, 0, 0, 0, 0, rapid.ByteRange(1, 6).Draw(rt, "handle")}
		}
		var want []string
		var list []wire.Message
		add := func(req wire.Message, reply string) {
			sftp.SetID(req, uint32(1000+len(list)))
			list, want = append(list, req), append(want, reply)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "requests") {
			switch rapid.IntRange(0, 9).Draw(rt, "kind") {
			case 0:
				n := name.Draw(rt, "name")
				flags := rapid.SampledFrom([]sftp.OpenFlags{sftp.OpenRead | sftp.OpenWrite, create, create | sftp.OpenTruncate, create | sftp.OpenExcl}).Draw(rt, "flags")
				add(&sftp.Open{Filename: n, Flags: flags}, m.openFile(n, flags))
			case 1, 2:
				h, off := handle(rt), rapid.IntRange(0, 20).Draw(rt, "offset")
				data := rapid.SliceOfN(rapid.ByteRange('a', 'z'), 1, 10).Draw(rt, "data")
				add(&sftp.Write{Handle: h, Offset: uint64(off), Data: data}, m.write(h, off, data))
			case 3, 4:
				h, off, n := handle(rt), rapid.IntRange(0, 30).Draw(rt, "offset"), rapid.IntRange(1, 20).Draw(rt, "length")
				add(&sftp.Read{Handle: h, Offset: uint64(off), Length: uint32(n)}, m.read(h, off, n))
			case 5:
				h, size := handle(rt), rapid.IntRange(0, 30).Draw(rt, "size")
				add(&sftp.FSetStat{Handle: h, Attrs: sftp.Attrs{Flags: sftp.AttrSize, Size: uint64(size)}}, m.resize(h, size))
			case 6:
				h := handle(rt)
				add(&sftp.Close{Handle: h}, m.close(h))
			case 7, 8:
				from, to := handle(rt), handle(rt)
				off, n, woff := rapid.IntRange(0, 25).Draw(rt, "from"), rapid.IntRange(0, 9).Draw(rt, "length"), rapid.IntRange(0, 25).Draw(rt, "to")
				add(copyData(from, to, uint64(off), uint64(n), uint64(woff)), m.copy(from, to, off, n, woff))
			case 9:
				a, b := name.Draw(rt, "old"), name.Draw(rt, "new")
				if a == b {
					add(&sftp.Remove{Filename: a}, m.remove(a))
				} else {
					add(&sftp.Extended{Request: sftp.ExtPosixRename, OldPath: a, NewPath: b}, m.rename(a, b))
				}
			}
		}
		c.send(list...)
		for i := range list {
			var got string
			switch r := c.recv().(type) {
			case *sftp.Status:
				got = r.Code.String()
			case *sftp.Handle:
				got = "handle"
			case *sftp.Data:
				got = "data " + string(r.Data)
			}
			if got != want[i] {
				rt.Fatalf("reply %d to %+v is %q, want %q", i, list[i], got, want[i])
			}
		}
	})
}

// model is what a session should do to regular files in one directory.
type model struct {
	files map[string]*[]byte
	open  map[string]*[]byte // by handle
	last  byte
}

const (
	ok      = "SSH_FX_OK"
	failure = "SSH_FX_FAILURE"
	missing = "SSH_FX_NO_SUCH_FILE"
)

func (m *model) openFile(name string, flags sftp.OpenFlags) string {
	f := m.files[name]
	switch {
	case f == nil && flags&sftp.OpenCreate == 0:
		return missing
	case f == nil:
		f = new([]byte)
		m.files[name] = f
	case flags&sftp.OpenExcl != 0:
		return failure
	case flags&sftp.OpenTruncate != 0:
		*f = nil
	}
	m.last++
	m.open[string([]byte{0, 0, 0, 0, 0, 0, 0, m.last})] = f
	return "handle"
}

func (m *model) write(h []byte, off int, data []byte) string {
	f := m.open[string(h)]
	if f == nil {
		return failure
	}
	m.grow(f, off+len(data))
	copy((*f)[off:], data)
	return ok
}

func (m *model) grow(f *[]byte, n int) {
	if n > len(*f) {
		*f = append(*f, make([]byte, n-len(*f))...)
	}
}

func (m *model) read(h []byte, off, n int) string {
	f := m.open[string(h)]
	switch {
	case f == nil:
		return failure
	case off >= len(*f):
		return "SSH_FX_EOF"
	}
	return "data " + string((*f)[off:min(off+n, len(*f))])
}

func (m *model) copy(from, to []byte, off, n, woff int) string {
	f, g := m.open[string(from)], m.open[string(to)]
	if f == nil || g == nil || f == g {
		return failure
	}
	data := (*f)[min(off, len(*f)):]
	if n > 0 {
		data = data[:min(n, len(data))]
	}
	if len(data) > 0 {
		m.write(to, woff, data)
	}
	if len(data) < n {
		return "SSH_FX_EOF"
	}
	return ok
}

func (m *model) resize(h []byte, n int) string {
	f := m.open[string(h)]
	if f == nil {
		return failure
	}
	m.grow(f, n)
	*f = (*f)[:n:n]
	return ok
}

func (m *model) close(h []byte) string {
	if m.open[string(h)] == nil {
		return failure
	}
	delete(m.open, string(h))
	return ok
}

func (m *model) remove(name string) string {
	if m.files[name] == nil {
		return missing
	}
	delete(m.files, name)
	return ok
}

func (m *model) rename(a, b string) string {
	if m.files[a] == nil {
		return missing
	}
	m.files[b] = m.files[a]
	delete(m.files, a)
	return ok
}

// TestAllocations: file data costs no allocation for each READ or WRITE.
func TestAllocations(t *testing.T) {
	// io.Pipe allocates nothing, unlike testkit's.
	requests, client := io.Pipe()
	replies, w := io.Pipe()
	server := struct {
		io.Reader
		io.WriteCloser
	}{requests, w}
	served := make(chan error, 1)
	go func() { served <- sftpserver.Serve(t.Context(), server, backend.Memory(0), nil) }() // stops when client closes
	r := sftp.NewPacketReader(replies, 0)
	buf := make([]byte, 0, 64<<10)
	exchange := func(packet []byte, number byte) {
		if _, err := client.Write(packet); err != nil {
			t.Fatal(err)
		}
		var err error
		if buf, err = r.ReadPacket(buf); err != nil || buf[0] != number {
			t.Fatalf("reply %x, %v, want number %d", buf[:min(len(buf), 40)], err, number)
		}
	}
	exchange(mustPacket(t, &sftp.Init{Version: 3}), sftp.NumVersion)
	exchange(mustPacket(t, &sftp.Open{Filename: "a", Flags: create}), sftp.NumHandle)
	h := bytes.Clone(buf[9:])
	write := mustPacket(t, &sftp.Write{Handle: h, Data: make([]byte, sftp.SafeData)})
	read := mustPacket(t, &sftp.Read{Handle: h, Length: sftp.SafeData})
	for range 100 {
		exchange(write, sftp.NumStatus)
		exchange(read, sftp.NumData)
	}
	for name, f := range map[string]func(){
		"WRITE": func() { exchange(write, sftp.NumStatus) },
		"READ":  func() { exchange(read, sftp.NumData) },
	} {
		if n := testing.AllocsPerRun(200, f); n > poolLoss {
			t.Errorf("%s: %v allocations, want %d", name, n, poolLoss)
		}
	}
	client.Close()
	<-served
}

func BenchmarkServe(b *testing.B) {
	for _, size := range []int{32 << 10, 255 << 10} {
		name := strings.Replace("READ nKiB", "n", map[int]string{32 << 10: "32", 255 << 10: "255"}[size], 1)
		b.Run(name, func(b *testing.B) {
			client, server := testkit.Pipe()
			served := make(chan error, 1)
			go func() { served <- sftpserver.Serve(b.Context(), server, backend.Memory(0), nil) }() // stops when client closes
			r := sftp.NewPacketReader(client, 0)
			buf := make([]byte, 0, sftp.MaxPacket)
			exchange := func(packet []byte) {
				client.Write(packet)       //nolint:errcheck // the read fails too
				buf, _ = r.ReadPacket(buf) // an empty buffer ends the benchmark
				if len(buf) == 0 {
					b.Fatal("no reply")
				}
			}
			exchange(mustPacket(b, &sftp.Init{Version: 3}))
			exchange(mustPacket(b, &sftp.Open{Filename: "a", Flags: create}))
			h := bytes.Clone(buf[9:])
			exchange(mustPacket(b, &sftp.Write{Handle: h, Data: make([]byte, size)}))
			read := mustPacket(b, &sftp.Read{Handle: h, Length: uint32(size)})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				exchange(read)
			}
			client.Close()
			<-served
		})
	}
}
