//go:build unix

package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/wirelark/wirelark/ssh/sshclient"
)

// watchSize tells the server about each change of the terminal's size until
// stop is called.
func watchSize(ctx context.Context, w io.Writer, c *sshclient.Cmd) (stop func()) {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() { // stops when stop is called
		defer close(finished)
		for {
			select {
			case <-changed:
				if c.Resize(ctx, terminalSize(w)) != nil {
					return // the session is over
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(changed)
		close(done)
		<-finished
	}
}
