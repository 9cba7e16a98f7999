package sshtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Peer is one end of an SSH connection that says what the test wants it to
// say. It does nothing by itself: it reads when it is told to, and answers
// nothing. [Peer.Reach] holds the decent conversation up to a [Stage], from
// where the test goes on as it likes:
//
//	p := sshtest.Dial(t, addr)
//	p.Reach(sshtest.Keyed)
//	p.Send(&ssh.ChannelOpen{Type: "session"}) // before logging in
//	reason := p.Disconnected()
//
// Its connection has a deadline of ten seconds, and ends with the test.
type Peer struct {
	Role     trace.Role
	User     string      // to log in as; [User] unless changed
	Password string      // to log in with; [Password] unless changed
	HostKey  keys.Signer // of the role Server
	Kex      []string    // offered; curve25519-sha256 and the marker of strict key exchange unless changed
	Ciphers  []string    // offered; aes128-gcm@openssh.com unless changed

	t     testing.TB
	nc    net.Conn
	p     *packet.Packetizer
	stage Stage

	versions  [2][]byte // identification lines, by direction
	inits     [2][]byte // payloads of the newest KEXINITs, by direction
	strict    bool
	sessionID []byte
	channel   uint32 // the other side's number of the channel of stage Open
}

// NewPeer returns a peer in the given role at one end of nc, which it owns.
func NewPeer(t testing.TB, role trace.Role, nc net.Conn) *Peer {
	t.Helper()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { nc.Close() })
	kex := []string{"curve25519-sha256", ssh.MarkerStrictClient}
	if role == trace.Server {
		kex[1] = ssh.MarkerStrictServer
	}
	return &Peer{
		Role: role, User: User, Password: Password, Kex: kex,
		Ciphers: []string{"aes128-gcm@openssh.com"},
		t:       t, nc: nc, p: packet.NewPacketizer(nc),
	}
}

// Dial returns a peer in the role of a client that has connected to addr.
func Dial(t testing.TB, addr string) *Peer {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return NewPeer(t, trace.Client, nc)
}

// Close cuts the connection.
func (p *Peer) Close() { p.nc.Close() }

// CloseWrite says that nothing more will come, where the connection can.
func (p *Peer) CloseWrite() {
	if half, ok := p.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// Conn returns the connection, for what no method does.
func (p *Peer) Conn() net.Conn { return p.nc }

// SessionID returns the hash of the first key exchange.
func (p *Peer) SessionID() []byte { return p.sessionID }

// Channel returns the other side's number of the channel that the stage Open
// has opened.
func (p *Peer) Channel() uint32 { return p.channel }

// Raw writes bytes as they are.
func (p *Peer) Raw(b []byte) error {
	_, err := p.nc.Write(b)
	return err
}

// Send sends a message.
func (p *Peer) Send(m wire.Message) error {
	b, err := ssh.Append(nil, m)
	if err != nil {
		return err
	}
	return p.SendPacket(b)
}

// SendPacket sends a packet with any payload, at most [packet.MaxPayload]
// bytes.
func (p *Peer) SendPacket(payload []byte) error { return p.p.SendMessage(payload) }

// Sealed returns the bytes that SendPacket would send, to be changed and
// given to Raw.
func (p *Peer) Sealed(payload []byte) []byte {
	p.t.Helper()
	if err := p.p.Append(payload); err != nil {
		p.t.Fatal(err)
	}
	batch := p.p.Take()
	defer batch.Release()
	return bytes.Clone(batch.Bytes())
}

// Next reads the next packet.
func (p *Peer) Next() ([]byte, error) { return p.p.ReadMessage() }

// Receive reads packets up to the one that is m's and decodes it. It skips
// EXT_INFO, IGNORE, DEBUG and banners; any other packet is an error.
func (p *Peer) Receive(m wire.Message) error {
	want := ssh.Messages.Entry(m)
	for {
		b, err := p.Next()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", want.Name, err)
		}
		switch {
		case b[0] == want.Number:
			return ssh.Parse(bytes.Clone(b), m)
		case p.skips(b[0]):
		default:
			return fmt.Errorf("waiting for %s: got message %d, %q", want.Name, b[0], b[1:min(len(b), 200)])
		}
	}
}

func (p *Peer) skips(n byte) bool {
	for _, m := range []wire.Message{&ssh.ExtInfo{}, &ssh.Ignore{}, &ssh.Debug{}, &ssh.UserAuthBanner{}} {
		if ssh.Messages.Entry(m).Number == n {
			return true
		}
	}
	return false
}

// Disconnected reads until the other side has ended the connection, and
// returns the reason that it gave; nil if it gave none. It fails the test when
// the other side does not end it before the deadline.
func (p *Peer) Disconnected() *ssh.Disconnect {
	p.t.Helper()
	if p.stage < Identified { // what comes is no packet yet
		_, _ = io.Copy(io.Discard, p.nc)
		return nil
	}
	for {
		b, err := p.Next()
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			p.t.Errorf("sshtest: the connection has not ended")
		}
		if err != nil {
			return nil
		}
		bye := new(ssh.Disconnect)
		if b[0] == ssh.Messages.Entry(bye).Number {
			if err := ssh.Parse(bytes.Clone(b), bye); err != nil {
				p.t.Errorf("sshtest: %v", err)
			}
			return bye
		}
	}
}
