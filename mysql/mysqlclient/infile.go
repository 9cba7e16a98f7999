package mysqlclient

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql"
)

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
