package mux

import (
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// received holds the messages that come by the thousand, so that decoding
// them allocates nothing. Only the reader uses it.
type received struct {
	coder  wire.Coder
	data   ssh.ChannelData
	ext    ssh.ChannelExtendedData
	adjust ssh.ChannelWindowAdjust
}

func number(m wire.Message) byte { return ssh.Messages.Entry(m).Number }

var (
	numGlobal  = number(&ssh.GlobalRequest{})
	numSuccess = number(&ssh.RequestSuccess{})
	numFailure = number(&ssh.RequestFailure{})
	numOpen    = number(&ssh.ChannelOpen{})
	numConfirm = number(&ssh.ChannelOpenConfirmation{})
	numRefuse  = number(&ssh.ChannelOpenFailure{})
	numAdjust  = number(&ssh.ChannelWindowAdjust{})
	numData    = number(&ssh.ChannelData{})
	numExt     = number(&ssh.ChannelExtendedData{})
	numEOF     = number(&ssh.ChannelEOF{})
	numClose   = number(&ssh.ChannelClose{})
	numRequest = number(&ssh.ChannelRequest{})
	numOK      = number(&ssh.ChannelSuccess{})
	numNotOK   = number(&ssh.ChannelFailure{})
	numPong    = number(&ssh.Pong{})
)

// dispatch handles one packet. An error ends the connection.
func (m *Mux) dispatch(p []byte) error {
	if len(p) == 0 {
		return protocolError("empty packet")
	}
	switch p[0] {
	case numData:
		return m.onData(p)
	case numExt:
		return m.onExtendedData(p)
	case numAdjust:
		return m.onAdjust(p)
	case numEOF:
		return with(p, &ssh.ChannelEOF{}, m.onEOF)
	case numClose:
		return with(p, &ssh.ChannelClose{}, m.onClose)
	case numRequest:
		return with(p, &ssh.ChannelRequest{}, m.onRequest)
	case numOK:
		return with(p, &ssh.ChannelSuccess{}, m.onSuccess)
	case numNotOK:
		return with(p, &ssh.ChannelFailure{}, m.onFailure)
	case numOpen:
		return with(p, &ssh.ChannelOpen{}, m.onOpen)
	case numConfirm:
		return with(p, &ssh.ChannelOpenConfirmation{}, m.onOpenConfirmation)
	case numRefuse:
		return with(p, &ssh.ChannelOpenFailure{}, m.onOpenFailure)
	case numGlobal:
		return with(p, &ssh.GlobalRequest{}, m.onGlobal)
	case numSuccess:
		return with(p, &ssh.RequestSuccess{}, func(r *ssh.RequestSuccess) error { return m.onGlobalReply(true, r.Data) })
	case numFailure:
		return with(p, &ssh.RequestFailure{}, func(*ssh.RequestFailure) error { return m.onGlobalReply(false, nil) })
	case numPong:
		return m.onPong(p)
	}
	return m.onOther(p)
}

func with[M wire.Message](p []byte, msg M, handle func(M) error) error {
	if err := ssh.Parse(p, msg); err != nil {
		return malformed(err)
	}
	return handle(msg)
}

// parse is ssh.Parse with the reader's own Coder.
func (m *Mux) parse(p []byte, msg wire.Message) error {
	if err := m.rx.coder.Parse(p[1:], msg, wire.Dialect{}); err != nil {
		return malformed(ssh.Parse(p, msg)) // again, for an error with its name
	}
	return nil
}

func (m *Mux) onOther(p []byte) error {
	if m.cfg.OnOther != nil {
		known, err := m.cfg.OnOther(p)
		if known || err != nil {
			return err
		}
	}
	return m.t.Reject()
}

func (m *Mux) onData(p []byte) error {
	if err := m.parse(p, &m.rx.data); err != nil {
		return err
	}
	ch, err := m.find(m.rx.data.Recipient, "data")
	if err != nil {
		return err
	}
	return ch.receive(0, m.rx.data.Data)
}

func (m *Mux) onExtendedData(p []byte) error {
	if err := m.parse(p, &m.rx.ext); err != nil {
		return err
	}
	ch, err := m.find(m.rx.ext.Recipient, "extended data")
	if err != nil {
		return err
	}
	if m.rx.ext.Type != ssh.ExtendedStderr {
		return ch.receive(-1, m.rx.ext.Data)
	}
	return ch.receive(1, m.rx.ext.Data)
}

// receive takes data for stream i, or for none that we know with -1.
func (ch *Channel) receive(i int, data []byte) error {
	ch.mu.Lock()
	if err := ch.mayReceive(len(data)); err != nil {
		ch.mu.Unlock()
		return err
	}
	ch.recvLeft -= uint32(len(data))
	if ch.closWant && !ch.closRecv {
		ch.mu.Unlock() // the peer has not heard yet that we closed
		return nil
	}
	if i < 0 || ch.in[i].discard {
		ch.consume(len(data))
		return nil
	}
	if ch.in[i].size == 0 && len(data) > 0 {
		ch.rcond.Broadcast()
	}
	var now time.Time
	if ch.window > uint32(ch.m.limits.Window) {
		now = time.Now() // how long bytes wait in a grown window matters
	}
	ch.in[i].put(data, now)
	ch.mu.Unlock()
	return nil
}

// mayReceive checks n bytes against what the peer may send. ch.mu is held.
func (ch *Channel) mayReceive(n int) error {
	switch {
	case !ch.opened || ch.closRecv:
		return protocolError("data for channel %d, which is not open", ch.local)
	case ch.eofRecv:
		return protocolError("data for channel %d after its end of file", ch.local)
	case n > ch.m.limits.MaxPacket:
		return protocolError("%d bytes of data for channel %d in one packet, where %d are allowed", n, ch.local, ch.m.limits.MaxPacket)
	case uint64(n) > uint64(ch.recvLeft):
		return protocolError("%d bytes of data for channel %d, whose window has %d left", n, ch.local, ch.recvLeft)
	}
	return nil
}

func (m *Mux) onAdjust(p []byte) error {
	a := &m.rx.adjust
	if err := m.parse(p, a); err != nil {
		return err
	}
	ch, err := m.find(a.Recipient, "window adjust")
	if err != nil {
		return err
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.opened || ch.closRecv {
		return protocolError("window adjust for channel %d, which is not open", ch.local)
	}
	if ch.sendLeft+uint64(a.Add) > 1<<32-1 {
		return protocolError("window of channel %d raised beyond 2³²-1 bytes", ch.local)
	}
	ch.sendLeft += uint64(a.Add)
	ch.wcond.Broadcast()
	return nil
}

func (m *Mux) onEOF(e *ssh.ChannelEOF) error {
	ch, err := m.find(e.Recipient, "end of file")
	if err != nil {
		return err
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.opened || ch.closRecv {
		return protocolError("end of file for channel %d, which is not open", ch.local)
	}
	ch.eofRecv = true
	ch.rcond.Broadcast()
	return nil
}

func (m *Mux) onClose(c *ssh.ChannelClose) error {
	ch, err := m.find(c.Recipient, "close")
	if err != nil {
		return err
	}
	ch.mu.Lock()
	if !ch.opened || ch.closRecv {
		ch.mu.Unlock()
		return protocolError("close for channel %d, which is not open", ch.local)
	}
	ch.closRecv = true
	gone := ch.closSent
	ch.shut(errPeerClosed)
	ch.settle() // answers with our close
	if gone {
		m.forget(ch)
	}
	return nil
}
