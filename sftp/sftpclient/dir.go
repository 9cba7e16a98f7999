package sftpclient

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/internal/session"
	"github.com/wirelark/wirelark/wire"
)

const (
	// firstReadDirs is how many READDIRs are sent at once for a directory of
	// unknown size; each answer with names allows two more.
	firstReadDirs = 4

	// mostReadDirs is how many are in flight at most. With OpenSSH's hundred
	// names an answer, that is a directory of 6,400 entries in one round trip.
	mostReadDirs = 64
)

// ReadDir lists the directory at name, sorted by file name, without "." and
// "..". With an error it returns what it has read before. A listing larger than
// [Config].MaxListing is a [*ListingError].
func (c *Client) ReadDir(ctx context.Context, name string) ([]*Info, error) {
	release, err := c.hold(ctx, 1)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	defer release()
	var list []*Info
	size := int64(0)
	for i, e := range c.ReadDirSeq(ctx, name) {
		if e != nil {
			err = e
			break
		}
		if size += i.size(); size > c.cfg.MaxListing {
			err = pathError("readdir", name, &ListingError{Limit: c.cfg.MaxListing, Entries: len(list)})
			break
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b *Info) int { return strings.Compare(a.name, b.name) })
	return list, err
}

// ReadDirSeq lists the directory at name in the server's order, without "."
// and "..", while the answers come in: many requests are in flight. An error
// is the last thing it yields, with a nil *Info. A name that no file can have
// is such an error, a [*NameError].
func (c *Client) ReadDirSeq(ctx context.Context, name string) iter.Seq2[*Info, error] {
	return func(yield func(*Info, error) bool) {
		h, err := c.openDir(ctx, name)
		if err != nil {
			yield(nil, pathError("readdir", name, err))
			return
		}
		l := listing{c: c, handle: h, dir: name, window: firstReadDirs}
		defer l.close()
		for {
			names, err := l.next(ctx)
			if err != nil {
				yield(nil, pathError("readdir", name, err))
				return
			}
			if names == nil {
				return
			}
			for _, i := range names {
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}

func (c *Client) openDir(ctx context.Context, name string) ([]byte, error) {
	return c.openHandle(ctx, func(id uint32) wire.Message { return &sftp.OpenDir{ID: id, Path: name} })
}

// openHandle sends a request that is answered with a handle and returns a copy
// of it.
func (c *Client) openHandle(ctx context.Context, build func(uint32) wire.Message) ([]byte, error) {
	s := c.s
	q, err := s.Begin(ctx, session.WantHandle, build, s.Post)
	if err != nil {
		return nil, err
	}
	p, err := s.Take(ctx, q)
	if err != nil {
		return nil, err
	}
	defer p.Free()
	var m sftp.Handle
	if err := s.Decode(p, &m); err != nil {
		return nil, err
	}
	if len(m.Handle) > sftp.MaxHandle {
		err := session.Protocolf("a handle of %d bytes", len(m.Handle))
		s.Fail(err)
		return nil, err
	}
	return append([]byte(nil), m.Handle...), nil
}

// listing reads one directory with many READDIRs in flight.
type listing struct {
	c      *Client
	handle []byte
	dir    string
	window int                 // READDIRs that may be in flight
	asked  fifo[*session.Call] // in flight, oldest first
	ended  bool                // the server has said EOF
}

// next returns some entries, nil after the last.
func (l *listing) next(ctx context.Context) ([]*Info, error) {
	for {
		if err := l.ask(ctx); err != nil {
			return nil, err
		}
		if l.asked.len() == 0 {
			return nil, nil
		}
		var m sftp.Name
		err := l.c.s.Answer(ctx, l.asked.pop(), &m)
		var status *sftp.StatusError
		switch {
		case errors.As(err, &status) && (l.ended || status.Code == sftp.StatusEOF):
			// Requests behind the end are refused in one way or another.
			l.ended = true
			continue
		case err != nil:
			return nil, err
		case len(m.Names) == 0:
			return nil, session.Protocolf("a listing without names that is not at its end")
		}
		l.window = min(l.window+1, mostReadDirs)
		if names, err := l.infos(m.Names); err != nil || len(names) > 0 {
			return names, err
		}
	}
}

// ask fills the window.
func (l *listing) ask(ctx context.Context) error {
	s := l.c.s
	for !l.ended && l.asked.len() < l.window {
		q, err := s.Begin(ctx, session.WantName, func(id uint32) wire.Message {
			return &sftp.ReadDir{ID: id, Handle: l.handle}
		}, s.Post)
		if err != nil {
			return err
		}
		l.asked.push(q)
	}
	return nil
}

// infos checks the names and leaves "." and ".." out.
func (l *listing) infos(names []sftp.NameEntry) ([]*Info, error) {
	block := make([]Info, 0, len(names))
	list := make([]*Info, 0, len(names))
	for i := range names {
		n := &names[i]
		switch {
		case n.Filename == "." || n.Filename == "..":
			continue
		case n.Filename == "" || strings.ContainsAny(n.Filename, "/\x00"):
			return nil, &NameError{Dir: l.dir, Name: n.Filename}
		}
		block = append(block, Info{name: n.Filename, longname: n.Longname, attrs: n.Attrs})
		list = append(list, &block[len(block)-1])
	}
	return list, nil
}

// close gives the handle back and leaves what is still asked to the reader.
func (l *listing) close() {
	for l.asked.len() > 0 {
		l.c.s.Discard(l.asked.pop())
	}
	l.c.s.Forget(func(id uint32) wire.Message { return &sftp.Close{ID: id, Handle: l.handle} }, session.WantStatus)
}

// Mkdir makes a directory. The server applies its umask to perm.
func (c *Client) Mkdir(ctx context.Context, name string, perm fs.FileMode) error {
	var a sftp.Attrs
	a.SetPermissions(sftp.PermissionsOf(perm) &^ sftp.ModeType)
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message { return &sftp.Mkdir{ID: id, Path: name, Attrs: a} }, nil)
	return pathError("mkdir", name, err)
}

// Rmdir removes an empty directory.
func (c *Client) Rmdir(ctx context.Context, name string) error {
	err := c.s.Ask(ctx, session.WantStatus, func(id uint32) wire.Message { return &sftp.Rmdir{ID: id, Path: name} }, nil)
	return pathError("rmdir", name, err)
}

// MkdirAll makes the directory at name and those above it that are missing. It
// is no error when it is there already.
func (c *Client) MkdirAll(ctx context.Context, name string, perm fs.FileMode) error {
	name = path.Clean(name)
	mkErr := c.Mkdir(ctx, name, perm)
	if mkErr == nil {
		return nil
	}
	// Version 3 has no status for "exists" and none that surely means that the
	// directory above is missing: look.
	i, err := c.Stat(ctx, name)
	if err == nil {
		if i.IsDir() {
			return nil
		}
		return mkErr
	}
	above := path.Dir(name)
	if above == name || !errors.Is(err, fs.ErrNotExist) {
		return mkErr
	}
	if err := c.MkdirAll(ctx, above, perm); err != nil {
		return err
	}
	err = c.Mkdir(ctx, name, perm)
	if err == nil {
		return nil
	}
	if i, statErr := c.Stat(ctx, name); statErr == nil && i.IsDir() {
		return nil // somebody else was faster
	}
	return err
}
