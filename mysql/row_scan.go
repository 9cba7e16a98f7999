package mysql

import "encoding/binary"

// Scan decodes b, a packet of the row without the number in front, as
// [wire.Parse] does, and reports whether it could: it takes only what servers
// send. When it cannot, parse b; the error, if there is one, is found there.
//
// This is the one place where a layout is stated a second time, because nothing
// is read as often as rows: through the Coder a row of eight columns takes three
// times as long, and that is most of what a client does with a large result. A
// test compares the two.
func (m *BinaryRow) Scan(b []byte) bool {
	n := len(m.types)
	size := (n + 2 + 7) / 8
	if n == 0 || len(b) < size {
		return false
	}
	if cap(m.Values) < n {
		m.Values = make([]Value, n)
	}
	m.Values, m.Unparsed = m.Values[:n], nil
	nulls, b := b[:size], b[size:]
	for i := range m.Values {
		v := &m.Values[i]
		if hasBit(nulls, i+2) {
			*v = Value{}
			continue
		}
		used := m.types[i].scan(b, v)
		if used < 0 {
			return false
		}
		b = b[used:]
	}
	return len(b) == 0
}

// scan decodes a value at the beginning of b and returns its bytes; -1: it
// cannot.
func (t *cellType) scan(b []byte, v *Value) int {
	switch t.typ {
	case TypeTiny:
		return t.scanInteger(b, 1, v)
	case TypeShort, TypeYear:
		return t.scanInteger(b, 2, v)
	case TypeLong, TypeInt24:
		return t.scanInteger(b, 4, v)
	case TypeLonglong:
		return t.scanInteger(b, 8, v)
	case TypeFloat:
		if len(b) < 4 {
			return -1
		}
		*v = Value{kind: KindFloat, num: uint64(binary.LittleEndian.Uint32(b)), decimals: t.decimals}
		return 4
	case TypeDouble:
		if len(b) < 8 {
			return -1
		}
		*v = Value{kind: KindDouble, num: binary.LittleEndian.Uint64(b), decimals: t.decimals}
		return 8
	case TypeDate, TypeNewDate:
		return t.scanDate(b, v, true)
	case TypeDatetime, TypeTimestamp:
		return t.scanDate(b, v, false)
	case TypeTime:
		return t.scanTime(b, v)
	case TypeNull:
		*v = Value{}
		return 0
	}
	return t.scanBytes(b, v)
}

func (t *cellType) scanInteger(b []byte, n int, v *Value) int {
	if len(b) < n {
		return -1
	}
	var u uint64
	unsigned := t.unsigned || t.typ == TypeYear
	switch n {
	case 1:
		if u = uint64(b[0]); !unsigned {
			u = uint64(int8(b[0]))
		}
	case 2:
		if u = uint64(binary.LittleEndian.Uint16(b)); !unsigned {
			u = uint64(int16(u))
		}
	case 4:
		if u = uint64(binary.LittleEndian.Uint32(b)); !unsigned {
			u = uint64(int32(u))
		}
	default:
		u = binary.LittleEndian.Uint64(b)
	}
	kind := KindInt
	if unsigned {
		kind = KindUint
	}
	*v = Value{kind: kind, num: u}
	return n
}

func (t *cellType) scanBytes(b []byte, v *Value) int {
	if len(b) == 0 {
		return -1
	}
	n, head := uint64(b[0]), 1
	switch {
	case n < 0xfb:
	case n == 0xfc && len(b) >= 3:
		n, head = uint64(binary.LittleEndian.Uint16(b[1:])), 3
	case n == 0xfd && len(b) >= 4:
		n, head = uint64(b[1])|uint64(b[2])<<8|uint64(b[3])<<16, 4
	case n == 0xfe && len(b) >= 9:
		n, head = binary.LittleEndian.Uint64(b[1:]), 9
	default:
		return -1
	}
	if n > uint64(len(b)-head) {
		return -1
	}
	end := head + int(n)
	*v = Value{kind: t.bytesKind(), bytes: b[head:end:end]}
	return end
}

func (t *cellType) scanDate(b []byte, v *Value, dateOnly bool) int {
	if len(b) == 0 || len(b) <= int(b[0]) || dateOnly && b[0] > 4 {
		return -1
	}
	var d DateTime
	n := int(b[0])
	switch n {
	case 0:
	case 4, 7, 11:
		d.Year, d.Month, d.Day = binary.LittleEndian.Uint16(b[1:]), b[3], b[4]
		if n >= 7 {
			d.Hour, d.Minute, d.Second = b[5], b[6], b[7]
		}
		if n == 11 {
			d.Microsecond = binary.LittleEndian.Uint32(b[8:])
		}
	default:
		return -1
	}
	if !d.valid() {
		return -1
	}
	*v = Value{kind: KindDateTime, num: d.pack(), decimals: t.decimals}
	if dateOnly {
		v.kind, v.decimals = KindDate, 0
	}
	return 1 + n
}

func (t *cellType) scanTime(b []byte, v *Value) int {
	if len(b) == 0 || len(b) <= int(b[0]) {
		return -1
	}
	var d Duration
	n := int(b[0])
	switch n {
	case 0:
	case 8, 12:
		days, us := binary.LittleEndian.Uint32(b[2:]), uint32(0)
		if n == 12 {
			us = binary.LittleEndian.Uint32(b[9:])
		}
		if days > maxDays || b[6] > 23 || b[7] > 59 || b[8] > 59 || us > 999999 {
			return -1
		}
		d = Duration(((int64(days)*24+int64(b[6]))*60+int64(b[7]))*60+int64(b[8]))*1e6 + Duration(us)
		if b[1] != 0 {
			d = -d
		}
	default:
		return -1
	}
	*v = Value{kind: KindTime, num: uint64(d), decimals: t.decimals}
	return 1 + n
}
