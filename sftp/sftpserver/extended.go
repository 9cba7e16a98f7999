package sftpserver

import (
	"errors"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// extensions are those that VERSION offers.
func (s *session) extensions() []sftp.Extension {
	list := []sftp.Extension{
		{Name: sftp.ExtPosixRename, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtHardlink, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtFSync, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtLimits, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtExpandPath, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtHomeDir, Data: sftp.ExtVersionOne},
		{Name: sftp.ExtCopyData, Data: sftp.ExtVersionOne},
	}
	if _, ok := s.backend.(StatVFSer); ok {
		list = append(list,
			sftp.Extension{Name: sftp.ExtStatVFS, Data: sftp.ExtVersionVFS},
			sftp.Extension{Name: sftp.ExtFStatVFS, Data: sftp.ExtVersionVFS})
	}
	if _, ok := s.backend.(LinkSetter); ok {
		list = append(list, sftp.Extension{Name: sftp.ExtLSetStat, Data: sftp.ExtVersionOne})
	}
	if _, ok := s.backend.(OwnerNamer); ok {
		list = append(list, sftp.Extension{Name: sftp.ExtUsersGroups, Data: sftp.ExtVersionOne})
	}
	return list
}

func (s *session) extended(t *task, m *sftp.Extended) (wire.Message, error) {
	t.op.Name = m.Request
	switch m.Request {
	case sftp.ExtPosixRename:
		if err := s.change(); err != nil {
			return nil, err
		}
		return s.renamePath(t, m.OldPath, m.NewPath, true)
	case sftp.ExtHardlink:
		if err := s.change(); err != nil {
			return nil, err
		}
		return s.link(t, m)
	case sftp.ExtLSetStat:
		if err := s.change(); err != nil {
			return nil, err
		}
		return s.setLinkStat(t, m)
	case sftp.ExtExpandPath:
		return s.expandPath(t, m)
	case sftp.ExtHomeDir:
		return s.homeDirectory(t, m)
	case sftp.ExtUsersGroups:
		return s.ownerNames(m)
	case sftp.ExtCopyData:
		return nil, s.prepareCopy(t, m)
	case sftp.ExtFSync:
		return s.fsync(t, m)
	case sftp.ExtStatVFS:
		return s.statVFS(t, m)
	case sftp.ExtFStatVFS:
		return s.fstatVFS(t, m)
	case sftp.ExtLimits:
		return &sftp.LimitsReply{
			MaxPacket:  uint64(s.cfg.MaxPacket),
			MaxRead:    uint64(s.cfg.maxData()),
			MaxWrite:   uint64(s.cfg.maxData()),
			MaxHandles: uint64(s.cfg.MaxHandles),
		}, nil
	}
	if t.op.Name == "" {
		t.op.Name = "SSH_FXP_EXTENDED"
	}
	return nil, &sftp.StatusError{Code: sftp.StatusOpUnsupported, Msg: "unknown extension"}
}

// change prepares for a request that changes paths.
func (s *session) change() error {
	if err := s.allow(needWrite); err != nil {
		return err
	}
	s.schedule.quiet()
	return nil
}

func (s *session) link(t *task, m *sftp.Extended) (wire.Message, error) {
	oldname, newname, err := s.paths(t, m.OldPath, m.NewPath)
	if err != nil {
		return nil, err
	}
	return nil, s.backend.Link(s.ctx, oldname, newname)
}

func (s *session) fsync(t *task, m *sftp.Extended) (wire.Message, error) {
	h, err := s.handles.file(m.Handle)
	if err != nil {
		return nil, err
	}
	t.op.Path = h.name
	f, ok := h.file.(Syncer)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	s.schedule.quietFile(h.state)
	return nil, f.Sync()
}

func (s *session) statVFS(t *task, m *sftp.Extended) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err != nil {
		return nil, err
	}
	return s.vfs(name)
}

func (s *session) vfs(name string) (wire.Message, error) {
	b, ok := s.backend.(StatVFSer)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	s.schedule.quiet()
	r, err := b.StatVFS(s.ctx, name)
	return &r, err
}

func (s *session) fstatVFS(t *task, m *sftp.Extended) (wire.Message, error) {
	h, err := s.handles.find(m.Handle)
	if err != nil {
		return nil, err
	}
	t.op.Path = h.name
	f, ok := h.file.(FileStatVFSer)
	if !ok {
		return s.vfs(h.name)
	}
	s.schedule.quietFile(h.state)
	r, err := f.StatVFS()
	return &r, err
}
