package backend

import (
	"context"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// MemoryFS is files in memory. It keeps permissions and owners and does not
// enforce them.
type MemoryFS struct {
	mu    sync.RWMutex // guards all nodes too
	root  *node
	limit int64
	used  int64 // sizes of all files, holes included
}

var (
	_ sftpserver.Backend    = (*MemoryFS)(nil)
	_ sftpserver.LinkSetter = (*MemoryFS)(nil)
	_ sftpserver.StatVFSer  = (*MemoryFS)(nil)
)

// defaultMemory is how much data a MemoryFS holds unless told otherwise.
const defaultMemory = 1 << 30

// Memory returns an empty file system in memory that holds up to limit bytes
// of data; 0 means 1 GiB. A write beyond that fails with [syscall.ENOSPC].
func Memory(limit int64) *MemoryFS {
	if limit <= 0 {
		limit = defaultMemory
	}
	return &MemoryFS{root: newNode(fs.ModeDir | 0o755), limit: limit}
}

// node is a file, directory or symbolic link.
type node struct {
	mode         fs.FileMode
	uid, gid     uint32
	atime, mtime time.Time
	links        int // names
	open         int // files

	kids   map[string]*node // directory
	target string           // symbolic link
	pages  [][]byte         // file: pageSize bytes each; nil: a hole
	size   int64
}

func newNode(mode fs.FileMode) *node {
	now := time.Now()
	n := &node{mode: mode, atime: now, mtime: now, links: 1}
	if mode.IsDir() {
		n.kids = make(map[string]*node)
	}
	return n
}

func (n *node) attrs() sftp.Attrs {
	var a sftp.Attrs
	size := n.size
	if n.mode&fs.ModeSymlink != 0 {
		size = int64(len(n.target))
	}
	a.SetSize(uint64(size))
	a.SetOwner(n.uid, n.gid)
	a.SetPermissions(sftp.PermissionsOf(n.mode))
	a.SetTimes(n.atime, n.mtime)
	return a
}

// nodeInfo is a node as resolve sees it.
type nodeInfo struct {
	*node
	name string
}

func (i nodeInfo) Name() string       { return i.name }
func (i nodeInfo) Size() int64        { return i.size }
func (i nodeInfo) Mode() fs.FileMode  { return i.mode }
func (i nodeInfo) ModTime() time.Time { return i.mtime }
func (i nodeInfo) IsDir() bool        { return i.mode.IsDir() }
func (i nodeInfo) Sys() any           { return nil }

// at returns the node at a path that leads through no link.
func (m *MemoryFS) at(name string) (*node, error) {
	n := m.root
	for c := range strings.SplitSeq(strings.TrimPrefix(name, "/"), "/") {
		if c == "" {
			continue
		}
		if n.kids == nil {
			return nil, syscall.ENOTDIR
		}
		if n = n.kids[c]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

func (m *MemoryFS) lstat(name string) (fs.FileInfo, error) {
	n, err := m.at(name)
	if err != nil {
		return nil, err
	}
	return nodeInfo{n, path.Base(name)}, nil
}

func (m *MemoryFS) readlink(name string) (string, error) {
	n, err := m.at(name)
	switch {
	case err != nil:
		return "", err
	case n.mode&fs.ModeSymlink == 0:
		return "", syscall.EINVAL
	}
	return n.target, nil
}

// find returns the node that name leads to.
func (m *MemoryFS) find(name string, follow bool) (*node, error) {
	p, err := resolve(m, name, follow)
	if err != nil {
		return nil, err
	}
	return m.at(p)
}

// place returns the directory and the name in it that name leads to, whether
// or not there is something yet.
func (m *MemoryFS) place(name string, follow bool) (parent *node, base string, err error) {
	p, err := resolve(m, name, follow)
	if err != nil {
		return nil, "", err
	}
	if p == "/" {
		return nil, "", syscall.EBUSY
	}
	parent, err = m.at(path.Dir(p))
	if err == nil && parent.kids == nil {
		err = syscall.ENOTDIR
	}
	return parent, path.Base(p), err
}

// add puts n where name leads to, which must be free.
func (m *MemoryFS) add(name string, n *node) error {
	parent, base, err := m.place(name, false)
	if err != nil {
		if name == "/" {
			return fs.ErrExist
		}
		return err
	}
	if parent.kids[base] != nil {
		return fs.ErrExist
	}
	parent.kids[base] = n
	parent.mtime = time.Now()
	return nil
}

// drop takes a name away from its node.
func (m *MemoryFS) drop(parent *node, base string) {
	n := parent.kids[base]
	delete(parent.kids, base)
	parent.mtime = time.Now()
	n.links--
	m.reap(n)
}

// reap frees the data of a file that has neither name nor handle.
func (m *MemoryFS) reap(n *node) {
	if n.links == 0 && n.open == 0 {
		m.used -= n.size
		n.pages, n.size = nil, 0
	}
}

// Open opens a file.
func (m *MemoryFS) Open(_ context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	excl := flags&sftp.OpenExcl != 0
	n, err := m.find(name, !excl)
	switch {
	case err == nil && excl:
		return nil, fs.ErrExist
	case err == nil && n.mode.IsDir():
		return nil, syscall.EISDIR
	case err == nil:
		if flags&sftp.OpenTruncate != 0 {
			err = m.resize(n, 0)
		}
	case flags&sftp.OpenCreate != 0:
		var parent *node
		var base string
		if parent, base, err = m.place(name, !excl); err == nil {
			n = newNode(perm.Perm())
			parent.kids[base] = n
			parent.mtime = time.Now()
		}
	}
	if err != nil {
		return nil, err
	}
	n.open++
	return &memoryFile{m: m, n: n, appends: flags&sftp.OpenAppend != 0}, nil
}

// OpenDir opens a directory; its listing is that of this moment.
func (m *MemoryFS) OpenDir(_ context.Context, name string) (sftpserver.Dir, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(name, true)
	switch {
	case err != nil:
		return nil, err
	case n.kids == nil:
		return nil, syscall.ENOTDIR
	}
	d := &memoryDir{}
	for _, name := range slices.Sorted(maps.Keys(n.kids)) {
		kid := n.kids[name]
		d.entries = append(d.entries, sftpserver.Entry{Name: name, Attrs: kid.attrs(), Links: uint64(kid.links)})
	}
	return d, nil
}

// Stat returns attributes.
func (m *MemoryFS) Stat(_ context.Context, name string, follow bool) (sftp.Attrs, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, err := m.find(name, follow)
	if err != nil {
		return sftp.Attrs{}, err
	}
	return n.attrs(), nil
}

// SetStat changes attributes.
func (m *MemoryFS) SetStat(_ context.Context, name string, a *sftp.Attrs) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name, true)
	if err != nil {
		return err
	}
	return m.setStat(n, a)
}

// SetLinkStat changes attributes, those of a link its own.
func (m *MemoryFS) SetLinkStat(_ context.Context, name string, a *sftp.Attrs) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name, false)
	switch {
	case err != nil:
		return err
	case a.Has(sftp.AttrSize):
		return syscall.EINVAL
	}
	return m.setStat(n, a)
}

// Mkdir makes a directory.
func (m *MemoryFS) Mkdir(_ context.Context, name string, perm fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(name, newNode(fs.ModeDir|perm.Perm()))
}

// Remove removes a file or symbolic link.
func (m *MemoryFS) Remove(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	parent, base, err := m.place(name, false)
	switch {
	case err != nil:
		return err
	case parent.kids[base] == nil:
		return fs.ErrNotExist
	case parent.kids[base].mode.IsDir():
		return syscall.EISDIR
	}
	m.drop(parent, base)
	return nil
}

// Rmdir removes an empty directory.
func (m *MemoryFS) Rmdir(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	parent, base, err := m.place(name, false)
	switch {
	case err != nil:
		return err
	case parent.kids[base] == nil:
		return fs.ErrNotExist
	case !parent.kids[base].mode.IsDir():
		return syscall.ENOTDIR
	case len(parent.kids[base].kids) > 0:
		return syscall.ENOTEMPTY
	}
	m.drop(parent, base)
	return nil
}

// Rename gives a file another name.
func (m *MemoryFS) Rename(_ context.Context, oldname, newname string, overwrite bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, oldbase, err := m.place(oldname, false)
	if err != nil {
		return err
	}
	to, newbase, err := m.place(newname, false)
	if err != nil {
		return err
	}
	n, there := from.kids[oldbase], to.kids[newbase]
	switch {
	case n == nil:
		return fs.ErrNotExist
	case there != nil && !overwrite:
		return fs.ErrExist
	case there == n:
		return nil
	case n.mode.IsDir() && n.holds(to):
		return syscall.EINVAL
	case there == nil:
	case there.mode.IsDir() && !n.mode.IsDir():
		return syscall.EISDIR
	case !there.mode.IsDir() && n.mode.IsDir():
		return syscall.ENOTDIR
	case len(there.kids) > 0:
		return syscall.ENOTEMPTY
	}
	if there != nil {
		m.drop(to, newbase)
	}
	delete(from.kids, oldbase)
	to.kids[newbase] = n
	from.mtime, to.mtime = time.Now(), time.Now()
	return nil
}

// holds reports whether x is n or stands below it.
func (n *node) holds(x *node) bool {
	if n == x {
		return true
	}
	for _, kid := range n.kids {
		if kid.kids != nil && kid.holds(x) {
			return true
		}
	}
	return false
}

// Link makes another name for a file.
func (m *MemoryFS) Link(_ context.Context, oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(oldname, false)
	switch {
	case err != nil:
		return err
	case n.mode.IsDir():
		return fs.ErrPermission
	}
	if err := m.add(newname, n); err != nil {
		return err
	}
	n.links++
	return nil
}

// Symlink makes a symbolic link.
func (m *MemoryFS) Symlink(_ context.Context, target, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if target == "" {
		return fs.ErrNotExist
	}
	n := newNode(fs.ModeSymlink | 0o777)
	n.target = target
	return m.add(name, n)
}

// Readlink returns where a symbolic link points.
func (m *MemoryFS) Readlink(_ context.Context, name string) (string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := resolve(m, name, false)
	if err != nil {
		return "", err
	}
	return m.readlink(p)
}

// RealPath returns the path without symbolic links.
func (m *MemoryFS) RealPath(_ context.Context, name string) (string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return resolve(m, name, true)
}

// StatVFS tells how full the file system is.
func (m *MemoryFS) StatVFS(_ context.Context, name string) (sftp.StatVFSReply, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if _, err := m.find(name, true); err != nil {
		return sftp.StatVFSReply{}, err
	}
	free := uint64(m.limit-m.used) / pageSize
	return sftp.StatVFSReply{
		Bsize: pageSize, Frsize: pageSize, Blocks: uint64(m.limit) / pageSize, Bfree: free, Bavail: free, Namemax: 255,
	}, nil
}
