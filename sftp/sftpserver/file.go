package sftpserver

import (
	"errors"
	"io"
	"io/fs"
	"math"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func (s *session) open(t *task, m *sftp.Open) (wire.Message, error) {
	name, err := s.clean(m.Filename)
	if err != nil {
		return nil, err
	}
	flags := m.Flags
	if flags&sftp.OpenCreate == 0 {
		flags &^= sftp.OpenExcl // means nothing then, and systems differ
	}
	if flags&(sftp.OpenRead|sftp.OpenWrite|sftp.OpenAppend) == 0 {
		flags |= sftp.OpenRead
	}
	t.op.Path, t.op.Flags = name, flags
	if flags&^sftp.OpenRead != 0 {
		err = s.allow(needWrite)
	}
	if err == nil && flags&sftp.OpenTruncate != 0 && flags&sftp.OpenWrite == 0 {
		err = &sftp.StatusError{Code: sftp.StatusInvalidParameter, Msg: "truncation of a file not opened for writing"}
	}
	if err == nil && flags&sftp.OpenRead != 0 {
		err = s.allow(needRead)
	}
	if err == nil {
		err = s.roomForHandle()
	}
	if err != nil {
		return nil, err
	}
	f, err := s.backend.Open(s.ctx, name, flags, permOf(&m.Attrs, 0o666))
	if err != nil {
		return nil, err
	}
	return &sftp.Handle{Handle: s.handles.add(&handle{name: name, flags: flags, file: f})}, nil
}

// permOf returns the permission bits that a client wants for a new file.
func permOf(a *sftp.Attrs, def fs.FileMode) fs.FileMode {
	if !a.Has(sftp.AttrPermissions) {
		return def
	}
	return fs.FileMode(a.Permissions & sftp.ModePerm)
}

func (s *session) roomForHandle() error {
	if len(s.handles.open) >= s.cfg.MaxHandles {
		return &sftp.StatusError{Code: sftp.StatusFailure, Msg: "too many open handles"}
	}
	return nil
}

func (s *session) close(t *task, m *sftp.Close) (wire.Message, error) {
	h, err := s.handles.find(m.Handle)
	if err != nil {
		return nil, err
	}
	s.schedule.quietFile(h.state)
	s.handles.remove(m.Handle)
	h.describe(&t.op)
	return nil, h.close()
}

// prepareRead decodes and judges a READ before it is scheduled.
func (s *session) prepareRead(t *task) error {
	t.op.Name = "SSH_FXP_READ"
	if err := s.parse(t, &t.read); err != nil {
		return err
	}
	h, err := s.handles.file(t.read.Handle)
	if err != nil {
		return err
	}
	t.handle = h
	t.op.Path, t.op.Offset = h.name, t.read.Offset
	if h.flags&sftp.OpenRead == 0 {
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "not opened for reading"}
	}
	if t.read.Length == 0 || t.read.Offset > math.MaxInt64 {
		return io.EOF
	}
	t.read.Length = min(t.read.Length, uint32(s.cfg.maxData()))
	t.span(t.read.Offset, int(t.read.Length))
	s.schedule.charge(t, sftp.DataHeader+int(t.read.Length))
	return nil
}

// read carries out a READ on a worker, straight into the reply.
func (s *session) read(t *task) error {
	n := int(t.read.Length)
	t.out = getBuffer(sftp.DataHeader + n)
	b := t.out.b[:sftp.DataHeader+n]
	n, err := t.handle.file.ReadAt(b[sftp.DataHeader:], int64(t.read.Offset))
	if n > 0 { // an error behind some bytes will be met again by the next READ
		sftp.PutDataHeader(b, t.id, n)
		t.out.b = b[:sftp.DataHeader+n]
		t.op.Bytes = int64(n)
		t.handle.bytesRead.Add(uint64(n))
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

// prepareWrite decodes and judges a WRITE before it is scheduled.
func (s *session) prepareWrite(t *task) error {
	t.op.Name = "SSH_FXP_WRITE"
	if err := s.parse(t, &t.write); err != nil {
		return err
	}
	h, err := s.handles.file(t.write.Handle)
	if err != nil {
		return err
	}
	t.handle = h
	t.op.Path, t.op.Offset = h.name, t.write.Offset
	switch n := uint64(len(t.write.Data)); {
	case h.flags&(sftp.OpenWrite|sftp.OpenAppend) == 0:
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "not opened for writing"}
	case t.write.Offset > math.MaxInt64-n:
		return &sftp.StatusError{Code: sftp.StatusInvalidParameter, Msg: "offset out of range"}
	}
	t.span(t.write.Offset, len(t.write.Data))
	return nil
}

// write carries out a WRITE on a worker.
func (s *session) write(t *task) error {
	n, err := t.handle.file.WriteAt(t.write.Data, int64(t.write.Offset))
	t.op.Bytes = int64(n)
	t.handle.bytesWritten.Add(uint64(max(n, 0)))
	if err == nil && n < len(t.write.Data) {
		err = io.ErrShortWrite
	}
	if errors.Is(err, io.EOF) { // would read as success at the end of a file
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (s *session) fstat(t *task, m *sftp.FStat) (wire.Message, error) {
	h, err := s.handles.find(m.Handle)
	if err != nil {
		return nil, err
	}
	t.op.Path = h.name
	var a sftp.Attrs
	if h.file != nil {
		s.schedule.quietFile(h.state)
		a, err = h.file.Stat()
	} else {
		s.schedule.quiet()
		a, err = s.backend.Stat(s.ctx, h.name, true)
	}
	return &sftp.AttrsReply{Attrs: a}, err
}

func (s *session) fsetStat(t *task, m *sftp.FSetStat) (wire.Message, error) {
	h, err := s.handles.find(m.Handle)
	if err != nil {
		return nil, err
	}
	t.op.Path = h.name
	if err := checkAttrs(&m.Attrs); err != nil {
		return nil, err
	}
	if h.file != nil {
		s.schedule.quietFile(h.state)
		return nil, h.file.SetStat(&m.Attrs)
	}
	s.schedule.quiet()
	return nil, s.backend.SetStat(s.ctx, h.name, &m.Attrs)
}

// checkAttrs judges attributes that are to be set. Extended ones are ignored,
// as version 3 wants.
func checkAttrs(a *sftp.Attrs) error {
	if a.Has(sftp.AttrSize) && a.Size > math.MaxInt64 {
		return &sftp.StatusError{Code: sftp.StatusInvalidParameter, Msg: "size out of range"}
	}
	return nil
}
