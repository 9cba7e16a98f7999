package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// Options say how to copy. The zero value, and nil, copy single files.
type Options struct {
	// Recursive copies directories with everything in them. Without it a
	// directory is a failure, [ErrIsDirectory].
	Recursive bool

	// Preserve gives copies the permissions, without set-id bits, and the times
	// of the originals. Without it a new file has the permissions of the
	// original that the umask leaves.
	Preserve bool

	// FollowLinks copies what symbolic links in a tree lead to. Without it they
	// are skipped, each with a note. Links that the caller names are followed
	// in any case.
	FollowLinks bool

	// Resume continues files that are there in part: where the target is
	// shorter and the last bytes that it has are the same in the source. Else
	// the file is copied from the beginning.
	Resume bool

	// Files is how many files are under way at once; 0: 64, or 128 where the
	// server states that it allows enough open files, and fewer where it states
	// that it does not allow so many.
	Files int
	few   bool // the server allows few open files: no listing is open longer than it must

	// MaxDepth is how many levels of directories a tree may have; 0: 128.
	MaxDepth int

	// MaxEntries is how many entries all directories may have together; 0: ten
	// million.
	MaxEntries int64

	// Progress is told what happens; nil: nobody is. Calls come one at a time,
	// from several goroutines, and hold up the file that they are about.
	Progress func(Event)
}

const (
	defaultFiles   = 64
	manyFiles      = 128
	enoughHandles  = 2 * manyFiles
	defaultDepth   = 128
	defaultEntries = 10_000_000
)

// Event is something that happens during a transfer.
type Event struct {
	Kind EventKind
	Path string // the source: of the server when it is a download, else local
	Size int64  // Begin: size as far as known, else -1
	N    int64  // Bytes: how many more bytes have been copied
	Err  error  // End: why the file is not done; nil when it is
	Text string // Note: what there is to say
}

// EventKind is the kind of an [Event].
type EventKind uint8

const (
	Begin EventKind = iota // a file begins
	Bytes                  // more bytes of a file are copied; for uploads, handed to the channel
	End                    // a file ends
	Note                   // something was skipped or done differently
)

// Result counts what was done.
type Result struct {
	Files   int64 // files copied completely
	Dirs    int64 // directories made or found
	Skipped int64 // entries that were not copied on purpose: links, devices
	Bytes   int64 // bytes copied
}

// The failures of a file that are not the system's or the server's own.
var (
	ErrIsDirectory    = errors.New("is a directory (copying directories was not asked for)")
	ErrNotDirectory   = errors.New("several sources need a directory as target")
	ErrNotRegular     = errors.New("not a regular file")
	ErrShrank         = errors.New("file shrank while it was read")
	ErrCollision      = errors.New("another name in this directory differs only in upper and lower case")
	ErrTooManyEntries = errors.New("too many entries")
	ErrTooDeep        = errors.New("too many levels of directories")
)

// Failure is one file or directory that was not copied.
type Failure struct {
	Path string // the source
	Err  error
}

// Error says that not everything was copied. errors.Is and errors.As look into
// all failures that are kept.
type Error struct {
	Failures []Failure // the first thousand
	Count    int64     // all of them
	Done     Result    // what was copied nevertheless
}

const keepFailures = 1000

// Partly reports whether anything was copied.
func (e *Error) Partly() bool { return e.Done.Files > 0 }

// Error names the first failures.
func (e *Error) Error() string {
	const show = 5
	if e.Count == 1 && len(e.Failures) == 1 {
		return e.Failures[0].Err.Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d files were not copied", e.Count, e.Count+e.Done.Files)
	for i, f := range e.Failures {
		if i == show {
			fmt.Fprintf(&b, "; and %d more", e.Count-show)
			break
		}
		fmt.Fprintf(&b, "; %v", f.Err)
	}
	return b.String()
}

// Unwrap returns the errors of the failures.
func (e *Error) Unwrap() []error {
	list := make([]error, len(e.Failures))
	for i := range e.Failures {
		list[i] = e.Failures[i].Err
	}
	return list
}

// withDefaults returns a copy with every number set.
func (o *Options) withDefaults(ctx context.Context, c *sftpclient.Client) (Options, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	if opt.MaxDepth <= 0 {
		opt.MaxDepth = defaultDepth
	}
	if opt.MaxEntries <= 0 {
		opt.MaxEntries = defaultEntries
	}
	limits, err := c.Limits(ctx)
	if err != nil {
		return opt, err
	}
	n := limits.MaxHandles
	opt.few = n > 0 && n < enoughHandles
	switch {
	case opt.Files > 0:
	case opt.few: // one for each file, as many for listings, one for the root
		opt.Files = int(min(defaultFiles, max((n-1)/2, 1)))
	case n > 0:
		opt.Files = manyFiles
	default:
		opt.Files = defaultFiles
	}
	return opt, nil
}

// wrap gives err a path unless it has one.
func wrap(op, path string, err error) error {
	var pe *fs.PathError
	if err == nil || errors.As(err, &pe) {
		return err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
