package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
)

func TestCloseWritesWhatIsQueued(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		const n = 500
		for i := range n {
			if err := c.Queue(&ssh.ChannelEOF{Recipient: uint32(i)}); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan error)
		go func() { closed <- c.Close() }() // stops when all is written
		for i := range n {
			var m ssh.ChannelEOF
			if err := ssh.Parse(p.expect("queued packet", 96), &m); err != nil || m.Recipient != uint32(i) {
				t.Fatalf("packet %d: %v %v", i, m, err)
			}
		}
		if err := <-closed; err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		big := &ssh.ChannelData{Data: make([]byte, 100<<10)}
		for range 2 { // more than the pipe takes
			if err := c.Send(context.Background(), big); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		begin := time.Now()
		err := c.Close()
		var e *WriteError
		if !errors.As(err, &e) {
			t.Errorf("Close = %v, want a WriteError", err)
		}
		if got := time.Since(begin); got != defaultCloseTimeout {
			t.Errorf("Close took %v, want %v", got, defaultCloseTimeout)
		}
		if again := c.Close(); again != err {
			t.Errorf("second Close = %v", again)
		}
	})
}

func TestCloseLetsAKeyExchangeEndFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		go c.Rekey(context.Background()) // stops with the connection
		synctest.Wait()
		if err := c.Queue(&ssh.ChannelEOF{}); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error)
		go func() { closed <- c.Close() }() // stops when all is written
		p.exchange()
		p.expect("what was held back", 96)
		if err := <-closed; err != nil {
			t.Errorf("Close = %v", err)
		}
	})
}

func TestCloseUnblocksEverything(t *testing.T) {
	ends := map[string]struct {
		end  func(c *Conn)
		want error
	}{
		"Close": {func(c *Conn) { c.Close() }, net.ErrClosed},
		"Abort": {func(c *Conn) { c.Abort(io.ErrNoProgress) }, io.ErrNoProgress},
		"Fail":  {func(c *Conn) { c.Fail(ssh.ProtocolError, io.ErrNoProgress) }, io.ErrNoProgress},
	}
	for name, e := range ends {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, role trace.Role) {
				p, out := against(t, role, quick)
				p.handshake()
				o := <-out
				if o.err != nil {
					t.Fatal(o.err)
				}
				c := o.c
				c.Authenticated()
				go c.Rekey(context.Background()) // stops with the connection
				synctest.Wait()                  // the gate is closed, so everybody waits
				ctx := context.Background()
				src := &fixed{payload: dataPacket(10), left: 1}
				var wg sync.WaitGroup
				for what, call := range map[string]func() error{
					"ReadPacket": func() error { _, err := c.ReadPacket(); return err },
					"Send":       func() error { return c.Send(ctx, &ssh.ChannelEOF{}) },
					"SendData":   func() error { return c.SendData(nil, 100, src) },
					"Rekey":      func() error { return c.Rekey(ctx) },
				} {
					wg.Go(func() {
						if err := call(); !errors.Is(err, e.want) {
							t.Errorf("%s = %v, want %v", what, err, e.want)
						}
					})
				}
				synctest.Wait()
				e.end(c)
				wg.Wait()
				<-c.Done()
				if err := c.Err(); !errors.Is(err, e.want) {
					t.Errorf("Err = %v", err)
				}
				if err := c.Queue(&ssh.ChannelEOF{}); !errors.Is(err, e.want) {
					t.Errorf("Queue = %v", err)
				}
				p.nc.Close()
				c.Close()
			})
		})
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		src := &fixed{payload: dataPacket(1000), left: 1 << 30}
		cancel := make(chan struct{})
		sent := make(chan error)
		go func() { sent <- c.SendData(cancel, len(src.payload), src) }() // stops when canceled
		synctest.Wait()
		got := (1 << 30) - src.left
		if limit := (2*softLimit + testkit.DefaultBuffer) / 1000; got > limit {
			t.Errorf("%d packets of 1000 bytes were taken, want at most %d", got, limit)
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		for range 3 { // a waiter that gives up must not be remembered
			if err := c.Send(ctx, &ssh.ChannelEOF{}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Send = %v", err)
			}
		}
		c.mu.Lock()
		if n := len(c.out.waiters); n != 1 {
			t.Errorf("%d waiters, want 1", n)
		}
		c.mu.Unlock()
		if err := c.Queue(&ssh.ChannelSuccess{}); err != nil {
			t.Errorf("the reader's answer finds no room: %v", err)
		}
		close(cancel)
		if err := <-sent; err != ErrCanceled {
			t.Errorf("SendData = %v", err)
		}
		for range got {
			p.expect("data", 94)
		}
		p.expect("answer", 99)
		if err := c.Send(context.Background(), &ssh.ChannelEOF{}); err != nil {
			t.Error(err)
		}
		p.expect("room again", 96)
	})
}

func TestTooLongMessageIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		long := &ssh.ChannelData{Data: make([]byte, c.MaxPayload())}
		if err := c.Send(context.Background(), long); err == nil || c.Err() != nil {
			t.Errorf("Send = %v, Err = %v", err, c.Err())
		}
		long.Data = long.Data[9:]
		if err := c.Send(context.Background(), long); err != nil {
			t.Error(err)
		}
		p.expect("the longest message", 94)
	})
}

// brokenWrites fails every Write from some moment on.
type brokenWrites struct {
	*testkit.Conn
	broken chan struct{}
}

func (b *brokenWrites) Write(p []byte) (int, error) {
	select {
	case <-b.broken:
		return 0, errors.New("broken pipe")
	default:
		return b.Conn.Write(p)
	}
}

// TestLastWordsAreHeard is about a peer that says why it closes: our failing
// write must not hide that.
func TestLastWordsAreHeard(t *testing.T) {
	for _, speaks := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			cn, sn := testkit.NewPipe(testkit.PipeConfig{})
			broken := &brokenWrites{cn, make(chan struct{})}
			client, server := connect(t, broken, sn, nil, nil)
			close(broken.broken)
			if err := client.Send(context.Background(), &ssh.ChannelEOF{}); err != nil {
				t.Fatal(err)
			}
			if speaks {
				go server.Disconnect(ssh.NoMoreAuthMethodsAvailable, "too many tries") // stops when the client has closed
			}
			_, err := client.ReadPacket()
			var d *DisconnectError
			var w *WriteError
			if speaks && !errors.As(err, &d) || !speaks && !errors.As(err, &w) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestAnyCut cuts the connection behind every so many bytes: both sides must
// end, with errors.
func TestAnyCut(t *testing.T) {
	for cut := int64(0); cut < 4000; cut += 61 {
		for _, reset := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				line := testkit.Line{CutAfter: cut + 1, Reset: reset}
				cn, sn := testkit.NewPipe(testkit.PipeConfig{C2S: line, S2C: testkit.Line{Chunk: 100}})
				cc, sc := goodConfigs(t)
				errs := make(chan error, 2)
				use := func(c *Conn, err error) {
					for err == nil {
						if err = c.Send(context.Background(), &ssh.ChannelData{Data: make([]byte, 100)}); err == nil {
							_, err = c.ReadPacket()
						}
					}
					if c != nil {
						c.Close()
					}
					errs <- err
				}
				go func() { use(Client(context.Background(), cn, cc)) }() // stops at the cut
				go func() { use(Server(context.Background(), sn, sc)) }() // stops at the cut
				for range 2 {
					if err := <-errs; err == nil {
						t.Error("no error")
					}
				}
			})
		}
	}
}

func goodConfigs(t testing.TB) (*ClientConfig, *ServerConfig) {
	sc := &ServerConfig{}
	sc.HostKeys = append(sc.HostKeys, hostKey(t))
	return &ClientConfig{HostKey: func(context.Context, HostKey) error { return nil }}, sc
}

func TestConfigIsChecked(t *testing.T) {
	cc, sc := goodConfigs(t)
	rows := map[string]func(nc net.Conn) error{
		"nil client":  func(nc net.Conn) error { _, err := Client(context.Background(), nc, nil); return err },
		"nil server":  func(nc net.Conn) error { _, err := Server(context.Background(), nc, nil); return err },
		"no host key": func(nc net.Conn) error { _, err := Server(context.Background(), nc, &ServerConfig{}); return err },
		"no callback": func(nc net.Conn) error { _, err := Client(context.Background(), nc, &ClientConfig{}); return err },
		"bad version": func(nc net.Conn) error {
			c := *cc
			c.Version = "a b"
			_, err := Client(context.Background(), nc, &c)
			return err
		},
		"bad cipher": func(nc net.Conn) error {
			c := *sc
			c.Algorithms.Ciphers = []string{"x"}
			_, err := Server(context.Background(), nc, &c)
			return err
		},
		"long version": func(nc net.Conn) error {
			c := *cc
			c.Version = strings.Repeat("v", 250)
			_, err := Client(context.Background(), nc, &c)
			return err
		},
	}
	for name, call := range rows {
		cn, sn := testkit.Pipe()
		if err := call(cn); err == nil {
			t.Errorf("%s is accepted", name)
		}
		if _, err := sn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: the socket stays open", name)
		}
		sn.Close()
	}
}

func TestParseList(t *testing.T) {
	defs, sup := []string{"a1", "a2", "b"}, []string{"a1", "a2", "b", "c"}
	rows := []struct {
		list, want string
	}{
		{"b,a1", "b,a1"},
		{"+c", "a1,a2,b,c"},
		{"+b", "a1,a2,b"},
		{"-a*", "b"},
		{"-a?,x", "b"},
		{"^c,b", "c,b,a1,a2"},
		{"x", "error"},
		{"+x", "error"},
		{"-*", "error"},
		{"", "error"},
		{"a1,,b", "error"},
	}
	for _, r := range rows {
		got, err := ParseList(r.list, defs, sup)
		s := strings.Join(got, ",")
		if err != nil {
			s = "error"
		}
		if s != r.want {
			t.Errorf("ParseList(%q) = %s (%v), want %s", r.list, s, err, r.want)
		}
	}
}

func TestErrorsNameBothOffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cn, sn := testkit.Pipe()
		cc, sc := goodConfigs(t)
		cc.Algorithms.Ciphers = []string{"aes128-gcm@openssh.com"}
		sc.Algorithms.Ciphers = []string{"aes256-gcm@openssh.com"}
		done := make(chan error)
		go func() { // stops when the client has failed
			_, err := Server(context.Background(), sn, sc)
			done <- err
		}()
		_, err := Client(context.Background(), cn, cc)
		for _, err := range []error{err, <-done} {
			var n *ssh.NegotiationError
			var d *DisconnectError
			if errors.As(err, &n) {
				if s := err.Error(); !strings.Contains(s, "client offers aes128-gcm") || !strings.Contains(s, "server offers aes256-gcm") {
					t.Errorf("got %q", s)
				}
			} else if !errors.As(err, &d) || d.Reason != ssh.KeyExchangeFailed {
				t.Errorf("got %v", err)
			}
		}
	})
}

func TestHeldPacketsKeepTheirBytes(t *testing.T) {
	var held []byte
	for i := range 3 {
		held = appendHeld(held, bytes.Repeat([]byte{byte(i)}, i+1))
	}
	if want := []byte{0, 0, 0, 1, 0, 0, 0, 0, 2, 1, 1, 0, 0, 0, 3, 2, 2, 2}; !bytes.Equal(held, want) {
		t.Errorf("held = %v, want %v", held, want)
	}
}
