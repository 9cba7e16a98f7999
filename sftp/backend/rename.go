package backend

import (
	"errors"
	"io/fs"
	"path"
	"syscall"
)

// renamer is what renameFile and its like need.
type renamer interface {
	linkReader
	link(oldname, newname string) error
	unlink(name string) error
	rename(oldname, newname string) error
}

// renameFile renames. Without overwrite a regular file gets its new name by a
// link, which never replaces anything, and then loses the old one; what cannot
// be linked is renamed after a look, as OpenSSH's server does.
func renameFile(fsys renamer, oldname, newname string, overwrite bool) error {
	if overwrite {
		return fsys.rename(oldname, newname)
	}
	fi, err := fsys.lstat(oldname)
	if err != nil {
		return err
	}
	if fi.Mode().IsRegular() {
		err := fsys.link(oldname, newname)
		switch {
		case err == nil:
			if err := fsys.unlink(oldname); err != nil {
				fsys.unlink(newname) //nolint:errcheck // the first error is the one to tell
				return err
			}
			return nil
		case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return err
		}
	}
	if _, err := fsys.lstat(newname); err == nil {
		return &fs.PathError{Op: "rename", Path: newname, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.rename(oldname, newname)
}

// removeFile removes name unless it is a directory.
func removeFile(fsys renamer, name string) error {
	fi, err := fsys.lstat(name)
	if err != nil {
		return err
	}
	if fi.IsDir() {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.EISDIR}
	}
	return fsys.unlink(name)
}

// removeDir removes name if it is an empty directory.
func removeDir(fsys renamer, name string) error {
	fi, err := fsys.lstat(name)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return &fs.PathError{Op: "rmdir", Path: name, Err: syscall.ENOTDIR}
	}
	if path.Dir(name) == name {
		return &fs.PathError{Op: "rmdir", Path: name, Err: syscall.EBUSY}
	}
	return fsys.unlink(name)
}
