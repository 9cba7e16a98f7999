package mux

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// fakeRoom is how much a fake connection holds for a peer that does not read.
const fakeRoom = 512 << 10

// fake is one end of a packet connection without encryption. What it returns
// from ReadPacket is overwritten by the next call.
type fake struct {
	peer    *fake
	woken   chan struct{}
	done    chan struct{}
	pumping sync.WaitGroup

	mu       sync.Mutex // the output lock
	cond     sync.Cond
	out      []byte // packets to the peer, each behind its length
	head     int    // of out: where the next packet to be read begins
	credits  func(add func(m wire.Message))
	add      func(m wire.Message)
	err      error
	failure  error // given to Fail
	rejected int

	packet []byte // lent by ReadPacket
}

func fakePair(t testing.TB) (a, b *fake) {
	a, b = newFake(), newFake()
	a.peer, b.peer = b, a
	for _, f := range []*fake{a, b} {
		f.pumping.Go(f.pump) // stops with done
		t.Cleanup(func() { f.Close() })
	}
	return a, b
}

func newFake() *fake {
	f := &fake{woken: make(chan struct{}, 1), done: make(chan struct{})}
	f.cond.L = &f.mu
	f.add = func(m wire.Message) { f.put(m) }
	return f
}

func (f *fake) pump() {
	for {
		select {
		case <-f.woken:
			f.mu.Lock()
			if f.credits != nil && f.err == nil {
				f.credits(f.add)
			}
			f.mu.Unlock()
		case <-f.done:
			return
		}
	}
}

func (f *fake) put(m wire.Message) {
	at := len(f.out)
	out, err := ssh.Append(append(f.out, 0, 0, 0, 0), m)
	if err != nil {
		panic(err)
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	f.out = out
	f.cond.Broadcast()
}

// room waits for room until cancel. f.mu is held.
func (f *fake) room(cancel <-chan struct{}) error {
	if f.err != nil || len(f.out)-f.head <= fakeRoom {
		return f.err
	}
	return f.wait(cancel)
}

func (f *fake) wait(cancel <-chan struct{}) error {
	var once sync.Once
	for f.err == nil && len(f.out)-f.head > fakeRoom {
		once.Do(func() {
			go func() { // stops with cancel or done
				select {
				case <-cancel:
				case <-f.done:
				}
				f.mu.Lock()
				f.cond.Broadcast()
				f.mu.Unlock()
			}()
		})
		select {
		case <-cancel:
			return transport.ErrCanceled
		default:
		}
		f.cond.Wait()
	}
	return f.err
}

func (f *fake) ReadPacket() ([]byte, error) {
	p := f.peer
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.head == len(p.out) && p.err == nil {
		p.cond.Wait()
	}
	if p.head == len(p.out) {
		return nil, p.err
	}
	testkit.Poison(f.packet)
	n := int(binary.BigEndian.Uint32(p.out[p.head:]))
	f.packet = append(f.packet[:0], p.out[p.head+4:][:n]...)
	p.head += 4 + n
	if p.head == len(p.out) {
		p.out, p.head = p.out[:0], 0
	}
	p.cond.Broadcast()
	return f.packet, nil
}

func (f *fake) Send(ctx context.Context, m wire.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.room(ctx.Done()); err != nil {
		if errors.Is(err, transport.ErrCanceled) {
			return context.Cause(ctx)
		}
		return err
	}
	f.put(m)
	return nil
}

func (f *fake) Queue(m wire.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && len(f.out)-f.head > 2*fakeRoom {
		f.end(transport.ErrFlood)
	}
	if f.err == nil {
		f.put(m)
	}
	return f.err
}

func (f *fake) Reject() error { f.mu.Lock(); defer f.mu.Unlock(); f.rejected++; return nil }

func (f *fake) SendData(cancel <-chan struct{}, size int, s transport.Source) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for more := true; more; {
		if err := f.room(cancel); err != nil {
			return err
		}
		at := len(f.out)
		if cap(f.out) < at+4+size {
			f.out = append(f.out[:at:at], make([]byte, 2*fakeRoom)...)
		}
		var n int
		n, more = s.Fill(f.out[at+4 : at+4+size : at+4+size])
		if n > 0 {
			f.out = f.out[:at+4+n]
			binary.BigEndian.PutUint32(f.out[at:], uint32(n))
			f.cond.Broadcast()
		} else {
			f.out = f.out[:at]
		}
	}
	return nil
}

func (f *fake) MaxPayload() int { return 128 << 10 }

func (f *fake) SetCredits(c func(add func(m wire.Message))) {
	f.mu.Lock()
	f.credits = c
	f.mu.Unlock()
}

func (f *fake) Wake() {
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

func (f *fake) Fail(_ ssh.DisconnectReason, err error) {
	f.mu.Lock()
	f.failure = err
	f.end(err)
	f.mu.Unlock()
	f.peer.mu.Lock()
	f.peer.end(err)
	f.peer.mu.Unlock()
}

// end is called with f.mu held.
func (f *fake) end(err error) {
	if f.err == nil {
		f.err = err
		close(f.done)
	}
	f.cond.Broadcast()
}

func (f *fake) Close() error {
	for _, e := range []*fake{f, f.peer} {
		e.mu.Lock()
		e.end(transport.ErrClosed)
		e.mu.Unlock()
	}
	f.pumping.Wait()
	return nil
}

func (f *fake) Err() error { f.mu.Lock(); defer f.mu.Unlock(); return f.err }

// accepting returns a Config that accepts every channel and sends it to the
// returned Go channel.
func accepting(opt Options, limits Limits) (Config, chan *Channel) {
	accepted := make(chan *Channel, 1000)
	return Config{Limits: limits, OnOpen: func(in *Incoming) {
		if ch, err := in.Accept(opt); err == nil {
			accepted <- ch
		}
	}}, accepted
}

// pair returns two muxes over a fake connection and a channel between them.
func pair(t testing.TB, limits Limits) (a, b *Mux, ca, cb *Channel) {
	ta, tb := fakePair(t)
	cfg, accepted := accepting(Options{KeepStderr: true}, limits)
	a, b = New(ta, Config{Limits: limits}), New(tb, cfg)
	t.Cleanup(func() { a.Close(); b.Close() })
	ca = open(t, a)
	return a, b, ca, <-accepted
}

func open(t testing.TB, m *Mux) *Channel {
	t.Helper()
	ch, err := m.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{KeepStderr: true})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return ch
}
