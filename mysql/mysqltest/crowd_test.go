package mysqltest_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
)

// TestCrowd has many clients at once, some of which give up, some are killed,
// and at last the server is shut down: everybody comes to an end.
func TestCrowd(t *testing.T) {
	s := mysqltest.NewServer(t)
	s.Server.Trace = nil // what is cut off breaks rules
	s.Allow("select 1").Rows(mysqltest.Columns("n INT"), mysqltest.Row{1})
	s.Allow("wait").Answer(func(ctx context.Context, _ *mysqlserver.Writer, _ *mysqltest.Call) error {
		<-ctx.Done()
		return ctx.Err()
	})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { // stops after its rounds
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 10 {
				visit(t, s, random)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if list := s.Server.Processes(); len(list) > 0 {
		t.Errorf("after the shutdown there are %v", list)
	}
}

// visit connects, does something, and leaves in some way.
func visit(t *testing.T, s *mysqltest.Server, random *rand.Rand) {
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Dial: s.Dial, User: "ada", TLSMode: mysqlclient.TLSDisabled})
	if err != nil {
		t.Errorf("connect: %v", err)
		return
	}
	defer c.Close()
	for range random.IntN(5) {
		if _, err := c.Exec(t.Context(), "select 1"); err != nil {
			t.Errorf("select: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(50))*time.Millisecond)
	defer cancel()
	switch random.IntN(4) {
	case 0: // leaves
	case 1: // gives up
		if _, err := c.Exec(ctx, "wait"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v, want the deadline", err)
		}
	default: // is killed, busy or idle
		id := c.Server().ConnID
		queryOnly := random.IntN(2) == 0
		var kill func()
		kill = func() {
			if s.Server.Kill(id, queryOnly) { // until it has gone
				time.AfterFunc(time.Millisecond, kill)
			}
		}
		time.AfterFunc(time.Millisecond, kill)
		var e *mysqlclient.ServerError
		var ce *mysqlclient.ConnError
		if _, err := c.Exec(t.Context(), "wait"); !errors.As(err, &e) && !errors.As(err, &ce) {
			t.Errorf("killed: %v, want an error of the server", err)
		}
	}
}
