// Package mux is the connection layer of SSH, RFC 4254, for either role:
// channels, their windows and streams, and requests.
//
// A [Mux] stands on a transport that has been authenticated. One goroutine
// reads: it owns the receive state, never writes to the socket, never waits
// for space and never calls user code. What it has to say itself goes to the
// transport's bounded reserve (Queue); what a channel has to say about itself
// (window credit, end of file, close) is state, which the transport asks for
// with its next batch (SetCredits). So no
// slow application and no peer can stop it, and everything the peer can make
// it keep is bounded: by the window of each channel, by [Limits], or by being
// a protocol error.
//
// It is not for users: packages sshclient and sshserver wrap it.
package mux

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// Transport is what a Mux needs of a secure packet connection. It is
// [*transport.Conn], where the methods are described.
type Transport interface {
	ReadPacket() ([]byte, error)
	Send(ctx context.Context, m wire.Message) error
	Queue(m wire.Message) error
	Reject() error
	SendData(cancel <-chan struct{}, size int, s transport.Source) error
	MaxPayload() int
	SetCredits(credits func(add func(m wire.Message)))
	Wake()
	Fail(reason ssh.DisconnectReason, err error)
	Close() error
	Err() error
}

var _ Transport = (*transport.Conn)(nil)

// Limits bound what one connection may hold. Zero fields mean the default.
type Limits struct {
	Channels     int // open channels, by either side; default 1024
	PendingOpens int // channels that the peer asked for and nobody has decided on; default 64
	Window       int // bytes of each channel's receive window at first; default 2 MiB
	MaxWindow    int // bytes that it may grow to, at most 128 MiB; default 32 MiB
	Budget       int // bytes of all windows together above which none grows; default 64 MiB
	MaxPacket    int // bytes of channel data in one packet that we take; default 32 KiB
}

func (l Limits) withDefaults(maxPayload int) Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Channels, 1024)
	set(&l.PendingOpens, 64)
	set(&l.Window, 2<<20)
	set(&l.MaxWindow, 32<<20)
	set(&l.Budget, 64<<20)
	set(&l.MaxPacket, 32<<10)
	l.Window = min(l.Window, math.MaxInt32) // many peers count in 32 bits with a sign
	l.MaxWindow = max(l.Window, min(l.MaxWindow, maxWindow))
	l.MaxPacket = min(l.MaxPacket, maxPayload-overhead)
	return l
}

// overhead is what stands around the data of a packet: the header of
// SSH_MSG_CHANNEL_EXTENDED_DATA, the longer one.
const overhead = 13

// Config says how a Mux treats what the peer asks for. Its functions run on
// the reader's goroutine: they must not wait, and answer only through what
// they are given.
type Config struct {
	Limits Limits

	// Ping says that the peer answers pings: [ssh.Ping].
	Ping bool

	// OnOpen decides, at once or later, about a channel that the peer wants;
	// exactly one of Accept and Reject must be called. nil refuses all.
	OnOpen func(*Incoming)
	// OnGlobal answers a global request. nil refuses all. r is valid during
	// the call.
	OnGlobal func(r *ssh.GlobalRequest) (ok bool, data []byte)
	// OnOther sees the packets that are not the connection layer's. It
	// reports whether it knows the packet; the others are answered with
	// UNIMPLEMENTED. nil knows none.
	OnOther func(packet []byte) (known bool, err error)
}

// Mux carries the channels of one connection. It is safe for concurrent use.
type Mux struct {
	t      Transport
	cfg    Config
	limits Limits
	done   chan struct{} // closed when the reader has ended
	rx     received      // owned by the reader
	probe  probe

	charged atomic.Int64 // bytes of all channels' windows

	mu       sync.Mutex // held for moments, never while calling the transport or a callback
	channels map[uint32]*Channel
	nextID   uint32
	pending  int   // incoming opens not yet decided on
	err      error // why the connection ended; set once
	globals  waiters
	draining bool          // no new channels
	empty    chan struct{} // closed when there are none while draining

	globalTurn chan struct{} // holds a token while a global request is being sent

	dirtyMu sync.Mutex // a leaf; guards the two lists
	dirty   []*Channel // channels whose state waits to be sent
	spare   []*Channel // the list that emit used last
}

// New makes a Mux of t, whose packets from now on belong to it, and starts to
// read. The caller ends it with [Mux.Close].
func New(t Transport, cfg Config) *Mux {
	m := &Mux{
		t:          t,
		cfg:        cfg,
		limits:     cfg.Limits.withDefaults(t.MaxPayload()),
		done:       make(chan struct{}),
		channels:   make(map[uint32]*Channel),
		globalTurn: make(chan struct{}, 1),
	}
	t.SetCredits(m.emit)
	go m.read() // stops when the transport fails or is closed
	return m
}

func (m *Mux) read() {
	defer close(m.done)
	for {
		p, err := m.t.ReadPacket()
		if err != nil {
			m.fail(lost(err))
			return
		}
		if err := m.dispatch(p); err != nil {
			m.t.Fail(ssh.ProtocolError, err)
			m.fail(m.cause(err))
			return
		}
	}
}

// fail ends all channels and waiters with err, unless there was an earlier
// cause.
func (m *Mux) fail(err error) {
	m.mu.Lock()
	if m.err != nil {
		m.mu.Unlock()
		return
	}
	m.err = err
	channels := make([]*Channel, 0, len(m.channels))
	for _, ch := range m.channels {
		channels = append(channels, ch)
	}
	clear(m.channels)
	m.globals.fail()
	m.mu.Unlock()
	for _, ch := range channels {
		ch.fail(err)
	}
}

// Close closes the transport, ends all channels, and waits for the reader. It
// returns what closing the transport returned. Later calls return the same.
func (m *Mux) Close() error {
	m.fail(ErrClosed)
	err := m.t.Close()
	<-m.done
	return err
}

// Done is closed when the connection has ended.
func (m *Mux) Done() <-chan struct{} { return m.done }

// Err returns why the connection ended: an error that is [net.ErrClosed] when
// it was closed on this side, nil while it lives.
func (m *Mux) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Channels returns how many channels are open.
func (m *Mux) Channels() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.channels)
}

// find returns the channel with our number id, for a message that is about
// it. It is fatal when there is none: the peer must know which there are.
func (m *Mux) find(id uint32, about string) (*Channel, error) {
	m.mu.Lock()
	ch := m.channels[id]
	m.mu.Unlock()
	if ch == nil {
		return nil, protocolError("%s for channel %d, which is not open", about, id)
	}
	return ch, nil
}

// forget takes a channel off the table after both sides have closed it.
func (m *Mux) forget(ch *Channel) {
	ch.mu.Lock()
	charged := int64(ch.charged)
	ch.mu.Unlock()
	m.mu.Lock()
	if m.channels[ch.local] == ch {
		delete(m.channels, ch.local)
		m.charged.Add(-charged)
	}
	m.checkEmpty()
	m.mu.Unlock()
}

// add gives ch a number that no channel has had for a long while, so that what
// is said about a channel never means another one.
func (m *Mux) add(ch *Channel) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	if m.draining {
		return errDraining
	}
	if m.full() {
		return fmt.Errorf("%w: %d are open", ErrTooManyChannels, len(m.channels))
	}
	for m.channels[m.nextID] != nil {
		m.nextID++
	}
	ch.local = m.nextID
	m.nextID++
	m.channels[ch.local] = ch
	m.charged.Add(int64(ch.charged))
	return nil
}

// closeGrace is how long a peer may take to answer a close. After that the
// channel still has its number, so that a late answer is no error, and does not
// count any longer, up to a limit: a peer may be slow, or broken, and neither
// must use up our channels.
const (
	closeGrace = time.Minute
	graveyard  = 4 // times Limits.Channels
)

// full reports whether there are as many channels as there may be. m.mu is
// held.
func (m *Mux) full() bool {
	n := len(m.channels) + m.pending
	if n < m.limits.Channels || n >= graveyard*m.limits.Channels {
		return n >= m.limits.Channels
	}
	late := time.Now().Add(-closeGrace).UnixNano()
	for _, ch := range m.channels {
		if at := ch.closed.Load(); at != 0 && at < late {
			n--
		}
	}
	return n >= m.limits.Channels
}

// mark puts ch on the list of channels with something to say. The caller wakes
// the transport.
func (m *Mux) mark(ch *Channel) {
	m.dirtyMu.Lock()
	if !ch.marked {
		ch.marked = true
		m.dirty = append(m.dirty, ch)
	}
	m.dirtyMu.Unlock()
}

// emit runs under the transport's output lock.
func (m *Mux) emit(add func(wire.Message)) {
	m.dirtyMu.Lock()
	list := m.dirty
	m.dirty = m.spare[:0]
	for _, ch := range list {
		ch.marked = false
	}
	m.dirtyMu.Unlock()
	for i, ch := range list {
		ch.emit(add)
		list[i] = nil
	}
	m.spare = list
	m.measure(add)
}
