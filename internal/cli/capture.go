package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/see"
)

// scrubbedName is work.scrubbed.pcapng for work.pcapng. The copy is always
// pcapng.
func scrubbedName(source string) string {
	return strings.TrimSuffix(source, filepath.Ext(source)) + ".scrubbed.pcapng"
}

func (a *app) captureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capture scrub FILE [COPY]",
		Short: "Work on capture files",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef(cmd, "capture has no %q: choose scrub", args[0])
			}
			return usagef(cmd, "capture needs to know what: scrub")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "scrub FILE [COPY]",
		Short: "Copy a capture without its secrets and decrypted streams",
		Long: `Copy the capture FILE to COPY (default: FILE with .scrubbed before its ending)
without session secrets and decrypted inner streams, so that the copy shows no
more than somebody on the network saw. An existing COPY is not overwritten.`,
		Example: "  wirelark capture scrub work.pcapng shared.pcapng",
		Args:    rangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			target := scrubbedName(args[0])
			if len(args) > 1 {
				target = args[1]
			}
			return a.scrub(cmd.Context(), args[0], target)
		},
	})
	return cmd
}

// scrub writes the copy under its name only when it is complete.
func (a *app) scrub(ctx context.Context, source, target string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return &Error{Code: exitUsage, What: target + " exists and is not overwritten", Err: err, Next: []string{"name another copy: wirelark capture scrub " + source + " COPY"}}
		}
		return err
	}
	done, err := see.Scrub(ctx, out, in)
	err = errors.Join(err, out.Close())
	if err != nil {
		return errors.Join(err, os.Remove(target))
	}
	fmt.Fprintln(a.Stdout, target)
	a.infof("left out %s with secrets, %s with %s, %s of unknown kinds", plural(done.Secrets, "block"),
		plural(done.Streams, "decrypted stream"), plural(done.Frames, "frame"), plural(done.Blocks, "block"))
	return nil
}
