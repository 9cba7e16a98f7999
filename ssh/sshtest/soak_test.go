package sshtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/ssh/transport"
)

var soak = flag.Duration("soak", time.Second, "how long TestSoak runs; make soak runs it for ten minutes under the race detector")

// TestSoak keeps connections with every cipher busy in both directions, with
// many short channels beside a long one, while both sides renew their keys
// every 64 KiB. Every packet is checked against the rules of SSH, every byte
// against what was sent, and the end against leaks.
func TestSoak(t *testing.T) {
	const rekey = 64 << 10
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.Transport.Rekey.Bytes = rekey })
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	var wg sync.WaitGroup
	for i, cipher := range transport.Defaults().Ciphers {
		cfg := s.ClientConfig()
		cfg.Transport.Rekey.Bytes = rekey
		cfg.Transport.Algorithms.Ciphers = []string{cipher}
		c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for j, work := range []func(context.Context, *sshclient.Client, *rand.Rand) error{echoes, echoes, fills, exits} {
			wg.Go(func() {
				src := rand.New(rand.NewPCG(uint64(i), uint64(j)))
				for n := 0; n == 0 || ctx.Err() == nil; n++ {
					if err := work(t.Context(), c, src); err != nil {
						t.Errorf("%s, round %d: %v", cipher, n, err)
						return
					}
				}
			})
		}
		defer func() {
			if n := c.State().KeyExchanges; n < 3 {
				t.Errorf("%s: only %d key exchanges", cipher, n)
			}
		}()
	}
	wg.Wait()
}

// echoes sends a random number of bytes through cat and compares.
func echoes(ctx context.Context, c *sshclient.Client, src *rand.Rand) error {
	b := make([]byte, src.IntN(1<<20))
	for i := range b {
		b[i] = byte(src.Uint32())
	}
	sum := sha256.New()
	cmd := c.Command("cat")
	cmd.Stdin, cmd.Stdout = bytes.NewReader(b), sum
	if err := cmd.Run(ctx); err != nil {
		return err
	}
	if want := sha256.Sum256(b); !bytes.Equal(sum.Sum(nil), want[:]) {
		return fmt.Errorf("%d bytes came back different", len(b))
	}
	return nil
}

// fills takes data on both output streams and counts it.
func fills(ctx context.Context, c *sshclient.Client, src *rand.Rand) error {
	n, m := src.IntN(1<<19), src.IntN(1<<18)
	var out, errs counter
	cmd := c.Command(fmt.Sprintf("fill %d %d", n, m))
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(ctx); err != nil {
		return err
	}
	if int(out) != n || int(errs) != m {
		return fmt.Errorf("%d and %d bytes came, not %d and %d", out, errs, n, m)
	}
	return nil
}

// exits runs short commands and looks at their status.
func exits(ctx context.Context, c *sshclient.Client, src *rand.Rand) error {
	want := src.IntN(3)
	err := c.Command(fmt.Sprintf("exit %d", want)).Run(ctx)
	var exit *sshclient.ExitError
	switch {
	case want == 0 && err == nil:
		return nil
	case errors.As(err, &exit) && exit.Status == want:
		return nil
	}
	return fmt.Errorf("exit %d: %w", want, err)
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
