package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	smallFiles   = 200
	smallSize    = 1 << 10
	entries      = 20_000
	distantBytes = 64 << 20
	longBytes    = 512 << 20 // long enough for windows to have found their size
)

// tree is what the figures of distantFiles work on.
type tree struct {
	big    string   // a file of distantBytes
	long   string   // a file of longBytes
	names  []string // small files
	list   string   // a directory of many empty files
	target string   // a directory for copies
}

func newTree(dir string) (*tree, error) {
	t := &tree{big: filepath.Join(dir, "far"), long: filepath.Join(dir, "long"), list: filepath.Join(dir, "list"), target: filepath.Join(dir, "copies")}
	from := filepath.Join(dir, "small")
	for _, d := range []string{from, t.list, t.target} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err := newFile(t.big, distantBytes); err != nil {
		return nil, err
	}
	if err := newFile(t.long, longBytes); err != nil {
		return nil, err
	}
	for i := range smallFiles {
		name := filepath.Join(from, fmt.Sprintf("small-%03d", i))
		if err := newFile(name, smallSize); err != nil {
			return nil, err
		}
		t.names = append(t.names, name)
	}
	for i := range entries {
		if err := os.WriteFile(filepath.Join(t.list, fmt.Sprintf("entry-%05d", i)), nil, 0o644); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// distantFiles measures SFTP with an sshd that is some time away.
func distantFiles(ctx context.Context, e *env) ([]figure, error) {
	sshd, err := startSSHD(ctx, e)
	if err != nil {
		return nil, err
	}
	if sshd == nil {
		return nil, fmt.Errorf("sshd is not installed")
	}
	t, err := newTree(e.dir)
	if err != nil {
		return nil, err
	}
	e.mention("The delay line is a TCP proxy in this process that holds every byte for half a round trip, with no bound to its rate. The login is not counted. The others copy small files one after another, list with one request at a time, and have windows of 2 MiB: those runs only wait, for minutes, so all but those of 64 MiB were made once, side by side, before all others. Windows that begin with 2 MiB and double with each round trip need six of them for 64 MiB, and one more for opening the file: at 100 ms no more than about 90 MiB/s, whatever the line carries.")
	roundTrips := strings.Split(e.roundTrips, ",")
	if e.short {
		roundTrips = []string{"50ms"}
	}
	w := &waiting{}
	var all []figure
	for _, text := range roundTrips {
		rtt, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		figures, err := t.figures(ctx, e, sshd, rtt, w)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	w.wg.Wait()
	return all, nil
}

// jobs are what is measured at one round trip. The long downloads are made at
// one only: it has a goal of its own.
func (t *tree) jobs(rtt time.Duration) []figure {
	at := fmt.Sprintf(", %v", rtt)
	beat := []goal{{theirs, 1}, {openSSH, 1}}
	var long []goal
	if rtt == 100*time.Millisecond {
		long = []goal{{ours, 150}} // where a window of 2 MiB allows 20
	}
	return []figure{
		{name: "get 64 MiB" + at, unit: "MiB/s", goals: beat},
		{name: "put 64 MiB" + at, unit: "MiB/s", goals: beat},
		{name: "get 512 MiB" + at, unit: "MiB/s", goals: long},
		{name: "exec, 512 MiB down" + at, unit: "MiB/s", goals: long},
		{name: "get 200 × 1 KiB" + at, unit: "s", lower: true, goals: beat},
		{name: "put 200 × 1 KiB" + at, unit: "s", lower: true, goals: beat},
		{name: "list 20,000" + at, unit: "s", lower: true, goals: beat},
	}
}

// skipped reports whether a figure is not measured at its round trip.
func skipped(f figure) bool { return len(f.goals) == 0 }

func (t *tree) figures(ctx context.Context, e *env, sshd *endpoint, rtt time.Duration, w *waiting) ([]figure, error) {
	d, err := newDelayLine(sshd.addr, rtt)
	if err != nil {
		return nil, err
	}
	e.later(d.close)
	p := sshd.at(d.addr)
	figures := t.jobs(rtt)
	for column := range columns {
		set := func(i int, r task) {
			wanted := strings.Contains(figures[i].name, e.only) && !skipped(figures[i])
			if i >= 2 && column != ours && wanted { // see the note
				r = w.start(ctx, r)
			}
			figures[i].run[column] = r
		}
		mine := filepath.Join(t.target, fmt.Sprintf("%d-%v", column, rtt))
		if err := os.MkdirAll(filepath.Join(mine, "get"), 0o755); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(filepath.Join(mine, "put"), 0o755); err != nil {
			return nil, err
		}
		if column == openSSH {
			t.programs(e.ssh, p, mine, set)
			continue
		}
		fresh := func(do func(ctx context.Context, f files) error, n int64) task {
			return func(ctx context.Context) (float64, error) {
				return withSession(ctx, column, p, n, do)
			}
		}
		set(3, func(ctx context.Context) (float64, error) {
			c, err := libraries[column].dial(ctx, p, algorithms{cipher: gcm})
			if err != nil {
				return 0, err
			}
			defer c.Close()
			return rate(longBytes, func(ctx context.Context) error { return fromCommand(ctx, c, longBytes) })(ctx)
		})
		t.library(fresh, mine, set)
	}
	return slices.DeleteFunc(figures, skipped), nil
}

// withSession measures do in an SFTP session of its own, which has begun when
// the time begins; n is 0 for a time in seconds, else for a rate.
func withSession(ctx context.Context, column int, p *endpoint, n int64, do func(ctx context.Context, f files) error) (float64, error) {
	c, err := libraries[column].dial(ctx, p, algorithms{cipher: gcm})
	if err != nil {
		return 0, err
	}
	defer c.Close()
	f, err := c.sftp(ctx)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	began := time.Now()
	err = do(ctx, f)
	return perSecond(n, time.Since(began)), err
}

func perSecond(n int64, d time.Duration) float64 {
	if n == 0 {
		return d.Seconds()
	}
	return mib(n, d)
}

func (t *tree) library(fresh func(func(context.Context, files) error, int64) task, mine string, set func(int, task)) {
	set(0, checked(fresh(func(ctx context.Context, f files) error {
		return f.get(ctx, []string{t.big}, filepath.Join(mine, "far"))
	}, distantBytes), filepath.Join(mine, "far"), distantBytes))
	set(1, checked(fresh(func(ctx context.Context, f files) error {
		return f.put(ctx, []string{t.big}, filepath.Join(mine, "there"))
	}, distantBytes), filepath.Join(mine, "there"), distantBytes))
	set(2, checked(fresh(func(ctx context.Context, f files) error {
		return f.get(ctx, []string{t.long}, filepath.Join(mine, "long"))
	}, longBytes), filepath.Join(mine, "long"), longBytes))
	set(4, t.emptied(fresh(func(ctx context.Context, f files) error {
		return f.get(ctx, t.names, filepath.Join(mine, "get"))
	}, 0), filepath.Join(mine, "get")))
	set(5, t.emptied(fresh(func(ctx context.Context, f files) error {
		return f.put(ctx, t.names, filepath.Join(mine, "put"))
	}, 0), filepath.Join(mine, "put")))
	set(6, fresh(func(ctx context.Context, f files) error {
		n, err := f.list(ctx, t.list)
		return complete(int64(n), entries, err)
	}, 0))
}

func (t *tree) programs(o *openssh, p *endpoint, mine string, set func(int, task)) {
	work := func(n int64, commands ...string) task {
		return func(ctx context.Context) (float64, error) {
			d, err := o.batched(ctx, p, commands...)
			return perSecond(n, d), err
		}
	}
	var gets, puts []string
	for _, name := range t.names {
		base := filepath.Base(name)
		gets = append(gets, "get "+quote(name)+" "+quote(filepath.Join(mine, "get", base)))
		puts = append(puts, "put "+quote(name)+" "+quote(filepath.Join(mine, "put", base)))
	}
	far, there, long := filepath.Join(mine, "far"), filepath.Join(mine, "there"), filepath.Join(mine, "long")
	set(0, checked(work(distantBytes, "get "+quote(t.big)+" "+quote(far)), far, distantBytes))
	set(1, checked(work(distantBytes, "put "+quote(t.big)+" "+quote(there)), there, distantBytes))
	set(2, checked(work(longBytes, "get "+quote(t.long)+" "+quote(long)), long, longBytes))
	set(3, func(ctx context.Context) (float64, error) {
		return o.bulk(ctx, p, algorithms{cipher: gcm}, longBytes, fmt.Sprintf("head -c %d /dev/zero", longBytes), nil)
	})
	set(4, t.emptied(work(0, gets...), filepath.Join(mine, "get")))
	set(5, t.emptied(work(0, puts...), filepath.Join(mine, "put")))
	set(6, work(0, "ls -1f "+quote(t.list)))
}

// emptied checks that all small files have arrived in dir, and removes them.
func (t *tree) emptied(work task, dir string) task {
	return func(ctx context.Context) (float64, error) {
		v, err := work(ctx)
		for _, name := range t.names {
			err = copied(filepath.Join(dir, filepath.Base(name)), smallSize, err)
		}
		return v, err
	}
}

// waiting are runs that take long because they wait.
type waiting struct{ wg sync.WaitGroup }

// start begins a run at once; what it returns tells its result, every time.
func (w *waiting) start(ctx context.Context, r task) task {
	var v float64
	var err error
	done := make(chan struct{})
	w.wg.Go(func() { // stops when the run has ended
		defer close(done)
		v, err = r(ctx)
	})
	return func(context.Context) (float64, error) {
		<-done
		return v, err
	}
}
