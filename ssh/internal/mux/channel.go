package mux

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/frame"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// Options say how a channel behaves on this side.
type Options struct {
	// KeepStderr keeps extended data of type stderr for [Channel.Stderr].
	// Otherwise it is thrown away as it comes, so that it cannot fill the
	// window.
	KeepStderr bool
	// OnRequest answers a channel request, and then, if not nil, is called
	// when the answer has been queued. Both run on the reader's goroutine:
	// they must not wait. r is valid during the call. nil refuses all.
	OnRequest func(ch *Channel, r *ssh.ChannelRequest) (ok bool, then func())
}

// Channel is one channel: a stream in each direction, stderr beside one of
// them, and requests. It is safe for concurrent use.
//
// A read returns what has come, then [io.EOF] once the peer has ended its
// stream or closed the channel, and the connection's error when that broke. A
// write returns when its bytes are in the output buffer of the connection.
type Channel struct {
	m      *Mux
	opt    Options
	local  uint32 // our number
	remote uint32 // the peer's number; set before the channel is handed out
	life   context.Context
	end    context.CancelCauseFunc // ends life

	mu    sync.Mutex
	rcond sync.Cond // bytes, end of file, deadline or end have come
	wcond sync.Cond // window, a sender's turn, deadline or end have come
	rdead deadline
	wdead deadline
	cut   chan struct{} // closed when a write must not wait any longer

	// Receiving.
	in [2]stream // the main stream and stderr
	pace
	recvLeft uint32 // bytes the peer may still send
	consumed uint32 // bytes taken that pace has not been told of
	credit   uint32 // bytes that the next adjust will grant
	eofRecv  bool
	closRecv bool

	// Sending.
	out      [2]sender
	sendLeft uint64 // bytes the peer will still take; never above 2³²-1 but for what is on its way
	sendMax  int    // bytes of data in one packet
	sending  int    // messages on their way into the output buffer
	eofWant  bool   // no data will follow
	eofSent  bool
	closWant bool // nothing will follow
	closSent bool
	closHere bool  // by our user
	opened   bool  // the peer has confirmed it, or we have
	err      error // why reading and writing ended; set once

	replies  waiters       // for requests that wait for a reply
	turn     chan struct{} // holds a token while a request is being sent
	opening  chan error    // carries the answer to our open
	asked    time.Time     // when our open was sent; set before the reader knows the channel
	releases [2]func()     // for Next, made once

	closed atomic.Int64 // when we sent our close, in Unix nanoseconds; 0: not yet

	marked    bool                    // on the dirty list; guarded by Mux.dirtyMu
	adjustMsg ssh.ChannelWindowAdjust // owned by emit
}

var (
	_ io.ReadWriteCloser = (*Channel)(nil)
	_ io.WriterTo        = (*Channel)(nil)
	_ frame.Appender     = (*Channel)(nil)
	_ frame.Lender       = (*Channel)(nil)
)

func newChannel(m *Mux, opt Options) *Channel {
	window := uint32(m.limits.Window)
	ch := &Channel{m: m, opt: opt, recvLeft: window, pace: pace{window: window, charged: window}, turn: make(chan struct{}, 1)}
	ch.life, ch.end = context.WithCancelCause(context.Background())
	ch.rcond.L, ch.wcond.L = &ch.mu, &ch.mu
	ch.cut = make(chan struct{})
	ch.in[1].discard = !opt.KeepStderr
	ch.releases = [2]func(){func() { ch.release(0) }, func() { ch.release(1) }}
	return ch
}

// start takes over what the peer said about its side.
func (ch *Channel) start(remote, window, maxPacket uint32) {
	ch.mu.Lock()
	ch.remote, ch.sendLeft, ch.opened = remote, uint64(window), true
	ch.sendMax = int(min(maxPacket, uint32(ch.m.t.MaxPayload()-overhead)))
	ch.adjustMsg.Recipient = remote
	ch.out[0].init(ch, &ssh.ChannelData{Recipient: remote})
	ch.out[1].init(ch, &ssh.ChannelExtendedData{Recipient: remote, Type: ssh.ExtendedStderr})
	ch.mu.Unlock()
}

// ID returns our number of the channel and the peer's.
func (ch *Channel) ID() (local, remote uint32) { return ch.local, ch.remote }

// Life returns a context that ends when the channel is closed by either side
// or with its connection. Its cause says which; it is [net.ErrClosed] unless
// the connection broke.
func (ch *Channel) Life() context.Context { return ch.life }

// CloseWrite ends our stream: the peer reads the end of file. Reading goes on.
// It does not wait.
func (ch *Channel) CloseWrite() error {
	ch.mu.Lock()
	if err := ch.sendErr(); err != nil {
		ch.mu.Unlock()
		return err
	}
	ch.eofWant = true
	ch.wcond.Broadcast()
	ch.settle()
	return nil
}

// Close ends the channel in both directions: what has been written is sent,
// what has not been read is thrown away. It does not wait, neither for the
// peer nor for the socket. Later calls do nothing.
func (ch *Channel) Close() error {
	ch.mu.Lock()
	ch.closHere = true
	ch.in[0].clear()
	ch.in[1].clear()
	ch.shut(errChannelClosed)
	ch.settle()
	return nil
}

// shut says that nothing more will be written, because of err unless there was
// an earlier cause. ch.mu is held.
func (ch *Channel) shut(err error) {
	ch.closWant = true
	ch.rcond.Broadcast()
	if ch.err != nil {
		return
	}
	ch.err = err
	ch.finish(err)
}

// finish wakes everybody who waits for the channel. ch.mu is held.
func (ch *Channel) finish(err error) {
	ch.replies.fail()
	ch.cutWrites()
	ch.rdead.stop()
	ch.wdead.stop()
	ch.rcond.Broadcast()
	ch.end(err)
}

// fail ends the channel because its connection has ended. What has been
// received can still be read, unless we had closed the channel ourselves.
func (ch *Channel) fail(err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ch.closSent = true
	ch.shut(err)
	if ch.opening != nil {
		ch.opening <- err
		ch.opening = nil
	}
}

// settle hands pending state to the transport. It releases ch.mu.
func (ch *Channel) settle() {
	wake := ch.opened && ch.sending == 0 &&
		(ch.eofWant && !ch.eofSent && !ch.closSent || ch.closWant && !ch.closSent)
	if wake {
		ch.m.mark(ch)
	}
	ch.mu.Unlock()
	if wake {
		ch.m.t.Wake()
	}
}

// emit says what is pending. It runs under the transport's output lock, so
// what it sends stands behind everything that was written before.
func (ch *Channel) emit(add func(wire.Message)) {
	ch.mu.Lock()
	adjust := ch.credit
	ch.credit = 0
	if ch.closSent || ch.closWant {
		adjust = 0
	}
	quiet := ch.sending == 0 && ch.opened
	eof := quiet && ch.eofWant && !ch.eofSent && !ch.closSent && !ch.closRecv
	ch.eofSent = ch.eofSent || eof
	clos := quiet && ch.closWant && !ch.closSent
	ch.closSent = ch.closSent || clos
	gone := clos && ch.closRecv
	ch.mu.Unlock()

	if adjust > 0 {
		ch.adjustMsg.Add = adjust
		add(&ch.adjustMsg)
	}
	if eof {
		add(&ssh.ChannelEOF{Recipient: ch.remote})
	}
	if clos {
		add(&ssh.ChannelClose{Recipient: ch.remote})
		ch.closed.Store(time.Now().UnixNano())
	}
	if gone {
		ch.m.forget(ch)
	}
}

// SetDeadline sets both deadlines. The zero time means none.
func (ch *Channel) SetDeadline(t time.Time) error {
	return errors.Join(ch.SetReadDeadline(t), ch.SetWriteDeadline(t))
}

// SetReadDeadline limits how long reads wait, also those that wait already.
// They return [os.ErrDeadlineExceeded] then.
func (ch *Channel) SetReadDeadline(t time.Time) error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closHere {
		return errChannelClosed
	}
	ch.rdead.set(&ch.mu, t, ch.rcond.Broadcast)
	return nil
}

// SetWriteDeadline limits how long writes wait, also those that wait already.
// They return [os.ErrDeadlineExceeded] then, after part of the bytes perhaps.
func (ch *Channel) SetWriteDeadline(t time.Time) error {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.closWant {
		return ch.err
	}
	select {
	case <-ch.cut: // by an earlier deadline
		ch.cut = make(chan struct{})
	default:
	}
	ch.wdead.set(&ch.mu, t, ch.cutWrites)
	return nil
}

// cutWrites ends the wait of all writes. ch.mu is held.
func (ch *Channel) cutWrites() {
	select {
	case <-ch.cut:
	default:
		close(ch.cut)
	}
	ch.wcond.Broadcast()
}
