package sftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// moody plays a server with one file that answers READ with any number of
// bytes from 1 to what was asked, and in any order.
func moody(content []byte, seed uint64, whole bool) func(f *fake) {
	return func(f *fake) {
		requests := make(chan *sftp.Read)
		go func() { // stops with the stream
			defer close(requests)
			for {
				m, id := f.next()
				if m == nil {
					return
				}
				if f.usual(m, id) {
					continue
				}
				requests <- m.(*sftp.Read)
			}
		}()
		rnd := rand.New(rand.NewPCG(seed, 1))
		var held []*sftp.Read
		for {
			var r *sftp.Read
			ok := true
			if len(held) > 0 {
				select {
				case r, ok = <-requests:
				default:
				}
			} else {
				r, ok = <-requests
			}
			if !ok {
				return
			}
			if r != nil {
				held = append(held, r)
				if rnd.IntN(4) > 0 {
					continue
				}
			}
			i := rnd.IntN(len(held))
			r = held[i]
			held = append(held[:i], held[i+1:]...)
			if r.Offset >= uint64(len(content)) {
				f.send(status(r.ID, sftp.StatusEOF))
				continue
			}
			rest := content[r.Offset:]
			n := min(int(r.Length), len(rest))
			if !whole {
				n = 1 + rnd.IntN(n)
			}
			f.send(&sftp.Data{ID: r.ID, Data: rest[:n]})
		}
	}
}

func randomBytes(n int, seed uint64) []byte {
	b := make([]byte, n)
	rnd := rand.New(rand.NewPCG(seed, 2))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

// Whatever lengths and order the answers have, what is read is the file.
func TestReadAnyAnswers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(0, 300_000).Draw(rt, "size")
		if rapid.Bool().Draw(rt, "tiny") {
			size %= 50
		}
		seed := rapid.Uint64().Draw(rt, "seed")
		content := randomBytes(size, seed)
		cfg := &sftpclient.Config{
			MaxChunk:    rapid.SampledFrom([]int{0, 1, 1000, 32 << 10}).Draw(rt, "chunk"),
			MaxInFlight: rapid.SampledFrom([]int{0, 1, 5000, 100_000}).Draw(rt, "in flight"),
		}
		if cfg.MaxChunk == 1 {
			content = content[:min(size, 500)]
		}
		c := start(t, cfg, nil, moody(content, seed, rapid.Bool().Draw(rt, "whole answers")))
		defer c.Close()
		f, err := c.Open(context.Background(), "/f")
		if err != nil {
			rt.Fatal(err)
		}
		hint := rapid.SampledFrom([]int64{-1, 0, int64(len(content)), int64(len(content)) / 2, int64(len(content)) * 2}).Draw(rt, "believed size")
		var got bytes.Buffer
		n, err := f.ReadTo(context.Background(), &got, hint)
		if err != nil || n != int64(len(content)) || !bytes.Equal(got.Bytes(), content) {
			rt.Fatalf("ReadTo = %d of %d bytes, %v; equal: %v", n, len(content), err, bytes.Equal(got.Bytes(), content))
		}
		off := rapid.IntRange(0, len(content)).Draw(rt, "offset")
		b := make([]byte, rapid.IntRange(0, len(content)).Draw(rt, "length"))
		want := content[off:min(len(content), off+len(b))]
		k, err := f.ReadAt(b, int64(off))
		if k != len(want) || !bytes.Equal(b[:k], want) || (err == io.EOF) != (k < len(b)) { //nolint:errorlint // io.EOF itself is promised
			rt.Fatalf("ReadAt(%d bytes, %d) of %d = %d, %v", len(b), off, len(content), k, err)
		}
	})
}

// A small file costs few READs, whatever is believed of its size, and a belief
// is not relied on. Each needs one at its end, which tells that it ends there.
func TestReadsOfSmallFiles(t *testing.T) {
	for _, row := range []struct {
		name string
		size int
		hint int64
		want int
	}{
		{"known", 100, 100, 2},
		{"known and empty", 0, 0, 1},
		{"known and two chunks long", 2 * sftp.SafeData, 2 * sftp.SafeData, 3},
		{"grown", 100, 60, 3},
		{"shrunk", 60, 100, 3},
		{"unknown", 100, -1, 3},
		{"unknown and empty", 0, -1, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			content := randomBytes(row.size, 1)
			reads := 0
			c := start(t, nil, nil, serve(func(m wire.Message, id uint32) []wire.Message {
				reads++
				r := m.(*sftp.Read)
				if r.Offset >= uint64(len(content)) {
					return []wire.Message{status(id, sftp.StatusEOF)}
				}
				rest := content[r.Offset:]
				return []wire.Message{&sftp.Data{ID: id, Data: rest[:min(len(rest), int(r.Length))]}}
			}))
			f, err := c.Open(t.Context(), "/f")
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if n, err := f.ReadTo(t.Context(), &got, row.hint); err != nil || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("ReadTo = %d, %v", n, err)
			}
			if err := f.Close(); err != nil { // behind all READs
				t.Error(err)
			}
			if reads > row.want {
				t.Errorf("%d READs, want %d", reads, row.want)
			}
		})
	}
}

// Small reads in a row are the file, and cost fewer requests than reads.
func TestReadAhead(t *testing.T) {
	content := randomBytes(100_000, 1)
	reads := 0
	c := start(t, nil, nil, serve(func(m wire.Message, id uint32) []wire.Message {
		reads++
		r := m.(*sftp.Read)
		if r.Offset >= uint64(len(content)) {
			return []wire.Message{status(id, sftp.StatusEOF)}
		}
		rest := content[r.Offset:]
		return []wire.Message{&sftp.Data{ID: id, Data: rest[:min(len(rest), int(r.Length))]}}
	}))
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(struct{ io.Reader }{f})
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("ReadAll = %d bytes, %v", len(got), err)
	}
	if reads > 6 {
		t.Errorf("%d requests for 100,000 bytes", reads)
	}
	if _, err := f.Seek(5, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	if n, err := f.Read(b); n != 10 || err != nil || !bytes.Equal(b, content[5:15]) {
		t.Errorf("Read after Seek = %d, %v", n, err)
	}
}

// An error in the middle is an error and never the end of the file.
func TestReadError(t *testing.T) {
	c := start(t, &sftpclient.Config{MaxChunk: 1000}, nil, serve(func(m wire.Message, id uint32) []wire.Message {
		if r := m.(*sftp.Read); r.Offset < 5000 {
			return []wire.Message{&sftp.Data{ID: id, Data: make([]byte, r.Length)}}
		}
		return []wire.Message{status(id, sftp.StatusFailure)}
	}))
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	var se *sftp.StatusError
	n, err := f.WriteTo(io.Discard)
	if n != 5000 || !errors.As(err, &se) || se.Code != sftp.StatusFailure {
		t.Errorf("WriteTo = %d, %v, want 5000 and the failure", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 10_000), 0); n != 5000 || !errors.As(err, &se) {
		t.Errorf("ReadAt = %d, %v", n, err)
	}
}

// When the channel breaks, a download is not complete.
func TestReadBroken(t *testing.T) {
	c := start(t, &sftpclient.Config{MaxChunk: 1000}, nil, func(f *fake) {
		for range 4 {
			m, id := f.next()
			if !f.usual(m, id) {
				f.send(&sftp.Data{ID: id, Data: make([]byte, 1000)})
			}
		}
		_ = f.conn.Close()
	})
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	var lost *sftpclient.LostError
	if n, err := f.WriteTo(io.Discard); !errors.As(err, &lost) || errors.Is(err, io.EOF) {
		t.Errorf("WriteTo = %d, %v, want a *LostError", n, err)
	}
}

type failing struct{ after int }

var errSink = errors.New("sink is full")

func (w *failing) Write(b []byte) (int, error) {
	n := min(len(b), w.after)
	w.after -= n
	if n < len(b) {
		return n, errSink
	}
	return n, nil
}

// An error of the writer comes back as it is, with what it has taken.
func TestReadSinkFails(t *testing.T) {
	c := start(t, nil, nil, moody(make([]byte, 200_000), 1, true))
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteTo(&failing{after: 70_000}); n != 70_000 || err != errSink { //nolint:errorlint // as it is
		t.Errorf("WriteTo = %d, %v", n, err)
	}
	if off, _ := f.Seek(0, io.SeekCurrent); off != 70_000 {
		t.Errorf("offset is %d", off)
	}
}

func TestReadArguments(t *testing.T) {
	c := start(t, nil, nil, moody([]byte("abc"), 1, true))
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{-1, math.MaxInt64} {
		if _, err := f.ReadAt(make([]byte, 2), off); err == nil || err == io.EOF { //nolint:errorlint // io.EOF itself
			t.Errorf("ReadAt(%d) = %v", off, err)
		}
	}
	if n, err := f.ReadAt(nil, 0); n != 0 || err != nil {
		t.Errorf("ReadAt of nothing = %d, %v", n, err)
	}
	if n, err := f.ReadAt(make([]byte, 3), 0); n != 3 || err != nil {
		t.Errorf("ReadAt of everything = %d, %v", n, err)
	}
}
