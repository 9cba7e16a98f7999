package main

import (
	"net"
	"sync"
	"time"
)

// delayLine is a TCP proxy behind which a server seems to be far away: what
// comes in leaves after half a round trip, in both directions, however much it
// is. Its bandwidth is that of the loopback interface.
type delayLine struct {
	addr   string
	l      net.Listener
	to     string
	oneWay time.Duration
	wg     sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool // guarded by mu
	closed bool              // guarded by mu
}

func newDelayLine(to string, roundTrip time.Duration) (*delayLine, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d := &delayLine{addr: l.Addr().String(), l: l, to: to, oneWay: roundTrip / 2, conns: map[net.Conn]bool{}}
	d.wg.Go(d.accept) // stops when l is closed
	return d, nil
}

// close cuts all connections.
func (d *delayLine) close() {
	d.l.Close()
	d.mu.Lock()
	d.closed = true
	for c := range d.conns {
		c.Close()
	}
	d.mu.Unlock()
	d.wg.Wait()
}

func (d *delayLine) accept() {
	for {
		near, err := d.l.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", d.to)
		if err != nil {
			near.Close()
			continue
		}
		d.mu.Lock()
		if d.closed {
			near.Close()
			far.Close()
		}
		d.conns[near], d.conns[far] = true, true
		d.mu.Unlock()
		d.carry(near, far)
		d.carry(far, near)
	}
}

// parcel is bytes with the time at which they leave; nil: the end.
type parcel struct {
	b   []byte
	due time.Time
}

// carry moves bytes in one direction with two goroutines: one reads and
// stamps, one waits and writes.
func (d *delayLine) carry(from, to net.Conn) {
	q := &parcels{}
	q.cond.L = &q.mu
	d.wg.Go(func() { // stops when from ends
		for {
			buf := make([]byte, 64<<10)
			n, err := from.Read(buf)
			due := time.Now().Add(d.oneWay)
			if n > 0 {
				q.put(parcel{buf[:n], due})
			}
			if err != nil {
				q.put(parcel{nil, due})
				return
			}
		}
	})
	d.wg.Go(func() { // stops after the end of from has been taken from q
		broken := false
		for {
			p := q.take()
			if p.b == nil {
				break
			}
			if broken {
				continue
			}
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.b); err != nil {
				broken = true
				from.Close()
			}
		}
		if c, ok := to.(interface{ CloseWrite() error }); ok {
			_ = c.CloseWrite()
		}
	})
}

// parcels is a queue without a bound: it holds what is under way.
type parcels struct {
	mu   sync.Mutex
	cond sync.Cond
	all  []parcel
}

func (q *parcels) put(p parcel) {
	q.mu.Lock()
	q.all = append(q.all, p)
	q.mu.Unlock()
	q.cond.Signal()
}

func (q *parcels) take() parcel {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.all) == 0 {
		q.cond.Wait()
	}
	p := q.all[0]
	q.all[0] = parcel{}
	q.all = q.all[1:]
	return p
}
