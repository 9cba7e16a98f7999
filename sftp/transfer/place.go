package transfer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// place is where a local file goes: the path that the caller named (root is
// nil), or a name below a root, which came from the server.
type place struct {
	root *os.Root
	name string
}

func (p place) open(flag int, perm fs.FileMode) (*os.File, error) {
	if p.root == nil {
		return os.OpenFile(p.name, flag, perm)
	}
	f, err := p.root.OpenFile(p.name, flag, perm)
	return f, p.full(err)
}

// mkdir makes a directory, or takes the one that is there.
func (p place) mkdir(perm fs.FileMode) error {
	var err error
	if p.root == nil {
		err = os.Mkdir(p.name, perm)
	} else {
		err = p.root.Mkdir(p.name, perm)
	}
	if err == nil {
		return nil
	}
	if i, statErr := p.stat(); statErr == nil && i.IsDir() {
		return nil
	}
	return p.full(err)
}

func (p place) stat() (fs.FileInfo, error) {
	if p.root == nil {
		return os.Stat(p.name)
	}
	return p.root.Stat(p.name)
}

func (p place) chtimes(atime, mtime time.Time) error {
	if p.root == nil {
		return os.Chtimes(p.name, atime, mtime)
	}
	return p.full(p.root.Chtimes(p.name, atime, mtime))
}

func (p place) chmod(mode fs.FileMode) error {
	if p.root == nil {
		return os.Chmod(p.name, mode)
	}
	return p.full(p.root.Chmod(p.name, mode))
}

// enter opens the directory as a root of its own.
func (p place) enter() (*os.Root, error) {
	if p.root == nil {
		return os.OpenRoot(p.name)
	}
	r, err := p.root.OpenRoot(p.name)
	return r, p.full(err)
}

// below is the place of name in the directory p, which is part of a root.
func (p place) below(name string) place {
	return place{root: p.root, name: filepath.Join(p.name, name)}
}

// path is the local path for people.
func (p place) path() string {
	if p.root == nil {
		return p.name
	}
	return filepath.Join(p.root.Name(), p.name)
}

// full gives an error of a root, which knows the name below it only, the whole
// path.
func (p place) full(err error) error {
	if err == nil || p.root == nil {
		return err
	}
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // made by os.Root, never wrapped
		return &fs.PathError{Op: pe.Op, Path: p.path(), Err: pe.Err}
	}
	return fmt.Errorf("%s: %w", p.path(), err)
}

// localName turns a name that a server has listed into one of this system, or
// refuses it: on Windows there are characters and names that mean something
// else.
func localName(name string) (string, error) {
	local, err := filepath.Localize(name)
	if err != nil || filepath.Base(local) != local || local == "." {
		return "", fmt.Errorf("name %q cannot be used on this system: %w", name, fs.ErrInvalid)
	}
	return local, nil
}
