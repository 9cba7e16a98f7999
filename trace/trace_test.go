package trace_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestInfoAddresses(t *testing.T) {
	local, remote := &net.TCPAddr{Port: 1}, &net.TCPAddr{Port: 2}
	tests := []struct {
		role           trace.Role
		client, server net.Addr
		sends          wire.Dir
	}{
		{trace.Client, local, remote, wire.C2S},
		{trace.Server, remote, local, wire.S2C},
	}
	for _, tt := range tests {
		i := trace.Info{Role: tt.role, Local: local, Remote: remote}
		if got := i.ClientAddr(); got != tt.client {
			t.Errorf("role %d: ClientAddr = %v, want %v", tt.role, got, tt.client)
		}
		if got := i.ServerAddr(); got != tt.server {
			t.Errorf("role %d: ServerAddr = %v, want %v", tt.role, got, tt.server)
		}
		if got := tt.role.Sends(); got != tt.sends {
			t.Errorf("role %d sends %v, want %v", tt.role, got, tt.sends)
		}
	}
}

// counter is the least that can look at a session.
type counter struct{ wire, packets int }

func (c *counter) Open(trace.Info) trace.Conn  { return c }
func (c *counter) Wire(_ wire.Dir, b []byte)   { c.wire += len(b) }
func (c *counter) Packet(_ wire.Dir, _ []byte) { c.packets++ }
func (c *counter) Secret(string)               {}
func (c *counter) Event(trace.Event)           {}
func (c *counter) Close(error)                 {}
func (c *counter) session(t trace.Tracer, s string) {
	conn := t.Open(trace.Info{Proto: "hello", Role: trace.Client})
	if conn == nil { // nobody wants to see it
		return
	}
	conn.Packet(wire.C2S, []byte(s))
	conn.Wire(wire.C2S, []byte(s+"\r\n"))
	conn.Close(nil)
}

func Example() {
	var c counter
	c.session(&c, "hello")
	fmt.Println(c.packets, "packet,", c.wire, "bytes on the wire")
	// Output: 1 packet, 7 bytes on the wire
}
