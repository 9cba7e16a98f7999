package mysqltest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Flow returns a tracer that follows every MySQL connection it sees with a
// [flow.Flow], and fails t for every message that the protocol does not allow
// where it stands, or that cannot be decoded. Both ends of a connection may
// have it.
func Flow(t testing.TB) trace.Tracer { return flowTracer{t} }

type flowTracer struct{ t testing.TB }

func (f flowTracer) Open(info trace.Info) trace.Conn {
	if info.Proto != "mysql" {
		return nil
	}
	return &flowConn{t: f.t, role: info.Role}
}

// flowConn follows one connection.
type flowConn struct {
	t    testing.TB
	role trace.Role

	mu   sync.Mutex
	f    flow.Flow
	join [2][]byte // pieces of payloads that are not whole yet, by direction
	last [12]string
	n    int
}

func (f *flowConn) Wire(wire.Dir, []byte) {}
func (f *flowConn) Secret(string)         {}
func (f *flowConn) Event(trace.Event)     {}
func (f *flowConn) Close(error)           {}

// Packet takes one physical packet with its header.
func (f *flowConn) Packet(dir wire.Dir, b []byte) {
	const header, most = 4, 1<<24 - 1
	f.mu.Lock()
	defer f.mu.Unlock()
	f.join[dir] = append(f.join[dir], b[header:]...)
	if len(b)-header == most {
		return
	}
	payload := f.join[dir]
	f.join[dir] = nil
	f.follow(dir, payload)
}

func (f *flowConn) follow(dir wire.Dir, payload []byte) {
	m, entry, err := f.f.Next(dir, payload)
	name := fmt.Sprintf("packet %.16x", payload)
	if entry != nil {
		name = entry.Name
	}
	f.last[f.n%len(f.last)] = dir.String() + " " + name
	f.n++
	f.complain(err)
	if err := mysql.Parse(payload, m, f.f.Dialect()); err != nil {
		f.complain(err)
	}
	_, err = f.f.Saw(dir, m)
	f.complain(err)
}

func (f *flowConn) complain(err error) {
	if err == nil {
		return
	}
	f.t.Errorf("mysqltest: as the %s sees it: %v", [...]string{"client", "server"}[f.role], err)
	for i := max(0, f.n-len(f.last)); i < f.n; i++ {
		f.t.Logf("  %d: %s", i+1, f.last[i%len(f.last)])
	}
}
