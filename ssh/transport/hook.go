package transport

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// hook calls a trace.Conn, for one direction from one goroutine at a time:
// packets are reported under the output lock, but their wire bytes outside of
// it. A nil *hook does nothing.
type hook struct {
	conn   trace.Conn
	mu     [2]sync.Mutex // by direction; both for what has none
	closed atomic.Bool
}

func openHook(t trace.Tracer, role trace.Role, nc net.Conn) *hook {
	if t == nil {
		return nil
	}
	conn := t.Open(trace.Info{Proto: "ssh", Role: role, Local: nc.LocalAddr(), Remote: nc.RemoteAddr()})
	if conn == nil {
		return nil
	}
	return &hook{conn: conn}
}

func (h *hook) wire(dir wire.Dir, b []byte) {
	if h == nil || len(b) == 0 {
		return
	}
	h.mu[dir].Lock()
	defer h.mu[dir].Unlock()
	if !h.closed.Load() {
		h.conn.Wire(dir, b)
	}
}

func (h *hook) packet(dir wire.Dir, b []byte) {
	if h == nil {
		return
	}
	h.mu[dir].Lock()
	defer h.mu[dir].Unlock()
	if !h.closed.Load() {
		h.conn.Packet(dir, b)
	}
}

func (h *hook) event(kind trace.Kind, detail string) {
	if h != nil && !h.closed.Load() {
		h.conn.Event(trace.Event{Kind: kind, Detail: detail})
	}
}

func (h *hook) secret(line string) {
	if h != nil && !h.closed.Load() {
		h.conn.Secret(line)
	}
}

func (h *hook) close(err error) {
	if h == nil {
		return
	}
	h.mu[0].Lock()
	defer h.mu[0].Unlock()
	h.mu[1].Lock()
	defer h.mu[1].Unlock()
	if !h.closed.Swap(true) {
		h.conn.Close(err)
	}
}

// tapped is a net.Conn that reports what it reads.
type tapped struct {
	net.Conn
	hook *hook
	dir  wire.Dir // of what is received
}

func (t *tapped) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	t.hook.wire(t.dir, b[:n])
	return n, err
}
