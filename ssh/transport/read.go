package transport

import (
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
)

// input is what the reader alone uses.
type input struct {
	seq     uint32    // of the packet that is being dealt with
	round   *exchange // the key exchange that the peer's KEXINIT began; nil: none
	first   bool      // the first key exchange is not complete
	extInfo int       // EXT_INFOs received
	early   bool      // something stood before the peer's first KEXINIT
	storm   storm
}

// ReadPacket waits for the next packet that belongs to the caller: 5, 6, 50
// and above, but for 192 (ping), and numbers that nobody knows, which the
// caller answers with [Conn.Reject]. The payload, its number first and at
// least one byte long, is valid until the next call and may be changed. Only
// one goroutine may call it.
//
// When the connection has ended, the error is that of [Conn.Err]. A peer that
// said good-bye is a [*DisconnectError]; one that just closed is a
// [*ReadError] with io.EOF.
func (c *Conn) ReadPacket() (payload []byte, err error) {
	for {
		payload, err := c.next()
		if err != nil {
			return nil, c.failed(err)
		}
		if payload != nil {
			select {
			case <-c.done: // only key exchange still matters: it lets out what is held
				continue
			default:
				return payload, nil
			}
		}
	}
}

// next reads one packet and deals with it. It returns those that belong to the
// caller, and nil for all others.
func (c *Conn) next() ([]byte, error) {
	c.in.seq = c.p.ReadSeq()
	payload, err := c.p.ReadMessage()
	if err != nil {
		return nil, readError(err)
	}
	c.rekeyIfReceived()
	n := payload[0]
	if n < 30 || n > 49 {
		c.hook.packet(c.role.Sends().Reverse(), payload)
	} // the packets of key exchange are reported behind their secret
	switch {
	case n == 1:
		return nil, c.gotDisconnect(payload)
	case n == 20:
		return nil, c.gotKexInit(payload)
	case n == 21 || n >= 30 && n <= 49:
		return nil, c.gotKexPacket(payload)
	case n >= 2 && n <= 4:
		return nil, c.gotGeneric(payload)
	case c.in.first || c.in.round != nil && n != 192 && n != 193:
		return nil, c.outOfPlace(n)
	case n == 192:
		return nil, c.gotPing(payload)
	case n == 7:
		return nil, c.gotExtInfo(payload)
	case n == 0 || n >= 8 && n <= 29:
		return nil, c.Reject()
	}
	c.in.storm.packet()
	return payload, nil
}

func (c *Conn) outOfPlace(n byte) error {
	if c.in.first {
		return &ProtocolError{Rule: fmt.Sprintf("it sent message %d before the first key exchange was complete", n), Section: "RFC 4253 §7.1"}
	}
	return &ProtocolError{Rule: fmt.Sprintf("it sent message %d between its KEXINIT and its NEWKEYS", n), Section: "RFC 4253 §7.1"}
}

func readError(err error) error {
	var bad *packet.Error
	if errors.As(err, &bad) {
		return err
	}
	return &ReadError{err}
}

func malformed(err error) error {
	return &ProtocolError{Rule: "it sent a malformed message", Err: err}
}

func (c *Conn) gotDisconnect(payload []byte) error {
	var m ssh.Disconnect
	if err := ssh.Parse(payload, &m); err != nil {
		return malformed(err)
	}
	return &DisconnectError{Reason: m.Reason, Text: m.Description}
}

// gotGeneric deals with ignore, unimplemented and debug.
func (c *Conn) gotGeneric(payload []byte) error {
	if c.in.first {
		if c.in.round != nil && c.strict {
			return &ProtocolError{Rule: fmt.Sprintf("it sent message %d during the first key exchange", payload[0]), Section: "OpenSSH PROTOCOL §1.9"}
		}
		c.in.early = true
	}
	switch payload[0] {
	case 2:
		var m ssh.Ignore
		if err := ssh.Parse(payload, &m); err != nil {
			return malformed(err)
		}
	case 3:
		var m ssh.Unimplemented
		if err := ssh.Parse(payload, &m); err != nil {
			return malformed(err)
		}
		c.log.Warn("the peer does not know a message of ours", "sequence", m.Sequence)
	case 4:
		var m ssh.Debug
		if err := ssh.Parse(payload, &m); err != nil {
			return malformed(err)
		}
		c.log.Debug("remark from the peer", "message", printable(m.Message))
	}
	return nil
}

// maxPing is the longest ping that is answered: an answer must fit where
// captures limit packets. OpenSSH's pings have a few bytes.
const maxPing = 16 << 10

// gotPing answers a ping. Before authentication nobody is answered: whoever has
// not logged in shall not make us work.
func (c *Conn) gotPing(payload []byte) error {
	if !c.authenticated.Load() {
		return c.Reject()
	}
	var m ssh.Ping
	if err := ssh.Parse(payload, &m); err != nil {
		return malformed(err)
	}
	if len(m.Data) > maxPing {
		return &ProtocolError{Rule: fmt.Sprintf("it sent a ping of %d bytes, more than %d", len(m.Data), maxPing)}
	}
	return c.Queue(&ssh.Pong{Data: m.Data})
}

// Reject answers the packet that ReadPacket returned last with
// SSH_MSG_UNIMPLEMENTED. It never waits, and is for the reader alone.
func (c *Conn) Reject() error {
	return c.Queue(&ssh.Unimplemented{Sequence: c.in.seq})
}

const (
	// A server may announce extensions with its first keys, and once more
	// before it accepts the user (RFC 8308 §2.4); a client only once.
	maxExtInfo    = 2
	maxExtensions = 64       // kept, of all that is announced
	maxExtValue   = 16 << 10 // bytes of one
)

func (c *Conn) gotExtInfo(payload []byte) error {
	c.in.extInfo++
	limit := maxExtInfo
	if c.role == trace.Server {
		limit = 1
	}
	if c.authenticated.Load() || c.in.extInfo > limit {
		return &ProtocolError{Rule: "it sent EXT_INFO out of place", Section: "RFC 8308 §2.4"}
	}
	var m ssh.ExtInfo
	if err := ssh.Parse(payload, &m); err != nil {
		return malformed(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range m.Extensions {
		if len(c.extensions) < maxExtensions && len(e.Value) <= maxExtValue {
			c.extensions = append(c.extensions, ssh.Extension{Name: e.Name, Value: append([]byte(nil), e.Value...)})
		}
	}
	return nil
}
