package sftpserver

import (
	"sync"

	"github.com/wirelark/wirelark/sftp"
)

// A buffer is bytes that are used again. They belong to a pool and not to a
// session, so that an idle session holds none.
type buffer struct {
	b    []byte
	pool *sync.Pool
}

// Sizes of pooled buffers: a small request or reply, the usual 32 KiB of data,
// and the largest packet by default. Each leaves room for the fields around.
var bufferSizes = [...]int{1 << 10, sftp.SafeData + 1<<10, sftp.MaxPacket + sftp.LengthSize}

var bufferPools [len(bufferSizes)]sync.Pool

// getBuffer returns a buffer with len(b) == 0 and cap(b) >= n.
func getBuffer(n int) *buffer {
	for i, size := range bufferSizes {
		if n > size {
			continue
		}
		if b, ok := bufferPools[i].Get().(*buffer); ok {
			b.b = b.b[:0]
			return b
		}
		return &buffer{b: make([]byte, 0, size), pool: &bufferPools[i]}
	}
	return &buffer{b: make([]byte, 0, n)}
}

// free gives the buffer back; its bytes must not be used any more.
func (b *buffer) free() {
	if b != nil && b.pool != nil {
		b.pool.Put(b)
	}
}
