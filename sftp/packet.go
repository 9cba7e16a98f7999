package sftp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/wire"
)

// Limits of the framing.
const (
	// MaxPacket is how long a packet may be, without its length field, unless
	// both sides know better: 256 KiB, which is what OpenSSH takes, and room
	// for the fields around that much data.
	MaxPacket = 256<<10 + 1<<10

	// SafeData is how much data every server takes in one [Write] and every
	// client in one [Data]. filexfer-02 §3: packets of 34000 bytes.
	SafeData = 32 << 10

	// LengthSize is the size of the length in front of a packet.
	LengthSize = 4
)

// ErrPacketLength is wrapped by the errors about the length of a packet.
var ErrPacketLength = errors.New("packet length out of range")

// PacketReader cuts a stream into packets. It reads ahead by a few KiB only;
// the bulk of a large packet goes straight from the stream to the caller's
// buffer. It is for one goroutine.
type PacketReader struct {
	r    *bufio.Reader
	max  uint32
	left uint32 // bytes of the current packet not read yet
}

// readAhead is the buffer of an idle reader.
const readAhead = 4 << 10

// NewPacketReader returns a reader of the packets in r, none longer than max
// bytes without its length field; 0 means [MaxPacket].
func NewPacketReader(r io.Reader, max int) *PacketReader {
	if max <= 0 {
		max = MaxPacket
	}
	return &PacketReader{r: bufio.NewReaderSize(r, readAhead), max: uint32(max)}
}

// Next skips what is left of the current packet and returns the length of the
// next one, which is at least 1. At the end of the stream between two packets
// it returns io.EOF, inside one io.ErrUnexpectedEOF. A length of 0 or above
// the limit is an error that wraps [ErrPacketLength]; the stream cannot be
// read any further then.
func (p *PacketReader) Next() (int, error) {
	if p.left > 0 {
		n, err := p.r.Discard(int(p.left))
		p.left -= uint32(n)
		if err != nil {
			return 0, unexpected(err)
		}
	}
	var h [LengthSize]byte
	for i := range h { // byte by byte: h must not escape
		b, err := p.r.ReadByte()
		if err != nil {
			if i > 0 {
				err = unexpected(err)
			}
			return 0, err
		}
		h[i] = b
	}
	n := binary.BigEndian.Uint32(h[:])
	if n == 0 || n > p.max {
		return 0, fmt.Errorf("sftp: packet of %d bytes, at most %d are allowed: %w", n, p.max, ErrPacketLength)
	}
	p.left = n
	return int(n), nil
}

// Read reads bytes of the current packet; io.EOF says that there are no more.
func (p *PacketReader) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	if uint64(len(b)) > uint64(p.left) {
		b = b[:p.left]
	}
	n, err := p.r.Read(b)
	p.left -= uint32(n)
	if err != nil {
		err = unexpected(err)
	}
	return n, err
}

// Left returns the number of bytes of the current packet not read yet.
func (p *PacketReader) Left() int { return int(p.left) }

// Buffered returns the number of bytes that can be read without asking the
// stream.
func (p *PacketReader) Buffered() int { return p.r.Buffered() }

// ReadPacket reads the next packet, its number first, into buf, which it
// grows when its capacity does not do, and returns it. Errors are those of
// [PacketReader.Next].
func (p *PacketReader) ReadPacket(buf []byte) ([]byte, error) {
	if _, err := p.Next(); err != nil {
		return buf[:0], err
	}
	return p.ReadBody(buf)
}

// ReadBody reads what is left of the current packet into buf, which it grows
// when its capacity does not do, and returns it.
func (p *PacketReader) ReadBody(buf []byte) ([]byte, error) {
	n := int(p.left)
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(p, buf); err != nil {
		return buf[:0], unexpected(err)
	}
	return buf, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// AppendPacket appends the packet of m to dst with its length in front: what
// goes into the stream. On error it returns dst unchanged.
func AppendPacket(dst []byte, m wire.Message, d wire.Dialect) ([]byte, error) {
	at := len(dst)
	out, err := Messages.Append(append(dst, 0, 0, 0, 0), m, d)
	if err != nil {
		return dst, err
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-LengthSize))
	return out, nil
}

// DataHeader is the size of what stands before the data in the stream of a
// [Data] packet: length, number, id, and the data's own length.
const DataHeader = LengthSize + 1 + 4 + 4

// PutDataHeader writes to the beginning of b what stands before n bytes of
// data in the stream of a [Data] packet. With it a server reads a file
// straight into its output; the bytes are those of [AppendPacket].
func PutDataHeader(b []byte, id uint32, n int) {
	_ = b[DataHeader-1]
	binary.BigEndian.PutUint32(b, uint32(n+DataHeader-LengthSize))
	b[LengthSize] = NumData
	binary.BigEndian.PutUint32(b[5:], id)
	binary.BigEndian.PutUint32(b[9:], uint32(n))
}

// WriteHeader returns the size of what stands before the data in the stream of
// a [Write] packet with a handle of the given length.
func WriteHeader(handleLen int) int { return LengthSize + 1 + 4 + 4 + handleLen + 8 + 4 }

// AppendWriteHeader appends to dst what stands before n bytes of data in the
// stream of a [Write] packet. With it a client reads a file straight into its
// output; the bytes are those of [AppendPacket].
func AppendWriteHeader(dst []byte, id uint32, handle []byte, offset uint64, n int) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(WriteHeader(len(handle))-LengthSize+n))
	dst = append(dst, NumWrite)
	dst = binary.BigEndian.AppendUint32(dst, id)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(handle)))
	dst = append(dst, handle...)
	dst = binary.BigEndian.AppendUint64(dst, offset)
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}
