package backend

import (
	"io"
	"io/fs"
	"math"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// pageSize is the unit in which a file in memory is kept: small enough that
// many small files cost little, large enough for few steps in a read.
const pageSize = 16 << 10

// memoryFile is an open file of a [MemoryFS].
type memoryFile struct {
	m       *MemoryFS
	n       *node
	appends bool
	closed  bool // guarded by m.mu
}

var (
	_ sftpserver.File       = (*memoryFile)(nil)
	_ sftpserver.Syncer     = (*memoryFile)(nil)
	_ sftpserver.Identifier = (*memoryFile)(nil)
)

func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.RLock()
	defer f.m.mu.RUnlock()
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case off < 0:
		return 0, fs.ErrInvalid
	case off >= f.n.size:
		return 0, io.EOF
	}
	var err error
	if int64(len(b)) > f.n.size-off {
		b, err = b[:f.n.size-off], io.EOF
	}
	n := len(b)
	for len(b) > 0 {
		page, at := f.n.pages[off/pageSize], off%pageSize
		part := b[:min(int64(len(b)), pageSize-at)]
		if page == nil {
			clear(part)
		} else {
			copy(part, page[at:])
		}
		b, off = b[len(part):], off+int64(len(part))
	}
	return n, err
}

func (f *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.appends {
		off = f.n.size
	}
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case off < 0 || off > math.MaxInt64-int64(len(b)):
		return 0, fs.ErrInvalid
	case len(b) == 0:
		return 0, nil
	}
	if end := off + int64(len(b)); end > f.n.size {
		if err := f.m.resize(f.n, end); err != nil {
			return 0, err
		}
	}
	n := len(b)
	for len(b) > 0 {
		i, at := off/pageSize, off%pageSize
		if f.n.pages[i] == nil {
			f.n.pages[i] = make([]byte, pageSize)
		}
		k := copy(f.n.pages[i][at:], b)
		b, off = b[k:], off+int64(k)
	}
	f.n.mtime = time.Now()
	return n, nil
}

// resize makes a file longer, by a hole, or shorter.
func (m *MemoryFS) resize(n *node, size int64) error {
	if size > m.limit || m.used+size-n.size > m.limit {
		return syscall.ENOSPC
	}
	m.used += size - n.size
	pages := int((size + pageSize - 1) / pageSize)
	if pages <= len(n.pages) {
		clear(n.pages[pages:])
		n.pages = n.pages[:pages]
	} else {
		n.pages = append(n.pages, make([][]byte, pages-len(n.pages))...)
	}
	if at := size % pageSize; size < n.size && at > 0 && n.pages[pages-1] != nil {
		clear(n.pages[pages-1][at:]) // what is cut off must not come back
	}
	n.size = size
	n.mtime = time.Now()
	return nil
}

func (f *memoryFile) Stat() (sftp.Attrs, error) {
	f.m.mu.RLock()
	defer f.m.mu.RUnlock()
	return f.n.attrs(), nil
}

func (f *memoryFile) SetStat(a *sftp.Attrs) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.m.setStat(f.n, a)
}

func (m *MemoryFS) setStat(n *node, a *sftp.Attrs) error {
	return setStat(a, sftp.ModePerm|sftp.ModeSticky, setter{
		truncate: func(size int64) error {
			if !n.mode.IsRegular() {
				return syscall.EISDIR
			}
			return m.resize(n, size)
		},
		chown: func(uid, gid int) error {
			if uid != -1 {
				n.uid = uint32(uid)
			}
			if gid != -1 {
				n.gid = uint32(gid)
			}
			return nil
		},
		chmod: func(mode fs.FileMode) error {
			n.mode = n.mode&fs.ModeType | mode&^fs.ModeType
			return nil
		},
		chtimes: func(atime, mtime time.Time) error {
			n.atime, n.mtime = atime, mtime
			return nil
		},
	})
}

func (f *memoryFile) Sync() error { return nil }

func (f *memoryFile) Identity() any { return f.n }

func (f *memoryFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	f.n.open--
	f.m.reap(f.n)
	return nil
}

// memoryDir is an open directory of a [MemoryFS].
type memoryDir struct {
	entries []sftpserver.Entry
}

func (d *memoryDir) ReadDir(n int) ([]sftpserver.Entry, error) {
	if len(d.entries) == 0 {
		return nil, io.EOF
	}
	list := d.entries[:min(n, len(d.entries))]
	d.entries = d.entries[len(list):]
	return list, nil
}

func (d *memoryDir) Close() error { return nil }
