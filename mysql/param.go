package mysql

import "github.com/wirelark/wirelark/wire"

// ParamType is the type of a parameter.
type ParamType struct {
	Type     Type
	Unsigned bool
}

func (t ParamType) cell() cellType {
	binary := false
	switch t.Type {
	case TypeTinyBlob, TypeMediumBlob, TypeLongBlob, TypeBlob:
		binary = true
	}
	return cellType{typ: t.Type, unsigned: t.Unsigned, binary: binary, decimals: freeDecimals}
}

func (t *ParamType) fields(c *wire.Coder) {
	flags := uint8(0)
	if t.Unsigned {
		flags = 0x80
	}
	wire.Enum8(c, "type", &t.Type)
	c.U8("flags", &flags)
	if c.Decoding() {
		t.Unsigned = flags&0x80 != 0
	}
}

// ParamType returns the type in which v is sent as a parameter.
func (v *Value) ParamType() ParamType {
	switch v.kind {
	case KindInt:
		return ParamType{Type: TypeLonglong}
	case KindUint:
		return ParamType{Type: TypeLonglong, Unsigned: true}
	case KindFloat:
		return ParamType{Type: TypeFloat}
	case KindDouble:
		return ParamType{Type: TypeDouble}
	case KindDecimal:
		return ParamType{Type: TypeNewDecimal}
	case KindText:
		return ParamType{Type: TypeVarString}
	case KindBytes, KindBit:
		return ParamType{Type: TypeBlob}
	case KindDate:
		return ParamType{Type: TypeDate}
	case KindDateTime:
		return ParamType{Type: TypeDatetime}
	case KindTime:
		return ParamType{Type: TypeTime}
	}
	return ParamType{Type: TypeNull}
}

// Param is a parameter of a statement or, with a name, an attribute of a
// query.
type Param struct {
	Name  string // attributes only
	Type  ParamType
	Long  bool // the value went before in COM_STMT_SEND_LONG_DATA and is left out
	Value Value
}

// NewParam returns v as a parameter of the type that suits it.
func NewParam(v Value) Param { return Param{Type: v.ParamType(), Value: v} }

// NewAttribute returns v as an attribute of a query.
func NewAttribute(name string, v Value) Param {
	return Param{Name: name, Type: v.ParamType(), Value: v}
}

// paramsFields codes the NULL bitmap, the types if bound says that there are
// some, and the values of parameters. When decoding, v has as many elements as
// there are parameters, the first of them with the types of the last
// execution: typed of them.
func paramsFields(c *wire.Coder, v []Param, bound *bool, names bool, typed int) {
	var store [32]byte
	nulls := bitmap(store[:], len(v))
	if !c.Decoding() {
		for i := range v {
			if v[i].Value.IsNull() && !v[i].Long {
				setBit(nulls, i)
			}
		}
	}
	c.Raw("null_bitmap", len(nulls), &nulls)
	c.Suggest(8, 0, 1)
	c.Bool("new_params_bind_flag", bound)
	if c.Decoding() && !*bound && typed < len(v) {
		c.Fail("new_params_bind_flag", wire.ErrValue)
	}
	if c.Failed() {
		return
	}
	if *bound {
		wire.Each(c, "types", v, func(_ int, p *Param, c *wire.Coder) {
			p.Type.fields(c)
			if names {
				c.LenText("name", &p.Name)
			}
		})
	}
	wire.Each(c, "values", v, func(i int, p *Param, c *wire.Coder) {
		switch {
		case p.Long:
		case !hasBit(nulls, i):
			p.Type.cell().fields(c, &p.Value)
		case c.Decoding():
			p.Value = Value{}
		}
	})
}
