package sftpclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// zeros answers READs of a file of the given size and everything else with OK,
// without allocating for the data.
func zeros(size uint64) func(f *fake) {
	data := make([]byte, sftp.SafeData)
	return serve(func(m wire.Message, id uint32) []wire.Message {
		r, ok := m.(*sftp.Read)
		switch {
		case !ok:
			return []wire.Message{status(id, sftp.StatusOK)}
		case r.Offset >= size:
			return []wire.Message{status(id, sftp.StatusEOF)}
		}
		return []wire.Message{&sftp.Data{ID: id, Data: data[:min(uint64(r.Length), size-r.Offset)]}}
	})
}

// On a line of 50 ms the budget grows beyond its first MiB: 64 MiB take less
// than the 3.2 s that a fixed one would need, both ways.
func TestBudgetGrows(t *testing.T) {
	line := far
	line.Buffer = 64 << 20
	for name, copy64 := range map[string]func(f *sftpclient.File) (int64, error){
		"get": func(f *sftpclient.File) (int64, error) { return f.WriteTo(io.Discard) },
		"put": func(f *sftpclient.File) (int64, error) { return f.ReadFrom(&source{n: 64 << 20, err: io.EOF}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := startOn(t, line, nil, nil, zeros(64<<20))
				f, err := c.Create(t.Context(), "/f")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if n, err := copy64(f); n != 64<<20 || err != nil {
					t.Fatalf("copied %d bytes, %v", n, err)
				}
				if d := time.Since(began); d > 700*time.Millisecond {
					t.Errorf("took %v", d)
				}
			})
		})
	}
}

// A consumer that does not read holds up nobody else, and what waits for it is
// bounded.
func TestSlowConsumer(t *testing.T) {
	c := start(t, nil, nil, zeros(1<<40))
	ctx, cancel := context.WithCancel(t.Context())
	slow := make(chan error)
	stuck := make(chan struct{})
	f, err := c.Open(ctx, "/slow")
	if err != nil {
		t.Fatal(err)
	}
	go func() { // stops when ctx ends
		_, err := f.ReadTo(ctx, writerFunc(func([]byte) (int, error) {
			select {
			case <-stuck:
			default:
				close(stuck)
			}
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}), -1)
		slow <- err
	}()
	<-stuck
	g, err := c.Open(t.Context(), "/quick")
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4<<20)
	if n, err := g.ReadAt(b, 0); n != len(b) || err != nil {
		t.Errorf("beside a stuck one, ReadAt = %d, %v", n, err)
	}
	cancel()
	if err := <-slow; !errors.Is(err, context.Canceled) {
		t.Errorf("the stuck one ended with %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A reader that waits for a budget used up by another can be canceled.
func TestBudgetCanceled(t *testing.T) {
	c := start(t, &sftpclient.Config{MaxInFlight: 1000}, nil, func(f *fake) {
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			f.usual(m, id) // READ is never answered
		}
	})
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { // stops when ctx ends
			_, err := f.ReadAtContext(ctx, make([]byte, 1000), 0)
			ended <- err
		}()
	}
	for range cap(ended) {
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ReadAt = %v", err)
		}
	}
	if err := c.Err(); err != nil {
		t.Errorf("the session ended: %v", err)
	}
}

// Reading and writing allocate nothing per packet.
func TestAllocations(t *testing.T) {
	const packets = 64
	for name, once := range map[string]func(f *sftpclient.File, b []byte) (int, error){
		"read":  func(f *sftpclient.File, b []byte) (int, error) { return f.ReadAt(b, 0) },
		"write": func(f *sftpclient.File, b []byte) (int, error) { return f.WriteAt(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := net.Pipe() // it allocates nothing
			done := make(chan struct{})
			go func() { // stops when the client closes its end
				defer close(done)
				echo(b)
			}()
			c, err := sftpclient.NewPipe(t.Context(), a, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close(); <-done }()
			f, err := c.Create(t.Context(), "/f")
			if err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, packets*sftp.SafeData)
			got := testing.AllocsPerRun(20, func() {
				if n, err := once(f, buf); n != len(buf) || err != nil {
					t.Fatalf("%d, %v", n, err)
				}
			})
			if got > packets/4+poolLoss*packets { // a few for each operation
				t.Errorf("%.0f allocations for %d packets", got, packets)
			}
		})
	}
}

// echo is a server that allocates nothing in its loop: it answers READ with
// zeros and everything else well.
func echo(rw io.ReadWriter) {
	in := sftp.NewPacketReader(rw, 0)
	var buf, out []byte
	var coder wire.Coder
	var r sftp.Read
	st := sftp.Status{}
	h := sftp.Handle{Handle: []byte("h")}
	d := sftp.Data{Data: make([]byte, sftp.SafeData)}
	for {
		p, err := in.ReadPacket(buf)
		if err != nil {
			return
		}
		buf = p
		number, id, _ := sftp.Header(p)
		var m wire.Message = &st
		switch number {
		case sftp.NumInit:
			m = &sftp.VersionReply{Version: 3}
		case sftp.NumOpen:
			h.ID, m = id, &h
		case sftp.NumRead:
			if err := coder.Parse(p[1:], &r, wire.Dialect{}); err != nil {
				return
			}
			d.ID, d.Data, m = id, d.Data[:r.Length], &d
		default:
			st.ID = id
		}
		if out, err = sftp.AppendPacket(out[:0], m, wire.Dialect{}); err != nil {
			return
		}
		if _, err := rw.Write(out); err != nil {
			return
		}
	}
}
