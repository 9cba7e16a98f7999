package sftpclient

import (
	"context"
	"io/fs"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
)

// What follows changes a symbolic link itself and not what it leads to, and
// other files as its namesake without the L does. It needs
// lsetstat@openssh.com, else the error is an [*UnsupportedError].

// Lchmod sets the permissions of the file at name. Systems whose links have no
// permissions, such as Linux, refuse it for links.
func (c *Client) Lchmod(ctx context.Context, name string, mode fs.FileMode) error {
	var a sftp.Attrs
	a.SetPermissions(sftp.PermissionsOf(mode) &^ sftp.ModeType)
	return c.setLinkStat(ctx, "lchmod", name, a)
}

// Lchown sets owner and group by number.
func (c *Client) Lchown(ctx context.Context, name string, uid, gid int) error {
	if err := checkOwner(uid, gid); err != nil {
		return pathError("lchown", name, err)
	}
	var a sftp.Attrs
	a.SetOwner(uint32(uid), uint32(gid))
	return c.setLinkStat(ctx, "lchown", name, a)
}

// Lchtimes sets the times of the last access and the last change.
func (c *Client) Lchtimes(ctx context.Context, name string, atime, mtime time.Time) error {
	var a sftp.Attrs
	a.SetTimes(atime, mtime)
	return c.setLinkStat(ctx, "lchtimes", name, a)
}

func (c *Client) setLinkStat(ctx context.Context, op, name string, a sftp.Attrs) error {
	m := sftp.Extended{Request: sftp.ExtLSetStat, Path: name, Attrs: a}
	return pathError(op, name, c.extended(ctx, sftp.ExtVersionOne, m, session.WantStatus, nil))
}
