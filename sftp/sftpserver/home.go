package sftpserver

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// expandPath is REALPATH that knows "~" and "~user". OpenSSH PROTOCOL §4.9.
func (s *session) expandPath(t *task, m *sftp.Extended) (wire.Message, error) {
	if err := s.checkText(m.Path); err != nil {
		return nil, err
	}
	p := m.Path
	if user, ok := strings.CutPrefix(p, "~"); ok {
		user, rest, _ := strings.Cut(user, "/")
		home, err := s.homeOf(user)
		if err != nil {
			return nil, err
		}
		p = home + "/" + rest
	}
	name, err := s.path(t, p)
	if err != nil {
		return nil, err
	}
	s.schedule.quiet()
	name, err = s.backend.RealPath(s.ctx, name)
	return oneName(name), err
}

// homeDirectory tells where a user is at home.
// draft-ietf-secsh-filexfer-extensions-00, OpenSSH PROTOCOL §4.11.
func (s *session) homeDirectory(t *task, m *sftp.Extended) (wire.Message, error) {
	if err := s.checkText(m.User); err != nil {
		return nil, err
	}
	home, err := s.homeOf(m.User)
	t.op.Path = home
	return oneName(home), err
}

// homeOf returns the home of a user, with "" that of the session. Homes are
// paths of the backend: where that is a jail, nothing is said about the host.
func (s *session) homeOf(user string) (string, error) {
	if user == "" {
		return s.home, nil
	}
	b, ok := s.backend.(UserHomer)
	if !ok {
		return "", &sftp.StatusError{Code: sftp.StatusNoSuchFile, Msg: "no such user"}
	}
	s.schedule.quiet()
	home, err := b.UserHome(s.ctx, user)
	if errors.Is(err, fs.ErrNotExist) {
		err = &sftp.StatusError{Code: sftp.StatusNoSuchFile, Msg: "no such user"}
	}
	return home, err
}

// maxOwners is how many numbers one request may ask the names of. Each may be
// a question to a directory service; a listing has a handful.
const maxOwners = 4096

// ownerNames tells the names of users and groups. OpenSSH PROTOCOL §4.12.
func (s *session) ownerNames(m *sftp.Extended) (wire.Message, error) {
	b, ok := s.backend.(OwnerNamer)
	switch {
	case !ok:
		return nil, errors.ErrUnsupported
	case len(m.UIDs)+len(m.GIDs) > maxOwners:
		return nil, &sftp.StatusError{Code: sftp.StatusFailure, Msg: "too many numbers at once"}
	}
	s.schedule.quiet()
	r := &sftp.UsersGroupsReply{}
	for _, id := range m.UIDs {
		if s.ctx.Err() == nil {
			r.Users = append(r.Users, b.UserName(s.ctx, id))
		}
	}
	for _, id := range m.GIDs {
		if s.ctx.Err() == nil {
			r.Groups = append(r.Groups, b.GroupName(s.ctx, id))
		}
	}
	return r, s.ctx.Err()
}
