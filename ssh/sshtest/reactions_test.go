package sshtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// A victim is what a peer is let loose on. begin starts one that will go as far
// as stage, and returns the peer at its other end; wait returns the error with
// which it ended.
type victim struct {
	name  string
	begin func(t *testing.T, stage Stage) (p *Peer, wait func() error)
}

// victims are our client and our server, which wait that long for the peer to
// take their last words.
func victims(t *testing.T, patience time.Duration) []victim {
	s := NewServer(t, func(s *sshserver.Server) {
		s.Transport.Trace = nil // the peer breaks rules
		s.Transport.CloseTimeout = patience
	})
	return []victim{
		{"server", func(t *testing.T, stage Stage) (*Peer, func() error) {
			near, far := testkit.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- s.ServeConn(context.Background(), far) }() // stops with the connection
			return NewPeer(t, trace.Client, near), func() error { return <-ended }
		}},
		{"client", func(t *testing.T, stage Stage) (*Peer, func() error) {
			near, far := testkit.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- useServer(far, s, stage >= Open) }() // stops with the connection
			p := NewPeer(t, trace.Server, near)
			p.HostKey = s.HostKey
			return p, func() error { return <-ended }
		}},
	}
}

// useServer is a client that logs in and waits, with or without a session.
func useServer(nc net.Conn, s *Server, session bool) error {
	ctx := context.Background()
	cfg := s.ClientConfig()
	cfg.Transport.CloseTimeout = s.Transport.CloseTimeout
	c, err := sshclient.New(ctx, nc, s.Addr, cfg)
	if err != nil {
		return err
	}
	defer c.Close()
	if session {
		go c.Command("wait").Run(ctx) // stops with the connection
	}
	return c.Wait()
}

// TestEveryMessageInEveryState sends a message with every number to both roles
// in every state and compares what happens with a committed table.
func TestEveryMessageInEveryState(t *testing.T) {
	var table bytes.Buffer
	table.WriteString("# What our server and our client do about a message with a number from 0 to 255,\n" +
		"# empty but for its fields at zero, in each state. go test ./ssh/sshtest -update writes it.\n")
	for _, v := range victims(t, 0) {
		for stage := Identified; stage <= Rekeying; stage++ {
			fmt.Fprintf(&table, "\n%s %v\n", v.name, stage)
			reactions := react(t, v, stage)
			for from := 0; from < 256; {
				to := from
				for to < 255 && reactions[to+1] == reactions[from] {
					to++
				}
				if to == from {
					fmt.Fprintf(&table, "  %d: %s\n", from, reactions[from])
				} else {
					fmt.Fprintf(&table, "  %d-%d: %s\n", from, to, reactions[from])
				}
				from = to + 1
			}
		}
	}
	testkit.Golden(t, "reactions.txt", table.Bytes())
}

// react returns what v does about every number at stage. Two connections are
// tried at a time.
func react(t *testing.T, v victim, stage Stage) (reactions [256]string) {
	var wg sync.WaitGroup
	for half := range 2 {
		wg.Go(func() { // stops after its numbers
			for n := half; n < 256; n += 2 {
				reactions[n] = reaction(t, v, stage, byte(n))
			}
		})
	}
	wg.Wait()
	return reactions
}

// unknown is a number that no message has, in the range of authentication.
const unknown = 54

// reaction sends one message at stage, and then something whose answer is
// known: a message that nobody knows, or, where that is forbidden, the end.
func reaction(t *testing.T, v victim, stage Stage, n byte) string {
	p, wait := v.begin(t, stage)
	p.Reach(stage)
	p.SendPacket(append([]byte{n}, body(n)...))
	last := uint64(1) << 32
	if stage >= Keyed && stage < Rekeying {
		last = uint64(p.p.SendSeq())
		p.SendPacket([]byte{unknown})
	} else {
		p.CloseWrite()
	}
	said := overhear(p, last)
	p.Close()
	err := wait()
	if strings.HasPrefix(said, "disconnects") && !typed(err) {
		t.Errorf("%s %v, message %d: %s with the error %v (%T)", v.name, stage, n, said, err, err)
	}
	return said
}

// overhear reads what the victim says, up to its answer to the packet with the
// sequence number last. What it says of its own accord is left out.
func overhear(p *Peer, last uint64) string {
	var said []string
	for {
		b, err := p.Next()
		if err != nil {
			if last < 1<<32 {
				return "hangs up"
			}
			return "says nothing"
		}
		e := ssh.Messages.Find(ssh.ContextECDH, b[0])
		m := e.New()
		if err := ssh.Parse(b, m); err != nil {
			return err.Error()
		}
		switch m := m.(type) {
		case *ssh.Disconnect:
			return "disconnects, " + m.Reason.String()
		case *ssh.KexInit, *ssh.ExtInfo, *ssh.ServiceRequest, *ssh.UserAuthRequest, *ssh.ChannelOpen, *ssh.ChannelRequest, *ssh.ChannelEOF, *ssh.KexECDHInit:
			continue
		case *ssh.ChannelClose: // may come later
			continue
		case *ssh.Unimplemented:
			if uint64(m.Sequence) != last {
				break
			}
			if said == nil {
				return "ignores it"
			}
			return "answers " + strings.Join(said, ", ")
		}
		said = append(said, e.Name)
	}
}

// typed reports whether a caller can tell from err what the peer did wrong.
func typed(err error) bool {
	var (
		protocol *transport.ProtocolError
		bad      *packet.Error
		none     *ssh.NegotiationError
		refused  *sshclient.AuthError
	)
	return errors.As(err, &protocol) || errors.As(err, &bad) || errors.As(err, &none) ||
		errors.As(err, &refused) || errors.Is(err, sshserver.ErrAuth)
}

// body returns the fields of the message with number n at zero, as the other
// side of the victim would send it; nothing for a number without meaning.
func body(n byte) []byte {
	context := ssh.ContextECDH
	if n >= 60 {
		context = ssh.ContextKey
	}
	if n > 60 {
		context = ssh.ContextKbdInt
	}
	e := ssh.Messages.Find(context, n)
	if e == nil {
		return nil
	}
	b, err := wire.Append(nil, e.New(), wire.Dialect{})
	if err != nil {
		panic(err)
	}
	return b
}
