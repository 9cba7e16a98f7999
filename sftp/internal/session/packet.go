package session

import (
	"sync"

	"github.com/wirelark/wirelark/sftp"
)

// Packet is a buffer that holds one packet. Its owner hands it on or frees it.
type Packet struct {
	B    []byte
	size int // index in packetSizes

	// status is where a STATUS in B is decoded to: one per answered WRITE
	// would otherwise be allocated.
	status sftp.Status
}

// packetSizes are the capacities of pooled packets: answers without data, data
// of the size that every server knows, and the largest.
var packetSizes = [...]int{512, 33 << 10, 129 << 10, 257 << 10}

var packets [len(packetSizes)]sync.Pool

// NewPacket returns a packet with len(B) == n, n at most [sftp.MaxPacket].
func NewPacket(n int) *Packet {
	for i, size := range packetSizes {
		if n > size {
			continue
		}
		p, _ := packets[i].Get().(*Packet)
		if p == nil {
			p = &Packet{B: make([]byte, size), size: i}
		}
		p.B = p.B[:n]
		return p
	}
	return &Packet{B: make([]byte, n), size: -1}
}

// Free gives the buffer back. Nobody may hold on to B. p may be nil.
func (p *Packet) Free() {
	if p == nil || p.size < 0 {
		return
	}
	packets[p.size].Put(p)
}
