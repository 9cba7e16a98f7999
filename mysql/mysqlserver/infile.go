package mysqlserver

import (
	"context"
	"io"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// LocalInfile asks the client for the file name and returns what it sends. It
// is to be read to its end or closed before anything else is written; Close
// discards what is left. It fails with error 3948 when the client has not said
// that it allows this (CLIENT_LOCAL_FILES). A client that refuses sends nothing:
// the reader is at its end at once.
//
// While the file is read nobody looks whether the client is still there; the
// reader's error tells.
func (w *Writer) LocalInfile(ctx context.Context, name string) (io.ReadCloser, error) {
	c := w.c
	if !c.client.Capabilities.Has(mysql.ClientLocalFiles) || w.binary || w.sum != nil {
		return nil, errInfile
	}
	if err := w.next(); err != nil {
		return nil, err
	}
	c.sock.Unwatch()
	if err := c.send(&mysql.LocalInfileRequest{Filename: name}); err != nil {
		return nil, err
	}
	c.sock.Patience(c.limits.ReadTimeout)
	_ = c.pc.SetReadDeadline(time.Now().Add(c.limits.ReadTimeout))
	w.file = &infile{w: w, ctx: ctx}
	return w.file, nil
}

// infile is a file that the client sends.
type infile struct {
	w    *Writer
	ctx  context.Context // of the statement
	rest []byte          // of the packet that came last
	err  error           // io.EOF: it has come to its end
}

// Read returns what the client sends.
func (f *infile) Read(b []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.err == nil && f.ctx.Err() != nil {
			return 0, context.Cause(f.ctx)
		}
		if f.err == nil {
			f.fill()
		}
		if f.err != nil {
			return 0, f.err
		}
	}
	n := copy(b, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// fill reads the next packet; an empty one is the last.
func (f *infile) fill() {
	c := f.w.c
	p, err := c.pc.ReadPacket()
	switch {
	case err != nil:
		f.err = err
		c.cancel(err)
	case len(p) == 0:
		f.err = io.EOF
		c.sock.Watch(func() { c.cancel(io.ErrUnexpectedEOF) })
	}
	f.rest = p
}

// Close discards what the client still sends. An error has ended the
// connection.
func (f *infile) Close() error {
	for f.err == nil {
		f.fill()
	}
	f.rest = nil
	if f.err == io.EOF { //nolint:errorlint // never wrapped
		return nil
	}
	return f.err
}

// closeFile makes place for what stands behind the client's file.
func (w *Writer) closeFile() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}
