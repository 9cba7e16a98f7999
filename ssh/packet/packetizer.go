package packet

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// MaxPayload is the longest payload that fits into a packet whatever its
// padding.
const MaxPayload = MaxLength - 1 - 255

// ErrClosed is returned by reading and writing after [Packetizer.Close]. It is
// also a net.ErrClosed.
var ErrClosed error = closedError{}

type closedError struct{}

func (closedError) Error() string        { return "packet connection closed" }
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// A Packetizer reads and writes packets, lines and bytes on a connection.
//
// Its receiving methods (ReadMessage, ReadLine, ReadFull, Buffered, SetOpener,
// SetDecompressor, ReadSeq) may be used by one goroutine while another uses the
// sending ones; the methods of one half must not be called concurrently. The
// others say who may call them. It has no goroutines: what is to happen at a
// time is done by the receiving goroutine, whose read ends then.
//
// While nothing comes it holds a buffer of 4 KiB; while it is busy it borrows
// one of 256 KiB from a pool that all connections share. Beyond that buffer
// it holds nothing that it has received.
type Packetizer struct {
	nc     net.Conn
	in     input
	out    output
	rekey  rekeying
	clock  clock
	seen   *seen // nil: nobody looks
	closed atomic.Bool

	keyed       atomic.Uint32 // which directions are encrypted
	idleMatters atomic.Bool   // there is a keepalive
}

// bits of Packetizer.keyed
const (
	inKeyed  = 1
	outKeyed = 2

	bothKeyed = inKeyed | outKeyed
)

// NewPacketizer returns a Packetizer for a connection at its beginning: no
// encryption, sequence numbers 0.
func NewPacketizer(nc net.Conn) *Packetizer {
	p := &Packetizer{nc: nc}
	p.clock.nc, p.clock.begin = nc, time.Now()
	p.in.opener = &Opener{mode: none{}, plain: true}
	p.in.small = make([]byte, smallBuffer)
	p.in.buf = p.in.small
	p.out.sealer, _ = NewSealer(Algorithm{}, Keys{}, 0) // this one cannot fail
	p.rekey.disarm()
	p.SetRekey(Rekey{})
	return p
}

// SetOpener makes the next packet be received with new keys: call it after a
// received NEWKEYS. resetSeq begins again with the sequence number 0, as strict
// key exchange wants (OpenSSH PROTOCOL §1.9); otherwise numbers continue.
// Decompression ends; see SetDecompressor.
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
	if !o.plain {
		p.keyed.Or(inKeyed)
	}
	p.newKeysIn()
	return nil
}

// SetSealer makes the next packet be sent with new keys: call it after NEWKEYS
// was added to the batch. resetSeq is as for SetOpener. Compression ends; see
// SetCompressor.
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
	if _, plain := s.mode.(none); !plain {
		p.keyed.Or(outKeyed)
	}
	p.newKeysOut()
	return nil
}

// SetDecompressor makes d inflate the payloads of all further packets up to
// the next SetOpener; nil ends it. Call it after SetOpener, with a new
// Decompressor each time, because a compressed stream begins anew with each
// NEWKEYS (RFC 4253 §6.2); for methods that begin with the login call it after
// USERAUTH_SUCCESS, and from then on after SetOpener.
func (p *Packetizer) SetDecompressor(d Decompressor) { p.in.opener.Decompress(d) }

// SetCompressor is SetDecompressor for the payloads that are sent, up to the
// next SetSealer.
func (p *Packetizer) SetCompressor(c Compressor) { p.out.sealer.Compress(c) }

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

// Close closes the connection, which ends reading and writing with ErrClosed.
// It is idempotent and may be called from any goroutine, also by the functions
// that the Packetizer calls.
func (p *Packetizer) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	if err := p.nc.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Closed reports whether Close was called. It may be called from any goroutine.
func (p *Packetizer) Closed() bool { return p.closed.Load() }
