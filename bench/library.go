package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/ssh/keys"
)

// library is one of the two that are measured in this process.
type library struct {
	serve func(o algorithms, root string) (*endpoint, error) // root: what SFTP serves
	dial  func(ctx context.Context, p *endpoint, o algorithms) (client, error)
}

var libraries = [columns]library{
	ours:   {serveOurs, dialOurs},
	theirs: {serveTheirs, dialTheirs},
}

// algorithms are what both sides offer; "": the defaults.
type algorithms struct{ cipher, kex string }

// endpoint is a server and what a client needs to get in.
type endpoint struct {
	addr string
	user string
	host keys.PublicKey
	key  keys.Signer // nil: everybody may
	root string      // where SFTP shows the directory that is served
	stop func()
}

// at returns the endpoint behind another address.
func (p *endpoint) at(addr string) *endpoint {
	q := *p
	q.addr = addr
	return &q
}

// client is a connection that has been let in.
type client interface {
	open(ctx context.Context, subsystem string) (stream, error)
	exec(ctx context.Context, line string, in io.Reader, out io.Writer) error
	sftp(ctx context.Context) (files, error)
	Close() error
}

// stream is a channel.
type stream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// files is an SFTP session, used in the way its library is meant to be.
type files interface {
	get(ctx context.Context, remote []string, local string) error
	put(ctx context.Context, local []string, remote string) error
	list(ctx context.Context, dir string) (int, error)
	Close() error
}

// chunk is how much one Read or Write of bulk data is given: as io.Copy does.
const chunk = 32 << 10

// The subsystems of both servers, beside sftp. None knows whose it is.
var subsystems = map[string]func(rw io.ReadWriter) error{
	"source": source, "sink": sink, "echo": echo,
}

// source reads a number of bytes, as uint64, and writes so many.
func source(rw io.ReadWriter) error {
	var n uint64
	if err := binary.Read(rw, binary.BigEndian, &n); err != nil {
		return err
	}
	return feed(rw, int64(n), make([]byte, chunk))
}

// feed writes n bytes in pieces of buf's length.
func feed(w io.Writer, n int64, buf []byte) error {
	for n > 0 {
		k, err := w.Write(buf[:min(n, int64(len(buf)))])
		if err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

// sink reads to the end and says how much that was.
func sink(rw io.ReadWriter) error {
	n, err := drain(rw)
	if err != nil {
		return err
	}
	return binary.Write(rw, binary.BigEndian, uint64(n))
}

// drain reads to the end, with Read on all sides.
func drain(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, chunk))
}

func echo(rw io.ReadWriter) error {
	buf := make([]byte, chunk)
	for {
		n, err := rw.Read(buf)
		if err == io.EOF { //nolint:errorlint // the libraries return it as it is
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := rw.Write(buf[:n]); err != nil {
			return err
		}
	}
}

// download asks the other side's source for n bytes.
func download(ctx context.Context, c client, n int64) error {
	s, err := c.open(ctx, "source")
	if err != nil {
		return err
	}
	defer s.Close()
	if err := binary.Write(s, binary.BigEndian, uint64(n)); err != nil {
		return err
	}
	got, err := drain(s)
	return complete(got, n, err)
}

// upload sends n bytes in writes of the given size and waits until the other
// side's sink has read them all.
func upload(ctx context.Context, c client, n int64, size int) error {
	s, err := c.open(ctx, "sink")
	if err != nil {
		return err
	}
	defer s.Close()
	if err := feed(s, n, make([]byte, size)); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	var got uint64
	err = binary.Read(s, binary.BigEndian, &got)
	return complete(int64(got), n, err)
}

func complete(got, want int64, err error) error {
	if err == nil && got != want {
		return fmt.Errorf("%d bytes of %d have arrived", got, want)
	}
	return err
}
