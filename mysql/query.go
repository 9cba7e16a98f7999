package mysql

import "github.com/wirelark/wirelark/wire"

// Query asks for the execution of SQL. Manual: COM_QUERY. Attributes need
// ClientQueryAttributes, which changes the layout even when there are none.
type Query struct {
	Attributes []Param
	SQL        []byte // aliases the packet
}

func (m *Query) Fields(c *wire.Coder) {
	if caps(c).Has(ClientQueryAttributes) {
		n, sets := uint64(len(m.Attributes)), uint8(1)
		c.LenInt("parameter_count", &n)
		c.Suggest(8, 1, 1)
		c.U8("parameter_set_count", &sets)
		if sets != 1 {
			c.Fail("parameter_set_count", wire.ErrValue)
			return
		}
		if c.Decoding() {
			if m.Attributes = makeParams(c, n, n*3); c.Failed() {
				return
			}
		}
		if n > 0 {
			bound := true
			c.Group("attributes", func() { paramsFields(c, m.Attributes, &bound, true, 0) })
		}
	}
	c.Rest("query", &m.SQL)
}

// makeParams returns n parameters, which take at least size bytes of what is
// left.
func makeParams(c *wire.Coder, n, size uint64) []Param {
	const limit = 1 << 16
	if c.Failed() || n == 0 {
		return nil
	}
	if n > limit || !c.Fits(size) {
		c.Fail("parameter_count", wire.ErrShort)
		return nil
	}
	return make([]Param, n)
}
