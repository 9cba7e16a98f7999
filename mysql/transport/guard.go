package transport

import (
	"sync"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Guard returns a trace that lets nothing through behind its Close, and no second
// Close: a connection is cut by one goroutine while another one may be reading.
// nil gives nil.
func Guard(t trace.Conn) trace.Conn {
	if t == nil {
		return nil
	}
	return &guard{t: t}
}

type guard struct {
	mu sync.RWMutex // held for writing by Close
	t  trace.Conn   // nil behind Close
}

// pass calls f unless the trace is closed.
func (g *guard) pass(f func(t trace.Conn)) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.t != nil {
		f(g.t)
	}
}

// Wire passes bytes on.
func (g *guard) Wire(dir wire.Dir, b []byte) { g.pass(func(t trace.Conn) { t.Wire(dir, b) }) }

// Packet passes a packet on.
func (g *guard) Packet(dir wire.Dir, b []byte) { g.pass(func(t trace.Conn) { t.Packet(dir, b) }) }

// Secret passes a secret on.
func (g *guard) Secret(line string) { g.pass(func(t trace.Conn) { t.Secret(line) }) }

// Event passes an event on.
func (g *guard) Event(e trace.Event) { g.pass(func(t trace.Conn) { t.Event(e) }) }

// Close ends the trace when calls under way have returned.
func (g *guard) Close(err error) {
	g.mu.Lock()
	t := g.t
	g.t = nil
	g.mu.Unlock()
	if t != nil {
		t.Close(err)
	}
}
