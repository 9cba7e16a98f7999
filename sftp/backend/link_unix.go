//go:build linux || darwin

package backend

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// Links themselves are changed by the name in their directory. Windows has no
// calls for it that Go offers, so its backends do not have SetLinkStat.

var (
	_ sftpserver.LinkSetter = (*HostFS)(nil)
	_ sftpserver.LinkSetter = (*RootedFS)(nil)
)

// SetLinkStat changes attributes, those of a link its own. Linux keeps no
// modes for links, and none is set elsewhere.
func (h *HostFS) SetLinkStat(_ context.Context, name string, a *sftp.Attrs) error {
	p := toHost(name)
	return setStat(a, allPermissions, setter{
		truncate: noSize,
		chown:    func(uid, gid int) error { return os.Lchown(p, uid, gid) },
		chmod:    func(m fs.FileMode) error { return chmodNoLink(os.Lstat, os.Chmod, p, m) },
		chtimes: func(atime, mtime time.Time) error {
			return pathError("lchtimes", p, lchtimes(unix.AT_FDCWD, p, atime, mtime))
		},
	})
}

// SetLinkStat changes attributes, those of a link its own, and never those of
// what it points to.
func (r *RootedFS) SetLinkStat(_ context.Context, name string, a *sftp.Attrs) error {
	each := func(op func(p string) error) error { return r.do(name, false, op) }
	return setStat(a, sftp.ModePerm|sftp.ModeSticky, setter{
		truncate: noSize,
		chown:    func(uid, gid int) error { return each(func(p string) error { return r.root.Lchown(rel(p), uid, gid) }) },
		chmod: func(m fs.FileMode) error {
			return each(func(p string) error { return chmodNoLink(r.root.Lstat, r.root.Chmod, rel(p), m) })
		},
		chtimes: func(atime, mtime time.Time) error {
			return each(func(p string) error { return r.lchtimes(p, atime, mtime) })
		},
	})
}

// lchtimes sets times by the last component alone, in a directory that was
// opened below the root: wherever links lead, it stays there.
func (r *RootedFS) lchtimes(name string, atime, mtime time.Time) error {
	base := path.Base(name)
	if name == "/" {
		base = "."
	}
	d, err := r.root.Open(rel(path.Dir(name)))
	if err != nil {
		return err
	}
	defer d.Close()
	err = control(d, func(fd int) error { return lchtimes(fd, base, atime, mtime) })
	return pathError("lchtimes", filepath.FromSlash(name), err)
}

func lchtimes(dir int, name string, atime, mtime time.Time) error {
	ts := []unix.Timespec{unix.NsecToTimespec(atime.UnixNano()), unix.NsecToTimespec(mtime.UnixNano())}
	return unix.UtimesNanoAt(dir, name, ts, unix.AT_SYMLINK_NOFOLLOW)
}

// chmodNoLink refuses to change the mode of a link. Should the file become one
// between the two steps, the root's Chmod still changes nothing outside.
func chmodNoLink(lstat func(string) (fs.FileInfo, error), chmod func(string, fs.FileMode) error, name string, m fs.FileMode) error {
	fi, err := lstat(name)
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		return pathError("lchmod", name, errors.ErrUnsupported)
	}
	return chmod(name, m)
}

func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
