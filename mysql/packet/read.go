package packet

import (
	"errors"
	"io"

	"github.com/wirelark/wirelark/trace"
)

// A run of so many packets that fit into the large buffer makes a larger one
// shrink again.
const calm = 64

// input is the receiving half of a Conn.
type input struct {
	limit int64
	plain buffer // packets
	raw   buffer // compressed frames
	err   error  // of the socket, for when the bytes before it are used up
	ended error  // the stream cannot be read any further

	// The packet being read. It begins at plain.r; the joined bytes of its
	// finished pieces, then as much as has come of the present one.
	joined int // bytes of finished pieces
	pieces int // finished pieces
	opened bool
	length int   // bytes of the present piece, once opened
	number uint8 // of the present piece, once opened

	small          int  // packets in a row that need no large buffer
	shrink         bool // there were enough of them
	packets, bytes int64

	inflate  *inflater // nil: no compression
	frameSeq uint8     // number that the next compressed frame should have
	frame    frame     // the one being read
}

// Buffered returns how many bytes have come that ReadPacket has not returned:
// perhaps not a whole packet.
func (c *Conn) Buffered() int { return c.in.plain.size() + c.in.raw.size() }

// ReadPacket waits for a packet and returns its payload, joined when it came in
// pieces. The payload is valid until the next ReadPacket, Pending or Rest.
//
// It is empty for an empty packet. At the end of the stream the error is
// io.EOF, inside a packet io.ErrUnexpectedEOF; otherwise it is a
// *TooLargeError, *SequenceError, *FrameError, the cause of a Cut, or the
// socket's. But for a deadline that passed they are final.
func (c *Conn) ReadPacket() ([]byte, error) {
	in := &c.in
	if in.ended != nil {
		return nil, in.ended
	}
	if in.shrink {
		in.shrink = false
		in.plain.shrink(largeBuffer)
	}
	for {
		more, err := c.piece()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	p := in.plain.b[in.plain.r : in.plain.r+in.joined : in.plain.r+in.joined]
	in.plain.r += in.joined
	in.joined, in.pieces = 0, 0
	in.settle(len(p))
	return p, nil
}

// piece reads one physical packet and reports whether another one follows it in
// the same payload.
func (c *Conn) piece() (more bool, err error) {
	in := &c.in
	if !in.opened {
		if err := c.open(); err != nil {
			return false, err
		}
	}
	for in.plain.size() < in.joined+in.length {
		if err := c.fill(in.joined + in.length); err != nil {
			return false, err
		}
	}
	if err := c.count(in.plain.b[in.plain.r+in.joined:]); err != nil {
		return false, err
	}
	if c.see != nil {
		in.report(c.see, c.role)
	}
	in.packets++
	in.bytes += int64(HeaderSize + in.length)
	in.joined += in.length
	in.pieces++
	in.opened = false
	return in.length == MaxPiece, nil
}

// open reads the header of a piece and takes it out of the buffer, so that the
// payload's bytes stand together.
func (c *Conn) open() error {
	in := &c.in
	for in.plain.size() < in.joined+HeaderSize {
		if err := c.fill(in.joined + HeaderSize); err != nil {
			return err
		}
	}
	h := in.plain.b[in.plain.r+in.joined:]
	length, number := int(h[0])|int(h[1])<<8|int(h[2])<<16, h[3]
	if size := int64(in.joined) + int64(length); size > in.limit {
		in.ended = &TooLargeError{Size: size, Limit: in.limit}
		return in.ended
	}
	if in.pieces == 0 {
		in.plain.r += HeaderSize
	} else {
		n := copy(h, in.plain.b[in.plain.r+in.joined+HeaderSize:in.plain.w])
		in.plain.w = in.plain.r + in.joined + n
	}
	in.opened, in.length, in.number = true, length, number
	return nil
}

// count judges the number of the piece whose payload begins with b. A server's
// error is taken with any number: it may give up in the middle of what is said
// to it. Under compression the servers' inner numbers mean nothing.
func (c *Conn) count(b []byte) error {
	in := &c.in
	if in.number != c.readSeq && !c.anySeq && in.inflate == nil {
		isError := c.role == trace.Client && in.pieces == 0 && in.length > 0 && b[0] == 0xff
		if !isError {
			in.ended = &SequenceError{Got: in.number, Want: c.readSeq}
			return in.ended
		}
	}
	c.readSeq, c.anySeq = in.number+1, false
	if !c.apart {
		c.writeSeq = c.readSeq
	}
	return nil
}

// report shows the piece with its header, which stands in front of it or is put
// there for the moment.
func (in *input) report(see trace.Conn, role trace.Role) {
	at := in.plain.r + in.joined
	b := in.plain.b[at-HeaderSize : at+in.length]
	var saved [HeaderSize]byte
	copy(saved[:], b)
	putHeader(b, in.length, in.number)
	see.Packet(role.Sends().Reverse(), b)
	copy(b, saved[:])
}

// settle lets a buffer that grew shrink again when packets are small.
func (in *input) settle(length int) {
	if len(in.plain.b) <= largeBuffer {
		return
	}
	if length > largeBuffer/2 {
		in.small = 0
		return
	}
	if in.small++; in.small >= calm {
		in.small = 0
		in.shrink = true
	}
}

// fill waits for more bytes of the stream of packets. need is how many bytes
// behind plain.r are wanted.
func (c *Conn) fill(need int) error {
	in := &c.in
	if in.inflate != nil {
		return c.fillFrame()
	}
	// Behind a piece that is continued only little is read, as its
	// continuation moves over the header between them.
	continued := in.opened && in.length == MaxPiece
	room := in.plain.room(need, !continued)
	if continued {
		room = room[:min(len(room), need-in.plain.size()+largeBuffer)]
	}
	n, err := c.receive(room)
	in.plain.got(n)
	return err
}

// receive reads from the socket. It returns at least one byte or an error.
func (c *Conn) receive(b []byte) (int, error) {
	in := &c.in
	if in.err != nil {
		return 0, c.failed(in.err)
	}
	for range 100 {
		n, err := c.nc.Read(b)
		if n > 0 {
			in.err = err
			return n, nil
		}
		if err != nil {
			return 0, c.failed(err)
		}
	}
	return 0, c.failed(io.ErrNoProgress)
}

// failed says what a read that failed means at this place.
func (c *Conn) failed(err error) error {
	in := &c.in
	err = c.sock.why(err)
	if isTimeout(err) {
		in.err = nil
		return err
	}
	if errors.Is(err, io.EOF) && (in.opened || in.frame.opened || in.pieces > 0 || c.Buffered() > 0) {
		err = io.ErrUnexpectedEOF
	}
	in.ended = err
	return err
}
