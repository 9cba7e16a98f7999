package backend

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// file is an open file of the host.
type file struct {
	f        *os.File
	identity any
	appends  bool
	mask     sftp.Permissions // bits that SetStat may set
}

var (
	_ sftpserver.File          = (*file)(nil)
	_ sftpserver.Syncer        = (*file)(nil)
	_ sftpserver.FileStatVFSer = (*file)(nil)
	_ sftpserver.Identifier    = (*file)(nil)
)

// newFile takes over f, which has just been opened, unless it is a directory
// or, with regular set, anything but a regular file.
func newFile(f *os.File, flags sftp.OpenFlags, mask sftp.Permissions, regular bool) (*file, error) {
	fi, err := f.Stat()
	if err == nil {
		err = openable(fi, regular)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	identity := identityOf(fi)
	if identity == nil {
		identity = f.Name()
	}
	return &file{f: f, identity: identity, appends: flags&sftp.OpenAppend != 0, mask: mask}, nil
}

// openable judges what is to be opened as a file.
func openable(fi fs.FileInfo, regular bool) error {
	switch {
	case fi.IsDir():
		return syscall.EISDIR
	case regular && !fi.Mode().IsRegular():
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "not a regular file"}
	}
	return nil
}

func (f *file) ReadAt(b []byte, off int64) (int, error) { return f.f.ReadAt(b, off) }

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	if f.appends { // the system ignores offsets, and WriteAt refuses for that reason
		return f.f.Write(b)
	}
	return f.f.WriteAt(b, off)
}

func (f *file) Stat() (sftp.Attrs, error) {
	fi, err := f.f.Stat()
	if err != nil {
		return sftp.Attrs{}, err
	}
	return attrsOf(fi), nil
}

func (f *file) SetStat(a *sftp.Attrs) error {
	return setStat(a, f.mask, setter{
		truncate: f.f.Truncate,
		chown:    f.f.Chown,
		chmod:    f.f.Chmod,
		chtimes:  func(atime, mtime time.Time) error { return setTimes(f.f, atime, mtime) },
	})
}

func (f *file) Sync() error { return f.f.Sync() }

func (f *file) StatVFS() (sftp.StatVFSReply, error) { return statVFSFile(f.f) }

func (f *file) Identity() any { return f.identity }

func (f *file) Close() error { return f.f.Close() }

// setter is how one file's attributes are changed.
type setter struct {
	truncate func(size int64) error
	chown    func(uid, gid int) error
	chmod    func(fs.FileMode) error
	chtimes  func(atime, mtime time.Time) error
}

// noSize is how links, which have none, are truncated.
func noSize(int64) error { return syscall.EINVAL }

// setStat sets what is present in a. The times come last, as the others change
// them, and the mode after the owner, a change of which clears bits. All are
// tried; the first error is returned.
func setStat(a *sftp.Attrs, mask sftp.Permissions, s setter) error {
	var first error
	try := func(err error) {
		if first == nil {
			first = err
		}
	}
	if a.Has(sftp.AttrSize) {
		try(s.truncate(int64(a.Size)))
	}
	if a.Has(sftp.AttrUIDGID) {
		try(s.chown(int(int32(a.UID)), int(int32(a.GID)))) // 0xffffffff means leave it, as in chown(2)
	}
	if a.Has(sftp.AttrPermissions) {
		try(s.chmod((a.Permissions & mask &^ sftp.ModeType).FileMode()))
	}
	if a.Has(sftp.AttrTimes) {
		try(s.chtimes(a.AccessTime(), a.ModTime()))
	}
	return first
}

// dir is an open directory of the host.
type dir struct {
	f      *os.File
	lstat  func(name string) (fs.FileInfo, error) // of an entry
	owners *owners
	root   io.Closer // closed too; may be nil
}

var _ sftpserver.Dir = (*dir)(nil)

func (d *dir) ReadDir(n int) ([]sftpserver.Entry, error) {
	for {
		names, err := d.f.Readdirnames(n)
		list := make([]sftpserver.Entry, 0, len(names))
		for _, name := range names {
			fi, err := d.lstat(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it went away meanwhile
			}
			list = append(list, entryOf(name, fi, err, d.owners))
		}
		if len(list) > 0 || err != nil {
			return list, err
		}
	}
}

// entryOf describes a directory entry. One whose attributes cannot be read is
// listed without.
func entryOf(name string, fi fs.FileInfo, err error, o *owners) sftpserver.Entry {
	e := sftpserver.Entry{Name: name}
	if err != nil {
		return e
	}
	e.Attrs = attrsOf(fi)
	e.Links = linksOf(fi)
	if e.Attrs.Has(sftp.AttrUIDGID) {
		e.Owner, e.Group = o.user(e.Attrs.UID), o.group(e.Attrs.GID)
	}
	return e
}

func (d *dir) Close() error {
	err := d.f.Close()
	if d.root != nil {
		d.root.Close()
	}
	return err
}
