package cli

import (
	"context"
	"io"
	"time"

	"github.com/wirelark/wirelark/ssh/sshclient"
)

// watchSize tells the server about each change of the terminal's size until
// stop is called. Windows has no signal for it.
func watchSize(ctx context.Context, w io.Writer, c *sshclient.Cmd) (stop func()) {
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() { // stops when stop is called
		defer close(finished)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		size := terminalSize(w)
		for {
			select {
			case <-tick.C:
				if now := terminalSize(w); now != size {
					size = now
					if c.Resize(ctx, size) != nil {
						return // the session is over
					}
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-finished
	}
}
