package sshtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Flow returns a tracer that follows every SSH connection it sees with an
// [ssh.Flow], and fails t for every message that the rules of SSH do not allow
// where it stands, or that cannot be decoded.
func Flow(t testing.TB) trace.Tracer { return flowTracer{t} }

type flowTracer struct{ t testing.TB }

func (f flowTracer) Open(info trace.Info) trace.Conn {
	if info.Proto != "ssh" {
		return nil
	}
	return &flowConn{t: f.t, versions: [2]bool{}}
}

type flowConn struct {
	t testing.TB

	mu       sync.Mutex
	flow     ssh.Flow
	versions [2]bool // identification lines seen
	last     [8]string
	n        int
}

func (f *flowConn) Wire(wire.Dir, []byte) {}
func (f *flowConn) Secret(string)         {}
func (f *flowConn) Event(trace.Event)     {}
func (f *flowConn) Close(error)           {}

// Packet follows one packet; the first of each direction is the identification
// line.
func (f *flowConn) Packet(dir wire.Dir, b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.versions[dir] {
		f.versions[dir] = true
		return
	}
	m, entry, err := f.flow.Next(dir, b)
	name := fmt.Sprintf("message %d", b[0])
	if entry != nil {
		name = entry.Name
	}
	f.last[f.n%len(f.last)] = dir.String() + " " + name
	f.n++
	f.complain(err)
	if err := ssh.Messages.Parse(b, m, wire.Dialect{}); err != nil && entry != nil {
		f.complain(err)
		return
	}
	_, err = f.flow.Saw(dir, m)
	f.complain(err)
}

func (f *flowConn) complain(err error) {
	if err == nil {
		return
	}
	f.t.Errorf("sshtest: %v", err)
	for i := max(0, f.n-len(f.last)); i < f.n; i++ {
		f.t.Logf("  %d: %s", i+1, f.last[i%len(f.last)])
	}
}
