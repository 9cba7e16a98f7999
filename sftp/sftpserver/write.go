package sftpserver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// batchSize is how much of small replies is gathered into one write, and what
// counts as small.
const (
	batchSize = 32 << 10
	smallSize = 4 << 10
)

// finish builds the reply of t unless it is built already, and lets the writer
// have it: m, or success when m and err are nil, or what err says.
func (s *session) finish(t *task, m wire.Message, err error) {
	switch {
	case err != nil:
		t.status = sftp.Status{Code: sftp.StatusOf(err).In(sftp.Version(s.dialect)), Message: errorText(err)}
		m = &t.status
	case m == nil && t.out == nil:
		t.status = sftp.Status{Code: sftp.StatusOK}
		m = &t.status
	}
	if m != nil {
		s.build(t, m)
	}
	t.op.Duration = time.Since(t.op.Start)
	t.op.Err = err
	if s.cfg.AnyOrder {
		s.order <- t // never waits: admit counts
	}
	t.done <- struct{}{}
}

func (s *session) build(t *task, m wire.Message) {
	sftp.SetID(m, t.id)
	if t.out == nil {
		t.out = getBuffer(smallSize)
	}
	b, err := sftp.AppendPacket(t.out.b[:0], m, s.dialect)
	if err != nil || len(b)-sftp.LengthSize > max(s.cfg.MaxPacket, sftp.MaxPacket) {
		t.status = sftp.Status{ID: t.id, Code: sftp.StatusFailure, Message: "reply too long"}
		b, _ = sftp.AppendPacket(t.out.b[:0], &t.status, s.dialect)
	}
	t.out.b = b
}

// maxErrorText bounds what a backend's error may say to a client, in bytes.
const maxErrorText = 1 << 10

// errorText returns what a client is told about err. Paths in the standard
// library's errors are those of the host and stay here.
func errorText(err error) string {
	var (
		se *sftp.StatusError
		pe *fs.PathError
		le *os.LinkError
		ye *os.SyscallError
	)
	var text string
	switch {
	case errors.As(err, &se):
		text = se.Msg
	case errors.As(err, &pe):
		text = pe.Err.Error()
	case errors.As(err, &le):
		text = le.Err.Error()
	case errors.As(err, &ye):
		text = ye.Err.Error()
	case errors.Is(err, context.Canceled):
		text = "server is shutting down"
	default:
		text = err.Error()
	}
	if text == "" {
		text = sftp.StatusOf(err).Text()
	}
	if len(text) > maxErrorText {
		text = text[:maxErrorText]
	}
	return strings.ToValidUTF8(text, "?")
}

// writeLoop writes replies, small ones together. When the stream fails it
// goes on taking tasks, so that nobody waits for room for ever.
func (s *session) writeLoop() {
	defer close(s.wrote)
	for {
		var t *task
		var ok bool
		select {
		case t, ok = <-s.order:
		default:
			s.flush()
			if cap(s.batch) > smallSize {
				s.batch = nil // an idle session owns no large buffer
			}
			t, ok = <-s.order
		}
		if !ok {
			s.flush()
			s.closeHandles()
			return
		}
		select {
		case <-t.done:
		default:
			s.flush()
			<-t.done
		}
		s.emit(t)
	}
}

func (s *session) emit(t *task) {
	b := t.out.b
	if !s.broken {
		s.traced(wire.S2C, b[sftp.LengthSize:])
	}
	switch {
	case len(b) > smallSize || s.apart:
		s.flush()
		s.put(b)
	default:
		if len(s.batch)+len(b) > batchSize {
			s.flush()
		}
		s.batch = append(s.batch, b...)
	}
	if s.cfg.Operation != nil {
		s.cfg.Operation(t.op)
	}
	s.schedule.retire(t)
}

func (s *session) flush() {
	if len(s.batch) > 0 {
		s.put(s.batch)
		s.batch = s.batch[:0]
	}
}

func (s *session) put(b []byte) {
	if s.broken {
		return
	}
	if _, err := s.rw.Write(b); err != nil {
		s.broken = true
		s.cancel(err)
	}
}
