package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The columns of the table.
const (
	ours    = iota
	theirs  // x/crypto/ssh and pkg/sftp
	openSSH // OpenSSH's programs
	columns
)

// figure is a line of the table: the same work by up to three parties.
type figure struct {
	name  string
	unit  string
	lower bool // less is better
	run   [columns]func(ctx context.Context) (float64, error)
	goals []goal
	cpu   cpu // for a line with CPU times
}

// cpu says what a line with CPU times is about.
type cpu struct {
	whose    string  // "client", "both sides"; "": no such line
	unit     string  // of milliseconds divided by amount
	amount   float64 // of what a run does
	children bool    // all parties are processes of their own
	goals    []goal
}

func perGiB(whose string, n int64) cpu {
	return cpu{whose: whose, unit: "ms/GiB", amount: float64(n) / (1 << 30)}
}

// goal is what a figure should reach: a ratio to another column, or else a
// value of ours.
type goal struct {
	column int     // ours: value is absolute
	value  float64 // ratio or value; with lower the most, else the least
}

// section is a part of the table. Its function prepares the figures; what it
// has started ends with env.clean.
type section struct {
	name, title string
	most        int // rounds
	figures     func(ctx context.Context, e *env) ([]figure, error)
	parties     parties
}

// parties are the names of the columns, in full and in ratios.
type parties struct{ full, short [columns]string }

var sshParties = parties{
	full:  [columns]string{"ours", "x/crypto, pkg/sftp", "OpenSSH"},
	short: [columns]string{ours: "ours", theirs: "x", openSSH: "OpenSSH"},
}

// table is a section that has been measured.
type table struct {
	section
	lines []line
	notes []string
	err   error
}

// line is a figure with what was measured.
type line struct {
	figure
	names  parties
	values [columns][]float64 // by round
	cpus   [columns][]float64 // CPU times, by round
	errs   [columns]error
}

// env is what all sections share.
type env struct {
	flags
	log      io.Writer
	dir      string // for files, in memory where there is such a place
	note     []string
	cleanups []func()
	ssh      *openssh // nil: not installed
}

func newEnv(_ context.Context, f *flags, log io.Writer) (*env, error) {
	parent := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "wirelark-bench-")
	if err != nil {
		return nil, err
	}
	e := &env{flags: *f, log: log, dir: dir}
	if e.ssh, err = findOpenSSH(dir); err != nil {
		fmt.Fprintln(log, "without OpenSSH:", err)
	}
	return e, nil
}

// later runs do at the end of the section.
func (e *env) later(do func()) { e.cleanups = append(e.cleanups, do) }

// mention adds a sentence below the section's table.
func (e *env) mention(format string, args ...any) {
	e.note = append(e.note, fmt.Sprintf(format, args...))
}

func (e *env) endSection() {
	for _, do := range slices.Backward(e.cleanups) {
		do()
	}
	if e.ssh != nil {
		e.ssh.endMasters()
	}
	e.cleanups, e.note = nil, nil
}

func (e *env) clean() {
	e.endSection()
	os.RemoveAll(e.dir)
}

// amount is n, or an eighth of it in short runs.
func (e *env) amount(n int64) int64 {
	if e.short {
		return n / 8
	}
	return n
}

// measure measures a section. In every round the parties take turns, and each
// round begins with another one.
func (e *env) measure(ctx context.Context, s section) table {
	t := table{section: s}
	fmt.Fprintf(e.log, "%s\n", s.title)
	defer e.endSection()
	figures, err := s.figures(ctx, e)
	if err != nil {
		t.err = err
		return t
	}
	for _, f := range figures {
		if !strings.Contains(f.name, e.only) {
			continue
		}
		l := line{figure: f, names: s.parties}
		for round := range min(e.rounds, s.most) {
			for i := range columns {
				if c := (round + i) % columns; strings.Contains(e.parties, [columns]string{"ours", "x", "openssh"}[c]) {
					l.turn(ctx, e, c)
				}
			}
		}
		fmt.Fprintf(e.log, "  %s: %s\n", f.name, l.summary())
		t.lines = append(t.lines, l)
		if l.cpu.whose != "" && cpuTime() > 0 {
			t.lines = append(t.lines, l.cpuLine())
		}
	}
	t.notes = e.note
	return t
}

// turn lets one party do the work once. A party that failed is not asked
// again.
func (l *line) turn(ctx context.Context, e *env, column int) {
	if l.run[column] == nil || l.errs[column] != nil {
		return
	}
	runtime.GC() // what others left behind is not this one's cost
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	time := func() time.Duration {
		if l.cpu.children {
			return childTime()
		}
		return e.cpuTime(column)
	}
	before := time()
	v, err := l.run[column](ctx)
	used := time() - before
	if err != nil {
		l.errs[column] = err
		return
	}
	l.values[column] = append(l.values[column], v)
	if l.cpu.whose != "" {
		l.cpus[column] = append(l.cpus[column], used.Seconds()*1000/l.cpu.amount)
	}
}

// cpuTime is the CPU time of a party so far: of this process, or of OpenSSH's
// clients.
func (e *env) cpuTime(column int) time.Duration {
	if column == openSSH {
		return childTime() + e.ssh.masterTime()
	}
	return cpuTime()
}

// cpuLine is the line of CPU time: what others do on the machine hardly
// changes it.
func (l *line) cpuLine() line {
	return line{figure: figure{name: "  CPU time, " + l.cpu.whose, unit: l.cpu.unit, lower: true, goals: l.cpu.goals}, names: l.names, values: l.cpus}
}

// median returns the median of what a party reached; false: nothing.
func (l *line) median(column int) (float64, bool) {
	if l.errs[column] != nil || len(l.values[column]) == 0 {
		return 0, false
	}
	return median(l.values[column]), true
}

// best returns the ratio of the best rounds: what the parties do when nobody
// is in their way.
func (l *line) best(column int) float64 {
	pick := slices.Max[[]float64]
	if l.lower {
		pick = slices.Min[[]float64]
		return pick(l.values[column]) / pick(l.values[ours])
	}
	return pick(l.values[ours]) / pick(l.values[column])
}

// ratio returns how many times better we are: the median of the ratios of the
// rounds, as what happened meanwhile on the machine happened to both.
func (l *line) ratio(column int) (float64, bool) {
	_, ok1 := l.median(ours)
	_, ok2 := l.median(column)
	if !ok1 || !ok2 {
		return 0, false
	}
	var all []float64
	for i := range min(len(l.values[ours]), len(l.values[column])) {
		a, b := l.values[ours][i], l.values[column][i]
		if l.lower {
			a, b = b, a
		}
		if b == 0 {
			return 0, false
		}
		all = append(all, a/b)
	}
	return median(all), true
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
