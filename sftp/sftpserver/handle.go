package sftpserver

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/wirelark/wirelark/sftp"
)

// A handle is an open file or directory of a session.
type handle struct {
	name  string // clean
	flags sftp.OpenFlags
	state *fileState

	file File // nil: a directory

	dir     Dir     // nil: a file
	entries []Entry // read from dir and not yet sent
	dirErr  error   // what dir said behind them

	bytesRead, bytesWritten atomic.Uint64
}

// handles are the open ones of a session, used by its reading goroutine only.
// A number is never used twice, so a stale handle never names another file.
type handles struct {
	open  map[uint64]*handle
	files map[any]*fileState
	last  uint64
}

// handleSize is the size of the handles that clients get.
const handleSize = 8

func (t *handles) add(h *handle) []byte {
	var key any = h.name
	if f, ok := h.file.(Identifier); ok {
		key = f.Identity()
	}
	if t.open == nil {
		t.open = make(map[uint64]*handle)
		t.files = make(map[any]*fileState)
	}
	h.state = t.files[key]
	if h.state == nil {
		h.state = &fileState{key: key}
		t.files[key] = h.state
	}
	h.state.refs++
	t.last++
	t.open[t.last] = h
	return binary.BigEndian.AppendUint64(nil, t.last)
}

// find returns what a client's handle stands for.
func (t *handles) find(b []byte) (*handle, error) {
	if len(b) == handleSize {
		if h := t.open[binary.BigEndian.Uint64(b)]; h != nil {
			return h, nil
		}
	}
	return nil, &sftp.StatusError{Code: sftp.StatusInvalidHandle, Msg: "no such handle"}
}

func (t *handles) file(b []byte) (*handle, error) {
	h, err := t.find(b)
	if err == nil && h.file == nil {
		return nil, &sftp.StatusError{Code: sftp.StatusInvalidHandle, Msg: "handle is of a directory"}
	}
	return h, err
}

func (t *handles) directory(b []byte) (*handle, error) {
	h, err := t.find(b)
	if err == nil && h.dir == nil {
		return nil, &sftp.StatusError{Code: sftp.StatusInvalidHandle, Msg: "handle is of a file"}
	}
	return h, err
}

func (t *handles) remove(b []byte) {
	n := binary.BigEndian.Uint64(b)
	h := t.open[n]
	delete(t.open, n)
	h.state.refs--
	if h.state.refs == 0 {
		delete(t.files, h.state.key)
	}
}

// describe tells about the closing of h.
func (h *handle) describe(op *Operation) {
	op.Path, op.Flags = h.name, h.flags
	op.Read, op.Written = h.bytesRead.Load(), h.bytesWritten.Load()
}

func (h *handle) close() error {
	if h.file != nil {
		return h.file.Close()
	}
	return h.dir.Close()
}

// guard calls f and turns a panic in it into an error, so that a backend's bug
// costs one request and no session.
func (s *session) guard(what string, f func() error) (err error) {
	defer s.recovered(what, &err)
	return f()
}

// recovered is deferred by what guards a call of the backend.
func (s *session) recovered(what string, err *error) {
	if p := recover(); p != nil {
		s.cfg.Logger.Warn("panic in sftp backend", "operation", what, "panic", fmt.Sprint(p))
		*err = &sftp.StatusError{Code: sftp.StatusFailure, Msg: "internal error"}
	}
}
