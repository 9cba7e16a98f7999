package packet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
)

// TestReadGoesOnAfterTimeout cuts a read short behind every byte of a packet,
// and loses nothing.
func TestReadGoesOnAfterTimeout(t *testing.T) {
	for _, alg := range algorithms() {
		t.Run(name(alg), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				from, to, nc := join(t, alg, testkit.PipeConfig{})
				for _, n := range []int{1, 50, 50} {
					if err := from.Append(text(n)); err != nil {
						t.Fatal(err)
					}
				}
				batch := from.Take()
				got, timeouts := 0, 0
				for _, c := range batch.Bytes() {
					if err := to.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
						t.Fatal(err)
					}
					p, err := to.ReadMessage()
					switch {
					case errors.Is(err, os.ErrDeadlineExceeded):
						timeouts++
					case err != nil || !bytes.Equal(p, text([]int{1, 50, 50}[got])):
						t.Fatalf("message %d: %q, %v", got, p, err)
					default:
						got++
					}
					if _, err := nc.Write([]byte{c}); err != nil {
						t.Fatal(err)
					}
				}
				if err := to.SetReadDeadline(time.Time{}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour) // nothing is left of the deadlines
				if p, err := to.ReadMessage(); err != nil || !bytes.Equal(p, text(50)) || got != 2 {
					t.Errorf("last message of %d: %q, %v", got+1, p, err)
				}
				if timeouts != len(batch.Bytes())-2 {
					t.Errorf("%d timeouts for %d bytes", timeouts, len(batch.Bytes()))
				}
			})
		})
	}
}

func TestDeadlinesOfLinesAndBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, to, nc := join(t, Algorithm{}, testkit.PipeConfig{})
		begin := time.Now()
		go func() { // stops when the deadline is set
			time.Sleep(time.Minute)
			_ = to.SetReadDeadline(time.Now().Add(time.Second)) // of a read that waits already
		}()
		if _, err := nc.Write([]byte("SSH-")); err != nil {
			t.Fatal(err)
		}
		if _, err := to.ReadLine(255); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Minute+time.Second {
			t.Errorf("ReadLine = %v after %v", err, time.Since(begin))
		}
		_ = to.SetReadDeadline(time.Time{})
		if _, err := nc.Write([]byte("2.0-x\nabc")); err != nil {
			t.Fatal(err)
		}
		if line, err := to.ReadLine(255); err != nil || string(line) != "SSH-2.0-x" {
			t.Errorf("ReadLine = %q, %v", line, err)
		}
		_ = to.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 5)
		n, err := to.ReadFull(b)
		if n != 3 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ReadFull = %d, %v", n, err)
		}
		_ = to.SetReadDeadline(time.Time{})
		_, _ = nc.Write([]byte("de"))
		if m, err := to.ReadFull(b[n:]); err != nil || string(b) != "abcde" {
			t.Errorf("ReadFull = %d, %v: %q", m, err, b)
		}
	})
}

// TestDeadlineAndIdleBuffer: the caller's deadline survives that the
// Packetizer sets its own.
func TestDeadlineAndIdleBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, _ := join(t, Algorithm{}, testkit.PipeConfig{Buffer: 1 << 20})
		begin := time.Now()
		_ = to.SetReadDeadline(begin.Add(10 * idleAfter))
		for range 5 {
			_ = from.SendMessage(text(30000))
		}
		for {
			if _, err := to.ReadMessage(); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != 10*idleAfter {
					t.Errorf("ended with %v after %v", err, time.Since(begin))
				}
				break
			}
		}
		if to.in.large != nil {
			t.Error("the large buffer is still held")
		}
	})
}

func TestHandshakeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, to, _ := join(t, Algorithm{}, testkit.PipeConfig{})
		if to.HandshakeTimedOut() {
			t.Error("timed out before it began")
		}
		begin := time.Now()
		if err := to.StartHandshake(time.Minute); err != nil {
			t.Fatal(err)
		}
		for range 2 { // it sticks
			_, err := to.ReadMessage()
			if !errors.Is(err, ErrHandshakeTimeout) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("ReadMessage = %v", err)
			}
		}
		var timeout net.Error
		if !errors.As(ErrHandshakeTimeout, &timeout) || !timeout.Timeout() {
			t.Error("it is no timeout of package net")
		}
		if time.Since(begin) != time.Minute || !to.HandshakeTimedOut() {
			t.Errorf("after %v", time.Since(begin))
		}
	})
}

func TestHandshakeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, _ := join(t, Algorithm{}, testkit.PipeConfig{})
		if err := to.StartHandshake(time.Minute); err != nil {
			t.Fatal(err)
		}
		go func() { // stops when it has sent
			time.Sleep(30 * time.Second)
			_ = to.CompleteHandshake() // while the reader waits
			time.Sleep(time.Hour)
			_ = from.SendMessage(text(7))
		}()
		if p, err := to.ReadMessage(); err != nil || len(p) != 7 || to.HandshakeTimedOut() {
			t.Errorf("ReadMessage = %d bytes, %v", len(p), err)
		}
	})
}

// TestHandshakeBoundsWriting: a peer that reads nothing is noticed too.
func TestHandshakeBoundsWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, _, _ := join(t, Algorithm{}, testkit.PipeConfig{Buffer: 100})
		if err := from.StartHandshake(time.Minute); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := from.SendMessage(text(1000)); !errors.Is(err, ErrHandshakeTimeout) {
				t.Errorf("SendMessage = %v", err)
			}
		}
	})
}

func TestKeepAlive(t *testing.T) {
	alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.NewPipe(testkit.PipeConfig{})
		peer, us := NewPacketizer(a), NewPacketizer(b)
		begin := time.Now()
		var calls []int
		dead := errors.New("no sign of life")
		if err := us.SetKeepAlive(10*time.Second, func() error {
			if calls = append(calls, int(time.Since(begin)/time.Second)); len(calls) == 7 {
				return dead
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		read := func() {
			_, err := us.ReadMessage()
			done <- err
		}
		until := func(second int) { time.Sleep(time.Until(begin.Add(time.Duration(second) * time.Second))) }
		go read() // stops with a message
		until(25) // not without keys
		if err := errors.Join(us.SetSealer(alg, testKeys(t, alg), false), peer.SetOpener(alg, testKeys(t, alg), false)); err != nil {
			t.Fatal(err)
		}
		until(35) // nor with one key
		_ = peer.SendMessage(text(5))
		<-done
		renew(t, alg, peer, us)
		go read() // stops with a message
		until(48) // 45
		_ = us.SendMessage(text(5))
		until(57) // not at 55, because something was sent
		_ = peer.SendMessage(text(5))
		<-done
		go read() // stops with a message
		until(88) // 67, 77, 87
		us.BeginRekey()
		until(120) // none
		renew(t, alg, us, peer)
		_ = peer.SendMessage(text(5))
		<-done
		renew(t, alg, peer, us)
		go read() // stops with the error
		if err := <-done; !errors.Is(err, dead) {
			t.Errorf("ended with %v", err)
		}
		if got, want := fmt.Sprint(calls), fmt.Sprint([]int{45, 67, 77, 87, 130, 140, 150}); got != want {
			t.Errorf("called at %s, want %s", got, want)
		}
		a.Close()
		b.Close()
	})
}

func TestKeepAliveSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
		from, to, nc := join(t, alg, testkit.PipeConfig{})
		renew(t, alg, to, from)
		_ = to.SetKeepAlive(time.Second, func() error { return errors.New("called") })
		_ = to.SetKeepAlive(time.Second, nil)
		time.AfterFunc(time.Hour, func() { nc.CloseWrite() })
		if _, err := to.ReadMessage(); err != io.EOF {
			t.Error(err)
		}
	})
}

func TestTimersNeedDeadlines(t *testing.T) {
	a, b := testkit.Pipe()
	defer a.Close()
	defer b.Close()
	p := NewPacketizer(noDeadlines{a})
	for name, err := range map[string]error{
		"StartHandshake":  p.StartHandshake(time.Minute),
		"SetKeepAlive":    p.SetKeepAlive(time.Minute, func() error { return nil }),
		"SetReadDeadline": p.SetReadDeadline(time.Now().Add(time.Minute)),
	} {
		if err == nil {
			t.Errorf("%s says nothing on a connection without deadlines", name)
		}
	}
}

// TestWriteGoesOnAfterTimeout: what a deadline cuts short is written later.
func TestWriteGoesOnAfterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from, to, _ := join(t, Algorithm{Cipher: "aes128-gcm@openssh.com"}, testkit.PipeConfig{Buffer: 100})
		timeouts := 0
		send := func(n int) {
			if err := from.Append(text(n)); err != nil {
				t.Fatal(err)
			}
			_ = from.SetWriteDeadline(time.Now().Add(time.Second))
			if err := from.Flush(); errors.Is(err, os.ErrDeadlineExceeded) {
				timeouts++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		send(1000)
		send(500)
		_ = from.SetWriteDeadline(time.Time{})
		flushed := make(chan error)
		go func() { flushed <- from.Flush() }() // stops when all is written
		for _, n := range []int{1000, 500} {
			if p, err := to.ReadMessage(); err != nil || !bytes.Equal(p, text(n)) {
				t.Fatalf("%d bytes, want %d: %v", len(p), n, err)
			}
		}
		if err := <-flushed; err != nil || timeouts != 2 {
			t.Errorf("Flush = %v after %d timeouts", err, timeouts)
		}
	})
}

// lazy is a connection that writes little or nothing at once.
type lazy struct {
	net.Conn
	most int
}

func (l lazy) Write(b []byte) (int, error) { return l.Conn.Write(b[:min(l.most, len(b))]) }

func TestShortWrites(t *testing.T) {
	a, b := testkit.Pipe()
	defer a.Close()
	defer b.Close()
	if err := NewPacketizer(lazy{a, 3}).SendMessage(text(100)); err != nil {
		t.Fatal(err)
	}
	if p, err := NewPacketizer(b).ReadMessage(); err != nil || len(p) != 100 {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	p := NewPacketizer(lazy{a, 0})
	for range 2 {
		if err := p.SendMessage(text(100)); !errors.Is(err, io.ErrNoProgress) {
			t.Errorf("a connection that writes nothing: %v", err)
		}
	}
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, _ := join(t, Algorithm{}, testkit.PipeConfig{})
		go func() { // stops when the Packetizer is closed
			time.Sleep(time.Minute)
			if p.Closed() {
				t.Error("closed before Close")
			}
			for range 2 {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}
		}()
		for range 2 {
			if _, err := p.ReadMessage(); err != ErrClosed || !errors.Is(err, net.ErrClosed) {
				t.Errorf("ReadMessage = %v", err)
			}
			if err := p.SendMessage(text(1)); err != ErrClosed {
				t.Errorf("SendMessage = %v", err)
			}
		}
		if !p.Closed() {
			t.Error("not closed")
		}
	})
}
