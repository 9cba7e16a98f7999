package transfer

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"

	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// job is one call of Get or Put.
type job struct {
	c     *sftpclient.Client
	opt   Options
	group *sftpclient.Group
	fold  bool // the target does not distinguish upper and lower case

	mu       sync.Mutex // also keeps calls of opt.Progress apart
	done     Result
	failures []Failure
	count    int64
	entries  int64
}

// errStop is the cause with which a job ends early after a failure that all
// other files would meet too.
var errStop = errors.New("transfer: stopped after a failure")

func newJob(ctx context.Context, c *sftpclient.Client, o *Options) (*job, context.Context, error) {
	opt, err := o.withDefaults(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	j := &job{c: c, opt: opt, fold: foldsCase}
	j.group, ctx = sftpclient.NewGroup(ctx, opt.Files)
	return j, ctx, nil
}

// end waits for everything and sums up.
func (j *job) end(ctx context.Context) (Result, error) {
	err := j.group.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count > 0 {
		return j.done, &Error{Failures: j.failures, Count: j.count, Done: j.done}
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return j.done, err
}

// fail notes a failure. It returns an error, which ends the job, when no other
// file could do better: the context ended, the channel is dead, or a disk is
// full.
func (j *job) fail(ctx context.Context, path string, err error) error {
	stop := false
	switch {
	case ctx.Err() != nil:
		if j.failed() {
			return context.Cause(ctx) // not a failure of its own
		}
		stop = true
	case j.c.Err() != nil, errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		stop = true
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count++
	if len(j.failures) < keepFailures {
		j.failures = append(j.failures, Failure{Path: path, Err: err})
	}
	if stop {
		return errStop
	}
	return nil
}

func (j *job) failed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count > 0
}

// tell reports an event and counts it.
func (j *job) tell(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch e.Kind {
	case Bytes:
		j.done.Bytes += e.N
	case End:
		if e.Err == nil {
			j.done.Files++
		}
	case Begin, Note:
	}
	if j.opt.Progress != nil {
		j.opt.Progress(e)
	}
}

// skip notes an entry that is left out on purpose.
func (j *job) skip(path, why string) {
	j.mu.Lock()
	j.done.Skipped++
	j.mu.Unlock()
	j.note(path, "skipped: "+why)
}

func (j *job) note(path, text string) { j.tell(Event{Kind: Note, Path: path, Text: text}) }

func (j *job) madeDir() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.done.Dirs++
}

// enter counts an entry of a tree and checks the limits.
func (j *job) enter(depth int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries++
	switch {
	case j.entries > j.opt.MaxEntries:
		return ErrTooManyEntries
	case depth > j.opt.MaxDepth:
		return ErrTooDeep
	}
	return nil
}

// names finds names of one directory that differ only in case, where the
// target takes them for one.
type names map[string]string

// clashes reports whether another name has taken the place of this one.
func (n names) clashes(name string) bool {
	key := strings.ToLower(name)
	first, taken := n[key]
	if !taken {
		n[key] = name
	}
	return taken && first != name
}

// counter reports bytes as they pass.
type counter struct {
	j    *job
	path string
	w    io.Writer // one of them
	r    io.Reader
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.count(n)
	return n, err
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.count(n)
	return n, err
}

func (c *counter) count(n int) {
	if n > 0 {
		c.j.tell(Event{Kind: Bytes, Path: c.path, N: int64(n)})
	}
}
