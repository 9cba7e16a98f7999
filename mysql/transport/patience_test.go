package transport

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
)

func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := testkit.Pipe()
		defer near.Close()
		defer far.Close()
		p := Patient(near, time.Minute, time.Second)
		begin := time.Now()
		took := func(want time.Duration, err error) {
			t.Helper()
			if got := time.Since(begin); got != want || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v after %v, want a timeout after %v", err, got, want)
			}
			begin = time.Now()
		}
		b := make([]byte, 1)
		_, err := p.Read(b)
		took(time.Minute, err)
		_, err = p.Write(make([]byte, 1<<20)) // more than the pipe holds
		took(time.Second, err)

		// Each call has its time anew, and an earlier deadline counts.
		if _, err := far.Write([]byte("xy")); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if n, err := p.Read(b); n != 1 || err != nil {
				t.Errorf("Read = %d, %v", n, err)
			}
		}
		if err := p.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		_, err = p.Read(b)
		took(time.Second, err)
		if err := p.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		_, err = p.Read(b)
		took(time.Minute, err)

		// A deadline also ends a call under way.
		go func() { // ends when the deadline is set
			time.Sleep(5 * time.Second)
			_ = p.SetReadDeadline(time.Now())
		}()
		_, err = p.Read(b)
		took(5*time.Second, err)
	})
}

func TestNoPatienceAsked(t *testing.T) {
	near, far := testkit.Pipe()
	defer far.Close()
	defer near.Close()
	if got := Patient(near, 0, 0); got != near {
		t.Errorf("a connection without limits was wrapped in a %T", got)
	}
}
