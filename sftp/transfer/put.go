package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// Put copies the local files, and with [Options].Recursive the directories, at
// sources to the server's path target: into it when it is a directory, else
// under its name. Whatever happens to one file, the others are copied; then
// the error is an [*Error]. A full disk, the end of ctx and a dead channel end
// everything. A file whose upload breaks off is cut to what is confirmed.
func Put(ctx context.Context, c *sftpclient.Client, sources []string, target string, o *Options) (Result, error) {
	if target == "" {
		target = "."
	}
	i, err := c.Stat(ctx, target)
	into := err == nil && i.IsDir()
	switch {
	case err != nil && (ctx.Err() != nil || c.Err() != nil):
		return Result{}, err
	case len(sources) > 1 && !into:
		return Result{}, &fs.PathError{Op: "put", Path: target, Err: ErrNotDirectory}
	}
	j, inner, err := newJob(ctx, c, o)
	if err != nil {
		return Result{}, err
	}
	for _, src := range sources {
		if err := j.putTop(inner, src, target, into); err != nil {
			break
		}
	}
	return j.end(ctx)
}

// putTop copies what the caller has named.
func (j *job) putTop(ctx context.Context, src, to string, into bool) error {
	i, err := os.Stat(src)
	if err != nil {
		return j.fail(ctx, src, err)
	}
	base := filepath.Base(filepath.Clean(src))
	unnamed := base == "." || base == ".." || base == string(filepath.Separator)
	if into && !unnamed {
		to = path.Join(to, base)
	}
	switch {
	case i.Mode().IsRegular():
		j.goFile(func(ctx context.Context) error { return j.putFile(ctx, src, i.Size(), to) }, nil)
		return nil
	case !i.IsDir():
		return j.fail(ctx, src, wrap("put", src, ErrNotRegular))
	case !j.opt.Recursive:
		return j.fail(ctx, src, wrap("put", src, ErrIsDirectory))
	}
	if err := j.remoteDir(ctx, to, i); err != nil {
		return j.fail(ctx, src, err)
	}
	return j.putDir(ctx, src, i, to, 0)
}

// remoteDir makes a directory on the server, or takes the one that is there.
func (j *job) remoteDir(ctx context.Context, name string, i fs.FileInfo) error {
	mkErr := j.c.Mkdir(ctx, name, i.Mode().Perm()|0o700)
	if mkErr == nil {
		return nil
	}
	if r, err := j.c.Stat(ctx, name); err == nil && r.IsDir() {
		return nil
	}
	return mkErr
}

// putDir copies what is in the local directory dir into to, which exists, and
// waits for it. An error ends the job.
func (j *job) putDir(ctx context.Context, dir string, i fs.FileInfo, to string, depth int) error {
	j.madeDir()
	list, err := os.ReadDir(dir)
	if err != nil {
		if err := j.fail(ctx, dir, err); err != nil {
			return err
		}
	}
	var below sync.WaitGroup
	for _, e := range list {
		err := j.putEntry(ctx, filepath.Join(dir, e.Name()), e, path.Join(to, e.Name()), depth+1, &below)
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			below.Wait()
			return err
		}
	}
	below.Wait()
	if j.opt.Preserve && ctx.Err() == nil {
		if err := j.c.SetAttrs(ctx, to, kept(i)); err != nil {
			return j.fail(ctx, dir, err)
		}
	}
	return nil
}

// putEntry starts the copying of one entry of a local directory.
func (j *job) putEntry(ctx context.Context, src string, e fs.DirEntry, to string, depth int, below *sync.WaitGroup) error {
	if err := j.enter(depth); err != nil {
		return errors.Join(j.fail(ctx, src, wrap("put", src, err)), errStop)
	}
	info := e.Info
	if e.Type()&fs.ModeSymlink != 0 && j.opt.FollowLinks {
		info = func() (fs.FileInfo, error) { return os.Stat(src) }
	}
	i, err := info()
	if err != nil {
		return j.fail(ctx, src, err)
	}
	switch {
	case i.Mode().IsRegular():
		j.goFile(func(ctx context.Context) error { return j.putFile(ctx, src, i.Size(), to) }, below)
	case i.IsDir():
		return j.putBranch(src, i, to, depth, below)
	case i.Mode()&fs.ModeSymlink != 0:
		j.skip(src, "symbolic link")
	default:
		j.skip(src, "not a regular file")
	}
	return ctx.Err()
}

// putBranch copies a directory within a tree.
func (j *job) putBranch(src string, i fs.FileInfo, to string, depth int, below *sync.WaitGroup) error {
	below.Add(1)
	branch := func(ctx context.Context) error {
		defer below.Done()
		if err := j.remoteDir(ctx, to, i); err != nil {
			return j.fail(ctx, src, err)
		}
		return j.putDir(ctx, src, i, to, depth)
	}
	if j.group.Branch(branch) {
		return nil
	}
	return branch(j.group.Context())
}

// kept are the attributes that [Options].Preserve keeps.
func kept(i fs.FileInfo) sftp.Attrs {
	var a sftp.Attrs
	a.SetPermissions(sftp.PermissionsOf(i.Mode().Perm()) &^ sftp.ModeType)
	a.SetTimes(i.ModTime(), i.ModTime())
	return a
}

// putFile copies one file and reports it.
func (j *job) putFile(ctx context.Context, src string, size int64, to string) error {
	j.tell(Event{Kind: Begin, Path: src, Size: size})
	err := j.upload(ctx, src, to)
	j.tell(Event{Kind: End, Path: src, Size: size, Err: err})
	if err != nil {
		return j.fail(ctx, src, err)
	}
	return nil
}

func (j *job) upload(ctx context.Context, src, to string) error {
	local, err := os.Open(src)
	if err != nil {
		return err
	}
	defer func() { _ = local.Close() }() // it was only read
	i, err := local.Stat()
	if err != nil {
		return err
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if j.opt.Resume {
		flag = os.O_RDWR | os.O_CREATE
	}
	f, err := j.c.OpenFile(ctx, to, flag, i.Mode().Perm())
	if err != nil {
		return err
	}
	err = j.send(ctx, local, i.Size(), f, src)
	if err == nil && j.opt.Preserve {
		err = f.SetAttrs(ctx, kept(i))
	}
	if closeErr := f.CloseContext(ctx); err == nil {
		err = closeErr
	}
	return err
}

// send copies the open local file to f and checks its length.
func (j *job) send(ctx context.Context, local *os.File, size int64, f *sftpclient.File, src string) error {
	start := int64(0)
	if j.opt.Resume {
		var err error
		if start, err = j.resumePut(ctx, local, size, f, src); err != nil {
			return err
		}
	}
	n, err := f.WriteFrom(ctx, &counter{j: j, path: src, r: local})
	var partial *sftpclient.PartialError
	switch {
	case errors.As(err, &partial) && ctx.Err() == nil:
		// Behind a hole there may be more: nobody shall take it for the file. If
		// this fails too, the first error is the one that counts.
		_ = f.Truncate(ctx, start+partial.Committed)
		err = j.diagnose(ctx, f.Name(), err)
	case err == nil && start+n < size:
		err = wrap("put", src, ErrShrank)
	}
	return err
}

// diagnose finds out whether a write failed because the disk is full: version
// 3 has no status for that.
func (j *job) diagnose(ctx context.Context, name string, err error) error {
	if !errors.Is(err, &sftp.StatusError{Code: sftp.StatusFailure}) {
		return err
	}
	if v, vfsErr := j.c.StatVFS(ctx, path.Dir(name)); vfsErr == nil && v.Blocks > 0 && v.Bavail == 0 {
		return fmt.Errorf("%w; the server's file system has no room: %w", err, syscall.ENOSPC)
	}
	return err
}
