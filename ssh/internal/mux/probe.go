package mux

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// probeEvery is the shortest time between two measurements. They are made only
// while data comes in through a window that could grow.
const probeEvery = time.Second

// probe measures the round trip of a connection. The estimate is the shortest
// that was seen in its whole life: longer ones tell about queues, and windows
// that grew with them would make the queues longer.
type probe struct {
	trip   atomic.Int64 // nanoseconds, 0: not known; written by the reader alone
	wanted atomic.Bool  // somebody could use a newer estimate

	mu    sync.Mutex // a leaf; guards the rest
	asked bool       // a ping is under way
	at    time.Time  // when the last question was asked
	count uint64     // of pings; the data of the last one

	ping ssh.Ping // owned by emit
}

func (p *probe) roundTrip() time.Duration { return time.Duration(p.trip.Load()) }

// sample notes how long an answer took whose question was asked at t. Only the
// reader calls it.
func (p *probe) sample(t time.Time) {
	d := max(1, int64(time.Since(t)))
	if old := p.trip.Load(); old == 0 || d < old {
		p.trip.Store(d)
	}
}

// next begins a ping, unless one is under way or one was sent less than pause
// ago, and appends its data to buf.
func (p *probe) next(buf []byte, pause time.Duration) (data []byte, ok bool) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked || now.Sub(p.at) < pause {
		return nil, false
	}
	p.asked, p.at = true, now
	p.count++
	return binary.BigEndian.AppendUint64(buf, p.count), true
}

// measure asks the peer for an answer if that is due. It runs under the
// transport's output lock.
func (m *Mux) measure(add func(wire.Message)) {
	if !m.probe.wanted.Swap(false) {
		return
	}
	if m.cfg.Ping {
		if data, ok := m.probe.next(m.probe.ping.Data[:0], probeEvery); ok {
			m.probe.ping.Data = data
			add(&m.probe.ping)
		}
		return
	}
	if m.probe.roundTrip() == 0 { // a server that has never had a reason to ask
		_ = m.askGlobal(func(r *ssh.GlobalRequest) error { add(r); return nil }) // it fails when the connection has ended
	}
}

// askGlobal makes a request that no peer knows and every peer answers, unless
// a global request is under way. It does not wait if send does not.
func (m *Mux) askGlobal(send func(*ssh.GlobalRequest) error) error {
	select {
	case m.globalTurn <- struct{}{}:
	default:
		return nil
	}
	defer func() { <-m.globalTurn }()
	m.mu.Lock()
	if m.err != nil || len(m.globals) > 0 {
		defer m.mu.Unlock()
		return m.err
	}
	m.globals.add()
	m.mu.Unlock()
	return send(&ssh.GlobalRequest{Name: ssh.GlobalKeepalive, WantReply: true})
}

func (m *Mux) onPong(p []byte) error {
	var pong ssh.Pong
	if err := ssh.Parse(p, &pong); err != nil {
		return malformed(err)
	}
	var buf [8]byte
	m.probe.mu.Lock()
	ours := m.probe.asked && bytes.Equal(pong.Data, binary.BigEndian.AppendUint64(buf[:0], m.probe.count))
	m.probe.asked = m.probe.asked && !ours
	at := m.probe.at
	m.probe.mu.Unlock()
	if !ours {
		return m.onOther(p)
	}
	m.probe.sample(at)
	return nil
}

// KeepAlive asks the peer for a sign of life every so often, and returns true
// when it has given none, for most questions in a row (0: 3). Whatever comes
// from the peer is one. A key exchange has its own time limit; while it is
// under way nothing is asked and nothing counts.
//
// look returns how many packets have been received, and whether keys are being
// exchanged. KeepAlive returns false when ctx or the connection ends.
func (m *Mux) KeepAlive(ctx context.Context, every time.Duration, most int, look func() (received uint64, rekeying bool)) bool {
	if most <= 0 {
		most = 3
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	before, _ := look()
	asked, missed := false, 0
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return false
		case <-m.done:
			return false
		}
		received, rekeying := look()
		switch {
		case received != before:
			before, missed = received, 0
		case asked && !rekeying:
			missed++
		}
		switch {
		case missed >= most:
			return true
		case rekeying:
		case m.ask() != nil:
			return false // the connection has ended
		default:
			asked = true
		}
	}
}

// ask asks the peer for any answer, unless a question is under way already. It
// does not wait.
func (m *Mux) ask() error {
	if !m.cfg.Ping {
		return m.askGlobal(func(r *ssh.GlobalRequest) error { return m.t.Queue(r) })
	}
	if data, ok := m.probe.next(nil, 0); ok {
		return m.t.Queue(&ssh.Ping{Data: data})
	}
	return nil
}
