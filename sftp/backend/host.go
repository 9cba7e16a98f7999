package backend

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// HostFS is the files of the host, with the rights of the process.
type HostFS struct {
	home   string
	owners owners
}

var (
	_ sftpserver.Backend    = (*HostFS)(nil)
	_ sftpserver.HomeDirer  = (*HostFS)(nil)
	_ sftpserver.UserHomer  = (*HostFS)(nil)
	_ sftpserver.OwnerNamer = (*HostFS)(nil)
	_ sftpserver.StatVFSer  = (*HostFS)(nil)
)

// Host returns the files of the host. Relative paths begin at home, a path of
// the operating system; an empty one means the current directory of the
// process, where sshd starts a subsystem: the user's home.
//
// On Windows "/C:/Users" is C:\Users, and "/" is the current drive's root.
func Host(home string) *HostFS {
	abs, err := filepath.Abs(home)
	if err != nil {
		abs = string(filepath.Separator)
	}
	return &HostFS{home: fromHost(abs)}
}

// HomeDir returns where relative paths begin.
func (h *HostFS) HomeDir() string { return h.home }

// UserHome returns where a user of the host is at home.
func (h *HostFS) UserHome(_ context.Context, name string) (string, error) {
	u, err := user.Lookup(name)
	if err != nil {
		var unknown user.UnknownUserError
		if errors.As(err, &unknown) {
			err = fs.ErrNotExist
		}
		return "", err
	}
	if !filepath.IsAbs(u.HomeDir) {
		return "", fs.ErrNotExist
	}
	return fromHost(filepath.Clean(u.HomeDir)), nil
}

// UserName returns the name of a user, "" when there is none.
func (h *HostFS) UserName(_ context.Context, uid uint32) string { return h.owners.user(uid) }

// GroupName returns the name of a group, "" when there is none.
func (h *HostFS) GroupName(_ context.Context, gid uint32) string { return h.owners.group(gid) }

// Open opens a file. What is no file, such as a device, is opened too, but
// never waited for.
func (h *HostFS) Open(_ context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	f, err := os.OpenFile(toHost(name), flags.OS()|openNonblock, perm)
	if err != nil {
		return nil, err
	}
	return newFile(f, flags, allPermissions, false)
}

// allPermissions are the bits that a user may set on his own files.
const allPermissions = sftp.ModePerm | sftp.ModeSetUID | sftp.ModeSetGID | sftp.ModeSticky

// OpenDir opens a directory.
func (h *HostFS) OpenDir(_ context.Context, name string) (sftpserver.Dir, error) {
	p := toHost(name)
	fi, err := os.Stat(p)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() { // asked first: opening a FIFO can have effects
		return nil, syscall.ENOTDIR
	}
	f, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	lstat := func(entry string) (fs.FileInfo, error) { return os.Lstat(filepath.Join(p, entry)) }
	return &dir{f: f, lstat: lstat, owners: &h.owners}, nil
}

// Stat returns attributes.
func (h *HostFS) Stat(_ context.Context, name string, follow bool) (sftp.Attrs, error) {
	stat := os.Lstat
	if follow {
		stat = os.Stat
	}
	fi, err := stat(toHost(name))
	if err != nil {
		return sftp.Attrs{}, err
	}
	return attrsOf(fi), nil
}

// SetStat changes attributes.
func (h *HostFS) SetStat(_ context.Context, name string, a *sftp.Attrs) error {
	p := toHost(name)
	return setStat(a, allPermissions, setter{
		truncate: func(size int64) error { return os.Truncate(p, size) },
		chown:    func(uid, gid int) error { return os.Chown(p, uid, gid) },
		chmod:    func(m fs.FileMode) error { return os.Chmod(p, m) },
		chtimes:  func(atime, mtime time.Time) error { return os.Chtimes(p, atime, mtime) },
	})
}

// Mkdir makes a directory.
func (h *HostFS) Mkdir(_ context.Context, name string, perm fs.FileMode) error {
	return os.Mkdir(toHost(name), perm)
}

// Remove removes a file or symbolic link.
func (h *HostFS) Remove(_ context.Context, name string) error {
	return removeFile(h, name)
}

// Rmdir removes an empty directory.
func (h *HostFS) Rmdir(_ context.Context, name string) error {
	return removeDir(h, name)
}

// Rename gives a file another name.
func (h *HostFS) Rename(_ context.Context, oldname, newname string, overwrite bool) error {
	return renameFile(h, oldname, newname, overwrite)
}

// Link makes another name for a file.
func (h *HostFS) Link(_ context.Context, oldname, newname string) error {
	return h.link(oldname, newname)
}

// Symlink makes a symbolic link.
func (h *HostFS) Symlink(_ context.Context, target, name string) error {
	return os.Symlink(targetToHost(target), toHost(name))
}

// Readlink returns where a symbolic link points.
func (h *HostFS) Readlink(_ context.Context, name string) (string, error) { return h.readlink(name) }

// RealPath returns the path without symbolic links.
func (h *HostFS) RealPath(_ context.Context, name string) (string, error) {
	return resolve(h, name, true)
}

// StatVFS tells how full the file system is.
func (h *HostFS) StatVFS(_ context.Context, name string) (sftp.StatVFSReply, error) {
	return statVFSPath(toHost(name))
}

func (h *HostFS) lstat(name string) (fs.FileInfo, error) { return os.Lstat(toHost(name)) }
func (h *HostFS) link(oldname, newname string) error {
	return os.Link(toHost(oldname), toHost(newname))
}
func (h *HostFS) unlink(name string) error { return os.Remove(toHost(name)) }
func (h *HostFS) rename(oldname, newname string) error {
	return os.Rename(toHost(oldname), toHost(newname))
}

func (h *HostFS) readlink(name string) (string, error) {
	t, err := os.Readlink(toHost(name))
	return targetFromHost(t), err
}
