package main

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// echoServer returns the address of a server that sends back what it gets.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // stops when l is closed
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // stops at the end of c
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func distant(t *testing.T, roundTrip time.Duration) *net.TCPConn {
	t.Helper()
	d, err := newDelayLine(echoServer(t), roundTrip)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// A byte takes the round trip, never less; the median is near it even on a
// machine that has much to do.
func TestDelayLineRoundTrip(t *testing.T) {
	const want = 40 * time.Millisecond
	c := distant(t, want)
	var times []time.Duration
	for range 9 {
		began := time.Now()
		if _, err := c.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if _, err := io.ReadFull(c, b[:]); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	if least, middle := times[0], times[len(times)/2]; least < want || middle > want+want/2 {
		t.Errorf("round trips took %v", times)
	}
}

// What is under way is not bounded: much of it takes hardly longer than one
// byte, and nothing is lost at the end.
func TestDelayLineBandwidth(t *testing.T) {
	const roundTrip = 200 * time.Millisecond
	c := distant(t, roundTrip)
	sent := bytes.Repeat([]byte("wirelark"), 1<<20)
	began := time.Now()
	go func() { // stops when all is written
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if took := time.Since(began); err != nil || !bytes.Equal(got, sent) || took < roundTrip || took > 10*roundTrip {
		t.Errorf("%d bytes of %d after %v, %v", len(got), len(sent), took, err)
	}
}
