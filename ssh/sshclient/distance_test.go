package sshclient_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

const mib = 1 << 20

// remote is a client and a server with a line between them.
type remote struct {
	*sshclient.Client
	near  *testkit.Conn
	far   *testkit.Conn
	ended chan error // what ServeConn returned
}

// connect logs in over a line with this round trip and without a limit of its
// bandwidth. Everything runs in the bubble of t.
func connect(t *testing.T, roundTrip time.Duration, s *sshserver.Server, cfg *sshclient.Config) *remote {
	t.Helper()
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	oneWay := testkit.Line{Delay: roundTrip / 2}
	r := &remote{ended: make(chan error, 1)}
	r.near, r.far = testkit.NewPipe(testkit.PipeConfig{Buffer: 512 * mib, C2S: oneWay, S2C: oneWay})
	s.HostKeys = []keys.Signer{hostKey}
	s.None = func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil }
	go func() { r.ended <- s.ServeConn(context.Background(), r.far) }() // stops with the line
	cfg.User, cfg.HostKeys = "ada", sshclient.FixedHostKeys(hostKey.PublicKey())
	r.Client, err = sshclient.New(t.Context(), r.near, "far:22", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); s.Close() })
	return r
}

// TestDistance sends data over one channel between two ends that are 100 ms
// from each other. With windows of 2 MiB that is no more than 20 MiB/s.
func TestDistance(t *testing.T) {
	const size = 256 * mib
	handlers := map[string]sshserver.Handler{
		"source": func(_ context.Context, s *sshserver.Session) error {
			_, err := io.CopyN(s, zeros{}, size)
			return err
		},
		"sink": func(_ context.Context, s *sshserver.Session) error {
			if _, err := io.CopyN(io.Discard, s, size); err != nil {
				return err
			}
			_, err := io.WriteString(s, "all")
			return err
		},
	}
	download := func(ch *sshclient.Channel) error {
		_, err := io.CopyN(io.Discard, ch, size)
		return err
	}
	upload := func(ch *sshclient.Channel) error {
		if _, err := io.CopyN(ch, zeros{}, size); err != nil {
			return err
		}
		_, err := io.ReadFull(ch, make([]byte, len("all")))
		return err
	}
	fixed := 2 * mib
	tests := []struct {
		name     string
		server   string
		run      func(*sshclient.Channel) error
		window   int // largest, 0: the default
		low, top float64
	}{
		{"download", "source", download, 0, 150, 1000},
		{"upload", "sink", upload, 0, 150, 1000},
		{"download without growth", "source", download, fixed, 10, 20},
		{"upload without growth", "sink", upload, fixed, 10, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sshserver.Server{Subsystems: handlers, Limits: sshserver.Limits{MaxWindow: tt.window}}
				c := connect(t, 100*time.Millisecond, s, &sshclient.Config{Limits: sshclient.Limits{MaxWindow: tt.window}})
				began := time.Now()
				ch, err := c.Subsystem(t.Context(), tt.server)
				if err != nil {
					t.Fatal(err)
				}
				if err := tt.run(ch); err != nil {
					t.Fatal(err)
				}
				took := time.Since(began)
				if rate := size / mib / took.Seconds(); rate < tt.low || rate > tt.top {
					t.Errorf("%d MiB in %v: %.0f MiB/s, want %v to %v", size/mib, took, rate, tt.low, tt.top)
				}
			})
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestSilence takes the line away without a word. Whoever asks finds out.
func TestSilence(t *testing.T) {
	quiet := func(t *testing.T, s *sshserver.Server, cfg *sshclient.Config) (c *remote, since time.Time) {
		c = connect(t, 100*time.Millisecond, s, cfg)
		time.Sleep(30*time.Minute + 7*time.Second) // nobody has anything to say, and that is fine
		if err := c.Err(); err != nil {
			t.Fatal(err)
		}
		c.near.Stall(true)
		c.far.Stall(true)
		return c, time.Now()
	}
	synctest.Test(t, func(t *testing.T) {
		s := &sshserver.Server{KeepAlive: sshserver.KeepAlive{Interval: 15 * time.Second, CountMax: 2}}
		c, since := quiet(t, s, &sshclient.Config{})
		if err := <-c.ended; !errors.Is(err, sshserver.ErrKeepAlive) {
			t.Errorf("ServeConn = %v, want %v", err, sshserver.ErrKeepAlive)
		}
		if got := time.Since(since); got < 30*time.Second || got > time.Minute {
			t.Errorf("the server noticed after %v", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		cfg := &sshclient.Config{KeepAlive: sshclient.KeepAlive{Interval: time.Minute}}
		c, since := quiet(t, &sshserver.Server{}, cfg)
		if err := c.Wait(); !errors.Is(err, sshclient.ErrKeepAlive) {
			t.Errorf("Wait = %v, want %v", err, sshclient.ErrKeepAlive)
		}
		if got := time.Since(since); got < 3*time.Minute || got > 5*time.Minute {
			t.Errorf("the client noticed after %v", got)
		}
	})
}
