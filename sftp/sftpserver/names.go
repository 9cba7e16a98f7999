package sftpserver

import (
	"errors"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func (s *session) lstat(t *task, m *sftp.LStat) (wire.Message, error) {
	return s.statPath(t, m.Path, false)
}

func (s *session) stat(t *task, m *sftp.Stat) (wire.Message, error) {
	return s.statPath(t, m.Path, true)
}

func (s *session) statPath(t *task, p string, follow bool) (wire.Message, error) {
	name, err := s.path(t, p)
	if err != nil {
		return nil, err
	}
	a, err := s.backend.Stat(s.ctx, name, follow)
	return &sftp.AttrsReply{Attrs: a}, err
}

// path cleans the path of t and notes it.
func (s *session) path(t *task, p string) (string, error) {
	name, err := s.clean(p)
	t.op.Path = name
	return name, err
}

// paths cleans both paths of t and notes them.
func (s *session) paths(t *task, oldp, newp string) (oldname, newname string, err error) {
	if oldname, err = s.clean(oldp); err == nil {
		newname, err = s.clean(newp)
	}
	t.op.Path, t.op.NewPath = oldname, newname
	return oldname, newname, err
}

func (s *session) setStat(t *task, m *sftp.SetStat) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err == nil {
		err = checkAttrs(&m.Attrs)
	}
	if err != nil {
		return nil, err
	}
	return nil, s.backend.SetStat(s.ctx, name, &m.Attrs)
}

// setLinkStat is SETSTAT that does not follow a link. OpenSSH PROTOCOL §4.7.
func (s *session) setLinkStat(t *task, m *sftp.Extended) (wire.Message, error) {
	b, ok := s.backend.(LinkSetter)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	name, err := s.path(t, m.Path)
	if err == nil && m.Attrs.Has(sftp.AttrSize) {
		err = &sftp.StatusError{Code: sftp.StatusBadMessage, Msg: "a size means nothing for a link"}
	}
	if err != nil {
		return nil, err
	}
	return nil, b.SetLinkStat(s.ctx, name, &m.Attrs)
}

func (s *session) remove(t *task, m *sftp.Remove) (wire.Message, error) {
	name, err := s.path(t, m.Filename)
	if err != nil {
		return nil, err
	}
	return nil, s.backend.Remove(s.ctx, name)
}

func (s *session) mkdir(t *task, m *sftp.Mkdir) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err != nil {
		return nil, err
	}
	return nil, s.backend.Mkdir(s.ctx, name, permOf(&m.Attrs, 0o777))
}

func (s *session) rmdir(t *task, m *sftp.Rmdir) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err != nil {
		return nil, err
	}
	return nil, s.backend.Rmdir(s.ctx, name)
}

func (s *session) rename(t *task, m *sftp.Rename) (wire.Message, error) {
	return s.renamePath(t, m.OldPath, m.NewPath, false)
}

func (s *session) renamePath(t *task, oldp, newp string, overwrite bool) (wire.Message, error) {
	oldname, newname, err := s.paths(t, oldp, newp)
	if err != nil {
		return nil, err
	}
	return nil, s.backend.Rename(s.ctx, oldname, newname, overwrite)
}

func (s *session) realPath(t *task, m *sftp.RealPath) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err != nil {
		return nil, err
	}
	name, err = s.backend.RealPath(s.ctx, name)
	return oneName(name), err
}

func (s *session) readLink(t *task, m *sftp.ReadLink) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err != nil {
		return nil, err
	}
	target, err := s.backend.Readlink(s.ctx, name)
	return oneName(target), err
}

// oneName is the answer that holds one path and attributes without meaning.
func oneName(name string) *sftp.Name {
	return &sftp.Name{Names: []sftp.NameEntry{{Filename: name, Longname: name}}}
}

func (s *session) symlink(t *task, m *sftp.Symlink) (wire.Message, error) {
	link, target := m.Paths(s.cfg.SymlinkOrder)
	name, err := s.path(t, link)
	if err == nil {
		err = s.checkText(target)
	}
	if err != nil {
		return nil, err
	}
	t.op.NewPath, t.op.Target = name, target
	return nil, s.backend.Symlink(s.ctx, target, name)
}
