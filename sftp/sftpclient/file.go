package sftpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

// File is an open file of the server. It is safe for concurrent use: Read,
// Write, Seek, WriteTo and ReadFrom share one offset and wait for each other;
// ReadAt and WriteAt run beside them.
//
// The methods of package io know no context. Their twins that take one can be
// canceled; what was confirmed before is reported.
type File struct {
	c      *Client
	s      *session.Session
	name   string
	handle []byte
	flags  sftp.OpenFlags

	// send is held shared while a request with the handle is queued, and
	// exclusively while CLOSE is: a server gives closed handles out again, and
	// a WRITE that comes late would hit another file.
	send   sync.RWMutex
	closed bool // guarded by send

	mu    sync.Mutex // one operation on the offset at a time
	off   int64      // guarded by mu
	ahead readAhead  // guarded by mu

	state   sync.Mutex
	failed  error         // the first write error; guarded by state
	writing int           // WRITEs in flight or about to be; guarded by state
	idle    chan struct{} // closed when writing falls to 0; guarded by state
}

var (
	_ io.ReadWriteSeeker = (*File)(nil)
	_ io.ReaderAt        = (*File)(nil)
	_ io.WriterAt        = (*File)(nil)
	_ io.ReaderFrom      = (*File)(nil)
	_ io.WriterTo        = (*File)(nil)
	_ io.Closer          = (*File)(nil)
	_ io.StringWriter    = (*File)(nil)
)

// Open opens the file at name for reading.
func (c *Client) Open(ctx context.Context, name string) (*File, error) {
	return c.OpenFile(ctx, name, os.O_RDONLY, 0)
}

// Create makes the file at name, or empties it, and opens it for reading and
// writing. The server applies its umask to 0o666.
func (c *Client) Create(ctx context.Context, name string) (*File, error) {
	return c.OpenFile(ctx, name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens the file at name with the flags of [os.OpenFile]. perm is for
// a file that is made; the server applies its umask to it. When ctx ends
// before the answer comes, the file is closed as soon as it is open.
func (c *Client) OpenFile(ctx context.Context, name string, flag int, perm fs.FileMode) (*File, error) {
	flags := sftp.OpenFlagsOf(flag)
	var a sftp.Attrs
	if flags&sftp.OpenCreate != 0 {
		a.SetPermissions(sftp.PermissionsOf(perm) &^ sftp.ModeType)
	}
	h, err := c.openHandle(ctx, func(id uint32) wire.Message {
		return &sftp.Open{ID: id, Filename: name, Flags: flags, Attrs: a}
	})
	if err != nil {
		return nil, pathError("open", name, err)
	}
	return &File{c: c, s: c.s, name: name, handle: h, flags: flags}, nil
}

// Name returns the path as it was given to Open.
func (f *File) Name() string { return f.name }

// err wraps an error of an operation on f; io.EOF stays as it is.
func (f *File) err(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // ours, never wrapped
		return err
	}
	return pathError(op, f.name, err)
}

// queue queues a small request with the handle.
func (f *File) queue(m wire.Message) error {
	f.send.RLock()
	defer f.send.RUnlock()
	if f.closed {
		return fs.ErrClosed
	}
	return f.s.Post(m)
}

// ask is session.ask for a request with the handle.
func (f *File) ask(ctx context.Context, w session.Want, build func(id uint32) wire.Message, reply wire.Message) error {
	q, err := f.begin(ctx, w, build)
	if err != nil {
		return err
	}
	return f.s.Answer(ctx, q, reply)
}

func (f *File) begin(ctx context.Context, w session.Want, build func(id uint32) wire.Message) (*session.Call, error) {
	return f.s.Begin(ctx, w, build, f.queue)
}

// Stat asks what is known about the open file. Some servers refuse it;
// reading needs nothing of it.
func (f *File) Stat(ctx context.Context) (*Info, error) {
	var m sftp.AttrsReply
	err := f.ask(ctx, session.WantAttrs, func(id uint32) wire.Message { return &sftp.FStat{ID: id, Handle: f.handle} }, &m)
	if err != nil {
		return nil, f.err("stat", err)
	}
	return &Info{name: path.Base(f.name), attrs: m.Attrs}, nil
}

// Chmod sets the permissions, after all writes in flight are confirmed.
func (f *File) Chmod(ctx context.Context, mode fs.FileMode) error {
	var a sftp.Attrs
	a.SetPermissions(sftp.PermissionsOf(mode) &^ sftp.ModeType)
	return f.err("chmod", f.setStat(ctx, a))
}

// Chown sets owner and group, after all writes in flight are confirmed.
func (f *File) Chown(ctx context.Context, uid, gid int) error {
	if err := checkOwner(uid, gid); err != nil {
		return f.err("chown", err)
	}
	var a sftp.Attrs
	a.SetOwner(uint32(uid), uint32(gid))
	return f.err("chown", f.setStat(ctx, a))
}

// Chtimes sets the times of the last access and the last change, after all
// writes in flight are confirmed.
func (f *File) Chtimes(ctx context.Context, atime, mtime time.Time) error {
	var a sftp.Attrs
	a.SetTimes(atime, mtime)
	return f.err("chtimes", f.setStat(ctx, a))
}

// Truncate cuts or extends the file, after all writes in flight are confirmed.
func (f *File) Truncate(ctx context.Context, size int64) error {
	if size < 0 {
		return f.err("truncate", fs.ErrInvalid)
	}
	var a sftp.Attrs
	a.SetSize(uint64(size))
	return f.err("truncate", f.setStat(ctx, a))
}

// SetAttrs sets all attributes that a.Flags names in one request, after all
// writes in flight are confirmed.
func (f *File) SetAttrs(ctx context.Context, a sftp.Attrs) error {
	return f.err("setstat", f.setStat(ctx, a))
}

// setStat waits for the writes because some servers let FSETSTAT overtake
// them, and then the file has the wrong size or time.
func (f *File) setStat(ctx context.Context, a sftp.Attrs) error {
	if err := f.settle(ctx); err != nil {
		return err
	}
	return f.ask(ctx, session.WantStatus, func(id uint32) wire.Message {
		return &sftp.FSetStat{ID: id, Handle: f.handle, Attrs: a}
	}, nil)
}

// Sync makes the server write the file to its disk, after all writes in flight
// are confirmed. It needs fsync@openssh.com, else the error is an
// [*UnsupportedError]. An earlier write error is returned again: the file is
// not what was meant.
func (f *File) Sync(ctx context.Context) error {
	if !f.c.offers(sftp.ExtFSync, sftp.ExtVersionOne) {
		return f.err("sync", &UnsupportedError{Extension: sftp.ExtFSync})
	}
	if err := f.settle(ctx); err != nil {
		return f.err("sync", err)
	}
	if err := f.failure(); err != nil {
		return f.err("sync", err)
	}
	return f.err("sync", f.ask(ctx, session.WantStatus, func(id uint32) wire.Message {
		return &sftp.Extended{ID: id, Request: sftp.ExtFSync, Handle: f.handle}
	}, nil))
}

// Seek sets the offset of the next Read or Write. io.SeekEnd asks the server
// for the size.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		i, err := f.Stat(context.Background())
		if err != nil {
			return f.off, err
		}
		if !i.attrs.Has(sftp.AttrSize) {
			return f.off, f.err("seek", errors.New("the server does not tell the size"))
		}
		offset += i.Size()
	default:
		return f.off, f.err("seek", fmt.Errorf("whence %d: %w", whence, fs.ErrInvalid))
	}
	if offset < 0 {
		return f.off, f.err("seek", fs.ErrInvalid)
	}
	f.off = offset
	return offset, nil
}

// Close gives the handle back and returns the first write error of the file,
// also when a Write has returned it before, or else the server's answer, which
// may be the error of an earlier write. Requests in flight keep their order
// before it. Closed twice, it returns [fs.ErrClosed].
func (f *File) Close() error { return f.CloseContext(context.Background()) }

// CloseContext is Close with a context. Whatever happens, f is closed.
func (f *File) CloseContext(ctx context.Context) error {
	q, err := f.beginClose()
	if err != nil {
		return f.err("close", err)
	}
	err = f.s.Answer(ctx, q, nil)
	if first := f.failure(); first != nil {
		err = first
	}
	return f.err("close", err)
}

func (f *File) beginClose() (*session.Call, error) {
	f.send.Lock()
	defer f.send.Unlock()
	if f.closed {
		return nil, fs.ErrClosed
	}
	f.closed = true
	q, err := f.s.Open(session.WantStatus, 0)
	if err != nil {
		return nil, err
	}
	if err := f.s.Post(&sftp.Close{ID: q.ID(), Handle: f.handle}); err != nil {
		f.s.Drop(q)
		return nil, err
	}
	return q, nil
}

// Release is Close for a file that was only read: it does not wait for the
// answer, which can tell nothing then, and so saves a round trip. Close of the
// client waits for it.
func (f *File) Release() error {
	q, err := f.beginClose()
	if err != nil {
		return f.err("close", err)
	}
	f.s.Release(q)
	return nil
}

// fail keeps the first write error.
func (f *File) fail(err error) {
	f.state.Lock()
	defer f.state.Unlock()
	if f.failed == nil {
		f.failed = err
	}
}

func (f *File) failure() error {
	f.state.Lock()
	defer f.state.Unlock()
	return f.failed
}

// startWrite and endWrite count writes for settle.
func (f *File) startWrite() {
	f.state.Lock()
	defer f.state.Unlock()
	f.writing++
}

func (f *File) endWrite() {
	f.state.Lock()
	defer f.state.Unlock()
	if f.writing--; f.writing == 0 && f.idle != nil {
		close(f.idle)
		f.idle = nil
	}
}

// settle waits until no write is in flight.
func (f *File) settle(ctx context.Context) error {
	for {
		f.state.Lock()
		if f.writing == 0 {
			f.state.Unlock()
			return nil
		}
		if f.idle == nil {
			f.idle = make(chan struct{})
		}
		idle := f.idle
		f.state.Unlock()
		select {
		case <-idle:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
