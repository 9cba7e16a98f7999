package sftpserver

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/wirelark/wirelark/sftp"
)

// copying is a copy-data that a worker carries out.
type copying struct {
	source *handle
	offset int64 // in the source
	length int64 // bytes; 0: up to the end
	reads  task  // what it does to the source, for the schedule
}

func (c *copying) from() *fileState { return c.source.state }

const (
	// copyStep is how many bytes are copied between two looks at the context.
	copyStep = 16 << 20

	// copyBuffer is how much is read at a time where the backend cannot copy.
	copyBuffer = 128 << 10
)

// prepareCopy judges a copy-data before it is scheduled. In the order of
// requests it stands as a READ of its source and a WRITE of what it may write.
// draft-ietf-secsh-filexfer-extensions-00 §7, OpenSSH PROTOCOL §4.10.
func (s *session) prepareCopy(t *task, m *sftp.Extended) error {
	from, err := s.handles.file(m.ReadHandle)
	if err != nil {
		return err
	}
	to, err := s.handles.file(m.WriteHandle)
	if err != nil {
		return err
	}
	t.op.Path, t.op.NewPath, t.op.Offset = from.name, to.name, m.WriteOffset
	end := uint64(math.MaxInt64)
	switch {
	case from.flags&sftp.OpenRead == 0:
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "source is not opened for reading"}
	case to.flags&(sftp.OpenWrite|sftp.OpenAppend) == 0:
		return &sftp.StatusError{Code: sftp.StatusPermissionDenied, Msg: "destination is not opened for writing"}
	case from.state == to.state:
		return &sftp.StatusError{Code: sftp.StatusFailure, Msg: "source and destination are the same file"}
	case m.ReadOffset > end-min(m.Length, end) || m.WriteOffset > end-min(m.Length, end):
		return &sftp.StatusError{Code: sftp.StatusInvalidParameter, Msg: "offset out of range"}
	case m.Length > uint64(s.cfg.MaxCopy):
		return &sftp.StatusError{Code: sftp.StatusFailure, Msg: "too many bytes for one request"}
	}
	if m.Length > 0 {
		end = m.ReadOffset + m.Length
	}
	t.handle, t.lo, t.hi = to, m.WriteOffset, math.MaxUint64
	switch {
	case to.flags&sftp.OpenAppend != 0:
		t.lo = 0
	case m.Length > 0:
		t.hi = m.WriteOffset + m.Length
	}
	t.copy = &copying{source: from, offset: int64(m.ReadOffset), length: int64(m.Length)}
	t.copy.reads = task{number: sftp.NumRead, handle: from, lo: m.ReadOffset, hi: end}
	return nil
}

// copyRange carries out a copy-data on a worker. When the source has fewer
// bytes than were asked it says EOF, where OpenSSH's server says OK: whoever
// asks for so many wants to know.
func (s *session) copyRange(t *task) error {
	c := t.copy
	done, err := s.copyBytes(t, c)
	t.op.Bytes = done
	c.source.bytesRead.Add(uint64(done))
	t.handle.bytesWritten.Add(uint64(done))
	if err == nil && done < c.length {
		err = io.EOF
	}
	return err
}

// copyBytes copies until enough is copied, the source ends or the session does.
func (s *session) copyBytes(t *task, c *copying) (done int64, err error) {
	to := int64(t.lo)
	most := c.length
	if most == 0 {
		most = min(s.cfg.MaxCopy, math.MaxInt64-max(c.offset, to))
	}
	copier, fast := t.handle.file.(Copier)
	if t.handle.flags&sftp.OpenAppend != 0 {
		fast = false
	}
	var b []byte
	for done < most {
		if s.ctx.Err() != nil {
			return done, context.Cause(s.ctx)
		}
		var n int64
		if fast {
			n, err = copier.CopyRange(c.source.file, c.offset+done, to+done, min(copyStep, most-done))
			if errors.Is(err, errors.ErrUnsupported) || err == nil && n == 0 && done == 0 {
				fast = false // or it seems empty to the system, as files of /proc do
			}
		}
		if !fast {
			if b == nil {
				b = make([]byte, copyBuffer)
			}
			n, err = copyOnce(t.handle.file, c.source.file, b[:min(int64(len(b)), most-done)], c.offset+done, to+done)
		}
		done += max(n, 0)
		if err != nil || n <= 0 {
			return done, err
		}
	}
	if c.length == 0 && most == s.cfg.MaxCopy {
		return done, &sftp.StatusError{Code: sftp.StatusFailure, Msg: "source has too many bytes for one request"}
	}
	return done, nil
}

// copyOnce reads and writes once; 0 and no error say that the source ends.
func copyOnce(dst, src File, b []byte, from, to int64) (int64, error) {
	n, err := src.ReadAt(b, from)
	if n == 0 {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return 0, err
	}
	k, err := dst.WriteAt(b[:n], to) // an error of reading will be met again
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case err == nil && k < n:
		err = io.ErrShortWrite
	}
	return int64(k), err
}
