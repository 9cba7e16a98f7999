package mysqlshell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// output is where results go, and the places that see a copy.
type output struct {
	to, err io.Writer
	tee     *os.File
	pager   string
	page    io.WriteCloser // of the result that is being written
}

// Write writes a part of a result. A pager that was left before the end is no
// error: it has seen enough.
func (o *output) Write(b []byte) (int, error) {
	if o.tee != nil {
		if _, err := o.tee.Write(b); err != nil {
			return 0, fmt.Errorf("tee: %w", err)
		}
	}
	if o.page != nil {
		if n, err := o.page.Write(b); err != nil {
			return n, errPagerLeft
		}
		return len(b), nil
	}
	return o.to.Write(b)
}

// errPagerLeft ends a result whose pager reads no more.
var errPagerLeft = errors.New("the pager was left")

// say writes what is no result.
func (o *output) say(text string) {
	if o.tee != nil {
		_, _ = io.WriteString(o.tee, text) // the terminal shows it all the same
	}
	_, _ = io.WriteString(o.err, text) // nobody is left to be told
}

// begin starts the pager, if there is one.
func (o *output) begin(ctx context.Context, start func(context.Context, string) (io.WriteCloser, error)) error {
	if o.pager == "" || start == nil {
		return nil
	}
	page, err := start(ctx, o.pager)
	if err != nil {
		return fmt.Errorf("pager %s: %w", o.pager, err)
	}
	o.page = page
	return nil
}

// end waits for the pager.
func (o *output) end() error {
	if o.page == nil {
		return nil
	}
	err := o.page.Close()
	o.page = nil
	return err
}

// copyTo opens the file that gets a copy of everything; "" ends it.
func (o *output) copyTo(name string) error {
	if o.tee != nil {
		err := o.tee.Close()
		o.tee = nil
		if err != nil {
			return err
		}
	}
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	o.tee = f
	return nil
}

func (o *output) close() error { return errors.Join(o.end(), o.copyTo("")) }
