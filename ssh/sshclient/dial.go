package sshclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/mux"
)

// DialContext connects from the server to addr: network "tcp", "tcp4" or
// "tcp6" with "host:port" (RFC 4254 §7.2), "unix" with the path of a socket
// there (OpenSSH PROTOCOL §2.4). The host is resolved by the server. A server
// that will not or cannot gives an [*OpenError] inside a *net.OpError. ctx
// covers the opening only.
//
// The connection is a full net.Conn with deadlines and CloseWrite; its remote
// address is addr as it was given. When the connection to the server breaks,
// reads end with an error and not with io.EOF.
func (c *Client) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	open, err := openFor(network, addr)
	if err == nil {
		var ch *mux.Channel
		if ch, err = c.mux.Open(ctx, open, mux.Options{}); err == nil {
			return &conn{Channel: &Channel{ch}, local: c.LocalAddr(), remote: endpoint{network, addr}}, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Net: network, Addr: endpoint{network, addr}, Err: err}
}

func openFor(network, addr string) (*ssh.ChannelOpen, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		host, service, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		port, err := strconv.ParseUint(service, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("port %q is not a number from 0 to 65535", service)
		}
		return &ssh.ChannelOpen{
			Type: ssh.ChannelDirectTCPIP, Host: host, Port: uint32(port),
			OriginatorHost: "127.0.0.1", OriginatorPort: 0,
		}, nil
	case "unix":
		if addr == "" {
			return nil, errors.New("the path of the socket is empty")
		}
		return &ssh.ChannelOpen{Type: ssh.ChannelDirectStreamLocal, SocketPath: addr}, nil
	}
	return nil, net.UnknownNetworkError(network)
}

// conn is a forwarded connection.
type conn struct {
	*Channel
	local, remote net.Addr
}

var _ net.Conn = (*conn)(nil)

// LocalAddr returns that of the connection to the server.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns what was dialed.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// endpoint is an address as the user wrote it.
type endpoint struct{ network, addr string }

func (e endpoint) Network() string { return e.network }
func (e endpoint) String() string  { return e.addr }
