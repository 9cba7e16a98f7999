package packet

import "net"

// MaxPayload is the longest payload that fits into a packet whatever its
// padding.
const MaxPayload = MaxLength - 1 - 255

// A Packetizer reads and writes packets, lines and bytes on a connection.
//
// Its receiving methods (ReadMessage, ReadLine, ReadFull, Buffered, SetOpener,
// ReadSeq) may be used by one goroutine while another uses the sending ones;
// the methods of one half must not be called concurrently.
//
// While nothing comes it holds a buffer of 4 KiB; while it is busy it borrows
// one of 256 KiB from a pool that all connections share. Beyond that buffer
// it holds nothing that it has received. It sets read deadlines of the
// connection for its own use: close the connection to end a read.
type Packetizer struct {
	nc  net.Conn
	in  input
	out output
}

// NewPacketizer returns a Packetizer for a connection at its beginning: no
// encryption, sequence numbers 0.
func NewPacketizer(nc net.Conn) *Packetizer {
	p := &Packetizer{nc: nc}
	p.in.opener = &Opener{mode: none{}, plain: true}
	p.in.small = make([]byte, smallBuffer)
	p.in.buf = p.in.small
	p.out.sealer, _ = NewSealer(Algorithm{}, Keys{}, 0) // this one cannot fail
	return p
}

// SetOpener makes the next packet be received with new keys: call it after a
// received NEWKEYS. resetSeq begins again with the sequence number 0, as strict
// key exchange wants (OpenSSH PROTOCOL §1.9); otherwise numbers continue.
func (p *Packetizer) SetOpener(alg Algorithm, keys Keys, resetSeq bool) error {
	seq := p.in.opener.Seq()
	if resetSeq {
		seq = 0
	}
	o, err := NewOpener(alg, keys, seq)
	if err != nil {
		return err
	}
	p.in.opener = o
	return nil
}

// SetSealer makes the next packet be sent with new keys: call it after NEWKEYS
// was added to the batch. resetSeq is as for SetOpener.
func (p *Packetizer) SetSealer(alg Algorithm, keys Keys, resetSeq bool) error {
	seq := p.out.sealer.Seq()
	if resetSeq {
		seq = 0
	}
	s, err := NewSealer(alg, keys, seq)
	if err != nil {
		return err
	}
	p.out.sealer = s
	return nil
}

// ReadSeq returns the sequence number of the next packet to be received.
func (p *Packetizer) ReadSeq() uint32 { return p.in.opener.Seq() }

// SendSeq returns the sequence number of the next packet to be sent.
func (p *Packetizer) SendSeq() uint32 { return p.out.sealer.Seq() }

// Received returns how many packets, and bytes of packets, have been received.
// It may be called from any goroutine.
func (p *Packetizer) Received() (packets, bytes uint64) {
	return p.in.packets.Load(), p.in.bytes.Load()
}

// Sent returns how many packets, and bytes of packets, have been sealed.
func (p *Packetizer) Sent() (packets, bytes uint64) { return p.out.packets, p.out.bytes }
