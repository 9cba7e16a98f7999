package sftpclient

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

// Paths are sent as they are given: "/" separates, a path that does not begin
// with it is relative to the directory in which the server starts, "" and "."
// are that directory.

// Stat returns what is known about the file at name, following symbolic links.
func (c *Client) Stat(ctx context.Context, name string) (*Info, error) {
	return c.stat(ctx, "stat", name, func(id uint32) wire.Message { return &sftp.Stat{ID: id, Path: name} })
}

// Lstat is Stat, but does not follow a symbolic link at the end of name.
func (c *Client) Lstat(ctx context.Context, name string) (*Info, error) {
	return c.stat(ctx, "lstat", name, func(id uint32) wire.Message { return &sftp.LStat{ID: id, Path: name} })
}

func (c *Client) stat(ctx context.Context, op, name string, build func(uint32) wire.Message) (*Info, error) {
	var m sftp.AttrsReply
	if err := c.s.Ask(ctx, session.WantAttrs, build, &m); err != nil {
		return nil, pathError(op, name, err)
	}
	return &Info{name: path.Base(name), attrs: m.Attrs}, nil
}

// pathError wraps an error that is not nil.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

func linkError(op, old, name string, err error) error {
	if err == nil {
		return nil
	}
	return &os.LinkError{Op: op, Old: old, New: name, Err: err}
}

// Remove removes a file or a symbolic link, but no directory: see
// [Client.Rmdir] and [Client.RemoveAll].
func (c *Client) Remove(ctx context.Context, name string) error {
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message { return &sftp.Remove{ID: id, Filename: name} }, nil)
	return pathError("remove", name, err)
}

// Rename renames a file or directory. Version 3 makes it an error when newname
// exists, and most servers hold to it; see [Client.PosixRename].
func (c *Client) Rename(ctx context.Context, oldname, newname string) error {
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message {
		return &sftp.Rename{ID: id, OldPath: oldname, NewPath: newname}
	}, nil)
	return linkError("rename", oldname, newname, err)
}

// PosixRename renames a file or directory and replaces newname, atomically
// where the server's system does. It needs posix-rename@openssh.com, else the
// error is an [*UnsupportedError].
func (c *Client) PosixRename(ctx context.Context, oldname, newname string) error {
	m := sftp.Extended{Request: sftp.ExtPosixRename, OldPath: oldname, NewPath: newname}
	return linkError("rename", oldname, newname, c.extended(ctx, sftp.ExtVersionOne, m, session.WantStatus, nil))
}

// Link makes newname a hard link to oldname. It needs hardlink@openssh.com,
// else the error is an [*UnsupportedError].
func (c *Client) Link(ctx context.Context, oldname, newname string) error {
	m := sftp.Extended{Request: sftp.ExtHardlink, OldPath: oldname, NewPath: newname}
	return linkError("link", oldname, newname, c.extended(ctx, sftp.ExtVersionOne, m, session.WantStatus, nil))
}

// Symlink makes newname a symbolic link to oldname, which is stored as it is.
// The order of the paths on the wire is [Config].SymlinkOrder.
func (c *Client) Symlink(ctx context.Context, oldname, newname string) error {
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message {
		return sftp.NewSymlink(id, newname, oldname, c.order)
	}, nil)
	return linkError("symlink", oldname, newname, err)
}

// Readlink returns where the symbolic link at name points.
func (c *Client) Readlink(ctx context.Context, name string) (string, error) {
	target, err := c.oneName(ctx, func(id uint32) wire.Message { return &sftp.ReadLink{ID: id, Path: name} })
	return target, pathError("readlink", name, err)
}

// RealPath returns the absolute form of name, without ".", ".." and, on most
// servers, symbolic links. What it does with a missing file differs.
func (c *Client) RealPath(ctx context.Context, name string) (string, error) {
	p, err := c.oneName(ctx, func(id uint32) wire.Message { return &sftp.RealPath{ID: id, Path: name} })
	return p, pathError("realpath", name, err)
}

// Getwd returns the absolute path of the directory in which the server starts.
func (c *Client) Getwd(ctx context.Context) (string, error) { return c.RealPath(ctx, ".") }

func (c *Client) oneName(ctx context.Context, build func(uint32) wire.Message) (string, error) {
	var m sftp.Name
	if err := c.s.Ask(ctx, session.WantName, build, &m); err != nil {
		return "", err
	}
	if len(m.Names) != 1 {
		return "", session.Protocolf("%d names where 1 was due", len(m.Names))
	}
	return m.Names[0].Filename, nil
}

// Chmod sets the permissions of the file at name, following symbolic links.
func (c *Client) Chmod(ctx context.Context, name string, mode fs.FileMode) error {
	var a sftp.Attrs
	a.SetPermissions(sftp.PermissionsOf(mode) &^ sftp.ModeType)
	return c.setStat(ctx, "chmod", name, a)
}

// Chown sets owner and group by number.
func (c *Client) Chown(ctx context.Context, name string, uid, gid int) error {
	var a sftp.Attrs
	if err := checkOwner(uid, gid); err != nil {
		return pathError("chown", name, err)
	}
	a.SetOwner(uint32(uid), uint32(gid))
	return c.setStat(ctx, "chown", name, a)
}

func checkOwner(uid, gid int) error {
	if uid < 0 || gid < 0 || uint64(uid) > math.MaxUint32 || uint64(gid) > math.MaxUint32 {
		return fmt.Errorf("owner %d:%d: %w", uid, gid, fs.ErrInvalid)
	}
	return nil
}

// Chtimes sets the times of the last access and the last change. Version 3 has
// seconds from 1970 to 2106; other times are sent as the nearest.
func (c *Client) Chtimes(ctx context.Context, name string, atime, mtime time.Time) error {
	var a sftp.Attrs
	a.SetTimes(atime, mtime)
	return c.setStat(ctx, "chtimes", name, a)
}

// Truncate cuts or extends the file at name to size bytes.
func (c *Client) Truncate(ctx context.Context, name string, size int64) error {
	var a sftp.Attrs
	if size < 0 {
		return pathError("truncate", name, fs.ErrInvalid)
	}
	a.SetSize(uint64(size))
	return c.setStat(ctx, "truncate", name, a)
}

// SetAttrs sets all attributes that a.Flags names, in one request.
func (c *Client) SetAttrs(ctx context.Context, name string, a sftp.Attrs) error {
	return c.setStat(ctx, "setstat", name, a)
}

func (c *Client) setStat(ctx context.Context, op, name string, a sftp.Attrs) error {
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message { return &sftp.SetStat{ID: id, Path: name, Attrs: a} }, nil)
	return pathError(op, name, err)
}

// StatVFS returns numbers about the file system that holds name. It needs
// statvfs@openssh.com, else the error is an [*UnsupportedError].
func (c *Client) StatVFS(ctx context.Context, name string) (*sftp.StatVFSReply, error) {
	var r sftp.StatVFSReply
	m := sftp.Extended{Request: sftp.ExtStatVFS, Path: name}
	if err := c.extended(ctx, sftp.ExtVersionVFS, m, session.WantExtended, &r); err != nil {
		return nil, pathError("statvfs", name, err)
	}
	return &r, nil
}

// Extended sends a request that this package does not know and returns the
// answer as it came: the packet, its number first. A status other than OK is
// an [*sftp.StatusError]. A request that the server has not announced is not
// sent, as some servers never answer one: [*UnsupportedError].
func (c *Client) Extended(ctx context.Context, request string, data []byte) ([]byte, error) {
	if _, ok := c.exts[request]; !ok {
		return nil, &UnsupportedError{Extension: request}
	}
	q, err := c.s.Begin(ctx, session.WantAny, func(id uint32) wire.Message {
		return &rawRequest{id: id, request: request, data: data}
	}, c.s.Post)
	if err != nil {
		return nil, err
	}
	p, err := c.s.Take(ctx, q)
	if err != nil {
		return nil, err
	}
	defer p.Free()
	if err := c.s.Decode(p, nil); err != nil {
		return nil, err
	}
	return append([]byte(nil), p.B...), nil
}
