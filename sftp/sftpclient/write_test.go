package sftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// clerk plays a server that files WRITEs, refuses the one that reaches the
// byte bad (-1: none), and answers in any order.
type clerk struct {
	content []byte
	bad     int64
	rnd     *rand.Rand
	offsets []uint64
}

func (k *clerk) play(f *fake) {
	requests := make(chan *sftp.Write)
	go func() { // stops with the stream
		defer close(requests)
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			if !f.usual(m, id) {
				requests <- m.(*sftp.Write)
			}
		}
	}()
	var held []*sftp.Status
	for {
		var w *sftp.Write
		ok := true
		if len(held) > 0 {
			select {
			case w, ok = <-requests:
			default:
			}
		} else {
			w, ok = <-requests
		}
		if !ok {
			return
		}
		if w != nil {
			held = append(held, k.file(w))
			if k.rnd.IntN(4) > 0 {
				continue
			}
		}
		i := k.rnd.IntN(len(held))
		f.send(held[i])
		held = append(held[:i], held[i+1:]...)
	}
}

func (k *clerk) file(w *sftp.Write) *sftp.Status {
	k.offsets = append(k.offsets, w.Offset)
	end := w.Offset + uint64(len(w.Data))
	if k.bad >= 0 && w.Offset <= uint64(k.bad) && uint64(k.bad) < end {
		return status(w.ID, sftp.StatusNoSpace)
	}
	if uint64(len(k.content)) < end {
		k.content = append(k.content, make([]byte, end-uint64(len(k.content)))...)
	}
	copy(k.content[w.Offset:], w.Data)
	return status(w.ID, sftp.StatusOK)
}

// Whatever order the answers have: without a failure the file is what was
// written; with one, the first error comes back and everything that is
// reported as committed is in the file, without a hole.
func TestWriteAnyAnswers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(0, 200_000).Draw(rt, "size")
		seed := rapid.Uint64().Draw(rt, "seed")
		content := randomBytes(size, seed)
		k := &clerk{bad: -1, rnd: rand.New(rand.NewPCG(seed, 3))}
		if size > 0 && rapid.Bool().Draw(rt, "fails") {
			k.bad = int64(rapid.IntRange(0, size-1).Draw(rt, "fails at"))
		}
		c := start(t, &sftpclient.Config{
			MaxChunk:    rapid.SampledFrom([]int{0, 700, 5000}).Draw(rt, "chunk"),
			MaxInFlight: rapid.SampledFrom([]int{0, 1, 20_000}).Draw(rt, "in flight"),
		}, nil, k.play)
		f, err := c.OpenFile(context.Background(), "/f", os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			rt.Fatal(err)
		}
		var n int64
		if rapid.Bool().Draw(rt, "ReadFrom") {
			n, err = f.ReadFrom(bytes.NewReader(content))
		} else {
			var m int
			m, err = f.Write(content)
			n = int64(m)
		}
		closeErr := f.Close()
		_ = c.Close()
		if k.bad < 0 {
			if err != nil || closeErr != nil || n != int64(size) || !bytes.Equal(k.content, content) {
				rt.Fatalf("wrote %d of %d, %v, Close %v, equal %v", n, size, err, closeErr, bytes.Equal(k.content, content))
			}
			return
		}
		var pe *sftpclient.PartialError
		var se *sftp.StatusError
		if !errors.As(err, &pe) || !errors.As(err, &se) || se.Code != sftp.StatusNoSpace || pe.Committed != n {
			rt.Fatalf("wrote %d: %v", n, err)
		}
		if n > k.bad || !bytes.Equal(k.content[:n], content[:n]) {
			rt.Fatalf("%d bytes are said to be written, the failure is at %d", n, k.bad)
		}
		if !errors.As(closeErr, &se) {
			rt.Fatalf("Close = %v, want the first error again", closeErr)
		}
	})
}

// WRITEs go out in the order of their offsets: some servers append whatever
// the offset says.
func TestWriteOrder(t *testing.T) {
	k := &clerk{bad: -1, rnd: rand.New(rand.NewPCG(1, 1))}
	c := start(t, nil, nil, k.play)
	f, err := c.Create(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	for i, off := range k.offsets {
		if off != uint64(i)*sftp.SafeData {
			t.Fatalf("WRITE %d is at %d: without limits from the server it is 32 KiB after 32 KiB", i, off)
		}
	}
}

// A failed write is told again by everything that would hide it.
func TestWriteErrorSticks(t *testing.T) {
	fail := true
	c := start(t, nil, []string{sftp.ExtFSync, "1"}, serve(func(m wire.Message, id uint32) []wire.Message {
		if _, ok := m.(*sftp.Write); ok && fail {
			fail = false
			return []wire.Message{status(id, sftp.StatusQuotaExceeded)}
		}
		return []wire.Message{status(id, sftp.StatusOK)}
	}))
	ctx := t.Context()
	f, err := c.Create(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	want := &sftp.StatusError{Code: sftp.StatusQuotaExceeded}
	_, write := f.Write([]byte("a"))
	_, again := f.Write([]byte("b"))
	_, from := f.ReadFrom(bytes.NewReader([]byte("c")))
	for name, err := range map[string]error{"Write": write, "Write again": again, "ReadFrom": from, "Sync": f.Sync(ctx), "Close": f.Close()} {
		if !errors.Is(err, want) {
			t.Errorf("%s = %v, want the first error", name, err)
		}
	}
	if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("second Close = %v", err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("WriteAt after Close = %v", err)
	}
}

// The status of CLOSE may be the error of a write.
func TestCloseError(t *testing.T) {
	c := start(t, nil, nil, func(f *fake) {
		_, id := f.next()
		f.send(handle(id))
		_, id = f.next()
		f.send(status(id, sftp.StatusNoSpace))
	})
	f, err := c.Create(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); !errors.Is(err, &sftp.StatusError{Code: sftp.StatusNoSpace}) {
		t.Errorf("Close = %v", err)
	}
}

// FSETSTAT and fsync wait for the answers to all WRITEs of the file.
func TestAttributesAfterWrites(t *testing.T) {
	for name, change := range map[string]func(ctx context.Context, f *sftpclient.File) error{
		"Truncate": func(ctx context.Context, f *sftpclient.File) error { return f.Truncate(ctx, 3) },
		"Chmod":    func(ctx context.Context, f *sftpclient.File) error { return f.Chmod(ctx, 0o600) },
		"Sync":     func(ctx context.Context, f *sftpclient.File) error { return f.Sync(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			var answered atomic.Bool
			came, answer := make(chan struct{}), make(chan struct{})
			c := start(t, nil, []string{sftp.ExtFSync, "1"}, func(f *fake) {
				for {
					m, id := f.next()
					switch m.(type) {
					case nil:
						return
					case *sftp.Write:
						go func() { // stops when the test says so
							<-answer
							answered.Store(true)
							f.send(status(id, sftp.StatusOK))
						}()
						close(came)
					default:
						if !f.usual(m, id) {
							if !answered.Load() {
								t.Errorf("%T came before the WRITE was answered", m)
							}
							f.send(status(id, sftp.StatusOK))
						}
					}
				}
			})
			f, err := c.Create(t.Context(), "/f")
			if err != nil {
				t.Fatal(err)
			}
			wrote := make(chan error)
			go func() { // stops when the WRITE is answered
				_, err := f.WriteAt([]byte("hello"), 0)
				wrote <- err
			}()
			<-came
			changed := make(chan error)
			go func() { changed <- change(context.Background(), f) }() // stops after the write
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := change(ctx, f); !errors.Is(err, context.Canceled) {
				t.Errorf("with an ended context: %v", err)
			}
			close(answer)
			if err := <-wrote; err != nil {
				t.Error(err)
			}
			if err := <-changed; err != nil {
				t.Error(err)
			}
		})
	}
}

// An appending file has one WRITE under way at a time.
func TestAppend(t *testing.T) {
	var waiting atomic.Int32
	c := start(t, nil, nil, func(f *fake) {
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			if f.usual(m, id) {
				continue
			}
			if waiting.Add(1) > 1 {
				t.Error("two WRITEs at once")
			}
			go func() { // stops when it has answered
				waiting.Add(-1)
				f.send(status(id, sftp.StatusOK))
			}()
		}
	})
	f, err := c.OpenFile(t.Context(), "/f", os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Write(make([]byte, 300_000)); n != 300_000 || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("WriteAt = %v", err)
	}
}

type source struct {
	n   int
	err error
}

func (s *source) Read(b []byte) (int, error) {
	if s.n == 0 {
		return 0, s.err
	}
	n := min(s.n, len(b), 1000)
	s.n -= n
	return n, nil
}

// An error of the source comes back as it is, after all that came before it is
// confirmed. A source that ends unexpectedly has not ended.
func TestWriteSourceFails(t *testing.T) {
	for _, want := range []error{io.ErrUnexpectedEOF, errSink, io.ErrNoProgress} {
		c := start(t, nil, nil, serve(func(_ wire.Message, id uint32) []wire.Message {
			return []wire.Message{status(id, sftp.StatusOK)}
		}))
		f, err := c.Create(t.Context(), "/f")
		if err != nil {
			t.Fatal(err)
		}
		s := &source{n: 100_000, err: want}
		if want == io.ErrNoProgress { //nolint:errorlint // of this table
			s.err = nil
		}
		if n, err := f.ReadFrom(s); n != 100_000 || err != want { //nolint:errorlint // as it is
			t.Errorf("ReadFrom = %d, %v, want 100000, %v", n, err, want)
		}
		if err := f.Close(); err != nil {
			t.Errorf("Close = %v: the file is as good as its source", err)
		}
	}
}

// A canceled write reports what is confirmed and stops.
func TestWriteCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := start(t, &sftpclient.Config{MaxChunk: 1000, MaxInFlight: 3000}, nil, func(f *fake) {
		n := 0
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			if f.usual(m, id) {
				continue
			}
			if n++; n <= 5 {
				f.send(status(id, sftp.StatusOK))
				continue
			}
			cancel()
		}
	})
	f, err := c.Create(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.WriteFrom(ctx, bytes.NewReader(make([]byte, 1<<20)))
	var pe *sftpclient.PartialError
	if !errors.As(err, &pe) || !errors.Is(err, context.Canceled) || n > 5000 || n != pe.Committed {
		t.Errorf("WriteFrom = %d, %v", n, err)
	}
	if err := c.Err(); err != nil {
		t.Errorf("the session ended: %v", err)
	}
}
