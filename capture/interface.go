package capture

import "encoding/binary"

const idbBody = 8

// parseInterface reads
//
//	link type 2 | reserved 2 | snaplen 4 | options
func parseInterface(b *Block) (*Interface, error) {
	if len(b.Body) < idbBody {
		return nil, ErrLength
	}
	i := &Interface{
		Link:    LinkType(b.Order.Uint16(b.Body)),
		Snaplen: b.Order.Uint32(b.Body[4:]),
		raw:     b,
	}
	for o := range options(b.Order, b.Body[idbBody:]) {
		switch o.code {
		case optComment:
			i.Comments = append(i.Comments, string(o.value))
		case ifName:
			i.Name = string(o.value)
		case ifDescription:
			i.Description = string(o.value)
		case ifFilter:
			if len(o.value) > 0 && o.value[0] == 0 { // 0: a text; 1: compiled
				i.Filter = string(o.value[1:])
			}
		case ifOS:
			i.OS = string(o.value)
		case ifTsresol:
			if len(o.value) == 1 {
				i.clock.resol, i.clock.set = o.value[0], true
			}
		case ifTsoffset:
			if len(o.value) == 8 {
				i.clock.offset = int64(b.Order.Uint64(o.value))
			}
		}
	}
	return i, nil
}

// appendInterface appends the body of the block for i, with time stamps in
// nanoseconds.
func appendInterface(b []byte, order binary.AppendByteOrder, i *Interface) []byte {
	b = order.AppendUint16(b, uint16(i.Link))
	b = order.AppendUint16(b, 0)
	b = order.AppendUint32(b, i.Snaplen)
	b = appendTexts(b, order, optComment, i.Comments...)
	b = appendTexts(b, order, ifName, i.Name)
	b = appendTexts(b, order, ifDescription, i.Description)
	b = appendOption(b, order, ifTsresol, []byte{tsNano})
	if i.Filter != "" {
		b = appendOption(b, order, ifFilter, "\x00"+i.Filter)
	}
	b = appendTexts(b, order, ifOS, i.OS)
	return order.AppendUint32(b, optEnd)
}
