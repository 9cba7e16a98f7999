package link

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/wirelark/wirelark/wire"
)

// ErrNoAddresses says that a checksum was to be computed for a segment whose
// IP addresses are not known: see [TCP.Over].
var ErrNoAddresses = errors.New("checksum needs the IP addresses")

// pseudo is the part of the IP header that the checksums of TCP and UDP cover
// (RFC 9293 §3.1, RFC 8200 §8.1).
type pseudo struct{ src, dst netip.Addr }

// finish computes or judges the checksum of the message coded since start.
func (p pseudo) finish(c *wire.Coder, proto Protocol, start, at wire.Mark, v *wire.Auto[uint16]) {
	known := p.src.IsValid() && p.dst.IsValid()
	switch {
	case c.Describing() && known && !c.Failed():
		c.View("checksum_ok", p.sum(proto, c.Since(start)) == 0)
	case v.Wanted(c) && !known:
		c.Fail("checksum", ErrNoAddresses)
	case v.Wanted(c):
		sum := p.sum(proto, c.Since(start))
		if sum == 0 && proto == ProtoUDP {
			sum = 0xffff // 0 means that there is none
		}
		wire.PatchAuto(c, "checksum", at, 2, v, uint64(sum))
	}
}

// sum returns the checksum of segment with its pseudo header; 0 when segment
// contains the right one.
func (p pseudo) sum(proto Protocol, segment []byte) uint16 {
	var part uint64
	for _, a := range [2]netip.Addr{p.src, p.dst} {
		if a.Is4() {
			b := a.As4()
			part += partial(b[:])
		} else {
			b := a.As16()
			part += partial(b[:])
		}
	}
	part += uint64(len(segment)) + uint64(proto)
	return checksum(part, segment)
}

// checksum is the Internet checksum of b, added to a partial sum. RFC 1071.
func checksum(sum uint64, b []byte) uint16 {
	sum += partial(b)
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// partial sums the words of b without folding. It adds four bytes at a time:
// 2^16 is 1 in one's complement, so halves may be folded at the end.
func partial(b []byte) uint64 {
	var sum uint64
	for len(b) >= 4 {
		sum += uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) >= 2 {
		sum += uint64(binary.BigEndian.Uint16(b))
		b = b[2:]
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}
