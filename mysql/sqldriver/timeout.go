package sqldriver

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/mysql/packet"
)

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// withTimeouts returns a dialer whose connections bound each read and write.
func withTimeouts(dial dialFunc, read, write time.Duration) dialFunc {
	if read <= 0 && write <= 0 {
		return dial
	}
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t := &timedConn{Conn: nc, read: read, write: write}
		// What the connection can do beside, to say whether bytes wait, stays.
		if raw, ok := nc.(syscall.Conn); ok {
			return struct {
				*timedConn
				syscall.Conn
			}{t, raw}, nil
		}
		if p, ok := nc.(packet.Peeker); ok {
			return struct {
				*timedConn
				packet.Peeker
			}{t, p}, nil
		}
		return t, nil
	}
}

// timedConn gives each read and write a deadline, unless an earlier one was set.
type timedConn struct {
	net.Conn
	read, write time.Duration

	mu                  sync.Mutex
	readUntil, writeEnd time.Time // deadlines that were set; zero: none
}

// NetConn returns the connection below.
func (c *timedConn) NetConn() net.Conn { return c.Conn }

// sooner returns the earlier of a deadline and now plus d; d is 0 for none.
func sooner(deadline time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return deadline
	}
	t := time.Now().Add(d)
	if !deadline.IsZero() && deadline.Before(t) {
		return deadline
	}
	return t
}

func (t *timedConn) Read(b []byte) (int, error) {
	t.mu.Lock()
	err := t.Conn.SetReadDeadline(sooner(t.readUntil, t.read))
	t.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return t.Conn.Read(b)
}

func (t *timedConn) Write(b []byte) (int, error) {
	t.mu.Lock()
	err := t.Conn.SetWriteDeadline(sooner(t.writeEnd, t.write))
	t.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return t.Conn.Write(b)
}

func (t *timedConn) SetDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readUntil, t.writeEnd = at, at
	return t.Conn.SetDeadline(at)
}

func (t *timedConn) SetReadDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readUntil = at
	return t.Conn.SetReadDeadline(at)
}

func (t *timedConn) SetWriteDeadline(at time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writeEnd = at
	return t.Conn.SetWriteDeadline(at)
}
