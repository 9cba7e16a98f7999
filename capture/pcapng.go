package capture

import (
	"bytes"
	"math/bits"
)

const (
	byteOrderMagic = 0x1a2b3c4d
	blockOverhead  = 12 // type, length, and the length again behind the body
	sectionBody    = 16 // byte-order magic, version, section length
	epbBody        = 20
)

// nextBlock reads
//
//	type 4 | length 4 | body, padded to 4 | length 4
func (d *Reader) nextBlock() (Item, error) {
	h, err := d.win.peek(blockOverhead)
	if err != nil {
		return nil, d.win.ended(err, blockOverhead)
	}
	// The type of a section header reads the same in both orders; its own
	// order is told by what follows its length.
	if d.u32(h) == uint32(BlockSection) {
		switch m := d.u32(h[8:]); m {
		case byteOrderMagic:
		case bits.ReverseBytes32(byteOrderMagic):
			d.setOrder(!d.big)
		default:
			return nil, d.broken(ErrFormat)
		}
	}
	n := d.u32(h[4:])
	switch {
	case n > MaxBlock:
		return nil, d.broken(ErrLimit)
	case n < blockOverhead || n%4 != 0:
		return nil, d.broken(ErrLength)
	}
	b, err := d.win.peek(int(n))
	if err != nil {
		return nil, d.win.ended(err, int(n))
	}
	if d.u32(b[n-4:]) != n {
		return nil, d.broken(ErrLength)
	}
	if d.order == nil {
		d.setOrder(d.big)
	}
	d.block = Block{Type: BlockType(d.u32(b)), Order: d.order, Body: b[8 : n-4 : n-4]}
	item, err := d.item(&d.block)
	if err != nil {
		return nil, d.broken(err)
	}
	d.win.skip(int(n))
	return item, nil
}

// item makes an item of a block.
func (d *Reader) item(b *Block) (Item, error) {
	switch b.Type {
	case BlockSection:
		return d.section(b)
	case BlockInterface:
		return d.describe(b)
	case BlockEnhancedPacket:
		return d.enhanced(b)
	case BlockSimplePacket:
		return d.simple(b)
	case BlockOldPacket:
		return d.old(b)
	case BlockSecrets:
		return d.secret(b)
	}
	return b, nil
}

// section reads
//
//	byte-order magic 4 | major 2 | minor 2 | section length 8 | options
func (d *Reader) section(b *Block) (Item, error) {
	if len(b.Body) < sectionBody {
		return nil, ErrLength
	}
	// Minor version 2 was written by mistake by some and means 0.
	if b.Order.Uint16(b.Body[4:]) != 1 {
		return nil, ErrVersion
	}
	s := &Section{Index: d.sections, raw: b}
	for o := range options(b.Order, b.Body[sectionBody:]) {
		switch o.code {
		case optComment:
			s.Comments = append(s.Comments, string(o.value))
		case shbHardware:
			s.Hardware = string(o.value)
		case shbOS:
			s.OS = string(o.value)
		case shbApplication:
			s.Application = string(o.value)
		}
	}
	d.sections++
	d.first = len(d.interfaces)
	return s, nil
}

func (d *Reader) describe(b *Block) (Item, error) {
	if d.sections == 0 {
		return nil, errFirstBlock
	}
	if d.kept += len(b.Body) + 256; d.kept > MaxInterfaces {
		return nil, ErrLimit
	}
	i, err := parseInterface(b)
	if err != nil {
		return nil, err
	}
	i.Index, i.Section = len(d.interfaces), d.sections-1
	// Interfaces are kept, so their block must not alias the buffer.
	i.raw = &Block{Type: b.Type, Order: b.Order, Body: bytes.Clone(b.Body)}
	d.interfaces = append(d.interfaces, i)
	return i, nil
}

// enhanced reads
//
//	interface 4 | time stamp high 4, low 4 | captured length 4 | length 4 | data, padded | options
func (d *Reader) enhanced(b *Block) (Item, error) {
	if len(b.Body) < epbBody {
		return nil, ErrLength
	}
	h := b.Body
	f, i, err := d.framed(b, d.u32(h), epbBody, d.u32(h[12:]), d.u32(h[16:]))
	if err != nil {
		return nil, err
	}
	f.Time = i.clock.time(uint64(d.u32(h[4:]))<<32 | uint64(d.u32(h[8:])))
	if rest := h[epbBody+padded(len(f.Data)):]; len(rest) > 0 {
		d.frameOptions(f, rest)
	}
	return f, nil
}

func (d *Reader) frameOptions(f *Frame, b []byte) {
	for o := range options(d.order, b) {
		switch {
		case o.code == optComment:
			f.Comments = append(f.Comments, string(o.value))
		case o.code == epbFlags && len(o.value) == 4:
			f.Flags = FrameFlags(d.u32(o.value))
		}
	}
}

// simple reads
//
//	length 4 | data, padded
//
// The captured length is what the interface's limit left of it.
func (d *Reader) simple(b *Block) (Item, error) {
	if len(b.Body) < 4 {
		return nil, ErrLength
	}
	n := d.u32(b.Body)
	captured := min(n, uint32(len(b.Body)-4))
	if d.first < len(d.interfaces) {
		if s := d.interfaces[d.first].Snaplen; s > 0 {
			captured = min(captured, s)
		}
	}
	f, _, err := d.framed(b, 0, 4, captured, n)
	return f, err
}

// old reads the obsolete packet block
//
//	interface 2 | drops 2 | time stamp high 4, low 4 | captured length 4 | length 4 | data, padded | options
func (d *Reader) old(b *Block) (Item, error) {
	if len(b.Body) < epbBody {
		return nil, ErrLength
	}
	h := b.Body
	f, i, err := d.framed(b, uint32(d.u16(h)), epbBody, d.u32(h[12:]), d.u32(h[16:]))
	if err != nil {
		return nil, err
	}
	f.Time = i.clock.time(uint64(d.u32(h[4:]))<<32 | uint64(d.u32(h[8:])))
	if rest := h[epbBody+padded(len(f.Data)):]; len(rest) > 0 {
		d.frameOptions(f, rest)
	}
	return f, nil
}

// framed fills the reused frame with captured bytes at off of the block.
func (d *Reader) framed(b *Block, id uint32, off int, captured, length uint32) (*Frame, *Interface, error) {
	if uint64(id) >= uint64(len(d.interfaces)-d.first) {
		return nil, nil, ErrInterface
	}
	if uint64(captured) > uint64(len(b.Body)-off) {
		return nil, nil, ErrLength
	}
	d.frames++
	index := d.first + int(id)
	i := d.interfaces[index]
	end := off + int(captured)
	d.frame = Frame{
		N: d.frames, Interface: index, Link: i.Link,
		Data: b.Body[off:end:end], Len: int(max(captured, length)), raw: b,
	}
	return &d.frame, i, nil
}

// secret reads
//
//	secrets type 4 | length 4 | data, padded | options
func (d *Reader) secret(b *Block) (Item, error) {
	if len(b.Body) < 8 {
		return nil, ErrLength
	}
	n := d.u32(b.Body[4:])
	if uint64(n) > uint64(len(b.Body)-8) {
		return nil, ErrLength
	}
	d.secrets = Secrets{Type: SecretsType(d.u32(b.Body)), Data: b.Body[8 : 8+n : 8+n], raw: b}
	return &d.secrets, nil
}

// padded returns n rounded up to a multiple of 4.
func padded(n int) int { return (n + 3) &^ 3 }
