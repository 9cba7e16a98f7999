package packet

import "encoding/binary"

const (
	minPadding = 4     // RFC 4253 §6
	minLength  = 1 + 4 // a padding length and the least padding
)

// A Decompressor inflates the payloads of one direction, one after another as
// one stream. No package of this module offers one yet.
type Decompressor interface {
	// Decompress appends what src inflates to to dst. More than limit bytes
	// are an error.
	Decompress(dst, src []byte, limit int) ([]byte, error)
}

// Opener takes packets of one direction apart. It is not safe for concurrent
// use.
type Opener struct {
	mode         mode
	at           position
	plain        bool // cipher none: the sequence number must not wrap
	wrapped      bool
	decompressor Decompressor
	inflated     []byte
	scratch      []byte
}

// NewOpener returns an Opener whose first packet has the sequence number seq.
// For the cipher "none" no keys are needed.
func NewOpener(alg Algorithm, keys Keys, seq uint32) (*Opener, error) {
	m, err := newMode(alg, keys)
	if err != nil {
		return nil, err
	}
	_, plain := m.(none)
	return &Opener{mode: m, at: position{seq: seq}, plain: plain}, nil
}

// Decompress makes d inflate the payloads of all further packets.
func (o *Opener) Decompress(d Decompressor) { o.decompressor = d }

// Need returns how many bytes of a packet Size must see.
func (o *Opener) Need() int { return o.mode.need() }

// Size returns the length on the wire of the packet that begins at b, of which
// at least Need bytes must be there. It changes nothing, neither b nor the
// Opener. The error is an [*Error] of kind BadLength; with CBC, whose length
// an attacker could use as an oracle, an impossible length is the longest
// possible one, and Open finds a bad MAC.
func (o *Opener) Size(b []byte) (int, error) {
	size, err := o.size(b, o.at)
	if err != nil && o.hides() {
		return o.longest(), nil
	}
	return size, err
}

// SizeAfter is Size for the packet that follows those in skip, and hides
// nothing: it is for those who watch, and answer nobody.
func (o *Opener) SizeAfter(b []byte, skip Skip) (int, error) { return o.size(b, o.after(skip)) }

func (o *Opener) hides() bool {
	h, ok := o.mode.(hider)
	return ok && h.hides()
}

func (o *Opener) waste(b []byte) { o.mode.(hider).waste(b) }

// longest is the length on the wire of the longest packet.
func (o *Opener) longest() int { return MaxLength + o.mode.tagSize() }

func (o *Opener) size(b []byte, at position) (int, error) {
	length := o.mode.length(b, at)
	covered := uint64(length)
	if !o.mode.lengthApart() {
		covered += 4
	}
	if length < minLength || length > MaxLength || covered%uint64(o.mode.block()) != 0 {
		return 0, &Error{Kind: BadLength, Seq: at.seq, Value: int64(length)}
	}
	return 4 + int(length) + o.mode.tagSize(), nil
}

// Open opens the packet b, all Size bytes of it, in place, and returns its
// payload, which is not empty. It aliases b, unless it was compressed: then it
// is valid until the next call. After an [*Error] no packet can follow.
func (o *Opener) Open(b []byte) (payload []byte, err error) {
	if o.wrapped {
		return nil, &Error{Kind: BadWrap, Seq: o.at.seq}
	}
	at := o.at
	payload, err = o.open(b, at)
	if err != nil {
		return nil, err
	}
	o.at.next(len(b))
	o.wrapped = o.plain && o.at.seq == 0
	if o.decompressor == nil {
		return payload, nil
	}
	o.inflated, err = o.decompressor.Decompress(o.inflated[:0], payload, MaxLength)
	if err != nil || len(o.inflated) == 0 || len(o.inflated) > MaxLength {
		return nil, &Error{Kind: BadPayload, Seq: at.seq, Value: int64(len(o.inflated)), Err: err}
	}
	return o.inflated, nil
}

func (o *Opener) open(b []byte, at position) ([]byte, error) {
	if len(b) < 4+minLength+o.mode.tagSize() {
		return nil, &Error{Kind: BadLength, Seq: at.seq, Value: int64(len(b))}
	}
	if !o.mode.open(b, at) {
		return nil, &Error{Kind: BadMAC, Seq: at.seq}
	}
	length := len(b) - 4 - o.mode.tagSize()
	padding := int(b[4])
	if padding < minPadding || padding >= length-1 {
		// An empty payload has no message number.
		return nil, &Error{Kind: BadPadding, Seq: at.seq, Value: int64(padding)}
	}
	end := 4 + length - padding
	return b[HeaderSize:end:end], nil
}

// Skip says what is missing between the last packet and the one to try.
type Skip struct {
	Packets uint64
	Bytes   uint64 // what they took on the wire; only stream ciphers need it

	// Before is what stands in front of the packet on the wire, at least the
	// end of the last one of those that are missing; only CBC needs it, whose
	// packets cannot be opened without.
	Before []byte
}

// Try opens the packet that begins at b as if the packets skip had been opened
// before it. It changes neither b nor the Opener. It returns the payload, not
// inflated and valid until the next call, and the packet's length on the wire.
// ok is false when the packet is not complete in b, or not authentic; the
// cipher "none" cannot tell and believes everything that has a possible form.
//
// After a success, Advance(skip) makes the Opener expect this packet.
func (o *Opener) Try(b []byte, skip Skip) (payload []byte, size int, ok bool) {
	at := o.after(skip)
	if len(b) < o.mode.need() {
		return nil, 0, false
	}
	size, err := o.size(b, at)
	if err != nil || size > len(b) {
		return nil, 0, false
	}
	o.scratch = append(o.scratch[:0], b[:size]...)
	payload, err = o.open(o.scratch, at)
	if err != nil {
		return nil, 0, false
	}
	return payload, size, true
}

// Advance skips packets that were not seen.
func (o *Opener) Advance(skip Skip) { o.at = o.after(skip) }

func (o *Opener) after(skip Skip) position {
	at := o.at
	at.seq += uint32(skip.Packets)
	at.count += skip.Packets
	at.bytes += skip.Bytes
	if skip.Packets > 0 {
		at.iv = nil
		if c, ok := o.mode.(chainer); ok && skip.Before != nil {
			at.iv = c.chained(skip.Before)
		}
	}
	return at
}

// CountsBytes reports whether Skip.Bytes must be right: the cipher is one
// stream over all packets.
func (o *Opener) CountsBytes() bool {
	_, stream := o.mode.(*ctr)
	return stream
}

// Seq returns the sequence number of the next packet.
func (o *Opener) Seq() uint32 { return o.at.seq }

func clearLength(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
