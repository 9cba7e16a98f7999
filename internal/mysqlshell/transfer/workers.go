package transfer

import (
	"context"
	"errors"
	"sync"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// work does the jobs on n connections. The first failure ends it; what is under
// way then is given up.
func work[J any](ctx context.Context, connect Connect, n int, jobs []J, do func(context.Context, *mysqlclient.Conn, J) error) error {
	n = min(n, len(jobs))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan J, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { // stops when the queue is empty, or something failed
			if errs[i] = serveJobs(ctx, connect, queue, do); errs[i] != nil {
				cancel()
			}
		})
	}
	group.Wait()
	return firstCause(errs)
}

func serveJobs[J any](ctx context.Context, connect Connect, queue <-chan J, do func(context.Context, *mysqlclient.Conn, J) error) error {
	conn, err := connect(ctx)
	if err != nil {
		return err
	}
	for j := range queue {
		if err = ctx.Err(); err == nil {
			err = do(ctx, conn, j)
		}
		if err != nil {
			break
		}
	}
	if err != nil {
		_ = conn.Close() // that it was lost is what err says
		return err
	}
	return conn.Close()
}

// firstCause is the error that made the others stop.
func firstCause(errs []error) error {
	var cancelled error
	for _, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled):
			cancelled = err
		default:
			return err
		}
	}
	return cancelled
}

// reporter counts what the workers did.
type reporter struct {
	to func(Event)

	mu          sync.Mutex
	done, total int64
	sum         Summary
}

func newReporter(to func(Event), done, total int64) *reporter {
	r := &reporter{to: to, done: done, total: total}
	r.tell(Event{})
	return r
}

func (r *reporter) chunk(what string, rows, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	r.sum.Chunks++
	r.sum.Rows += rows
	r.sum.Bytes += bytes
	r.tell(Event{What: what, Rows: rows, Bytes: bytes})
}

func (r *reporter) tell(e Event) {
	if r.to == nil {
		return
	}
	e.Done, e.Total = r.done, r.total
	r.to(e)
}

// into adds what was counted to a summary.
func (r *reporter) into(s *Summary) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Chunks += r.sum.Chunks
	s.Rows += r.sum.Rows
	s.Bytes += r.sum.Bytes
	s.Skipped += r.sum.Skipped
}
