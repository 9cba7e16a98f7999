package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/peterh/liner"

	"github.com/wirelark/wirelark/internal/shell"
)

// sftpInteractive reads lines with editing, history and completion. Ctrl-C
// cuts the running command short, not the session.
func (a *app) sftpInteractive(ctx context.Context, sh *shell.Shell) error {
	base := context.WithoutCancel(ctx)
	term, stop := signal.NotifyContext(base, syscall.SIGTERM)
	defer stop()
	between := make(chan os.Signal, 1) // takes a Ctrl-C between two commands, so that it ends nothing
	signal.Notify(between, os.Interrupt)
	defer signal.Stop(between)

	editor := liner.NewLiner()
	defer editor.Close()
	editor.SetCtrlCAborts(true)
	editor.SetTabCompletionStyle(liner.TabPrints)
	editor.SetCompleter(func(line string) []string { return sh.Complete(base, line) })
	for {
		line, err := editLine(term, editor, "sftp> ")
		switch {
		case errors.Is(err, liner.ErrPromptAborted):
			continue
		case errors.Is(err, io.EOF):
			fmt.Fprintln(a.Stdout)
			return nil
		case err != nil:
			return err
		}
		if strings.TrimSpace(line) != "" {
			editor.AppendHistory(line)
		}
		err = a.runLine(term, sh, line)
		switch {
		case errors.Is(err, shell.ErrExit):
			return nil
		case term.Err() != nil:
			return context.Cause(term)
		case err != nil:
			a.printFailure(err)
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
	}
}

func (a *app) runLine(ctx context.Context, sh *shell.Shell, line string) error {
	run, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	return sh.Run(run, line)
}

// editLine reads a line, or gives up when ctx is done; the reader behind it
// then ends with the process.
func editLine(ctx context.Context, editor *liner.State, prompt string) (string, error) {
	type answer struct {
		line string
		err  error
	}
	done := make(chan answer, 1)
	go func() { // ends with the answer, or with the process
		line, err := editor.Prompt(prompt)
		done <- answer{line, err}
	}()
	select {
	case a := <-done:
		return a.line, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
