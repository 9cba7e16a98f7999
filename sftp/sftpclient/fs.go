package sftpclient

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
)

// FS shows the tree at a directory of the server as an [fs.FS]. It is safe for
// concurrent use. Its files are *[File] behind the interfaces of package fs,
// with Seek and ReadAt.
//
// As with [os.DirFS], symbolic links are followed wherever they lead: an FS is
// a view and no jail.
type FS struct {
	c    *Client
	ctx  context.Context //nolint:containedctx // package fs knows no contexts: the view carries it
	root string
}

var (
	_ fs.FS         = (*FS)(nil)
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.SubFS      = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// FS returns the tree at root. Everything done with it ends when ctx does.
func (c *Client) FS(ctx context.Context, root string) *FS {
	return &FS{c: c, ctx: ctx, root: root}
}

// path returns the server's path of name.
func (f *FS) path(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join(f.root, name), nil
}

// named gives an error the name that the caller knows.
func named(op, name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return pathError(op, name, err)
}

// Open opens the file or directory at name.
func (f *FS) Open(name string) (fs.File, error) {
	p, err := f.path("open", name)
	if err != nil {
		return nil, err
	}
	i, err := f.c.Stat(f.ctx, p)
	if err != nil {
		return nil, named("open", name, err)
	}
	i.name = path.Base(name)
	if i.IsDir() {
		return &fsDir{fs: f, name: name, info: i}, nil
	}
	file, err := f.c.Open(f.ctx, p)
	if err != nil {
		return nil, named("open", name, err)
	}
	return &fsFile{File: file, ctx: f.ctx, base: i.name}, nil
}

// Stat returns what is known about name, following symbolic links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, f.c.Stat) }

// Lstat is Stat, but does not follow a symbolic link at the end of name.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, f.c.Lstat) }

func (f *FS) stat(op, name string, stat func(context.Context, string) (*Info, error)) (fs.FileInfo, error) {
	p, err := f.path(op, name)
	if err != nil {
		return nil, err
	}
	i, err := stat(f.ctx, p)
	if err != nil {
		return nil, named(op, name, err)
	}
	i.name = path.Base(name)
	return i, nil
}

// ReadLink returns where the symbolic link at name points.
func (f *FS) ReadLink(name string) (string, error) {
	p, err := f.path("readlink", name)
	if err != nil {
		return "", err
	}
	target, err := f.c.Readlink(f.ctx, p)
	return target, named("readlink", name, err)
}

// ReadDir lists the directory at name, sorted by file name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := f.path("readdir", name)
	if err != nil {
		return nil, err
	}
	list, err := f.c.ReadDir(f.ctx, p)
	entries := make([]fs.DirEntry, len(list))
	for i := range list {
		entries[i] = list[i]
	}
	return entries, named("readdir", name, err)
}

// ReadFile reads the whole file at name, with OPEN, READ and CLOSE only.
func (f *FS) ReadFile(name string) ([]byte, error) {
	p, err := f.path("open", name)
	if err != nil {
		return nil, err
	}
	b, err := f.c.ReadFile(f.ctx, p)
	return b, named("open", name, err)
}

// Sub returns the tree at dir.
func (f *FS) Sub(dir string) (fs.FS, error) {
	p, err := f.path("sub", dir)
	if err != nil {
		return nil, err
	}
	return &FS{c: f.c, ctx: f.ctx, root: p}, nil
}

// ReadFile reads the whole file at name, with OPEN, READ and CLOSE only.
func (c *Client) ReadFile(ctx context.Context, name string) ([]byte, error) {
	release, err := c.hold(ctx, 1)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	defer release()
	f, err := c.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = f.ReadTo(ctx, &b, -1)
	if closeErr := f.Release(); err == nil {
		err = closeErr
	}
	return b.Bytes(), err
}

// fsFile is an [fs.File] over a File.
type fsFile struct {
	*File
	ctx  context.Context //nolint:containedctx // of the view
	base string
}

func (f *fsFile) Stat() (fs.FileInfo, error) {
	i, err := f.File.Stat(f.ctx)
	if err != nil {
		return nil, err
	}
	i.name = f.base
	return i, nil
}

// fsDir is an open directory. It is listed when it is read first.
type fsDir struct {
	fs     *FS
	name   string
	info   *Info
	list   []fs.DirEntry // not handed out yet; nil before the first ReadDir
	listed bool
	closed bool
}

func (d *fsDir) Stat() (fs.FileInfo, error) { return d.info, nil }

func (d *fsDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errIsDir}
}

var errIsDir = errors.New("is a directory")

func (d *fsDir) Close() error {
	if d.closed {
		return &fs.PathError{Op: "close", Path: d.name, Err: fs.ErrClosed}
	}
	d.closed = true
	return nil
}

// ReadDir lists the directory as [fs.ReadDirFile] says.
func (d *fsDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, &fs.PathError{Op: "readdir", Path: d.name, Err: fs.ErrClosed}
	}
	if !d.listed {
		list, err := d.fs.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.list, d.listed = list, true
	}
	list := d.list
	if n > 0 {
		if len(list) == 0 {
			return nil, io.EOF
		}
		list = list[:min(n, len(list))]
	}
	d.list = d.list[len(list):]
	return list, nil
}
