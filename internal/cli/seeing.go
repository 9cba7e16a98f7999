package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/trace"
)

// seeingFlags are the flags with which every command that speaks or serves
// shows and saves its packets.
type seeingFlags struct {
	trace       string
	traceFilter string
	traceTo     string
	capture     string
	captureMode string
	keyLog      string
	reveal      bool
}

func (f *seeingFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.trace, "trace", "", "show every decoded packet: `LEVEL` summary, fields, hex or json")
	flags.Lookup("trace").NoOptDefVal = "summary"
	flags.StringVar(&f.traceFilter, "trace-filter", "", "show only these: PROTOCOL or PROTOCOL.NAME, with ! in front: not these; commas between")
	flags.StringVar(&f.traceTo, "trace-to", "", "show them in `FILE` instead of stderr")
	flags.StringVar(&f.capture, "capture", "", "save all packets in a pcapng `FILE`, a credential: it has the secrets")
	flags.StringVar(&f.captureMode, "capture-mode", "both", "what to save: wire, inner or both")
	flags.StringVar(&f.keyLog, "keylog", "", "append the secrets to a key log `FILE`, as $SSHKEYLOGFILE does")
	flags.BoolVar(&f.reveal, "reveal", false, "show and save passwords and typed input too")
}

// seeing is what the flags switched on.
type seeing struct {
	app      *app
	tracer   trace.Tracer   // nil: nothing
	keyLog   *keylog.Writer // nil: nothing
	recorder *record.Recorder
	closers  []io.Closer
}

// openSeeing opens what the flags name. Wrong flags are usage errors; nothing
// is connected before it has succeeded.
func (a *app) openSeeing(cmd *cobra.Command, f *seeingFlags) (*seeing, error) {
	s := &seeing{app: a}
	err := s.open(cmd, f)
	if err != nil {
		s.close(&err)
		return nil, err
	}
	return s, nil
}

func (s *seeing) open(cmd *cobra.Command, f *seeingFlags) error {
	mode, ok := map[string]record.Mode{"both": record.Both, "wire": record.Wire, "inner": record.Inner}[f.captureMode]
	if !ok {
		return usagef(cmd, "--capture-mode %s: choose wire, inner or both", f.captureMode)
	}
	o := &record.Options{Reveal: f.reveal, Application: "wirelark " + Version, Mode: mode}
	var err error
	if f.traceFilter != "" {
		if o.Filter, err = trace.ParseFilter(f.traceFilter); err != nil {
			return usagef(cmd, "--trace-filter: %v", err)
		}
	}
	var recorders []*record.Recorder
	if f.trace != "" || f.traceTo != "" || f.traceFilter != "" {
		r, err := s.openTrace(cmd, f, o)
		if err != nil {
			return err
		}
		recorders = append(recorders, r)
	}
	if f.capture != "" {
		o.OnError = func(err error) {
			fmt.Fprintf(s.app.Stderr, "wirelark: the capture %s is incomplete: %v\n", f.capture, err)
		}
		r, err := record.Create(f.capture, o)
		if err != nil {
			return err
		}
		recorders = append(recorders, r)
		s.app.infof("wirelark: %s will hold session secrets (mode 0600); share a copy made by: wirelark capture scrub %s", f.capture, f.capture)
	}
	if len(recorders) > 0 {
		s.recorder = record.Multi(recorders...)
		s.tracer = s.recorder
	}
	path := f.keyLog
	if path == "" {
		path = s.app.Getenv("SSHKEYLOGFILE")
	}
	if path != "" {
		w, c, err := keylog.Create(path)
		if err != nil {
			return err
		}
		s.keyLog = w
		s.closers = append(s.closers, c)
		s.app.infof("wirelark: session secrets are appended to %s", path)
	}
	return nil
}

func (s *seeing) openTrace(cmd *cobra.Command, f *seeingFlags, o *record.Options) (*record.Recorder, error) {
	out := s.app.Stderr
	if f.traceTo != "" {
		file, err := os.OpenFile(f.traceTo, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, err
		}
		s.closers = append(s.closers, file)
		out = file
	}
	if f.trace == "json" || f.trace == "jsonl" {
		return record.NewJSON(out, o), nil
	}
	level, err := trace.ParseLevel(orDefault(f.trace, "summary"))
	if err != nil {
		return nil, usagef(cmd, "--trace: %v", err)
	}
	o.Level = level
	return record.NewText(out, o), nil
}

// close writes what is left and closes the files. Its own failure becomes
// *err when nothing else has failed.
func (s *seeing) close(err *error) {
	var errs []error
	if s.recorder != nil {
		errs = append(errs, s.recorder.Close())
	}
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	if *err == nil {
		*err = errors.Join(errs...)
	}
}
