package transport

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/wirelark/wirelark/mysql"
)

// filePiece is how many bytes of a file one packet carries.
const filePiece = 256 << 10

// errGaveUp says that the server answered before it had the whole file.
var errGaveUp = errors.New("the server did not take the whole file")

// SendFile answers a LocalInfileRequest with what src has, up to io.EOF, and
// returns the OK behind it. src is closed if it is an [io.Closer]. When src fails
// nothing tells the server that the file ends, so that what has come is not taken
// for all of it: the connection is of no use then, and neither is one whose
// server answers too early. IsServer tells other errors.
//
// A server that gives up in the middle would wait for us to read while we wait
// for it to, so its answer is read at the same time.
func (l *Line) SendFile(src io.Reader) ([]byte, error) {
	l.pc.Apart(true)
	defer l.pc.Apart(false)
	l.pc.ExpectAny()
	type reply struct {
		p   []byte
		err error
	}
	var whole atomic.Bool // the file was sent to its end
	replies := make(chan reply, 1)
	go func() { // stops when the server has answered, or the stream is cut
		p, err := l.Read()
		if !whole.Load() {
			l.pc.Cut(errGaveUp) // ends a write that waits
		}
		replies <- reply{p, err}
	}()
	err := l.sendFile(src, &whole)
	if err != nil {
		l.pc.Cut(err)
	}
	got := <-replies
	switch {
	case got.err == nil:
		return l.fileAnswer(got.p, err)
	case err == nil, errors.Is(err, errGaveUp):
		return nil, got.err
	}
	return nil, err
}

// fileAnswer judges the answer to a file that err kept from being sent whole.
func (l *Line) fileAnswer(p []byte, err error) ([]byte, error) {
	switch {
	case err != nil && p[0] == mysql.HeaderERR:
		if said := l.ServerError(p); IsServer(said) {
			err = fmt.Errorf("%w: %w", errGaveUp, said)
		}
	case err != nil:
	case p[0] == mysql.HeaderERR:
		err = l.ServerError(p)
	case p[0] != mysql.HeaderOK:
		err = &ProtocolError{What: "no OK behind a file"}
	}
	return p, err
}

// sendFile sends src and the empty packet behind it.
func (l *Line) sendFile(src io.Reader, whole *atomic.Bool) error {
	b := make([]byte, filePiece)
	for {
		n, err := io.ReadFull(src, b)
		if n > 0 {
			if err := l.pc.Append(&mysql.LocalInfileData{Data: b[:n]}); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
			if err := l.Flush(); err != nil {
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
		if err := l.pc.Append(&mysql.LocalInfileData{}); err != nil {
			return err
		}
		whole.Store(true)
		return l.Flush()
	}
}

func closeReader(src io.Reader) error {
	if closer, ok := src.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}
