package sftpserver_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

// slow is a backend whose files take their time for reads and writes.
type slow struct {
	sftpserver.Backend
	mu    sync.Mutex
	delay func() time.Duration
	calls atomic.Int32
}

func (b *slow) Open(ctx context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	f, err := b.Backend.Open(ctx, name, flags, perm)
	if err != nil {
		return nil, err
	}
	return &slowFile{File: f, b: b, identity: f.(sftpserver.Identifier).Identity()}, nil
}

func (b *slow) wait() {
	b.calls.Add(1)
	b.mu.Lock()
	d := b.delay()
	b.mu.Unlock()
	time.Sleep(d)
}

type slowFile struct {
	sftpserver.File
	b        *slow
	identity any
}

func (f *slowFile) Identity() any { return f.identity }

func (f *slowFile) ReadAt(p []byte, off int64) (int, error) { f.b.wait(); return f.File.ReadAt(p, off) }

func (f *slowFile) WriteAt(p []byte, off int64) (int, error) {
	f.b.wait()
	return f.File.WriteAt(p, off)
}

func constant(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// random returns delays of up to a second, the same for the same seed.
func random(seed uint64) func() time.Duration {
	r := rand.New(rand.NewPCG(seed, 0))
	return func() time.Duration { return time.Duration(r.IntN(1000)) * time.Millisecond }
}

// replies receives n replies in the order of the requests and wants success.
func (c *client) replies(first uint32, n int) {
	c.Helper()
	for i := range n {
		m := c.recv()
		if id, _ := sftp.ID(m); id != first+uint32(i) {
			c.Fatalf("reply %d has id %d, want %d: replies keep the order of requests", i, id, first+uint32(i))
		}
		if s, ok := m.(*sftp.Status); ok && s.Code != sftp.StatusOK {
			c.Errorf("reply %d is %v %q", i, s.Code, s.Message)
		}
	}
}

// TestSetStatNeverOvertakesWrites: a client that does not wait sends its
// writes and then the size and the time. Servers that put the size through
// early leave files of the wrong length, and the time is lost when a write
// follows it.
func TestSetStatNeverOvertakesWrites(t *testing.T) {
	for seed := range uint64(10) {
		for _, byPath := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				b := &slow{Backend: backend.Memory(0), delay: random(seed)}
				c := session(t, b, nil)
				h := c.open("a", create)
				var list []wire.Message
				for i := range 20 {
					list = append(list, &sftp.Write{ID: 100 + uint32(i), Handle: h, Offset: uint64(i) * 10, Data: []byte("0123456789")})
				}
				var a sftp.Attrs
				a.SetSize(105)
				a.SetTimes(time.Unix(1_000_000_000, 0), time.Unix(1_000_000_000, 0))
				if byPath {
					list = append(list, &sftp.SetStat{ID: 120, Path: "/a", Attrs: a})
				} else {
					list = append(list, &sftp.FSetStat{ID: 120, Handle: h, Attrs: a})
				}
				list = append(list, &sftp.Close{ID: 121, Handle: h})
				c.send(list...)
				c.replies(100, 22)
				r, ok := c.call(&sftp.Stat{Path: "a"}).(*sftp.AttrsReply)
				if !ok || r.Attrs.Size != 105 || r.Attrs.MTime != 1_000_000_000 {
					t.Errorf("seed %d: after all %+v, want size 105 and the time that was set", seed, r)
				}
				c.done()
			})
		}
	}
}

// TestOverlappingWritesKeepTheirOrder: what was written last is what is there,
// also through two handles of one file.
func TestOverlappingWritesKeepTheirOrder(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			b := &slow{Backend: backend.Memory(0), delay: random(seed)}
			c := session(t, b, nil)
			one := c.open("a", create)
			c.wantCode(&sftp.Extended{Request: sftp.ExtHardlink, OldPath: "a", NewPath: "b"}, sftp.StatusOK)
			two := c.open("b", create)
			r := rand.New(rand.NewPCG(seed, 1))
			want := make([]byte, 100)
			var list []wire.Message
			for i := range 60 {
				off, n := r.IntN(90), 1+r.IntN(10)
				data := bytes.Repeat([]byte{byte('A' + i)}, n)
				copy(want[off:], data)
				h := one
				if i%3 == 0 {
					h = two
				}
				list = append(list, &sftp.Write{ID: 100 + uint32(i), Handle: h, Offset: uint64(off), Data: data})
			}
			c.send(list...)
			c.replies(100, 60)
			if got := c.content("a"); got != string(want[:len(got)]) || len(got) < 80 {
				t.Errorf("seed %d: the file holds\n%q, want\n%q", seed, got, want)
			}
			c.done()
		})
	}
}

// TestReadsSeeEarlierWrites: a read of a place that is being written waits,
// and a write waits for the reads before it.
func TestReadsSeeEarlierWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &slow{Backend: backend.Memory(0), delay: random(7)}
		c := session(t, b, nil)
		h := c.open("a", create)
		var list []wire.Message
		for i := range 20 {
			id := 100 + 2*uint32(i)
			list = append(list,
				&sftp.Write{ID: id, Handle: h, Data: fmt.Appendf(nil, "%04d", i)},
				&sftp.Read{ID: id + 1, Handle: h, Length: 4})
		}
		c.send(list...)
		for i := range 20 {
			c.recv()
			if r, ok := c.recv().(*sftp.Data); !ok || string(r.Data) != fmt.Sprintf("%04d", i) {
				t.Errorf("read %d returned %+v", i, r)
			}
		}
		c.done()
	})
}

// TestEndOfFileKeepsItsPlace: a write behind a read must not turn the end of
// the file that the read should meet into a hole, nor the other way round.
func TestEndOfFileKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delays := []time.Duration{time.Second, 0, time.Second, 0}
		b := &slow{Backend: backend.Memory(0)}
		b.delay = func() (d time.Duration) { d, delays = delays[0], delays[1:]; return d }
		c := session(t, b, nil)
		h := c.open("a", create)
		c.send(
			&sftp.Read{ID: 100, Handle: h, Offset: 4, Length: 4},
			&sftp.Write{ID: 101, Handle: h, Offset: 20, Data: []byte("x")},
			&sftp.Write{ID: 102, Handle: h, Offset: 40, Data: []byte("x")},
			&sftp.Read{ID: 103, Handle: h, Offset: 30, Length: 4})
		if s, ok := c.recv().(*sftp.Status); !ok || s.Code != sftp.StatusEOF {
			t.Errorf("a read before a write that makes the file longer: %+v, want SSH_FX_EOF", s)
		}
		c.replies(101, 2)
		if d, ok := c.recv().(*sftp.Data); !ok || len(d.Data) != 4 {
			t.Errorf("a read behind a write that makes the file longer: %+v, want four bytes", d)
		}
		c.done()
	})
}

func TestAppendsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &slow{Backend: backend.Memory(0), delay: random(8)}
		c := session(t, b, nil)
		h := c.open("a", sftp.OpenAppend|sftp.OpenCreate)
		var list []wire.Message
		var want strings.Builder
		for i := range 20 {
			fmt.Fprintf(&want, "line %d\n", i)
			list = append(list, &sftp.Write{ID: 100 + uint32(i), Handle: h, Offset: uint64(i) * 1000, Data: fmt.Appendf(nil, "line %d\n", i)})
		}
		c.send(list...)
		c.replies(100, 20)
		c.wantContent("a", want.String())
		c.done()
	})
}

// TestReadsRunInParallel: eight reads of a second each take two seconds when
// four run at a time, and their replies come in order.
func TestReadsRunInParallel(t *testing.T) {
	for _, anyOrder := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := &slow{Backend: backend.Memory(0), delay: constant(0)}
			c := session(t, b, &sftpserver.Config{Parallel: 4, AnyOrder: anyOrder})
			c.write("a", strings.Repeat("0123456789", 10))
			h := c.open("a", sftp.OpenRead)
			b.delay = constant(time.Second)
			begin := time.Now()
			var list []wire.Message
			for i := range 8 {
				list = append(list, &sftp.Read{ID: 100 + uint32(i), Handle: h, Offset: uint64(i) * 10, Length: 10})
			}
			c.send(append(list, &sftp.Close{ID: 108, Handle: h})...)
			if anyOrder {
				for range 9 {
					c.recv()
				}
			} else {
				c.replies(100, 9)
			}
			if took := time.Since(begin); took != 2*time.Second {
				t.Errorf("8 reads of one second, four at a time, took %v, want 2s", took)
			}
			c.done()
		})
	}
}

func TestAnyOrderLetsRepliesOvertake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &slow{Backend: backend.Memory(0), delay: constant(0)}
		c := session(t, b, &sftpserver.Config{AnyOrder: true})
		c.write("a", "x")
		h := c.open("a", sftp.OpenRead)
		delays := []time.Duration{time.Second, time.Millisecond}
		b.delay = func() (d time.Duration) { d, delays = delays[0], delays[1:]; return d }
		c.send(&sftp.Read{ID: 100, Handle: h, Length: 1})
		synctest.Wait() // it has taken the first delay
		c.send(&sftp.Read{ID: 101, Handle: h, Length: 1})
		for _, want := range []uint32{101, 100} {
			if id, _ := sftp.ID(c.recv()); id != want {
				t.Errorf("reply to %d, want %d", id, want)
			}
		}
		c.done()
	})
}

// TestBackPressure: a server that cannot go on stops reading, within its
// limits of requests and of bytes.
func TestBackPressure(t *testing.T) {
	for _, row := range []struct {
		name string
		cfg  sftpserver.Config
		size int
		most int // requests taken in hand
	}{
		{"requests", sftpserver.Config{MaxRequests: 10}, 10, 10},
		{"bytes", sftpserver.Config{MaxPacket: 34000, MaxBytes: 68000}, 6000, 11},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &slow{Backend: backend.Memory(0), delay: constant(0)}
				row.cfg.Parallel = 100
				c := session(t, b, &row.cfg)
				h := c.open("a", create)
				b.delay = constant(time.Hour)
				b.calls.Store(0)
				var list []wire.Message
				for i := range 50 {
					list = append(list, &sftp.Write{ID: 100 + uint32(i), Handle: h, Offset: uint64(i * row.size), Data: make([]byte, row.size)})
				}
				c.send(list...)
				synctest.Wait()
				if n := int(b.calls.Load()); n != row.most {
					t.Errorf("%d requests are in hand, want %d", n, row.most)
				}
				c.replies(100, 50)
				c.done()
			})
		})
	}
}

// TestClientThatDoesNotRead: replies that nobody reads stop the server, and a
// client that goes away ends it.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &slow{Backend: backend.Memory(0), delay: constant(0)}
		c := session(t, b, nil)
		c.write("a", strings.Repeat("x", 100_000))
		h := c.open("a", sftp.OpenRead)
		b.calls.Store(0)
		var list []wire.Message
		for i := range 1000 {
			list = append(list, &sftp.Read{ID: uint32(i), Handle: h, Length: 32 << 10})
		}
		c.send(list...)
		synctest.Wait()
		// What fits into the pipe, 1 MiB, and into the server's 4 MiB.
		if n := int(b.calls.Load()); n > 1<<20/(32<<10)+4<<20/(32<<10)+4 {
			t.Errorf("%d reads were carried out for a client that takes no replies", n)
		}
		c.conn.Close()
		if err := c.wait(); err == nil {
			t.Error("Serve = nil, want an error about replies that could not be written")
		}
	})
}

// TestPanicCostsOneRequest: a backend's bug is answered and the session goes
// on.
func TestPanicCostsOneRequest(t *testing.T) {
	b := &panicking{Backend: backend.Memory(0)}
	c := session(t, b, nil)
	h := c.open("a", create)
	b.on = true
	c.wantCode(&sftp.Write{Handle: h, Data: []byte("x")}, sftp.StatusFailure)
	c.wantCode(&sftp.Read{Handle: h, Length: 1}, sftp.StatusFailure)
	c.wantCode(&sftp.Stat{Path: "a"}, sftp.StatusFailure)
	b.on = false
	c.wantCode(&sftp.Close{Handle: h}, sftp.StatusOK)
	c.wantContent("a", "")
	c.done()
}

type panicking struct {
	sftpserver.Backend
	on bool
}

func (b *panicking) Stat(ctx context.Context, name string, follow bool) (sftp.Attrs, error) {
	if b.on {
		panic("a bug")
	}
	return b.Backend.Stat(ctx, name, follow)
}

func (b *panicking) Open(ctx context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	f, err := b.Backend.Open(ctx, name, flags, perm)
	return panickingFile{f, b}, err
}

type panickingFile struct {
	sftpserver.File
	b *panicking
}

func (f panickingFile) ReadAt(p []byte, off int64) (int, error) {
	if f.b.on {
		panic("a bug")
	}
	return f.File.ReadAt(p, off)
}

func (f panickingFile) WriteAt([]byte, int64) (int, error) { panic("a bug") }

// counting counts what is open.
type counting struct {
	sftpserver.Backend
	open atomic.Int32
}

func (b *counting) Open(ctx context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	f, err := b.Backend.Open(ctx, name, flags, perm)
	b.open.Add(1)
	return countedFile{f, b}, err
}

func (b *counting) OpenDir(ctx context.Context, name string) (sftpserver.Dir, error) {
	d, err := b.Backend.OpenDir(ctx, name)
	b.open.Add(1)
	return countedDir{d, b}, err
}

type countedFile struct {
	sftpserver.File
	b *counting
}

func (f countedFile) Close() error { f.b.open.Add(-1); return f.File.Close() }

type countedDir struct {
	sftpserver.Dir
	b *counting
}

func (d countedDir) Close() error { d.b.open.Add(-1); return d.Dir.Close() }

var _ io.Closer = countedDir{}
