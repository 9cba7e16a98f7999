package capture

import (
	"encoding/binary"
	"time"
)

const (
	pcapMicro     = 0xa1b2c3d4
	pcapNano      = 0xa1b23c4d
	pcapHeaderLen = 24
	pcapRecordLen = 16
	pcapMajor     = 2
	pcapMinor     = 4
	pcapLinkBits  = 0xffff // the rest of the field tells the length of a frame check sequence
)

// readPcapHeader reads
//
//	magic 4 | major 2 | minor 2 | reserved 8 | snaplen 4 | link type 4
func (d *Reader) readPcapHeader() error {
	b, err := d.win.peek(pcapHeaderLen)
	if len(b) < 4 {
		return d.win.ended(err, pcapHeaderLen)
	}
	switch magic := binary.LittleEndian.Uint32(b); magic {
	case pcapMicro, pcapNano:
		d.setOrder(false)
		d.nano = magic == pcapNano
	default:
		d.setOrder(true)
		magic = binary.BigEndian.Uint32(b)
		if magic != pcapMicro && magic != pcapNano {
			return d.broken(ErrFormat)
		}
		d.nano = magic == pcapNano
	}
	if err != nil {
		return d.win.ended(err, pcapHeaderLen)
	}
	if d.u16(b[4:]) != pcapMajor {
		return d.broken(ErrVersion)
	}
	d.interfaces = append(d.interfaces, &Interface{
		Link:    LinkType(d.u32(b[20:]) & pcapLinkBits),
		Snaplen: d.u32(b[16:]),
	})
	d.sections = 1
	d.frame.Link = d.interfaces[0].Link
	d.win.skip(pcapHeaderLen)
	return nil
}

// nextRecord reads
//
//	seconds 4 | micro- or nanoseconds 4 | captured length 4 | length 4 | data
func (d *Reader) nextRecord() (Item, error) {
	h, err := d.win.peek(pcapRecordLen)
	if err != nil {
		return nil, d.win.ended(err, pcapRecordLen)
	}
	n := d.u32(h[8:])
	if n > MaxBlock-pcapRecordLen {
		return nil, d.broken(ErrLimit)
	}
	whole := pcapRecordLen + int(n)
	b, err := d.win.peek(whole)
	if err != nil {
		return nil, d.win.ended(err, whole)
	}
	ns := int64(d.u32(b[4:]))
	if !d.nano {
		ns *= 1000
	}
	d.frames++
	f := &d.frame
	f.N = d.frames
	f.Time = time.Unix(int64(d.u32(b)), ns).UTC()
	f.Data = b[pcapRecordLen:whole:whole]
	f.Len = max(int(n), int(d.u32(b[12:])))
	d.win.skip(whole)
	return f, nil
}
