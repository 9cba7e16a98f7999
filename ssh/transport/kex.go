package transport

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// maxKexInit bounds a KEXINIT. OpenSSH's has some 1,500 bytes.
const maxKexInit = 64 << 10

// exchange is one key exchange from the peer's KEXINIT on; the reader's.
//
//	peer's KEXINIT ──▶ method's messages ──▶ our NEWKEYS ──▶ peer's NEWKEYS
type exchange struct {
	peer   []byte // payload of its KEXINIT
	cookie [16]byte
	alg    ssh.Algorithms
	method kex.Method
	client kex.Client // in this role
	server kex.Server // in this role
	skip   bool       // the next packet of the method is a wrong guess
	done   bool       // our NEWKEYS is queued
	open   packet.Keys
}

// beginKex queues our KEXINIT and closes the gate. c.mu is held, and no key
// exchange is under way.
func (c *Conn) beginKex() {
	c.hook.event(trace.KexStart, "")
	c.kex.running = true
	c.kex.ended = make(chan struct{})
	m := c.offer
	_, _ = rand.Read(m.Cookie[:]) // crypto/rand never fails
	if c.kex.count > 0 {
		m.KexAlgorithms = slices.DeleteFunc(slices.Clone(m.KexAlgorithms), isMarker)
		c.kex.timer = time.AfterFunc(c.cfg.Rekey.Timeout, func() {
			c.Abort(&TimeoutError{Waiting: "the peer's part of a key exchange"})
		})
	}
	b, err := ssh.Append(nil, &m)
	if err != nil {
		panic("internal error: " + err.Error()) // names were checked with the configuration
	}
	c.kex.init = b
	c.p.BeginRekey()
	c.out.gate = true
	c.emit(b)
	c.wakeFlusher()
}

func isMarker(name string) bool {
	switch name {
	case ssh.MarkerExtInfoClient, ssh.MarkerExtInfoServer, ssh.MarkerStrictClient, ssh.MarkerStrictServer:
		return true
	}
	return false
}

// gotKexInit begins the peer's half.
func (c *Conn) gotKexInit(payload []byte) error {
	switch {
	case c.in.round != nil:
		return &ProtocolError{Rule: "it sent a second KEXINIT before its NEWKEYS", Section: "RFC 4253 §7.1"}
	case !c.in.first && !c.authenticated.Load():
		return &ProtocolError{Rule: "it began a key exchange before the user was authenticated"}
	case len(payload) > maxKexInit:
		return &ProtocolError{Rule: fmt.Sprintf("its KEXINIT has %d bytes, more than %d", len(payload), maxKexInit)}
	}
	var peer ssh.KexInit
	if err := ssh.Parse(payload, &peer); err != nil {
		return malformed(err)
	}
	c.mu.Lock()
	if !c.kex.running {
		if !c.in.storm.rekey(time.Now()) {
			c.mu.Unlock()
			return &ProtocolError{Rule: "it begins one key exchange after another"}
		}
		c.beginKex()
	}
	ourPayload := c.kex.init
	c.mu.Unlock()

	r := &exchange{peer: bytes.Clone(payload)}
	c.in.round = r
	var ours ssh.KexInit
	if err := ssh.Parse(ourPayload, &ours); err != nil {
		panic("internal error: " + err.Error())
	}
	client, server := &ours, &peer
	if c.role == trace.Server {
		client, server = &peer, &ours
	}
	r.cookie = client.Cookie
	if c.in.first {
		c.strict = ssh.StrictKex(client, server)
		if c.strict && c.in.early {
			return &ProtocolError{Rule: "KEXINIT was not its first packet", Section: "OpenSSH PROTOCOL §1.9"}
		}
		c.wantsExtInfo = slices.Contains(peer.KexAlgorithms, map[trace.Role]string{
			trace.Client: ssh.MarkerExtInfoServer, trace.Server: ssh.MarkerExtInfoClient,
		}[c.role])
	}
	var err error
	if r.alg, err = ssh.Negotiate(client, server); err != nil {
		return err
	}
	var ok bool
	if r.method, ok = kex.Find(r.alg.Kex); !ok {
		panic("internal error: negotiated " + r.alg.Kex) // we offered it
	}
	r.skip = peer.FirstKexPacketFollows && !ssh.GuessedRight(client, server)
	c.waitingFor("the peer's key exchange message")
	if c.role == trace.Server {
		r.server = r.method.NewServer()
		return nil
	}
	if r.client, err = r.method.NewClient(); err != nil {
		return err
	}
	c.sendKex(r.client.Start())
	return nil
}

// sendKex queues a message of the key exchange. It never waits.
func (c *Conn) sendKex(m wire.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending.goodbye {
		return
	}
	b, err := ssh.Append(nil, m)
	if err != nil {
		panic("internal error: " + err.Error()) // our own values
	}
	c.emit(b)
	c.wakeFlusher()
}

// gotKexPacket deals with NEWKEYS and the method's messages.
func (c *Conn) gotKexPacket(payload []byte) error {
	r, n := c.in.round, payload[0]
	if n == 21 {
		if r == nil || !r.done {
			return &ProtocolError{Rule: "it sent NEWKEYS before the key exchange was complete", Section: "RFC 4253 §7.3", kex: true}
		}
		return c.gotNewKeys(payload)
	}
	report := func() { c.hook.packet(c.role.Sends().Reverse(), payload) }
	switch {
	case r == nil || r.done:
		report()
		return &ProtocolError{Rule: fmt.Sprintf("it sent message %d outside of a key exchange", n), Section: "RFC 4253 §7.1", kex: true}
	case r.skip:
		report()
		r.skip = false
		return nil
	}
	var half interface {
		Next(packet []byte) (wire.Message, *kex.Values, error)
	} = r.client
	if c.role == trace.Server {
		half = r.server
	}
	send, v, err := half.Next(payload)
	if v != nil {
		c.logSecret(r, v)
	}
	report()
	switch {
	case err != nil:
		return &ProtocolError{Rule: "its key exchange message is wrong", Err: err, kex: true}
	case send != nil:
		c.sendKex(send)
		return nil
	case c.role == trace.Server:
		return c.sign(r, v)
	}
	return c.verify(r, v)
}

func (c *Conn) logSecret(r *exchange, v *kex.Values) {
	if c.hook == nil && c.cfg.KeyLog == nil {
		return
	}
	line := keylog.Line(r.cookie, v.LogSecret())
	c.hook.secret(line)
	if err := c.cfg.KeyLog.Write(line); err != nil {
		c.log.Warn("key log not written", "error", err)
	}
}

// exchangeHash returns H for the given host key.
func (c *Conn) exchangeHash(r *exchange, v *kex.Values, hostKey []byte) ([]byte, error) {
	in := &kex.Inputs{HostKey: hostKey, Public: v.Public, K: v.K}
	c.mu.Lock()
	ours := c.kex.init
	c.mu.Unlock()
	if c.role == trace.Client {
		in.ClientVersion, in.ServerVersion, in.ClientInit, in.ServerInit = c.ourVersion, c.peerVersion, ours, r.peer
	} else {
		in.ClientVersion, in.ServerVersion, in.ClientInit, in.ServerInit = c.peerVersion, c.ourVersion, r.peer, ours
	}
	return kex.Hash(r.method.Hash, in)
}

// sign is the server's end of the method: reply and NEWKEYS.
func (c *Conn) sign(r *exchange, v *kex.Values) error {
	signer := c.signerFor(r.alg.HostKey)
	if signer == nil {
		panic("internal error: no key for " + r.alg.HostKey) // only algorithms of our keys were offered
	}
	blob := signer.PublicKey().Marshal()
	h, err := c.exchangeHash(r, v, blob)
	if err != nil {
		return err
	}
	sig, err := keys.Sign(rand.Reader, signer, r.alg.HostKey, h)
	if err != nil {
		return fmt.Errorf("host key: %w", err)
	}
	c.mu.Lock()
	c.hostKey = signer.PublicKey()
	c.mu.Unlock()
	c.sendKex(r.server.Reply(blob, sig))
	return c.newKeys(r, v, h)
}

// verify is the client's end of the method: it checks who the server is.
func (c *Conn) verify(r *exchange, v *kex.Values) error {
	key, err := keys.ParsePublic(v.HostKey)
	if err != nil {
		return &HostKeyError{Err: err}
	}
	h, err := c.exchangeHash(r, v, v.HostKey)
	if err != nil {
		return err
	}
	if err := keys.Verify(key, r.alg.HostKey, h, v.Signature); err != nil {
		return &HostKeyError{Key: key, Err: err}
	}
	if c.in.first {
		if err := c.trust(HostKey{Key: key, Algorithm: r.alg.HostKey, Remote: c.nc.RemoteAddr()}); err != nil {
			return &HostKeyError{Key: key, Err: err}
		}
		c.mu.Lock()
		c.hostKey = key
		c.mu.Unlock()
	} else if !bytes.Equal(c.hostKey.Marshal(), v.HostKey) {
		return &HostKeyError{Key: key, Err: ErrHostKeyChanged}
	}
	return c.newKeys(r, v, h)
}

// newKeys derives the keys, queues NEWKEYS, and opens the gate.
func (c *Conn) newKeys(r *exchange, v *kex.Values, h []byte) error {
	if c.in.first {
		c.sessionID = h
	}
	out, alg := c.role.Sends(), r.alg.C2S
	in, inAlg := out.Reverse(), r.alg.S2C
	if c.role == trace.Server {
		alg, inAlg = inAlg, alg
	}
	seal, err := packet.DeriveKeys(r.method.Hash, v.K, h, c.sessionID, out, alg)
	if err != nil {
		return err
	}
	if r.open, err = packet.DeriveKeys(r.method.Hash, v.K, h, c.sessionID, in, inAlg); err != nil {
		return err
	}
	newKeys, err := ssh.Append(nil, &ssh.NewKeys{})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r.done = true
	if c.ending.goodbye {
		return nil
	}
	c.emit(newKeys)
	if err := c.p.SetSealer(alg, seal, c.strict); err != nil {
		return err
	}
	if c.in.first && c.wantsExtInfo {
		b, err := ssh.Append(nil, c.extInfo())
		if err != nil {
			return err
		}
		c.emit(b)
	}
	c.openGate()
	c.waitingFor("the peer's NEWKEYS")
	return nil
}

// gotNewKeys ends a key exchange.
func (c *Conn) gotNewKeys(payload []byte) error {
	r := c.in.round
	if err := ssh.Parse(payload, &ssh.NewKeys{}); err != nil {
		return malformed(err)
	}
	alg := r.alg.S2C
	if c.role == trace.Server {
		alg = r.alg.C2S
	}
	if err := c.p.SetOpener(alg, r.open, c.strict); err != nil {
		return err
	}
	c.in.round, c.in.first = nil, false
	c.hook.event(trace.KexEnd, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alg = r.alg
	c.kex.running = false
	c.kex.count++
	c.kex.at = time.Now()
	c.kex.init = nil
	close(c.kex.ended)
	if c.err != nil {
		return nil
	}
	if c.kex.timer != nil {
		c.kex.timer.Stop()
	}
	return nil
}

// extInfo is what we announce. RFC 8308 §3, OpenSSH PROTOCOL §1.8.
func (c *Conn) extInfo() *ssh.ExtInfo {
	var m ssh.ExtInfo
	if c.role == trace.Server {
		m.Extensions = append(m.Extensions, ssh.Extension{Name: "server-sig-algs", Value: c.sigAlgs})
	}
	m.Extensions = append(m.Extensions, ssh.Extension{Name: extPing, Value: []byte("0")})
	return &m
}
