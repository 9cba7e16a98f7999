package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// A Dialer connects to the other side. An *sshclient.Client is one.
type Dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Config configures a [Local]. The zero value is ready.
type Config struct {
	// Connections is how many are carried at the same time; 0: 256.
	Connections int
	// DialTimeout bounds the connecting to the other side; 0: one minute.
	DialTimeout time.Duration
	// OnError, if set, is told why a connection was not carried, or ended
	// early. It is called by several goroutines.
	OnError func(error)
}

func (c *Config) withDefaults() Config {
	var cfg Config
	if c != nil {
		cfg = *c
	}
	if cfg.Connections <= 0 {
		cfg.Connections = 256
	}
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = time.Minute
	}
	if cfg.OnError == nil {
		cfg.OnError = func(error) {}
	}
	return cfg
}

// A Local is a listener whose connections are carried to the other side.
type Local struct {
	spec      Spec
	dialer    Dialer
	cfg       Config
	listeners []net.Listener

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	places chan struct{} // one element for each connection carried
	wg     sync.WaitGroup
	once   sync.Once
}

// Listen listens as spec says and carries connections until [Local.Close]. ctx
// covers the beginning to listen only. A nil cfg means the defaults. A socket
// gets mode 0600; a path that exists is an error.
func Listen(ctx context.Context, spec Spec, dialer Dialer, cfg *Config) (*Local, error) {
	listeners, err := listen(ctx, spec)
	if err != nil {
		return nil, err
	}
	l := &Local{spec: spec, dialer: dialer, cfg: cfg.withDefaults(), listeners: listeners}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.places = make(chan struct{}, l.cfg.Connections)
	for _, ln := range listeners {
		l.wg.Go(func() { l.accept(ln) }) // stops when Close closes ln
	}
	return l, nil
}

// listen returns one listener, or two for the loopback addresses.
func listen(ctx context.Context, spec Spec) ([]net.Listener, error) {
	var lc net.ListenConfig
	if spec.ListenNetwork == "unix" {
		lc.Control = closeToOthers
		ln, err := lc.Listen(ctx, "unix", spec.ListenAddr)
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(spec.ListenAddr, 0o600); err != nil {
			return nil, errors.Join(err, ln.Close())
		}
		return []net.Listener{ln}, nil
	}
	host, port, err := net.SplitHostPort(spec.ListenAddr)
	if err != nil {
		return nil, err
	}
	if host != "localhost" {
		ln, err := lc.Listen(ctx, "tcp", spec.ListenAddr)
		if err != nil {
			return nil, err
		}
		return []net.Listener{ln}, nil
	}
	first, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return nil, err
	}
	// The same port under IPv6, where there is such a thing. That another
	// program has it must be told: it would get connections meant for us.
	port = fmt.Sprint(first.Addr().(*net.TCPAddr).Port)
	second, err := lc.Listen(ctx, "tcp6", net.JoinHostPort("::1", port))
	if err != nil {
		if spec.ListenAddr != net.JoinHostPort("localhost", "0") && isInUse(err) {
			return nil, errors.Join(err, first.Close())
		}
		return []net.Listener{first}, nil
	}
	return []net.Listener{first, second}, nil
}

// Addr returns the address listened at, the first one of two.
func (l *Local) Addr() net.Addr { return l.listeners[0].Addr() }

// Close stops listening, ends all connections and waits until they have ended.
// It is idempotent.
func (l *Local) Close() error {
	var err error
	l.once.Do(func() {
		l.cancel(net.ErrClosed)
		for _, ln := range l.listeners {
			err = errors.Join(err, ln.Close())
		}
	})
	l.wg.Wait()
	return err
}

func (l *Local) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			if l.ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return
			}
			// As out of descriptors: others may end. It is told, and tried again.
			l.cfg.OnError(fmt.Errorf("accepting at %s: %w", ln.Addr(), err))
			if !l.pause() {
				return
			}
			continue
		}
		select {
		case l.places <- struct{}{}:
		case <-l.ctx.Done():
			_ = conn.Close() // Close gave it up
			return
		}
		l.wg.Go(func() { // stops when both sides have ended, or with Close
			defer func() { <-l.places }()
			if err := l.carry(conn); err != nil && l.ctx.Err() == nil {
				l.cfg.OnError(fmt.Errorf("forwarding %s: %w", l.spec, err))
			}
			_ = conn.Close() // after it was told, so that whoever sees the end can know why
		})
	}
}

// pause waits a little, and reports whether to go on.
func (l *Local) pause() bool {
	const pause = 100 * time.Millisecond
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

func (l *Local) carry(conn net.Conn) error {
	ctx, cancel := context.WithTimeout(l.ctx, l.cfg.DialTimeout)
	far, err := l.dialer.DialContext(ctx, l.spec.DialNetwork, l.spec.DialAddr)
	cancel()
	if err != nil {
		return err
	}
	return Splice(l.ctx, conn, far)
}
