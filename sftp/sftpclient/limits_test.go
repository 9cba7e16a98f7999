package sftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
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

// Chunks are never larger than what a server states, however odd that is, and
// not larger than 32 KiB where it states nothing.
func TestChunksKeepLimits(t *testing.T) {
	const size = 100_000
	content := randomBytes(size, 9)
	for _, row := range []struct {
		limits      sftp.LimitsReply
		read, write int // the largest chunk
	}{
		{sftp.LimitsReply{}, sftp.SafeData, sftp.SafeData},
		{sftp.LimitsReply{MaxRead: 1000, MaxWrite: 777}, 1000, 777},
		{sftp.LimitsReply{MaxRead: 12_345, MaxWrite: 1}, 12_345, 1},
		{sftp.LimitsReply{MaxPacket: 34_000, MaxRead: 50_000, MaxWrite: 50_000}, 50_000, 34_000 - 1024},
		{sftp.LimitsReply{MaxPacket: 1500, MaxRead: 40_000, MaxWrite: 40_000}, 40_000, 750},
		{sftp.LimitsReply{MaxPacket: math.MaxUint64, MaxRead: math.MaxUint64, MaxWrite: math.MaxUint64, MaxHandles: math.MaxUint64}, 255 << 10, 255 << 10},
		{sftp.LimitsReply{MaxRead: 261_120, MaxWrite: 261_119}, 261_120, 261_119},
	} {
		t.Run(fmt.Sprintf("%+v", row.limits), func(t *testing.T) {
			n := size
			if row.write == 1 {
				n = 3000
			}
			var mu sync.Mutex
			var read, write, packet int
			got := make([]byte, n)
			c := start(t, nil, []string{sftp.ExtLimits, "1"}, serve(func(m wire.Message, id uint32) []wire.Message {
				mu.Lock()
				defer mu.Unlock()
				switch m := m.(type) {
				case *sftp.Extended:
					l := row.limits
					l.ID = id
					return []wire.Message{&l}
				case *sftp.Read:
					read = max(read, int(m.Length))
					if m.Offset >= uint64(n) {
						return []wire.Message{status(id, sftp.StatusEOF)}
					}
					return []wire.Message{&sftp.Data{ID: id, Data: content[m.Offset:min(m.Offset+uint64(m.Length), uint64(n))]}}
				case *sftp.Write:
					write = max(write, len(m.Data))
					packet = max(packet, len(m.Data)+sftp.WriteHeader(len(m.Handle))-sftp.LengthSize)
					copy(got[m.Offset:], m.Data)
				}
				return []wire.Message{status(id, sftp.StatusOK)}
			}))
			if l, err := c.Limits(t.Context()); err != nil || l.MaxRead != row.limits.MaxRead || l.MaxHandles != row.limits.MaxHandles {
				t.Fatalf("Limits = %+v, %v", l, err)
			}
			f, err := c.Create(t.Context(), "f")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt(content[:n], 0); err != nil || !bytes.Equal(got, content[:n]) {
				t.Errorf("WriteAt = %v, equal: %v", err, bytes.Equal(got, content[:n]))
			}
			var back bytes.Buffer
			if _, err := f.ReadTo(t.Context(), &back, int64(n)); err != nil || !bytes.Equal(back.Bytes(), content[:n]) {
				t.Errorf("ReadTo = %v, equal: %v", err, bytes.Equal(back.Bytes(), content[:n]))
			}
			mu.Lock()
			defer mu.Unlock()
			if want := min(row.write, n); write > want || 4*write < want {
				t.Errorf("the largest WRITE carries %d bytes, want %d", write, want)
			}
			if want := row.read; read > want || 4*read < min(want, n) {
				t.Errorf("the largest READ asks for %d bytes, want %d", read, want)
			}
			if row.limits.MaxPacket > 0 && uint64(packet) > row.limits.MaxPacket {
				t.Errorf("a packet of %d bytes, allowed are %d", packet, row.limits.MaxPacket)
			}
		})
	}
}

// Operations that open and close by themselves wait for each other where a
// server allows few handles, instead of failing.
func TestFewHandles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := backend.Memory(0)
		c := served(t, far, b, &sftpserver.Config{MaxHandles: 3})
		ctx := t.Context()
		if l, err := c.Limits(ctx); err != nil || l.MaxHandles != 3 {
			t.Fatalf("Limits = %+v, %v", l, err)
		}
		g, _ := sftpclient.NewGroup(ctx, 100)
		for i := range 40 {
			g.Go(func(ctx context.Context) error { return c.MkdirAll(ctx, fmt.Sprintf("/t/%d/x", i), 0o755) })
		}
		if err := errors.Join(g.Wait(), write(ctx, c, "/a", "hello")); err != nil {
			t.Fatal(err)
		}
		g, _ = sftpclient.NewGroup(ctx, 100)
		for i := range 40 {
			g.Go(func(ctx context.Context) error { _, err := c.ReadDir(ctx, fmt.Sprintf("/t/%d", i)); return err })
			g.Go(func(ctx context.Context) error { _, err := c.ReadFile(ctx, "/a"); return err })
			g.Go(func(ctx context.Context) error {
				_, err := c.Copy(ctx, "/a", fmt.Sprintf("/t/%d/copy", i))
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
		if err := c.RemoveAll(ctx, "/t"); err != nil {
			t.Error(err)
		}
	})
}

// A wait for a place ends with its context.
func TestFewHandlesCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startOn(t, testkit.PipeConfig{Buffer: 1 << 20}, nil, []string{sftp.ExtLimits, "1"}, func(f *fake) {
			for m, id := f.next(); m != nil; m, id = f.next() {
				if _, ok := m.(*sftp.Extended); ok {
					f.send(&sftp.LimitsReply{ID: id, MaxHandles: 2})
				}
			} // and nothing else is answered
		})
		if _, err := c.Limits(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := c.ReadDir(ctx, "/"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("ReadDir = %v", err)
				}
			})
		}
		all.Wait()
	})
}

// roundTrips counts the times that an operation waits for a line of 50 ms.
func roundTrips(began time.Time) int { return int(time.Since(began) / (50 * time.Millisecond)) }

// What is measured in reference figures of other clients, in round trips: they
// take one for each 100 names of a listing and three to six for each small
// file.
func TestRoundTrips(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := served(t, far, backend.Memory(0), nil)
		ctx := t.Context()
		each := func(n int, f func(ctx context.Context, name string) error) error {
			g, _ := sftpclient.NewGroup(ctx, n)
			for i := range n {
				g.Go(func(ctx context.Context) error { return f(ctx, fmt.Sprintf("/%03d", i)) })
			}
			return g.Wait()
		}
		for _, row := range []struct {
			name string
			most int
			do   func() error
		}{
			{"200 small files up", 4, func() error {
				return each(200, func(ctx context.Context, name string) error { return write(ctx, c, name, "content") })
			}},
			// The budget of a new session has room for 32 READs of 32 KiB at once.
			{"200 small files down", 8, func() error {
				return each(200, func(ctx context.Context, name string) error {
					b, err := c.ReadFile(ctx, name)
					if string(b) != "content" {
						err = errors.Join(err, fmt.Errorf("%s holds %q", name, b))
					}
					return err
				})
			}},
			{"200 small files of known size down", 4, func() error {
				return each(200, func(ctx context.Context, name string) error {
					var b bytes.Buffer
					f, err := c.Open(ctx, name)
					if err != nil {
						return err
					}
					_, err = f.ReadTo(ctx, &b, int64(len("content")))
					if b.String() != "content" {
						err = errors.Join(err, fmt.Errorf("%s holds %q", name, &b))
					}
					return errors.Join(err, f.Release())
				})
			}},
			{"200 files looked at", 1, func() error {
				return each(200, func(ctx context.Context, name string) error { _, err := c.Stat(ctx, name); return err })
			}},
			{"200 files copied there", 6, func() error {
				return each(200, func(ctx context.Context, name string) error { _, err := c.Copy(ctx, name, name+".copy"); return err })
			}},
			{"a listing of 400", 3, func() error {
				list, err := c.ReadDir(ctx, "/")
				if len(list) != 400 || !slices.IsSortedFunc(list, func(a, b *sftpclient.Info) int { return bytes.Compare([]byte(a.Name()), []byte(b.Name())) }) {
					err = errors.Join(err, fmt.Errorf("%d entries", len(list)))
				}
				return err
			}},
			{"400 removed", 1, func() error {
				return each(200, func(ctx context.Context, name string) error {
					g, ctx := sftpclient.NewGroup(ctx, 2)
					g.Go(func(context.Context) error { return c.Remove(ctx, name) })
					g.Go(func(context.Context) error { return c.Remove(ctx, name+".copy") })
					return g.Wait()
				})
			}},
		} {
			began := time.Now()
			if err := row.do(); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			n := roundTrips(began)
			t.Logf("%s: %d round trips", row.name, n)
			if n > row.most {
				t.Errorf("%s took %d round trips, want at most %d", row.name, n, row.most)
			}
		}
	})
}
