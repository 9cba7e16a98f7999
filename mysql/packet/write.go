package packet

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// keptOutput is how large an output buffer may stay between flushes.
const keptOutput = 4 * largeBuffer

// output is the sending half of a Conn.
type output struct {
	buf   []byte // packets not flushed yet
	begun int    // where the packet being built begins, see Conn.Open
	err   error  // of the socket: final

	packets, bytes int64

	deflate  *deflater // nil: no compression
	cuts     []int     // places in buf where a compressed frame must end: commands begin there
	raw      []byte    // compressed frames
	frameSeq uint8     // number of the next compressed frame
}

func putHeader(b []byte, length int, number uint8) {
	b[0], b[1], b[2], b[3] = byte(length), byte(length>>8), byte(length>>16), number
}

// Open begins a packet in the output buffer. The caller appends the payload to
// the returned slice, touching nothing before its end, and hands it to Seal:
//
//	b := c.Open()
//	b = append(b, payload...)
//	c.Seal(b)
func (c *Conn) Open() []byte {
	c.out.begun = len(c.out.buf)
	return append(c.out.buf, 0, 0, 0, 0)
}

// Seal finishes the packet that Open began: it writes the header, and splits
// the payload when it is too long for one packet. Nothing is sent before Flush.
func (c *Conn) Seal(b []byte) {
	o := &c.out
	length := len(b) - o.begun - HeaderSize
	if extra := length / MaxPiece; extra > 0 {
		b = split(b, o.begun, extra)
	}
	o.buf = b
	for at := o.begun; at < len(b); {
		n := min(length, MaxPiece)
		putHeader(b[at:], n, c.writeSeq)
		c.writeSeq++
		o.packets++
		if c.see != nil {
			c.see.Packet(c.role.Sends(), b[at:at+HeaderSize+n])
		}
		at += HeaderSize + n
		length -= n
	}
	o.bytes += int64(len(b) - o.begun)
	if !c.apart {
		c.readSeq = c.writeSeq
	}
}

// split makes place for extra more headers in the packet that begins at begun.
func split(b []byte, begun, extra int) []byte {
	old := len(b)
	for range extra {
		b = append(b, 0, 0, 0, 0)
	}
	first := begun + HeaderSize
	for i := extra; i > 0; i-- { // from the end: pieces move by i headers
		from := first + i*MaxPiece
		copy(b[from+i*HeaderSize:], b[from:min(from+MaxPiece, old)])
	}
	return b
}

// AppendPayload puts a packet with this payload, which is copied, into the
// output buffer.
func (c *Conn) AppendPayload(payload []byte) {
	c.Seal(append(c.Open(), payload...))
}

// Append puts the packet of a message, in the dialect of the connection, into
// the output buffer. When the message cannot be encoded it puts nothing there
// and returns the *wire.Error.
func (c *Conn) Append(m wire.Message) error {
	b, err := mysql.Messages.Append(c.Open(), m, c.dialect)
	if err != nil {
		return err
	}
	c.Seal(b)
	return nil
}

// Unsent returns how many bytes wait for Flush. Who writes much flushes when it
// is more than a few ten thousand.
func (c *Conn) Unsent() int { return len(c.out.buf) }

// Flush sends everything that was appended. An error is final: how much of the
// output arrived is not known.
func (c *Conn) Flush() error {
	o := &c.out
	if o.err != nil {
		return o.err
	}
	if len(o.buf) == 0 {
		return nil
	}
	b := o.buf
	if o.deflate != nil {
		b = c.frames()
	}
	_, err := c.nc.Write(b)
	if err != nil {
		o.err = c.sock.why(err)
	}
	used := len(o.buf)
	o.buf, o.cuts = o.buf[:0], o.cuts[:0]
	if cap(o.buf) > keptOutput && used < cap(o.buf)/4 {
		o.buf = nil
	}
	return o.err
}

// release gives the memory of an empty buffer back.
func (o *output) release() {
	if len(o.buf) == 0 && cap(o.buf) > smallBuffer {
		o.buf = nil
	}
	o.raw = nil
}
