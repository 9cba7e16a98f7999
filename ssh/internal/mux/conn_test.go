package mux

import (
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

// netConn is a channel with addresses, as the packages above make it.
type netConn struct{ *Channel }

func (netConn) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (netConn) RemoteAddr() net.Addr { return &net.TCPAddr{} }

func TestChannelIsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		a, b, ca, cb := pair(t, Limits{})
		return netConn{ca}, netConn{cb}, func() { a.Close(); b.Close() }, nil
	})
}
