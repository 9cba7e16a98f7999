package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// sections are the parts of the table, in its order.
var sections = []section{
	{"bulk", "Bulk data over one channel", 9, bulk, sshParties},
	{"small", "Small writes, and the time that an answer takes", 9, small, sshParties},
	{"handshake", "Handshakes", 9, handshakes, sshParties},
	{"sftp", "SFTP on this machine", 2, localFiles, sshParties},
	{"wan", "SFTP through a delay line, with OpenSSH's sshd", 2, distantFiles, sshParties},
	{"idle", "Idle connections", 1, idle, sshParties},
	{"allocs", "Allocations", 5, allocations, sshParties},
	{"mysql", "MySQL and MariaDB", 9, databases, databaseParties},
}

// flags are what the command line says.
type flags struct {
	sections    string
	rounds      int
	short       bool
	roundTrips  string
	output      string
	cpuProfile  string
	connections int
	only        string
	parties     string
	child       string
	mysql       string
	mysqlClient string
}

func main() {
	var f flags
	names := make([]string, len(sections))
	for i, s := range sections {
		names[i] = s.name
	}
	flag.StringVar(&f.sections, "sections", strings.Join(names, ","), "what to measure")
	flag.StringVar(&f.only, "only", "", "measure only figures whose names contain this")
	flag.StringVar(&f.parties, "parties", "ours,x,openssh", "who is measured, for a profile of one")
	flag.IntVar(&f.rounds, "rounds", 5, "how often everything is measured; a section may have a lower limit of its own")
	flag.BoolVar(&f.short, "short", false, "an eighth of the data, and round trips of 50 ms only")
	flag.StringVar(&f.roundTrips, "rtt", "50ms,100ms,200ms", "round trips of the delay line")
	flag.IntVar(&f.connections, "connections", 1000, "how many idle connections")
	flag.StringVar(&f.output, "o", "", "write the table to this file, too; of a part of the sections, only these change there")
	flag.StringVar(&f.cpuProfile, "cpuprofile", "", "write a profile of this process to this file")
	flag.StringVar(&f.mysql, "mysql", "", "databases beside a MariaDB that is started: NAME=DSN with spaces between")
	flag.StringVar(&f.mysqlClient, "mysqlclient", "", "command line of the databases' own client; the default is mariadb or mysql")
	flag.StringVar(&f.child, "child", "", "for the program itself: be the other process")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, &f, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f *flags, stdout, stderr io.Writer) error {
	if f.child != "" {
		return child(ctx, f.child, os.Stdin, stdout)
	}
	chosen := strings.Split(f.sections, ",")
	for _, name := range chosen {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q", name)
		}
	}
	if f.cpuProfile != "" {
		w, err := os.Create(f.cpuProfile)
		if err != nil {
			return err
		}
		defer w.Close()
		if err := pprof.StartCPUProfile(w); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	e, err := newEnv(ctx, f, stderr)
	if err != nil {
		return err
	}
	defer e.clean()
	m, began := thisMachine(e), time.Now()
	var tables []table
	for _, s := range sections {
		if slices.Contains(chosen, s.name) {
			tables = append(tables, e.measure(ctx, s))
		}
	}
	var text bytes.Buffer
	failed := report(&text, m, began, tables)
	if _, err := stdout.Write(text.Bytes()); err != nil {
		return err
	}
	if f.output != "" {
		whole := text.String()
		if len(chosen) < len(sections) {
			whole = merge(read(f.output), whole, sections)
		}
		if err := os.WriteFile(f.output, []byte(whole), 0o644); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed > 0 {
		return fmt.Errorf("%d figures could not be measured", failed)
	}
	return nil
}
