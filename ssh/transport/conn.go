package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
)

const (
	defaultHandshakeTimeout = 30 * time.Second
	defaultCloseTimeout     = 2 * time.Second
)

// Conn is an encrypted packet connection after its first key exchange. Make
// one with [Client] or [Server]. The package comment says who may call what.
type Conn struct {
	// These do not change after setup, or after the first key exchange.
	role         trace.Role
	cfg          Config
	nc           net.Conn
	p            *packet.Packetizer // receiving half: the reader's; sending half: guarded by mu
	hook         *hook
	log          *slog.Logger
	maxPayload   int
	offer        ssh.KexInit // but for the cookie
	signers      []keys.Signer
	sigAlgs      []byte // of the user; a server announces them
	trust        func(HostKey) error
	ourVersion   []byte
	peerVersion  []byte
	sessionID    []byte
	strict       bool
	wantsExtInfo bool // the peer wants to hear our extensions

	in input // the reader's

	authenticated atomic.Bool
	credit        atomic.Bool // there is credit to emit
	phase         atomic.Pointer[string]
	done          chan struct{} // closed when err is set
	finished      chan struct{} // closed when the flusher has ended

	mu         sync.Mutex // the output lock: guards what follows; never held while waiting
	out        output
	kex        kexState
	ending     ending
	err        error // why the connection ended
	alg        ssh.Algorithms
	hostKey    keys.PublicKey
	extensions []ssh.Extension
}

// Client exchanges versions and keys with the server at the other end of nc,
// which it owns from here on, also on error. ctx covers all of it: when it
// ends, the connection is cut and the error is its cause.
func Client(ctx context.Context, nc net.Conn, cfg *ClientConfig) (*Conn, error) {
	if cfg == nil || cfg.HostKey == nil {
		return nil, refuse(nc, errors.New("a client needs a HostKey function"))
	}
	c, err := newConn(trace.Client, nc, cfg.Config)
	if err != nil {
		return nil, refuse(nc, err)
	}
	clock := c.startClock()
	check := cfg.HostKey
	c.trust = func(k HostKey) error {
		clock.pause() // a user may have to think
		defer clock.resume()
		return check(ctx, k)
	}
	return c.handshake(ctx, clock)
}

// Server is [Client] for the other role.
func Server(ctx context.Context, nc net.Conn, cfg *ServerConfig) (*Conn, error) {
	if cfg == nil || len(cfg.HostKeys) == 0 {
		return nil, refuse(nc, errors.New("a server needs a host key"))
	}
	c, err := newConn(trace.Server, nc, cfg.Config)
	if err != nil {
		return nil, refuse(nc, err)
	}
	c.signers = slices.Clone(cfg.HostKeys)
	c.offer.ServerHostKeyAlgorithms = slices.DeleteFunc(c.offer.ServerHostKeyAlgorithms,
		func(name string) bool { return c.signerFor(name) == nil })
	sigAlgs := cfg.ServerSigAlgs
	if sigAlgs == nil {
		for _, t := range keys.Types() {
			sigAlgs = append(sigAlgs, keys.SignatureAlgorithms(t)...)
		}
	}
	if c.sigAlgs = []byte(strings.Join(sigAlgs, ",")); len(c.sigAlgs) > maxExtValue {
		return nil, refuse(nc, fmt.Errorf("ServerSigAlgs has %d bytes, more than %d", len(c.sigAlgs), maxExtValue))
	}
	return c.handshake(ctx, c.startClock())
}

// refuse closes a connection that was never begun.
func refuse(nc net.Conn, err error) error {
	_ = nc.Close() // the error at hand matters
	return err
}

func (c *Conn) signerFor(algorithm string) keys.Signer {
	want := keys.TypeOf(algorithm)
	for _, s := range c.signers {
		if want != "" && s.PublicKey().Type() == want {
			return s
		}
	}
	return nil
}

func newConn(role trace.Role, nc net.Conn, cfg Config) (*Conn, error) {
	version, err := versionLine(cfg.Version)
	if err != nil {
		return nil, err
	}
	if cfg.Algorithms, err = cfg.Algorithms.complete(); err != nil {
		return nil, err
	}
	cfg.Rekey = cfg.Rekey.complete()
	if cfg.HandshakeTimeout == 0 {
		cfg.HandshakeTimeout = defaultHandshakeTimeout
	}
	if cfg.CloseTimeout <= 0 {
		cfg.CloseTimeout = defaultCloseTimeout
	}
	c := &Conn{
		role: role, cfg: cfg, nc: nc, log: cfg.Logger, ourVersion: []byte(version),
		maxPayload: defaultMaxPayload,
		done:       make(chan struct{}), finished: make(chan struct{}),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.hook = openHook(cfg.Trace, role, nc); c.hook != nil {
		c.maxPayload = tracedMaxPayload
		nc = &tapped{Conn: nc, hook: c.hook, dir: role.Sends().Reverse()}
	}
	c.waitingFor("the peer's identification line")
	c.p = packet.NewPacketizer(nc)
	c.p.SetRekey(c.limits())
	c.in.first = true
	c.out.kick = make(chan struct{}, 1)
	c.out.direct = interruptible(c.nc)
	a := cfg.Algorithms
	markers := []string{ssh.MarkerExtInfoClient, ssh.MarkerStrictClient}
	if role == trace.Server {
		markers = []string{ssh.MarkerExtInfoServer, ssh.MarkerStrictServer}
	}
	c.offer = ssh.KexInit{
		KexAlgorithms:           append(slices.Clone(a.Kex), markers...),
		ServerHostKeyAlgorithms: a.HostKeys,
		CiphersC2S:              a.Ciphers, CiphersS2C: a.Ciphers,
		MACsC2S: a.MACs, MACsS2C: a.MACs,
		CompressionC2S: a.Compression, CompressionS2C: a.Compression,
	}
	return c, nil
}

// interruptible reports whether a write that a deadline cuts short can be gone
// on with: so it is on sockets of the kernel, but on a TLS connection not, and
// on Windows nothing says so.
func interruptible(nc net.Conn) bool {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		return runtime.GOOS != "windows"
	}
	return false
}

// handshake is the picture of RFC 4253: identification lines, KEXINITs, the
// method's messages, NEWKEYS.
func (c *Conn) handshake(ctx context.Context, clock *clock) (*Conn, error) {
	go c.flush() // stops when the connection has ended and is flushed
	unwatch := context.AfterFunc(ctx, func() { c.Abort(context.Cause(ctx)) })
	err := c.firstExchange()
	clock.pause()
	if !unwatch() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		err = c.failed(err)
		<-c.finished
		return nil, err
	}
	return c, nil
}

func (c *Conn) firstExchange() error {
	c.mu.Lock()
	if c.err == nil {
		// KEXINIT travels with the identification: a round trip less.
		c.hook.packet(c.role.Sends(), c.ourVersion)
		c.p.AppendRaw(append(c.ourVersion[:len(c.ourVersion):len(c.ourVersion)], '\r', '\n'))
		c.beginKex()
	}
	c.mu.Unlock()
	var err error
	if c.peerVersion, err = readVersion(c.p, c.role); err != nil {
		var bad *VersionError
		if errors.As(err, &bad) {
			return err
		}
		return readError(err)
	}
	c.hook.packet(c.role.Sends().Reverse(), c.peerVersion)
	c.waitingFor("the peer's KEXINIT")
	for c.in.first {
		if _, err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) waitingFor(what string) { c.phase.Store(&what) }

// clock bounds the handshake.
type clock struct {
	c     *Conn
	timer *time.Timer
	left  time.Duration
	since time.Time
}

// startClock returns a clock that runs; it has no limit when the timeout is
// negative.
func (c *Conn) startClock() *clock {
	k := &clock{c: c, left: c.cfg.HandshakeTimeout}
	k.resume()
	return k
}

func (k *clock) resume() {
	if k.left < 0 {
		return
	}
	k.since = time.Now()
	k.timer = time.AfterFunc(k.left, func() {
		k.c.Abort(&TimeoutError{Waiting: *k.c.phase.Load()})
	})
}

func (k *clock) pause() {
	if k.timer != nil && k.timer.Stop() {
		k.left = max(0, k.left-time.Since(k.since))
	}
}

// MaxPayload returns the longest payload, in bytes with its number, that may
// be sent, and that we should make peers send: 128 KiB, or less while a
// capture is made, whose packets stay below 32,000 bytes. It does not change.
func (c *Conn) MaxPayload() int { return c.maxPayload }

// Authenticated tells that the user has been let in: from here on keys are
// renewed and pings answered. A server calls it before it sends
// USERAUTH_SUCCESS, a client before it reads the packet behind it.
func (c *Conn) Authenticated() {
	if !c.authenticated.Swap(true) {
		c.hook.event(trace.Authenticated, "")
	}
}

// SessionID returns the exchange hash of the first key exchange (RFC 4253
// §7.2). The caller must not change it.
func (c *Conn) SessionID() []byte { return c.sessionID }

// Trace returns the hook of this connection, nil when it is off.
func (c *Conn) Trace() trace.Conn {
	if c.hook == nil {
		return nil
	}
	return c.hook.conn
}

// State returns a snapshot of the connection.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := State{
		Role: c.role, LocalVersion: string(c.ourVersion), PeerVersion: string(c.peerVersion),
		SessionID: c.sessionID, Algorithms: c.alg, HostKey: c.hostKey, Strict: c.strict,
		Extensions: slices.Clone(c.extensions), Authenticated: c.authenticated.Load(),
		Rekeying: c.kex.running, KeyExchanges: c.kex.count, KeysSince: c.kex.at,
	}
	s.Sent.Packets, s.Sent.Bytes = c.p.Sent()
	s.Received.Packets, s.Received.Bytes = c.p.Received()
	return s
}
