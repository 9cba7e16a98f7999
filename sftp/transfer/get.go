package transfer

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path"
	"sync"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// Get copies the files, and with [Options].Recursive the directories, at the
// server's paths sources to the local path target: into it when it is a
// directory, else under its name. Whatever happens to one file, the others are
// copied; then the error is an [*Error]. A full disk, the end of ctx and a
// dead channel end everything.
func Get(ctx context.Context, c *sftpclient.Client, sources []string, target string, o *Options) (Result, error) {
	if target == "" {
		target = "."
	}
	to := place{name: target}
	i, err := to.stat()
	into := err == nil && i.IsDir()
	if len(sources) > 1 && !into {
		return Result{}, &fs.PathError{Op: "get", Path: target, Err: ErrNotDirectory}
	}
	j, inner, err := newJob(ctx, c, o)
	if err != nil {
		return Result{}, err
	}
	if into {
		root, err := os.OpenRoot(target)
		if err != nil {
			_, _ = j.end(ctx)
			return Result{}, err
		}
		defer func() { _ = root.Close() }()
		to = place{root: root, name: "."}
	}
	for src, about := range j.stats(inner, sources) {
		if err := j.getTop(inner, src, about, to, into); err != nil {
			break
		}
	}
	return j.end(ctx)
}

// answer is what the server says about a source.
type answer struct {
	i   *sftpclient.Info
	err error
}

// stats asks about all sources, many at a time, and yields the answers in the
// order of the sources. One after another, the questions would take longer
// than the files.
func (j *job) stats(ctx context.Context, sources []string) iter.Seq2[string, answer] {
	return func(yield func(string, answer) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var asking sync.WaitGroup
		defer asking.Wait()
		defer cancel()
		answers := make([]chan answer, 0, len(sources))
		for n, src := range sources {
			for len(answers) < min(n+defaultFiles, len(sources)) {
				a, name := make(chan answer, 1), sources[len(answers)]
				answers = append(answers, a)
				asking.Go(func() { // stops when the answer has come or ctx ends
					i, err := j.c.Stat(ctx, name)
					a <- answer{i, err}
				})
			}
			if !yield(src, <-answers[n]) {
				return
			}
		}
	}
}

// getTop copies what the caller has named.
func (j *job) getTop(ctx context.Context, src string, about answer, to place, into bool) error {
	i, err := about.i, about.err
	switch {
	case errors.Is(err, fs.ErrNotExist), err != nil && ctx.Err() != nil:
		return j.fail(ctx, src, err)
	case err != nil:
		i = nil // some servers refuse STAT and give the file
	}
	base := path.Base(path.Clean(src))
	unnamed := base == "." || base == ".." || base == "/"
	if into && !unnamed {
		name, err := localName(base)
		if err != nil {
			return j.fail(ctx, src, wrap("get", src, err))
		}
		to = to.below(name)
	}
	if i == nil || !i.IsDir() {
		j.goFile(func(ctx context.Context) error { return j.getFile(ctx, src, i, to) }, nil)
		return nil
	}
	if !j.opt.Recursive {
		return j.fail(ctx, src, wrap("get", src, ErrIsDirectory))
	}
	if err := to.mkdir(dirPerm(i)); err != nil {
		return j.fail(ctx, src, err)
	}
	root, err := to.enter()
	if err != nil {
		return j.fail(ctx, src, err)
	}
	defer func() { _ = root.Close() }()
	return j.getDir(ctx, src, i, place{root: root, name: "."}, 0)
}

// goFile runs the copying of one file as soon as there is a place. below, if
// not nil, waits for it.
func (j *job) goFile(f func(ctx context.Context) error, below *sync.WaitGroup) {
	if below == nil {
		j.group.Go(f)
		return
	}
	below.Add(1)
	if !j.group.Go(func(ctx context.Context) error { defer below.Done(); return f(ctx) }) {
		below.Done()
	}
}

// dirPerm are the permissions of a directory that is being filled.
func dirPerm(i *sftpclient.Info) fs.FileMode {
	a := i.Attrs()
	if !a.Has(sftp.AttrPermissions) {
		return 0o777
	}
	return i.Mode().Perm() | 0o700
}

// filePerm are the permissions of a new file.
func filePerm(i *sftpclient.Info) fs.FileMode {
	if i == nil {
		return 0o666
	}
	if a := i.Attrs(); !a.Has(sftp.AttrPermissions) {
		return 0o666
	}
	return i.Mode().Perm()
}

// getDir copies what is in the directory dir into the place to, which exists,
// and waits for it. An error ends the job.
func (j *job) getDir(ctx context.Context, dir string, i *sftpclient.Info, to place, depth int) error {
	j.madeDir()
	var below sync.WaitGroup
	seen := names{}
	for e, err := range j.list(ctx, dir) {
		if err == nil {
			err = j.getEntry(ctx, dir, e, to, depth+1, seen, &below)
		} else {
			err = j.fail(ctx, dir, err)
		}
		if err != nil {
			below.Wait()
			return err
		}
	}
	below.Wait()
	if j.opt.Preserve && ctx.Err() == nil {
		if err := keepDir(i, to); err != nil {
			return j.fail(ctx, dir, err)
		}
	}
	return nil
}

// list lists dir while it is being worked on, or beforehand where the server
// allows few open handles.
func (j *job) list(ctx context.Context, dir string) iter.Seq2[*sftpclient.Info, error] {
	if !j.opt.few {
		return j.c.ReadDirSeq(ctx, dir)
	}
	return func(yield func(*sftpclient.Info, error) bool) {
		list, err := j.c.ReadDir(ctx, dir)
		for _, e := range list {
			if !yield(e, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// getEntry starts the copying of one entry of dir.
func (j *job) getEntry(ctx context.Context, dir string, e *sftpclient.Info, to place, depth int, seen names, below *sync.WaitGroup) error {
	src := path.Join(dir, e.Name())
	if err := j.enter(depth); err != nil {
		return errors.Join(j.fail(ctx, src, wrap("get", src, err)), errStop)
	}
	name, err := localName(e.Name())
	if err == nil && j.fold && seen.clashes(name) {
		err = ErrCollision
	}
	if err != nil {
		return j.fail(ctx, src, wrap("get", src, err))
	}
	to = to.below(name)
	e, err = j.look(ctx, src, e)
	if err != nil {
		return j.fail(ctx, src, err)
	}
	switch {
	case e.IsDir():
		return j.getBranch(ctx, src, e, to, depth, below)
	case e.Mode().IsRegular():
		j.goFile(func(ctx context.Context) error { return j.getFile(ctx, src, e, to) }, below)
	case e.Mode()&fs.ModeSymlink != 0:
		j.skip(src, "symbolic link")
	default:
		j.skip(src, "not a regular file")
	}
	return nil
}

// look finds out what an entry is where the listing does not tell, and follows
// links when that is wanted.
func (j *job) look(ctx context.Context, src string, e *sftpclient.Info) (*sftpclient.Info, error) {
	if a := e.Attrs(); !a.Has(sftp.AttrPermissions) {
		l, err := j.c.Lstat(ctx, src)
		if err != nil {
			return nil, err
		}
		e = l
	}
	if e.Mode()&fs.ModeSymlink != 0 && j.opt.FollowLinks {
		return j.c.Stat(ctx, src)
	}
	return e, nil
}

// getBranch copies a directory within a tree.
func (j *job) getBranch(ctx context.Context, src string, e *sftpclient.Info, to place, depth int, below *sync.WaitGroup) error {
	if err := to.mkdir(dirPerm(e)); err != nil {
		return j.fail(ctx, src, err)
	}
	below.Add(1)
	branch := func(ctx context.Context) error { defer below.Done(); return j.getDir(ctx, src, e, to, depth) }
	if j.group.Branch(branch) {
		return nil
	}
	return branch(ctx)
}

// keepDir gives a directory that is complete its permissions and times.
func keepDir(i *sftpclient.Info, to place) error {
	a := i.Attrs()
	if a.Has(sftp.AttrPermissions) {
		if err := to.chmod(i.Mode().Perm()); err != nil {
			return err
		}
	}
	if a.Has(sftp.AttrTimes) {
		return to.chtimes(a.AccessTime(), a.ModTime())
	}
	return nil
}

// getFile copies one file and reports it. i is nil when nothing is known.
func (j *job) getFile(ctx context.Context, src string, i *sftpclient.Info, to place) error {
	size := int64(-1)
	if i != nil {
		if a := i.Attrs(); a.Has(sftp.AttrSize) {
			size = i.Size()
		}
	}
	j.tell(Event{Kind: Begin, Path: src, Size: size})
	err := j.download(ctx, src, i, size, to)
	j.tell(Event{Kind: End, Path: src, Size: size, Err: err})
	if err != nil {
		return j.fail(ctx, src, err)
	}
	return nil
}

func (j *job) download(ctx context.Context, src string, i *sftpclient.Info, size int64, to place) error {
	f, err := j.c.Open(ctx, src)
	if err != nil {
		return err
	}
	defer func() { _ = f.Release() }() // it was only read
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if j.opt.Resume {
		flag = os.O_RDWR | os.O_CREATE
	}
	local, err := to.open(flag, filePerm(i))
	if err != nil {
		return err
	}
	err = j.fill(ctx, f, local, src, size)
	if err == nil && j.opt.Preserve && i != nil {
		if a := i.Attrs(); a.Has(sftp.AttrPermissions) {
			err = local.Chmod(i.Mode().Perm())
		}
	}
	if closeErr := local.Close(); err == nil {
		err = closeErr // a full disk may show only now
	}
	if err == nil && j.opt.Preserve && i != nil {
		if a := i.Attrs(); a.Has(sftp.AttrTimes) {
			err = to.chtimes(a.AccessTime(), a.ModTime())
		}
	}
	return wrap("get", to.path(), err)
}

// fill copies f to the open local file and checks its length.
func (j *job) fill(ctx context.Context, f *sftpclient.File, local *os.File, src string, size int64) error {
	start := int64(0)
	if j.opt.Resume {
		var err error
		if start, err = j.resumeGet(ctx, f, local, src, size); err != nil {
			return err
		}
	}
	n, err := f.ReadTo(ctx, &counter{j: j, path: src, w: local}, size)
	if err == nil && start+n < size {
		err = wrap("get", src, ErrShrank)
	}
	return err
}
