package packet

import "crypto/rand"

// HeaderSize is the length of what stands in front of a payload: the packet
// length (4) and the padding length (1).
const HeaderSize = 5

// position is the place of a packet in its direction.
type position struct {
	seq   uint32    // sequence number, RFC 4253 §6.4
	count uint64    // packets under these keys before this one
	bytes uint64    // bytes on the wire under these keys before this one
	iv    *[16]byte // of this packet, where packets were skipped and the mode is a chainer
}

func (p *position) next(size int) {
	p.seq++
	p.count++
	p.bytes += uint64(size)
	p.iv = nil
}

// A mode is the cryptography of one direction under one set of keys. Packets
// are given whole, from their length to behind their tag:
//
//	uint32  packet length   of all that follows but the tag
//	byte    padding length
//	byte[]  payload
//	byte[]  padding         at least 4 bytes
//	byte[]  tag             of tagSize bytes
//
// Methods may use scratch space of the mode, so they are not safe for
// concurrent use, but what they do depends on position alone.
type mode interface {
	// block is the size of which the encrypted part is a multiple.
	block() int
	// lengthApart says that the length does not belong to that part.
	lengthApart() bool
	tagSize() int
	// need is how many bytes length must see.
	need() int
	// length reads the packet length, without changing b.
	length(b []byte, at position) uint32
	// seal encrypts and authenticates b in place.
	seal(b []byte, at position)
	// open authenticates and decrypts b in place, but for its length.
	open(b []byte, at position) bool
}

// hider is a mode whose peers must not learn whether a length was wrong: what
// has a wrong one is read on as if it had the longest, and its MAC is wrong.
type hider interface {
	hides() bool
	// waste does the work of opening b, for nothing.
	waste(b []byte)
}

// chainer is a mode in which the packet before gives the IV.
type chainer interface {
	// chained returns the IV of the packet that b stands in front of, nil when
	// b is too short to hold it.
	chained(b []byte) *[16]byte
}

// A Compressor compresses the payloads of one direction, one after another as
// one stream. No package of this module offers one yet.
type Compressor interface {
	// Bound returns the longest compressed form of n bytes.
	Bound(n int) int
	// Compress appends the compressed form of src to dst.
	Compress(dst, src []byte) []byte
}

// Sealer makes packets of one direction. It is not safe for concurrent use.
type Sealer struct {
	mode       mode
	at         position
	compressor Compressor
	scratch    []byte

	// Padding is encrypted and authenticated, so zeros would do no harm; but
	// RFC 4253 §6 asks for random bytes, and taken by the batch they cost some
	// ten nanoseconds a packet.
	random [512]byte
	used   int
}

// NewSealer returns a Sealer whose first packet has the sequence number seq.
// For the cipher "none" no keys are needed.
func NewSealer(alg Algorithm, keys Keys, seq uint32) (*Sealer, error) {
	m, err := newMode(alg, keys)
	if err != nil {
		return nil, err
	}
	s := &Sealer{mode: m, at: position{seq: seq}}
	s.used = len(s.random)
	return s, nil
}

// Compress makes c compress the payloads of all further packets.
func (s *Sealer) Compress(c Compressor) { s.compressor = c }

// Size returns the length on the wire of a packet with n bytes of payload;
// with compression, the longest it can have.
func (s *Sealer) Size(n int) int {
	if s.compressor != nil {
		n = max(n, s.compressor.Bound(n))
	}
	return HeaderSize + n + s.padding(n) + s.mode.tagSize()
}

func (s *Sealer) padding(n int) int {
	covered := HeaderSize + n
	if s.mode.lengthApart() {
		covered -= 4
	}
	block := s.mode.block()
	p := block - covered%block
	if p < minPadding {
		p += block
	}
	return p
}

// Seal makes a packet in place of the n bytes of payload that stand in b
// behind HeaderSize bytes, and returns its length on the wire; len(b) must be
// at least Size(n).
func (s *Sealer) Seal(b []byte, n int) int {
	if s.compressor != nil {
		s.scratch = s.compressor.Compress(s.scratch[:0], b[HeaderSize:HeaderSize+n])
		n = copy(b[HeaderSize:], s.scratch)
	}
	p := s.padding(n)
	length := 1 + n + p
	b[0], b[1], b[2], b[3] = byte(length>>24), byte(length>>16), byte(length>>8), byte(length)
	b[4] = byte(p)
	if len(s.random)-s.used < p {
		rand.Read(s.random[:])
		s.used = 0
	}
	s.used += copy(b[HeaderSize+n:HeaderSize+n+p], s.random[s.used:])
	size := 4 + length + s.mode.tagSize()
	s.mode.seal(b[:size], s.at)
	s.at.next(size)
	return size
}

// Seq returns the sequence number of the next packet.
func (s *Sealer) Seq() uint32 { return s.at.seq }
