package backend

import (
	"context"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// RootedFS is the files below one directory, which cannot be left.
type RootedFS struct {
	root   *os.Root
	owners owners
}

var (
	_ sftpserver.Backend    = (*RootedFS)(nil)
	_ sftpserver.OwnerNamer = (*RootedFS)(nil)
	_ sftpserver.StatVFSer  = (*RootedFS)(nil)
)

// Rooted returns the files below dir, which is "/" to clients. Close it when
// its last session has ended. Clients cannot set the set-id bits, and what is
// neither file, directory nor symbolic link can be listed and removed but not
// opened.
func Rooted(dir string) (*RootedFS, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &RootedFS{root: root}, nil
}

// Close gives the directory up. Open files stay usable.
func (r *RootedFS) Close() error { return r.root.Close() }

// rel returns the form of a path that os.Root wants.
func rel(name string) string {
	if name == "/" {
		return "."
	}
	return filepath.FromSlash(name[1:])
}

// do calls op with name, and, should that fail, with the path that name leads
// to when absolute links mean the root, if it is another one. os.Root refuses
// to follow such links and is fast where there are none; an op that it has
// refused had no effect, and the second try is as safe as the first.
func (r *RootedFS) do(name string, follow bool, op func(p string) error) error {
	err := op(name)
	if err == nil {
		return nil
	}
	if p, rerr := resolve(r, name, follow); rerr == nil && p != name {
		return op(p)
	}
	return err
}

// do2 is do for two names, neither of which is followed at its end.
func (r *RootedFS) do2(oldname, newname string, op func(o, n string) error) error {
	return r.do(oldname, false, func(o string) error {
		return r.do(newname, false, func(n string) error { return op(o, n) })
	})
}

// UserName returns the name of a user of the host, which listings show too; ""
// when there is none.
func (r *RootedFS) UserName(_ context.Context, uid uint32) string { return r.owners.user(uid) }

// GroupName returns the name of a group, "" when there is none.
func (r *RootedFS) GroupName(_ context.Context, gid uint32) string { return r.owners.group(gid) }

// Open opens a regular file.
func (r *RootedFS) Open(_ context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (sftpserver.File, error) {
	flag := flags.OS() | openNonblock
	follow := flags&sftp.OpenExcl == 0
	var f *file
	err := r.do(name, follow, func(p string) error {
		stat := r.root.Stat
		if !follow {
			stat = r.root.Lstat
		}
		if fi, err := stat(rel(p)); err == nil { // opening a device can have effects
			if err := openable(fi, follow); err != nil {
				return err
			}
		}
		of, err := r.root.OpenFile(rel(p), flag, perm)
		if err != nil {
			return err
		}
		f, err = newFile(of, flags, sftp.ModePerm|sftp.ModeSticky, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// OpenDir opens a directory.
func (r *RootedFS) OpenDir(_ context.Context, name string) (sftpserver.Dir, error) {
	var d *dir
	err := r.do(name, true, func(p string) error {
		fi, err := r.root.Stat(rel(p))
		if err != nil {
			return err
		}
		if !fi.IsDir() {
			return syscall.ENOTDIR
		}
		// Entries are looked at from the directory itself, wherever it is
		// moved meanwhile.
		sub, err := r.root.OpenRoot(rel(p))
		if err != nil {
			return err
		}
		f, err := sub.Open(".")
		if err != nil {
			sub.Close()
			return err
		}
		d = &dir{f: f, lstat: sub.Lstat, owners: &r.owners, root: sub}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Stat returns attributes.
func (r *RootedFS) Stat(_ context.Context, name string, follow bool) (sftp.Attrs, error) {
	stat := r.root.Lstat
	if follow {
		stat = r.root.Stat
	}
	var a sftp.Attrs
	err := r.do(name, follow, func(p string) error {
		fi, err := stat(rel(p))
		if err == nil {
			a = attrsOf(fi)
		}
		return err
	})
	return a, err
}

// SetStat changes attributes. os.Root's Chmod, Chown and Chtimes need no right
// to open the file; should it be swapped for a link meanwhile, they change the
// link and never what it points to.
func (r *RootedFS) SetStat(_ context.Context, name string, a *sftp.Attrs) error {
	each := func(op func(p string) error) error {
		return r.do(name, true, func(p string) error { return op(rel(p)) })
	}
	return setStat(a, sftp.ModePerm|sftp.ModeSticky, setter{
		truncate: func(size int64) error { return r.truncate(name, size) },
		chown:    func(uid, gid int) error { return each(func(p string) error { return r.root.Chown(p, uid, gid) }) },
		chmod:    func(m fs.FileMode) error { return each(func(p string) error { return r.root.Chmod(p, m) }) },
		chtimes: func(atime, mtime time.Time) error {
			return each(func(p string) error { return r.root.Chtimes(p, atime, mtime) })
		},
	})
}

// truncate changes the size through an opened file: os.Root has no other way.
func (r *RootedFS) truncate(name string, size int64) error {
	f, err := r.Open(context.Background(), name, sftp.OpenWrite, 0)
	if err != nil {
		return err
	}
	var a sftp.Attrs
	a.SetSize(uint64(size))
	err = f.SetStat(&a)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// Mkdir makes a directory.
func (r *RootedFS) Mkdir(_ context.Context, name string, perm fs.FileMode) error {
	return r.do(name, false, func(p string) error { return r.root.Mkdir(rel(p), perm) })
}

// Remove removes a file or symbolic link.
func (r *RootedFS) Remove(_ context.Context, name string) error {
	return r.do(name, false, func(p string) error { return removeFile(r, p) })
}

// Rmdir removes an empty directory.
func (r *RootedFS) Rmdir(_ context.Context, name string) error {
	return r.do(name, false, func(p string) error { return removeDir(r, p) })
}

// Rename gives a file another name.
func (r *RootedFS) Rename(_ context.Context, oldname, newname string, overwrite bool) error {
	if oldname == "/" || newname == "/" {
		return syscall.EBUSY
	}
	return r.do2(oldname, newname, func(o, n string) error { return renameFile(r, o, n, overwrite) })
}

// Link makes another name for a file.
func (r *RootedFS) Link(_ context.Context, oldname, newname string) error {
	return r.do2(oldname, newname, r.link)
}

// Symlink makes a symbolic link with whatever target: a target outside cannot
// be reached through it here.
func (r *RootedFS) Symlink(_ context.Context, target, name string) error {
	return r.do(name, false, func(p string) error { return r.root.Symlink(filepath.FromSlash(target), rel(p)) })
}

// Readlink returns where a symbolic link points.
func (r *RootedFS) Readlink(_ context.Context, name string) (string, error) {
	var target string
	err := r.do(name, false, func(p string) (err error) {
		target, err = r.readlink(p)
		return err
	})
	return target, err
}

// RealPath returns the path without symbolic links.
func (r *RootedFS) RealPath(_ context.Context, name string) (string, error) {
	return resolve(r, name, true)
}

// StatVFS tells how full the file system is.
func (r *RootedFS) StatVFS(_ context.Context, name string) (sftp.StatVFSReply, error) {
	var reply sftp.StatVFSReply
	err := r.do(name, true, func(p string) error {
		fi, err := r.root.Stat(rel(p))
		if err != nil {
			return err
		}
		if !fi.IsDir() { // a file need not be readable to be on a file system
			p = path.Dir(p)
		}
		f, err := r.root.Open(rel(p))
		if err != nil {
			return err
		}
		defer f.Close()
		reply, err = statVFSFile(f)
		return err
	})
	return reply, err
}

func (r *RootedFS) lstat(name string) (fs.FileInfo, error) { return r.root.Lstat(rel(name)) }
func (r *RootedFS) link(oldname, newname string) error {
	return r.root.Link(rel(oldname), rel(newname))
}
func (r *RootedFS) unlink(name string) error { return r.root.Remove(rel(name)) }
func (r *RootedFS) rename(oldname, newname string) error {
	return r.root.Rename(rel(oldname), rel(newname))
}

func (r *RootedFS) readlink(name string) (string, error) {
	t, err := r.root.Readlink(rel(name))
	return filepath.ToSlash(t), err
}
