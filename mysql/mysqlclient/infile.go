package mysqlclient

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/wirelark/wirelark/mysql"
)

// infilePiece is how many bytes of a file one packet carries.
const infilePiece = 256 << 10

// local answers the server's request for a file: with what the call has given
// for it, or with an empty file. A server that was not told that we would answer
// asks for what it must not have, and so does one in the middle of a pipeline,
// where the commands behind would be taken for the file.
func (r *Rows) local(p []byte) error {
	c := r.c
	var m mysql.LocalInfileRequest
	if err := c.line.Parse(p, &m); err != nil {
		return err
	}
	if !c.server.Capabilities.Has(mysql.ClientLocalFiles) || r.answers != nil && !r.answers.alone {
		return &ProtocolError{What: fmt.Sprintf("it asks for the file %q", m.Filename), Err: ErrInfile}
	}
	if c.infile == nil {
		return r.refuse()
	}
	open := c.infile
	c.infile = nil // one file a call
	src, err := open(m.Filename)
	if err != nil {
		if err := r.refuse(); err != nil {
			return err
		}
		r.err = err
		return nil
	}
	return r.upload(src)
}

// refuse sends an empty file and takes the answer to that.
func (r *Rows) refuse() error {
	if err := r.c.pc.Append(&mysql.LocalInfileData{}); err != nil {
		return err
	}
	if err := r.c.line.Flush(); err != nil {
		return err
	}
	_, err := r.c.readOK()
	if err != nil && !isServer(err) {
		return err
	}
	r.err = ErrInfile
	r.finish()
	return nil
}

// upload sends what src has, and then takes the answer. A server that gives up
// in the middle would wait for us to read while we wait for it to, so its answer
// is read at the same time.
func (r *Rows) upload(src io.Reader) error {
	c := r.c
	c.pc.Apart(true)
	defer c.pc.Apart(false)
	c.pc.ExpectAny()
	type reply struct {
		p   []byte
		err error
	}
	var whole atomic.Bool // the file was sent to its end
	replies := make(chan reply, 1)
	go func() { // stops when the server has answered, or the stream is cut
		p, err := c.line.Read()
		if !whole.Load() {
			c.pc.Cut(errGaveUp) // ends a write that waits
		}
		replies <- reply{p, err}
	}()
	err := c.sendFile(src, &whole)
	if err != nil {
		c.pc.Cut(err)
	}
	got := <-replies
	switch {
	case got.err == nil:
		return r.uploaded(got.p, err)
	case err == nil, errors.Is(err, errGaveUp):
		return got.err
	}
	return err
}

// errGaveUp says that the server answered before it had the whole file.
var errGaveUp = errors.New("the server did not take the whole file")

// uploaded takes the answer to a file that err kept from being sent whole.
func (r *Rows) uploaded(p []byte, err error) error {
	switch {
	case err != nil && p[0] == mysql.HeaderERR:
		if said := r.c.line.ServerError(p); isServer(said) {
			return fmt.Errorf("%w: %w", errGaveUp, said)
		}
		return err
	case err != nil:
		return err
	case p[0] == mysql.HeaderERR:
		return r.c.line.ServerError(p)
	case p[0] != mysql.HeaderOK:
		return &ProtocolError{What: "no OK behind a file"}
	}
	return r.ok(p)
}

// sendFile sends src and the empty packet behind it. When src fails, nothing
// tells the server that the file ends, so that what has come is not taken for
// all of it.
func (c *Conn) sendFile(src io.Reader, whole *atomic.Bool) error {
	b := make([]byte, infilePiece)
	for {
		n, err := io.ReadFull(src, b)
		if n > 0 {
			if err := c.pc.Append(&mysql.LocalInfileData{Data: b[:n]}); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			if err := c.line.Flush(); err != nil {
				return err
			}
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			if err := closeReader(src); err != nil {
				return err
			}
		default:
			_ = closeReader(src) // the first error is the one that counts
			return fmt.Errorf("reading the data to load: %w", err)
		}
		if err := c.pc.Append(&mysql.LocalInfileData{}); err != nil {
			return err
		}
		whole.Store(true)
		return c.line.Flush()
	}
}

func closeReader(src io.Reader) error {
	if closer, ok := src.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
