package sftpclient

import (
	"context"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
)

// ExpandPath is RealPath that knows "~", the user's home, and "~name", that of
// another user, at the beginning of name. It needs expand-path@openssh.com,
// else the error is an [*UnsupportedError].
func (c *Client) ExpandPath(ctx context.Context, name string) (string, error) {
	p, err := c.extendedName(ctx, sftp.Extended{Request: sftp.ExtExpandPath, Path: name})
	return p, pathError("expand", name, err)
}

// HomeDir returns where a user of the server is at home, with "" who is logged
// in. It needs home-directory or expand-path@openssh.com, else the error is an
// [*UnsupportedError].
func (c *Client) HomeDir(ctx context.Context, user string) (string, error) {
	m := sftp.Extended{Request: sftp.ExtExpandPath, Path: "~" + user}
	// OpenSSH 9.2 does not know who "" is in home-directory, but does here.
	preferred := user == "" && c.offers(sftp.ExtExpandPath, sftp.ExtVersionOne)
	if c.offers(sftp.ExtHomeDir, sftp.ExtVersionOne) && !preferred && !c.proftpd() {
		m = sftp.Extended{Request: sftp.ExtHomeDir, User: user}
	}
	p, err := c.extendedName(ctx, m)
	return p, pathError("home", "~"+user, err)
}

// proftpd reports whether the server is mod_sftp of ProFTPD. Its answer to
// home-directory (1.3.9e) has neither type nor id nor count: no client can
// know what it answers, and the session would be lost with it.
func (c *Client) proftpd() bool {
	for name, data := range c.exts {
		if strings.HasSuffix(name, "@proftpd.org") || name == "vendor-id" && strings.Contains(data, "ProFTPD") {
			return true
		}
	}
	return false
}

// extendedName sends an extended request that is answered with one name.
func (c *Client) extendedName(ctx context.Context, m sftp.Extended) (string, error) {
	var reply sftp.Name
	if err := c.extended(ctx, sftp.ExtVersionOne, m, session.WantName, &reply); err != nil {
		return "", err
	}
	if len(reply.Names) != 1 {
		return "", session.Protocolf("%d names where 1 was due", len(reply.Names))
	}
	return reply.Names[0].Filename, nil
}

// ownersAtOnce is how many numbers one request asks the names of: few enough
// that request and answer fit in a packet of 32 KiB with long names.
const ownersAtOnce = 500

// Names returns the names of users and groups: one for each number, in the
// same order, "" where there is none. It needs users-groups-by-id@openssh.com,
// else the error is an [*UnsupportedError].
func (c *Client) Names(ctx context.Context, uids, gids []uint32) (users, groups []string, err error) {
	for len(uids)+len(gids) > 0 {
		u := uids[:min(len(uids), ownersAtOnce)]
		g := gids[:min(len(gids), ownersAtOnce-len(u))]
		var r sftp.UsersGroupsReply
		m := sftp.Extended{Request: sftp.ExtUsersGroups, UIDs: u, GIDs: g}
		if err := c.extended(ctx, sftp.ExtVersionOne, m, session.WantExtended, &r); err != nil {
			return nil, nil, err
		}
		if len(r.Users) != len(u) || len(r.Groups) != len(g) {
			return nil, nil, session.Protocolf("%d and %d names for %d users and %d groups", len(r.Users), len(r.Groups), len(u), len(g))
		}
		users, groups = append(users, r.Users...), append(groups, r.Groups...)
		uids, gids = uids[len(u):], gids[len(g):]
	}
	return users, groups, nil
}
