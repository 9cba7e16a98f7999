package sftpclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/wirelark/wirelark/sftp"
)

const (
	// manyRequests is how many small operations run at once where the client
	// itself decides.
	manyRequests = 64

	// maxDepth is how deep a tree may be that the client walks.
	maxDepth = 256
)

// ErrTooDeep says that a tree has more levels than the client walks: 256.
var ErrTooDeep = errors.New("too many levels of directories")

// RemoveAll removes name and, when it is a directory, everything below it,
// with many requests in flight. Symbolic links are removed, not followed. It
// is no error when there is nothing. It stops at the first error, and what was
// removed stays removed.
func (c *Client) RemoveAll(ctx context.Context, name string) error {
	name = strings.TrimRight(name, "/")
	if base := path.Base(name); name == "" || base == "." || base == ".." {
		return pathError("removeall", name, fs.ErrInvalid)
	}
	i, err := c.Lstat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !i.IsDir():
		return gone(c.Remove(ctx, name))
	}
	g, ctx := NewGroup(ctx, manyRequests)
	err = c.removeDir(ctx, g, name, 0)
	if err != nil {
		g.fail(err)
	}
	if first := g.Wait(); first != nil {
		return first
	}
	return err
}

// gone takes "there is nothing" for success.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// removeDir empties dir, waits, and removes it. It lists all of dir before it
// removes anything, because a listing may leave entries out while others
// vanish.
func (c *Client) removeDir(ctx context.Context, g *Group, dir string, depth int) error {
	if depth > maxDepth {
		return pathError("removeall", dir, fmt.Errorf("%w (%d)", ErrTooDeep, maxDepth))
	}
	list, err := c.ReadDir(ctx, dir)
	if err != nil {
		return gone(err)
	}
	var below sync.WaitGroup
	for _, i := range list {
		below.Add(1)
		remove := func(ctx context.Context) error {
			defer below.Done()
			return c.removeEntry(ctx, g, path.Join(dir, i.Name()), i, depth+1)
		}
		switch {
		case !i.IsDir():
			if !g.Go(remove) {
				below.Done()
			}
		case !g.Branch(remove):
			if err := remove(ctx); err != nil {
				g.fail(err)
			}
		}
	}
	below.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return gone(c.Rmdir(ctx, dir))
}

func (c *Client) removeEntry(ctx context.Context, g *Group, name string, i *Info, depth int) error {
	if i.IsDir() {
		return c.removeDir(ctx, g, name, depth)
	}
	err := c.Remove(ctx, name)
	if err == nil || i.attrs.Has(sftp.AttrPermissions) {
		return gone(err)
	}
	// The server does not tell types in listings: this may be a directory.
	if l, statErr := c.Lstat(ctx, name); statErr == nil && l.IsDir() {
		return c.removeDir(ctx, g, name, depth)
	}
	return gone(err)
}
