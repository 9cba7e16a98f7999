package sftpclient

import (
	"sync"

	"github.com/wirelark/wirelark/sftp"
)

// packet is a buffer that holds one packet. Its owner hands it on or frees it.
type packet struct {
	b    []byte
	size int // index in packetSizes

	// status is where a STATUS in b is decoded to: one per answered WRITE
	// would otherwise be allocated.
	status sftp.Status
}

// packetSizes are the capacities of pooled packets: answers without data, data
// of the size that every server knows, and the largest.
var packetSizes = [...]int{512, 33 << 10, 129 << 10, 257 << 10}

var packets [len(packetSizes)]sync.Pool

// newPacket returns a packet with len(b) == n, n at most [sftp.MaxPacket].
func newPacket(n int) *packet {
	for i, size := range packetSizes {
		if n > size {
			continue
		}
		p, _ := packets[i].Get().(*packet)
		if p == nil {
			p = &packet{b: make([]byte, size), size: i}
		}
		p.b = p.b[:n]
		return p
	}
	return &packet{b: make([]byte, n), size: -1}
}

// free gives the buffer back. Nobody may hold on to b.
func (p *packet) free() {
	if p == nil || p.size < 0 {
		return
	}
	packets[p.size].Put(p)
}
