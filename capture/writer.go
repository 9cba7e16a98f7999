package capture

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// A Writer writes a pcapng file. It buffers; [Writer.Flush] hands everything
// to the underlying writer. The first error of the underlying writer sticks.
// It is not safe for concurrent use.
type Writer struct {
	w     *bufio.Writer
	cfg   WriterConfig
	order binary.ByteOrder
	// The section header is written with the first block, so that a copy can
	// begin with the one it copies.
	begun      bool
	interfaces []written // of the current section
	room       []byte    // for bodies
	head       [blockOverhead + epbBody]byte
}

// written is what frames need to know of their interface.
type written struct {
	clock clock
}

// WriterConfig says what stands in the header of the section that a [Writer]
// begins.
type WriterConfig struct {
	Hardware    string
	OS          string
	Application string
	Comments    []string
}

// NewWriter returns a Writer of a pcapng file in little-endian byte order. cfg
// may be nil.
func NewWriter(w io.Writer, cfg *WriterConfig) *Writer {
	x := &Writer{w: bufio.NewWriterSize(w, 64<<10), order: binary.LittleEndian}
	if cfg != nil {
		x.cfg = *cfg
		x.cfg.Comments = slices.Clone(cfg.Comments)
	}
	return x
}

// AddInterface describes an interface and returns its number for
// [Frame.Interface]. Frames on it have time stamps in nanoseconds. Index and
// Section of i are ignored.
func (x *Writer) AddInterface(i Interface) (int, error) {
	if err := x.begin(); err != nil {
		return 0, err
	}
	x.room = appendInterface(x.room[:0], x.append(), &i)
	if err := x.write(BlockInterface, x.room); err != nil {
		return 0, err
	}
	x.interfaces = append(x.interfaces, written{clock{resol: tsNano, set: true}})
	return len(x.interfaces) - 1, nil
}

// WriteFrame writes a packet. f.N and f.Link are ignored: the number is the
// frame's place in the file, the link type is the interface's. f.Data is not
// kept.
func (x *Writer) WriteFrame(f *Frame) error {
	if err := x.begin(); err != nil {
		return err
	}
	if f.Interface < 0 || f.Interface >= len(x.interfaces) {
		return ErrInterface
	}
	ts, err := x.interfaces[f.Interface].clock.stamp(f.Time)
	if err != nil {
		return err
	}
	opts := x.frameOptions(f)
	length := blockOverhead + epbBody + padded(len(f.Data)) + len(opts)
	if len(f.Data) > MaxBlock || length > MaxBlock {
		return ErrLimit
	}
	h := x.head[:8+epbBody]
	x.order.PutUint32(h, uint32(BlockEnhancedPacket))
	x.order.PutUint32(h[4:], uint32(length))
	x.order.PutUint32(h[8:], uint32(f.Interface))
	x.order.PutUint32(h[12:], uint32(ts>>32))
	x.order.PutUint32(h[16:], uint32(ts))
	x.order.PutUint32(h[20:], uint32(len(f.Data)))
	x.order.PutUint32(h[24:], uint32(max(f.Len, len(f.Data))))
	x.put(h)
	x.put(f.Data)
	x.put(padding[:padded(len(f.Data))-len(f.Data)])
	x.put(opts)
	x.order.PutUint32(h, uint32(length))
	x.put(h[:4])
	return x.err()
}

var padding [4]byte

func (x *Writer) frameOptions(f *Frame) []byte {
	if f.Flags == 0 && len(f.Comments) == 0 {
		return nil
	}
	b, order := x.room[:0], x.append()
	b = appendTexts(b, order, optComment, f.Comments...)
	if f.Flags != 0 {
		b = appendOption(b, order, epbFlags, order.AppendUint32(nil, uint32(f.Flags)))
	}
	x.room = order.AppendUint32(b, optEnd)
	return x.room
}

// WriteSecrets writes a decryption secrets block. It must stand before the
// first frame that needs it; for SSH that is the one with the server's key
// exchange reply. Readers look for it there only.
func (x *Writer) WriteSecrets(t SecretsType, data []byte) error {
	if err := x.begin(); err != nil {
		return err
	}
	if len(data) > MaxBlock {
		return ErrLimit
	}
	b, order := x.room[:0], x.append()
	b = order.AppendUint32(b, uint32(t))
	b = order.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	x.room = append(b, padding[:padded(len(data))-len(data)]...)
	return x.write(BlockSecrets, x.room)
}

// WriteBlock writes a block as it was read. A section header begins a new
// section in its byte order, without interfaces; any other block must have the
// byte order of the section, otherwise [ErrByteOrder]. A copy of a pcapng file
// is all of its blocks in their order.
func (x *Writer) WriteBlock(b *Block) error {
	if len(b.Body)%4 != 0 {
		return ErrLength
	}
	if b.Type == BlockSection {
		if len(b.Body) < sectionBody || b.Order.Uint32(b.Body) != byteOrderMagic {
			return ErrLength
		}
		x.begun = true
		x.order = b.Order
		x.interfaces = x.interfaces[:0]
		return x.write(b.Type, b.Body)
	}
	if err := x.begin(); err != nil {
		return err
	}
	if b.Order != x.order {
		return ErrByteOrder
	}
	if b.Type != BlockInterface {
		return x.write(b.Type, b.Body)
	}
	i, err := parseInterface(b)
	if err != nil {
		return err
	}
	if err := x.write(b.Type, b.Body); err != nil {
		return err
	}
	x.interfaces = append(x.interfaces, written{i.clock})
	return nil
}

// Flush hands all that was written to the underlying writer, and the section
// header in any case.
func (x *Writer) Flush() error {
	if err := x.begin(); err != nil {
		return err
	}
	return x.w.Flush()
}

// begin writes the section header unless there is one.
func (x *Writer) begin() error {
	if x.begun {
		return nil
	}
	x.begun = true
	b, order := x.room[:0], x.append()
	b = order.AppendUint32(b, byteOrderMagic)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0)
	b = order.AppendUint64(b, 1<<64-1) // the section's length is not known
	n := len(b)
	b = appendTexts(b, order, optComment, x.cfg.Comments...)
	b = appendTexts(b, order, shbHardware, x.cfg.Hardware)
	b = appendTexts(b, order, shbOS, x.cfg.OS)
	b = appendTexts(b, order, shbApplication, x.cfg.Application)
	if len(b) > n {
		b = order.AppendUint32(b, optEnd)
	}
	x.room = b
	return x.write(BlockSection, b)
}

func (x *Writer) write(t BlockType, body []byte) error {
	length := blockOverhead + len(body)
	if length > MaxBlock {
		return ErrLimit
	}
	h := x.head[:8]
	x.order.PutUint32(h, uint32(t))
	x.order.PutUint32(h[4:], uint32(length))
	x.put(h)
	x.put(body)
	x.put(h[4:])
	return x.err()
}

// put appends to the buffer, which keeps its first error for err.
func (x *Writer) put(b []byte) { _, _ = x.w.Write(b) }

func (x *Writer) err() error {
	_, err := x.w.Write(nil)
	return err
}

// append returns the section's byte order as one that appends; both of the
// standard library's do.
func (x *Writer) append() binary.AppendByteOrder {
	if x.order == binary.ByteOrder(binary.BigEndian) {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

var errPcapTime = errors.New("seconds beyond 32 bits")

// A PcapWriter writes a pcap file with nanoseconds in little-endian byte
// order, for tools that do not read pcapng. It has one link type and neither
// comments nor secrets. It is not safe for concurrent use.
type PcapWriter struct {
	w     *bufio.Writer
	head  [pcapRecordLen]byte
	begun bool
	file  [pcapHeaderLen]byte
}

// NewPcapWriter returns a writer of frames with the given link type. snaplen
// is the most bytes that a frame may have; 0 means 262,144.
func NewPcapWriter(w io.Writer, link LinkType, snaplen uint32) *PcapWriter {
	if snaplen == 0 {
		snaplen = 262144
	}
	x := &PcapWriter{w: bufio.NewWriterSize(w, 64<<10)}
	le := binary.LittleEndian
	le.PutUint32(x.file[0:], pcapNano)
	le.PutUint16(x.file[4:], pcapMajor)
	le.PutUint16(x.file[6:], pcapMinor)
	le.PutUint32(x.file[16:], snaplen)
	le.PutUint32(x.file[20:], uint32(link))
	return x
}

// WriteFrame writes a packet; only Time, Data and Len of f are used.
func (x *PcapWriter) WriteFrame(f *Frame) error {
	if err := x.begin(); err != nil {
		return err
	}
	if len(f.Data) > MaxBlock-pcapRecordLen {
		return ErrLimit
	}
	ts, err := clock{resol: 0, set: true}.stamp(f.Time)
	if err != nil {
		return err
	}
	if ts>>32 != 0 {
		return errors.Join(ErrTime, errPcapTime)
	}
	le, h := binary.LittleEndian, x.head[:]
	ns := 0
	if !f.Time.IsZero() {
		ns = f.Time.Nanosecond()
	}
	le.PutUint32(h[0:], uint32(ts))
	le.PutUint32(h[4:], uint32(ns))
	le.PutUint32(h[8:], uint32(len(f.Data)))
	le.PutUint32(h[12:], uint32(max(f.Len, len(f.Data))))
	if _, err := x.w.Write(h); err != nil {
		return err
	}
	_, err = x.w.Write(f.Data)
	return err
}

// Flush hands all that was written to the underlying writer.
func (x *PcapWriter) Flush() error {
	if err := x.begin(); err != nil {
		return err
	}
	return x.w.Flush()
}

func (x *PcapWriter) begin() error {
	if x.begun {
		return nil
	}
	x.begun = true
	_, err := x.w.Write(x.file[:])
	return err
}
