package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// carrier is a stream like an SSH channel: it lends what it receives and lets
// its user build what is sent in place, in rooms of changing size.
type carrier struct {
	io.ReadWriteCloser
	rooms int   // how many were given
	sizes []int // of the rooms, in turn
	lent  bool  // a chunk is out
	loans int   // how many there were
}

func (c *carrier) AppendFunc(most int, fill func([]byte) int) (int, error) {
	room := make([]byte, min(most, c.sizes[c.rooms%len(c.sizes)]))
	c.rooms++
	n := fill(room)
	return c.ReadWriteCloser.Write(room[:n])
}

func (*carrier) Write([]byte) (int, error) { return 0, errors.New("Write was not to be used") }

func (c *carrier) Next() ([]byte, func(), error) {
	if c.lent {
		return nil, nil, errors.New("the last chunk was not given back")
	}
	c.loans++
	b := make([]byte, 1+c.loans%7)
	n, err := c.ReadWriteCloser.Read(b)
	if err != nil {
		return nil, nil, err
	}
	c.lent = true
	return b[:n], func() {
		c.lent = false
		testkit.Poison(b)
	}, nil
}

// Requests and answers pass a carrier that is made of packets of its own,
// whatever the sizes of these.
func TestCarrier(t *testing.T) {
	for _, sizes := range [][]int{{1}, {3, 1, 50}, {1 << 20}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			near, far := testkit.Pipe()
			served := make(chan struct{})
			go func() { // stops when the session closes the stream
				defer close(served)
				in := sftp.NewPacketReader(far, 0)
				for {
					p, err := in.ReadPacket(nil)
					if err != nil {
						return
					}
					var m sftp.RealPath
					if err := sftp.Parse(p, &m, wire.Dialect{}); err != nil {
						t.Error(err)
						return
					}
					b, err := sftp.AppendPacket(nil, &sftp.Name{ID: m.ID, Names: []sftp.NameEntry{{Filename: m.Path}}}, wire.Dialect{})
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = far.Write(b)
				}
			}()
			c := &carrier{ReadWriteCloser: near, sizes: sizes}
			s := New(c, wire.Dialect{}, 1<<20, nil, false)
			s.Start(sftp.NewPacketReader(Reader(c), 0), time.Minute)
			for i := range 50 {
				want := fmt.Sprintf("/%d/%0*d", i, i, 0)
				var m sftp.Name
				err := s.Ask(t.Context(), WantName, func(id uint32) wire.Message { return &sftp.RealPath{ID: id, Path: want} }, &m)
				if err != nil || len(m.Names) != 1 || m.Names[0].Filename != want {
					t.Fatalf("%v, %v, want %q", m.Names, err, want)
				}
			}
			s.Close()
			<-served
		})
	}
}

func TestLent(t *testing.T) {
	near, far := testkit.Pipe()
	want := bytes.Repeat([]byte("abcdefg"), 100)
	if _, err := far.Write(want); err != nil {
		t.Fatal(err)
	}
	_ = far.Close()
	if err := iotest.TestReader(Reader(&carrier{ReadWriteCloser: near, loans: 3}), want); err != nil {
		t.Error(err)
	}
}

// A request that is too long for any server is refused here.
func TestLongRequest(t *testing.T) {
	near, far := testkit.Pipe()
	defer far.Close()
	s := New(near, wire.Dialect{}, 1<<20, nil, false)
	s.Start(sftp.NewPacketReader(near, 0), 0)
	defer s.Close()
	err := s.Ask(t.Context(), WantStatus, func(id uint32) wire.Message {
		return &sftp.Remove{ID: id, Filename: string(make([]byte, sftp.MaxPacket))}
	}, nil)
	if !errors.Is(err, sftp.ErrPacketLength) {
		t.Errorf("error is %v", err)
	}
	if s.Err() != nil {
		t.Errorf("the session ended: %v", s.Err())
	}
}

// Who waits for room in the queue of a stuck stream can be canceled, and ends
// with the session.
func TestStuckStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := testkit.Pipe()
		defer far.Close()
		s := New(near, wire.Dialect{}, 1<<20, nil, false)
		s.Start(sftp.NewPacketReader(near, 0), 0)
		path := string(make([]byte, 10_000))
		build := func(id uint32) wire.Message { return &sftp.Remove{ID: id, Filename: path} }
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		n := 0
		for ; n < 1000; n++ {
			if _, err := s.Begin(ctx, WantStatus, build, s.Post); err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Begin = %v", err)
				}
				break
			}
		}
		if n < 10 || n > 50 {
			t.Errorf("%d requests of 10 kB were queued", n)
		}
		ended := make(chan error)
		go func() { // stops when the session is closed
			_, err := s.Begin(context.Background(), WantStatus, build, s.Post)
			ended <- err
		}()
		s.Close()
		if err := <-ended; !errors.Is(err, ErrClosed) {
			t.Errorf("Begin = %v, want the end of the session", err)
		}
	})
}
