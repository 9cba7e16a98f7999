package mysqlclient

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
)

// LoadOptions are what [Conn.LoadData] may be told. Its zero value, and nil, are
// good for everybody.
type LoadOptions struct {
	// Progress is told how many bytes have been read from the reader, each time
	// there are more, by the goroutine that called LoadData.
	Progress func(bytes int64)
}

// Errors of [Conn.LoadData], before anything is sent.
var (
	// ErrNoLoad says that the statement is no LOAD DATA LOCAL or LOAD XML LOCAL.
	ErrNoLoad = errors.New("mysql: the statement is no LOAD DATA LOCAL INFILE")
	// ErrLocalInfile says that the connection cannot load local data, because
	// Config.LocalInfile is not set or the server does not have it.
	ErrLocalInfile = errors.New("mysql: the connection was made without LOAD DATA LOCAL (Config.LocalInfile)")
)

// LoadData executes a LOAD DATA LOCAL INFILE (or LOAD XML LOCAL) whose data is
// what r has, up to io.EOF. The file that sql names is not looked at, and nothing
// but this call can read r. r is closed if it is an [io.Closer].
//
//	result, err := c.LoadData(ctx, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", r, nil)
//
// An error of r ends the connection, so that the server does not take the part
// for the whole. The server must allow it: MySQL has local_infile switched off
// unless told otherwise, and answers with error 3948 then.
//
// With LOCAL a server takes rows that violate a key, or values that do not fit,
// for warnings: compare Result.Info and Result.Warnings with what was expected.
// The TSVWriter of package bulk writes what such a statement reads by default.
func (c *Conn) LoadData(ctx context.Context, sql string, r io.Reader, o *LoadOptions) (Result, error) {
	if o != nil && o.Progress != nil {
		r = &progressReader{r: r, tell: o.Progress}
	}
	return c.ExecInfile(ctx, sql, func(string) (io.Reader, error) { return r, nil })
}

// ExecInfile executes a LOAD DATA LOCAL INFILE for whose data the server's
// request decides: open is given the name that the server asks for, which a
// hostile one chooses. See [Conn.LoadData].
func (c *Conn) ExecInfile(ctx context.Context, sql string, open InfileFunc) (Result, error) {
	switch {
	case !lexer.AsksLocalFile(sql, c.reads()):
		return Result{}, ErrNoLoad
	case !c.server.Capabilities.Has(mysql.ClientLocalFiles):
		return Result{}, ErrLocalInfile
	}
	return c.execInfile(ctx, sql, open)
}

// progressReader counts what is read. It closes what it reads.
type progressReader struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		p.n += int64(n)
		p.tell(p.n)
	}
	return n, err
}

// Close closes what is read.
func (p *progressReader) Close() error {
	if closer, ok := p.r.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

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
	if !c.server.Capabilities.Has(mysql.ClientLocalFiles) || r.answers != nil {
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
	answer, err := c.line.SendFile(src)
	if err != nil {
		return err
	}
	return r.ok(answer)
}

// refuse sends an empty file and takes the answer to that.
func (r *Rows) refuse() error {
	if err := r.c.pc.Append(&mysql.LocalInfileData{}); err != nil {
		return err
	}
	if err := r.c.line.Flush(); err != nil {
		return err
	}
	if err := r.c.readOK(); err != nil && !isServer(err) {
		return err
	}
	r.err = ErrInfile
	r.finish()
	return nil
}
