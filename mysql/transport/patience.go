package transport

import (
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Patient returns nc as a connection of which no read takes longer than read,
// and no write longer than write; 0: as long as its deadlines say. The error is
// [os.ErrDeadlineExceeded], and deadlines that are set go on to count.
func Patient(nc net.Conn, read, write time.Duration) net.Conn {
	if read <= 0 && write <= 0 {
		return nc
	}
	return &patient{
		Conn:  nc,
		read:  side{limit: read, set: nc.SetReadDeadline},
		write: side{limit: write, set: nc.SetWriteDeadline},
	}
}

type patient struct {
	net.Conn
	read, write side
}

// side is a direction: the deadline that its user has set, and the one that is
// in force.
type side struct {
	limit time.Duration
	set   func(time.Time) error

	mu   sync.Mutex
	asks time.Time // zero: none
}

// begin sets the deadline of a call that begins now.
func (s *side) begin() error {
	if s.limit <= 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := time.Now().Add(s.limit)
	if !s.asks.IsZero() && s.asks.Before(d) {
		d = s.asks
	}
	return s.set(d)
}

// ask sets the deadline of the user, of a call under way too.
func (s *side) ask(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asks = t
	return s.set(t)
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.read.begin(); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.write.begin(); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

func (p *patient) SetReadDeadline(t time.Time) error  { return p.read.ask(t) }
func (p *patient) SetWriteDeadline(t time.Time) error { return p.write.ask(t) }

func (p *patient) SetDeadline(t time.Time) error {
	return errors.Join(p.read.ask(t), p.write.ask(t))
}

// SyscallConn lets the socket below be asked whether something has come.
func (p *patient) SyscallConn() (syscall.RawConn, error) {
	if sc, ok := p.Conn.(syscall.Conn); ok {
		return sc.SyscallConn()
	}
	return nil, os.ErrInvalid
}
