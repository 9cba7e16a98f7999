package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/see"
	"github.com/wirelark/wirelark/trace"
)

// seeRun is what see was asked to do.
type seeRun struct {
	file, format, filter string
	keys                 []string
	inner, reveal        bool
}

func (a *app) seeCommand() *cobra.Command {
	var r seeRun
	cmd := &cobra.Command{
		Use:   "see -r FILE [--keys FILE] [--inner] [-T text|fields|hex|json|jsonl] [FILTER]",
		Short: "Decode the SSH, SFTP and MySQL messages in a capture file",
		Long: `Decode the messages in a pcap or pcapng FILE (- for standard input): TCP streams
are put together, SSH is decrypted with the secrets that the file holds or --keys
gives, SFTP inside is decoded, answers are paired with what they answer and timed.

FILTER chooses messages: PROTOCOL or PROTOCOL.NAME, with ! in front to leave them
out, and commas between several.`,
		Example: `  wirelark see -r work.pcapng sftp
  wirelark see -r work.pcap --keys keylog.txt -T jsonl | jq 'select(.latency > 0.1)'`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.file == "" {
				return usagef(cmd, "see needs a capture: -r FILE")
			}
			if len(args) > 0 {
				r.filter = args[0]
			}
			return a.runSee(cmd, &r)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&r.file, "read", "r", "", "capture `FILE`, - for standard input")
	flags.StringArrayVar(&r.keys, "keys", nil, "key log `FILE`; may be repeated")
	flags.BoolVar(&r.inner, "inner", false, "read the decrypted inner streams of the file instead of the wire")
	flags.StringVarP(&r.format, "format", "T", "text", "output: text, fields, hex, json (an array) or jsonl (an object a line)")
	flags.BoolVar(&r.reveal, "reveal", false, "show passwords and typed input too")
	return cmd
}

func (a *app) runSee(cmd *cobra.Command, r *seeRun) (err error) {
	format, err := see.ParseFormat(r.format)
	if err != nil {
		return usagef(cmd, "-T: %v", err)
	}
	var filter trace.Filter
	if r.filter != "" {
		if filter, err = trace.ParseFilter(r.filter); err != nil {
			return usagef(cmd, "%v", err)
		}
	}
	o := see.Options{Inner: r.inner}
	for _, path := range r.keys {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		o.Secrets = append(append(o.Secrets, text...), '\n')
	}
	in, err := a.openCapture(r.file)
	if err != nil {
		return err
	}
	defer in.Close()
	ctx, cancel := context.WithCancelCause(cmd.Context())
	defer cancel(nil)
	out := see.NewOutput(a.Stdout, format, filter, r.reveal)
	o.Emit = func(m *trace.Message) {
		out.Emit(m)
		if out.Err() != nil {
			cancel(out.Err()) // nobody reads on: see -r x | head
		}
	}
	sum, err := see.Read(ctx, in, o)
	if e := out.Close(); e != nil {
		err = e
	}
	if errors.Is(err, syscall.EPIPE) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.file, err)
	}
	a.tellSummary(sum)
	return nil
}

func (a *app) openCapture(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.Stdin), nil
	}
	return os.Open(name)
}

// tellSummary says on stderr what the messages do not: what could not be
// decoded and why.
func (a *app) tellSummary(s *see.Summary) {
	a.debugf("%d frames, %d conversations, %d messages, %d secrets", s.Frames, s.Conversations, s.Messages, s.Secrets)
	for _, text := range slices.Sorted(maps.Keys(s.Remarks)) {
		a.infof("wirelark: %s (%s)", harmless(text), plural(s.Remarks[text], "time"))
	}
	if s.Unknown > 0 {
		a.infof("wirelark: %s in no protocol that is known here", plural(int(s.Unknown), "conversation"))
	}
	if s.Truncated != nil {
		a.infof("wirelark: the capture ends too early: %v", s.Truncated)
	}
	if s.Messages == 0 && s.Unknown == 0 && s.Truncated == nil {
		a.infof("wirelark: no message in %s", plural(int(s.Frames), "frame"))
	}
}
