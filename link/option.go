package link

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// An Option is one option of an IPv4 or TCP header: a kind alone, or a kind,
// a length and data. The first two kinds, end of list and no operation, stand
// alone; the end of the list takes all bytes behind it as its Data.
type Option[K ~uint8] struct {
	Kind K
	Len  wire.Auto[uint8] // of the whole option, at least 2; not for kinds that stand alone
	Data []byte           // aliases the packet
}

// An IPOption is an option of an IPv4 header. RFC 791 §3.1.
type IPOption = Option[IPOptionKind]

// A TCPOption is an option of a TCP header. RFC 9293 §3.2.
type TCPOption = Option[TCPOptionKind]

// IPOptionKind is the type of an IPv4 option.
type IPOptionKind uint8

const (
	IPEnd         IPOptionKind = 0
	IPNop         IPOptionKind = 1
	IPRecordRoute IPOptionKind = 7
	IPTimestamp   IPOptionKind = 68
	IPLooseRoute  IPOptionKind = 131
	IPStrictRoute IPOptionKind = 137
	IPRouterAlert IPOptionKind = 148
)

// String returns the option's name, or its number.
func (k IPOptionKind) String() string {
	switch k {
	case IPEnd:
		return "end of list"
	case IPNop:
		return "no operation"
	case IPRecordRoute:
		return "record route"
	case IPTimestamp:
		return "timestamp"
	case IPLooseRoute:
		return "loose source route"
	case IPStrictRoute:
		return "strict source route"
	case IPRouterAlert:
		return "router alert"
	}
	return fmt.Sprintf("%d", uint8(k))
}

// TCPOptionKind is the kind of a TCP option.
type TCPOptionKind uint8

const (
	TCPEnd           TCPOptionKind = 0
	TCPNop           TCPOptionKind = 1
	TCPMSS           TCPOptionKind = 2
	TCPWindowScale   TCPOptionKind = 3
	TCPSACKPermitted TCPOptionKind = 4
	TCPSACK          TCPOptionKind = 5
	TCPTimestamps    TCPOptionKind = 8
	TCPMultipath     TCPOptionKind = 30
	TCPFastOpen      TCPOptionKind = 34
)

// String returns the option's name, or its number.
func (k TCPOptionKind) String() string {
	switch k {
	case TCPEnd:
		return "end of list"
	case TCPNop:
		return "no operation"
	case TCPMSS:
		return "maximum segment size"
	case TCPWindowScale:
		return "window scale"
	case TCPSACKPermitted:
		return "SACK permitted"
	case TCPSACK:
		return "SACK"
	case TCPTimestamps:
		return "timestamps"
	case TCPMultipath:
		return "multipath TCP"
	case TCPFastOpen:
		return "fast open"
	}
	return fmt.Sprintf("%d", uint8(k))
}

const (
	optionEnd     = 0 // the same in IPv4 and TCP
	optionNop     = 1
	optionMinimum = 2 // kind and length
)

func optionsLen[K ~uint8](list []Option[K]) int {
	n := 0
	for i := range list {
		n++
		if list[i].Kind != optionNop {
			n += len(list[i].Data)
		}
		if list[i].Kind > optionNop {
			n++
		}
	}
	return n
}

// optionFields codes the n bytes of options of a header.
func optionFields[K ~uint8](c *wire.Coder, n int, list *[]Option[K]) {
	wire.ListWithin(c, "options", n, list, func(o *Option[K], c *wire.Coder) {
		if c.Remaining() == 1 {
			c.Suggest(8, optionEnd, optionNop)
		}
		wire.Enum8(c, "kind", &o.Kind)
		size := c.Remaining()
		if !c.Decoding() {
			size = len(o.Data)
		}
		switch o.Kind {
		case optionEnd:
			c.Raw("padding", size, &o.Data)
		case optionNop:
		default:
			optionBody(c, o)
		}
	})
}

func optionBody[K ~uint8](c *wire.Coder, o *Option[K]) {
	c.Suggest(8, optionMinimum, uint64(c.Remaining()+1))
	length := wire.AutoUint(c, "length", 1, &o.Len)
	n := len(o.Data)
	if c.Decoding() {
		if o.Len.V < optionMinimum {
			c.Fail("length", wire.ErrRange)
		}
		n = max(0, int(o.Len.V)-optionMinimum)
	}
	c.Raw("data", n, &o.Data)
	if o.Len.Wanted(c) {
		wire.PatchAuto(c, "length", length, 1, &o.Len, uint64(len(o.Data)+optionMinimum))
	}
}
