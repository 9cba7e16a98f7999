package mysql

import (
	"encoding/binary"
	"math"

	"github.com/wirelark/wirelark/wire"
)

// cellType is what of a column decides about its values.
type cellType struct {
	typ      Type
	unsigned bool
	binary   bool // bytes, not text
	decimals uint8
}

func cellTypeOf(c *Column) cellType {
	t := cellType{c.Type, c.Unsigned(), c.Collation == CollationBinary && !c.JSON(), c.Decimals}
	if t.decimals > 31 {
		t.decimals = freeDecimals
	}
	return t
}

// fields codes the binary form of v as a value of type t.
func (t cellType) fields(c *wire.Coder, v *Value) {
	switch t.typ {
	case TypeNull:
		if c.Decoding() {
			*v = Value{}
		}
	case TypeTiny:
		t.integer(c, 1, v)
	case TypeShort, TypeYear:
		t.integer(c, 2, v)
	case TypeLong, TypeInt24:
		t.integer(c, 4, v)
	case TypeLonglong:
		t.integer(c, 8, v)
	case TypeFloat:
		f := math.Float32frombits(uint32(v.num))
		t.want(c, v, KindFloat)
		c.F32("value", binary.LittleEndian, &f)
		if c.Decoding() {
			*v = Value{kind: KindFloat, num: uint64(math.Float32bits(f)), decimals: t.decimals}
		}
	case TypeDouble:
		f := math.Float64frombits(v.num)
		t.want(c, v, KindDouble)
		c.F64("value", binary.LittleEndian, &f)
		if c.Decoding() {
			*v = Value{kind: KindDouble, num: math.Float64bits(f), decimals: t.decimals}
		}
	case TypeDate, TypeNewDate, TypeDatetime, TypeTimestamp:
		t.date(c, v)
	case TypeTime:
		d := v.Time()
		t.want(c, v, KindTime)
		d.fields(c)
		if c.Decoding() {
			*v = Value{kind: KindTime, num: uint64(d), decimals: t.decimals}
		}
	default:
		t.bytes(c, v)
	}
}

// want refuses to encode a value of another kind.
func (t cellType) want(c *wire.Coder, v *Value, kind Kind) {
	if !c.Decoding() && v.kind != kind {
		c.Fail("value", wire.ErrValue)
	}
}

func (t cellType) integer(c *wire.Coder, n int, v *Value) {
	if !c.Decoding() && v.kind != KindInt && v.kind != KindUint {
		c.Fail("value", wire.ErrValue)
		return
	}
	if t.unsigned || t.typ == TypeYear {
		u := v.num
		if !c.Decoding() && v.kind == KindInt && int64(u) < 0 {
			c.Fail("value", wire.ErrRange)
			return
		}
		wire.UintLE(c, "value", n, &u)
		if c.Decoding() {
			*v = Value{kind: KindUint, num: u}
		}
		return
	}
	i := int64(v.num)
	if !c.Decoding() && v.kind == KindUint && i < 0 {
		c.Fail("value", wire.ErrRange)
		return
	}
	c.I64LE("value", n, &i)
	if c.Decoding() {
		*v = Value{kind: KindInt, num: uint64(i)}
	}
}

func (t cellType) date(c *wire.Coder, v *Value) {
	if !c.Decoding() && v.kind != KindDate && v.kind != KindDateTime {
		c.Fail("value", wire.ErrValue)
		return
	}
	dateOnly := t.typ == TypeDate || t.typ == TypeNewDate
	var d DateTime
	if !c.Decoding() {
		d = unpack(v.num)
	}
	d.fields(c, dateOnly)
	if !c.Decoding() || c.Failed() {
		return
	}
	if dateOnly {
		*v = Date(d)
	} else {
		*v = Value{kind: KindDateTime, num: d.pack(), decimals: t.decimals}
	}
}

func (t cellType) bytes(c *wire.Coder, v *Value) {
	b := v.bytes
	if !c.Decoding() && (v.kind < KindDecimal || v.kind > KindBit) {
		c.Fail("value", wire.ErrValue)
		return
	}
	c.LenBytes("value", &b)
	if c.Decoding() {
		*v = Value{kind: t.bytesKind(), bytes: b}
	}
}

func (t cellType) bytesKind() Kind {
	switch {
	case t.typ == TypeDecimal || t.typ == TypeNewDecimal:
		return KindDecimal
	case t.typ == TypeBit:
		return KindBit
	case t.typ == TypeJSON:
		return KindText
	case t.binary || t.typ == TypeGeometry || t.typ == TypeVector:
		return KindBytes
	}
	return KindText
}

// bitmap returns a cleared bitmap of n bits, in store if that is large enough.
func bitmap(store []byte, n int) []byte {
	if n = (n + 7) / 8; n <= len(store) {
		return store[:n]
	}
	return make([]byte, n)
}

func setBit(b []byte, i int)      { b[i/8] |= 1 << (i % 8) }
func hasBit(b []byte, i int) bool { return b[i/8]&(1<<(i%8)) != 0 }
