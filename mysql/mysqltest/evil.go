package mysqltest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Script is what an [Evil] server does on one connection, step by step. At its
// end it closes the connection.
type Script []Step

// Step is one thing that a server does on a connection. See [Do] for others
// than those of this package.
type Step struct {
	name string
	run  func(p *Peer) error
}

// Do is a step of the caller's own. An error fails the test and ends the
// connection.
func Do(name string, run func(p *Peer) error) Step { return Step{name, run} }

// Evil is a server that does what its scripts say.
type Evil struct {
	t       testing.TB
	scripts []Script

	mu      sync.Mutex
	conns   []net.Conn // the server's ends
	over    bool
	running sync.WaitGroup
}

// NewEvil returns a server whose first connection runs the first script, and
// so on. Dialing more connections than there are scripts fails. It works inside
// testing/synctest bubbles. What is left of it ends with the test.
//
//	s := mysqltest.NewEvil(t, mysqltest.Script{
//		mysqltest.LogIn(mysqltest.Plain),
//		mysqltest.Expect(&mysql.Query{}),
//		mysqltest.Send(&mysql.ColumnCount{Count: 1 << 40}),
//	})
//	cfg.Dial = s.Dial
func NewEvil(t testing.TB, scripts ...Script) *Evil {
	t.Helper()
	e := &Evil{t: t, scripts: scripts}
	t.Cleanup(e.close)
	return e
}

// Dial connects to the server; network and addr do not matter.
func (e *Evil) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(e.conns)
	if e.over || n >= len(e.scripts) {
		return nil, fmt.Errorf("mysqltest: there is no script for connection %d", n+1)
	}
	client, server := pipe(n + 1)
	e.conns = append(e.conns, server)
	e.running.Go(func() { e.run(n, server) }) // stops when the script ends, or with the test, which closes server
	return client, nil
}

// Dialed returns the number of connections that there have been.
func (e *Evil) Dialed() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.conns)
}

func (e *Evil) run(n int, nc net.Conn) {
	defer nc.Close()
	p := newPeer(nc)
	for i, s := range e.scripts[n] {
		if err := s.run(p); err != nil {
			e.mu.Lock()
			over := e.over
			e.mu.Unlock()
			if !over {
				e.t.Errorf("mysqltest: connection %d, step %d, %s: %v", n+1, i+1, s.name, err)
			}
			return
		}
	}
}

func (e *Evil) close() {
	e.mu.Lock()
	e.over = true
	for _, nc := range e.conns {
		nc.Close()
	}
	e.mu.Unlock()
	e.running.Wait()
}

// Peer is the server's end of a connection, which says what the steps want it
// to say. It follows the conversation with a [flow.Flow], to decode what
// comes, but minds no rules.
type Peer struct {
	nc   net.Conn
	pc   *packet.Conn
	flow flow.Flow
}

func newPeer(nc net.Conn) *Peer {
	return &Peer{nc: nc, pc: packet.New(nc, &packet.Config{Role: trace.Server})}
}

// Conn returns the connection, for what no method does.
func (p *Peer) Conn() net.Conn { return p.nc }

// Packets returns the packets of the connection.
func (p *Peer) Packets() *packet.Conn { return p.pc }

// Next reads the next packet and decodes it. What it returns is valid until
// the next packet is read.
func (p *Peer) Next() (wire.Message, *wire.Entry, error) {
	if p.flow.Phase() == flow.PhaseCommand && p.flow.Pending() == 0 {
		p.pc.Begin()
	}
	payload, err := p.pc.ReadPacket()
	if err != nil {
		return nil, nil, err
	}
	m, entry, err := p.flow.Next(wire.C2S, payload)
	if err != nil {
		return nil, nil, err
	}
	if err := mysql.Parse(payload, m, p.flow.Dialect()); err != nil {
		return nil, nil, err
	}
	_, err = p.flow.Saw(wire.C2S, m)
	p.pc.SetDialect(p.flow.Dialect())
	return m, entry, err
}

// Append puts messages into the output buffer, to be sent with the next Flush
// or Send.
func (p *Peer) Append(list ...wire.Message) error {
	for _, m := range list {
		if err := p.pc.Append(m); err != nil {
			return err
		}
		_, _ = p.flow.Saw(wire.S2C, m) // it may well break a rule
		p.pc.SetDialect(p.flow.Dialect())
	}
	return nil
}

// Send sends messages, each in a packet, in one write. That the client does
// not take them is no error.
func (p *Peer) Send(list ...wire.Message) error {
	if err := p.Append(list...); err != nil {
		return err
	}
	_ = p.pc.Flush()
	return nil
}
