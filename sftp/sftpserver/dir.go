package sftpserver

import (
	"errors"
	"io"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func (s *session) openDir(t *task, m *sftp.OpenDir) (wire.Message, error) {
	name, err := s.path(t, m.Path)
	if err == nil {
		err = s.roomForHandle()
	}
	if err != nil {
		return nil, err
	}
	d, err := s.backend.OpenDir(s.ctx, name)
	if err != nil {
		return nil, err
	}
	return &sftp.Handle{Handle: s.handles.add(&handle{name: name, dir: d})}, nil
}

const (
	readDirBytes = 64 << 10 // of one NAME
	readDirNames = 128      // asked from the backend at a time
)

// readDir answers with as many entries as make about 64 KiB: other servers
// send a hundred, and every batch costs a lister one round trip.
func (s *session) readDir(t *task, m *sftp.ReadDir) (wire.Message, error) {
	h, err := s.handles.directory(m.Handle)
	if err != nil {
		return nil, err
	}
	t.op.Path = h.name
	room := min(readDirBytes, s.cfg.MaxPacket/2)
	s.schedule.charge(t, room)
	s.names = s.names[:0]
	for {
		if len(h.entries) == 0 && h.dirErr == nil {
			h.entries, h.dirErr = h.dir.ReadDir(readDirNames)
			if len(h.entries) == 0 && h.dirErr == nil {
				h.dirErr = io.EOF
			}
		}
		for len(h.entries) > 0 {
			e := nameEntry(&h.entries[0], t.op.Start)
			room -= len(e.Filename) + len(e.Longname) + attrsRoom
			if room < 0 && len(s.names) > 0 {
				return &sftp.Name{Names: s.names}, nil
			}
			s.names = append(s.names, e)
			h.entries = h.entries[1:]
		}
		if h.dirErr != nil {
			break
		}
	}
	if len(s.names) > 0 {
		return &sftp.Name{Names: s.names}, nil
	}
	s.names = nil
	if err := h.dirErr; !errors.Is(err, io.EOF) {
		h.dirErr = nil // told once; the client may try again
		return nil, err
	}
	return nil, io.EOF
}

// attrsRoom is what an entry of NAME takes beside its texts.
const attrsRoom = 64

func nameEntry(e *Entry, now time.Time) sftp.NameEntry {
	return sftp.NameEntry{
		Filename: e.Name,
		Longname: sftp.Longname(e.Name, &e.Attrs, e.Links, e.Owner, e.Group, now),
		Attrs:    e.Attrs,
	}
}
