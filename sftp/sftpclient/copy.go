package sftpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

const (
	// copyPiece is how many bytes one copy-data asks for: a cancel takes effect
	// between two, and none takes so long that it seems lost.
	copyPiece = 64 << 20

	// copiesAtOnce is how many are in flight.
	copiesAtOnce = 4
)

// Copy copies the file at oldname to newname on the server, without its bytes
// coming here, and returns how many there were. A file at newname is replaced
// in place, a new one gets the permissions of the old one. It needs copy-data,
// else the error is an [*UnsupportedError] and nothing was changed. Copying a
// file to itself, by whatever name, leaves it as it is; most servers call it
// an error.
func (c *Client) Copy(ctx context.Context, oldname, newname string) (int64, error) {
	n, err := c.copy(ctx, oldname, newname)
	var link *os.LinkError
	if errors.As(err, &link) {
		return n, err
	}
	return n, linkError("copy", oldname, newname, err)
}

func (c *Client) copy(ctx context.Context, oldname, newname string) (n int64, err error) {
	if !c.offers(sftp.ExtCopyData, sftp.ExtVersionOne) {
		return 0, &UnsupportedError{Extension: sftp.ExtCopyData}
	}
	release, err := c.hold(ctx, 2)
	if err != nil {
		return 0, err
	}
	defer release()
	src, err := c.Open(ctx, oldname)
	if err != nil {
		return 0, err
	}
	defer func() { _ = src.Release() }() // it was only read
	i, err := src.Stat(ctx)
	if err != nil {
		return 0, err
	}
	perm := fs.FileMode(0o666)
	if i.attrs.Has(sftp.AttrPermissions) {
		perm = i.Mode().Perm()
	}
	// Not truncated: it may be the same file by another name.
	dst, err := c.OpenFile(ctx, newname, os.O_WRONLY|os.O_CREATE, perm)
	if err != nil {
		return 0, err
	}
	n, err = dst.become(ctx, src, i.Size())
	if closeErr := dst.CloseContext(ctx); err == nil {
		err = closeErr
	}
	return n, err
}

// become makes f a copy of src, which has size bytes, or says it has none.
func (f *File) become(ctx context.Context, src *File, size int64) (int64, error) {
	was, err := f.Stat(ctx)
	if err != nil {
		return 0, err
	}
	if err := src.CopyTo(ctx, f, 0, 0, size); err != nil {
		return 0, err
	}
	switch {
	case size > 0 && was.Size() > size:
		return size, f.Truncate(ctx, size)
	case size > 0:
		return size, nil
	}
	// An empty file, or one that does not tell its size, as those of /proc.
	if was.Size() > 0 {
		if err := f.Truncate(ctx, 0); err != nil {
			return 0, err
		}
		if err := src.CopyTo(ctx, f, 0, 0, 0); err != nil {
			return 0, err
		}
	}
	now, err := f.Stat(ctx)
	if err != nil {
		return 0, err
	}
	return now.Size(), nil
}

// CopyTo copies n bytes at srcOff of f to dstOff of dst, a file of the same
// client, on the server; with n 0 everything up to the end of f. f must be open
// for reading and dst for writing, and they must be different files. It waits
// for all writes in flight to both. It needs copy-data, else the error is an
// [*UnsupportedError].
//
// When f has fewer bytes than n the error is [io.ErrUnexpectedEOF]. A
// [*PartialError] says how many bytes from the beginning are copied.
func (f *File) CopyTo(ctx context.Context, dst *File, srcOff, dstOff, n int64) error {
	return linkError("copy", f.name, dst.name, f.copyTo(ctx, dst, srcOff, dstOff, n))
}

func (f *File) copyTo(ctx context.Context, dst *File, srcOff, dstOff, n int64) error {
	switch {
	case !f.c.offers(sftp.ExtCopyData, sftp.ExtVersionOne):
		return &UnsupportedError{Extension: sftp.ExtCopyData}
	case dst.c != f.c:
		return fmt.Errorf("files of different sessions: %w", fs.ErrInvalid)
	case srcOff < 0 || dstOff < 0 || n < 0 || n > math.MaxInt64-max(srcOff, dstOff):
		return errOffset
	}
	for _, x := range []*File{f, dst} {
		if err := x.settle(ctx); err != nil {
			return err
		}
	}
	if err := dst.failure(); err != nil {
		return err
	}
	dst.startWrite()
	defer dst.endWrite()
	done, err := f.copyPieces(ctx, dst, srcOff, dstOff, n)
	if err == nil {
		return nil
	}
	var status *sftp.StatusError
	if errors.As(err, &status) && status.Code == sftp.StatusEOF {
		err = io.ErrUnexpectedEOF
	}
	return &PartialError{Committed: done, Err: err}
}

// copyPieces sends one copy-data for each piece, several at a time, and waits
// for all of them. It returns how many bytes are copied without a hole, and
// the first error.
func (f *File) copyPieces(ctx context.Context, dst *File, srcOff, dstOff, n int64) (done int64, err error) {
	type piece struct {
		q *session.Call
		n int64
	}
	var asked fifo[piece]
	settle := func() {
		p := asked.pop()
		e := f.s.Answer(ctx, p.q, nil)
		switch {
		case err != nil:
		case e != nil:
			err = e
		default:
			done += p.n
		}
	}
	for sent, first := int64(0), true; err == nil && (sent < n || first); first = false {
		k := min(n-sent, copyPiece)
		q, e := f.s.Begin(ctx, session.WantStatus, func(id uint32) wire.Message {
			return &sftp.Extended{
				ID: id, Request: sftp.ExtCopyData, ReadHandle: f.handle, ReadOffset: uint64(srcOff + sent), Length: uint64(k),
				WriteHandle: dst.handle, WriteOffset: uint64(dstOff + sent),
			}
		}, func(m wire.Message) error { return f.queueWith(dst, m) })
		if e != nil {
			err = e
			break
		}
		asked.push(piece{q, k})
		sent += k
		if asked.len() == copiesAtOnce && sent < n {
			settle()
		}
	}
	var size *session.Call
	if err == nil && n > 0 {
		size, err = f.begin(ctx, session.WantAttrs, func(id uint32) wire.Message { return &sftp.FStat{ID: id, Handle: f.handle} })
	}
	for asked.len() > 0 {
		settle()
	}
	if size == nil {
		return done, err
	}
	// OpenSSH's server calls it a success when the source ends early: what it
	// says of its size behind the copies tells.
	var m sftp.AttrsReply
	if e := f.s.Answer(ctx, size, &m); e == nil && err == nil && m.Attrs.Has(sftp.AttrSize) {
		if has := int64(min(m.Attrs.Size, math.MaxInt64)); has < srcOff+n {
			return max(has-srcOff, 0), io.ErrUnexpectedEOF
		}
	}
	return done, err
}

// queueWith is queue for a request with the handles of two files. Both are
// locked in the order of their handles, so that two such requests never wait
// for each other.
func (f *File) queueWith(g *File, m wire.Message) error {
	a, b := f, g
	switch bytes.Compare(a.handle, b.handle) {
	case 0:
		return a.queue(m)
	case 1:
		a, b = b, a
	}
	a.send.RLock()
	defer a.send.RUnlock()
	if a.closed {
		return fs.ErrClosed
	}
	return b.queue(m)
}
