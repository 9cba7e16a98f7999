package packet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// socketPair returns two connected sockets of the system.
func socketPair(t *testing.T, network, address string) (a, b net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("no %s sockets here: %v", network, err)
	}
	defer l.Close()
	if a, err = net.Dial(network, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// A peeker answers for itself; a closer tells it of the end.
type peeker struct {
	*testkit.Conn
	ended atomic.Bool
}

func (p *peeker) Pending() bool { return p.ended.Load() || p.Buffered() > 0 }

type closer struct {
	net.Conn
	peer *peeker
}

func (c *closer) Close() error { c.peer.ended.Store(true); return c.Conn.Close() }

func TestPending(t *testing.T) {
	for _, kind := range []string{"tcp", "unix", "pipe", "peeker"} {
		for _, secure := range []bool{false, true} {
			name := kind
			if secure {
				name += " with TLS"
			}
			t.Run(name, func(t *testing.T) {
				var a, b net.Conn
				switch kind {
				case "tcp":
					a, b = socketPair(t, "tcp", "127.0.0.1:0")
				case "unix":
					a, b = socketPair(t, "unix", filepath.Join(t.TempDir(), "s"))
				default:
					a, b = testkit.Pipe()
				}
				if kind == "peeker" {
					p := &peeker{Conn: a.(*testkit.Conn)}
					a, b = p, &closer{b, p}
				}
				client := packet.New(a, nil)
				server := packet.New(b, &packet.Config{Role: trace.Server})
				t.Cleanup(func() { client.Close(); server.Close() })
				if secure {
					handshake(t, client, server)
				}
				checkPending(t, client, server)
			})
		}
	}
}

func handshake(t *testing.T, client, server *packet.Conn) {
	t.Helper()
	ccfg, scfg := certificate(t)
	done := make(chan error, 1)
	go func() { done <- server.StartTLS(context.Background(), scfg) }() // ends with the handshake
	if err := client.StartTLS(t.Context(), ccfg); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func checkPending(t *testing.T, client, server *packet.Conn) {
	t.Helper()
	say := func(what string) {
		t.Helper()
		server.AppendPayload([]byte(what))
		if err := server.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	until := func(want bool) {
		t.Helper()
		for range 2000 { // bytes of the other end need a moment on their way
			if client.Pending() == want {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatalf("Pending() stays %v", !want)
	}
	read := func(want string) {
		t.Helper()
		if p, err := client.ReadPacket(); err != nil || string(p) != want {
			t.Fatalf("ReadPacket() = %q, %v, want %q", p, err, want)
		}
	}
	until(false)
	if client.Pending() {
		t.Error("Pending() on an idle connection")
	}
	deadline := time.Now().Add(time.Hour)
	if err := client.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	say("one")
	until(true)
	say("two")
	read("one")
	until(true)
	read("two")
	until(false)

	say("goodbye")
	server.Close()
	until(true)
	read("goodbye")
	until(true)
	if err := client.Ended(); !errors.Is(err, io.EOF) {
		t.Errorf("Ended() = %v", err)
	}
	if _, err := client.ReadPacket(); !errors.Is(err, io.EOF) {
		t.Errorf("ReadPacket() = %v", err)
	}
	client.Close()
	if !client.Pending() {
		t.Error("a closed connection is not pending")
	}
}

func TestPendingAfterCut(t *testing.T) {
	client, _ := pair(t, nil)
	cause := errors.New("given up")
	client.Cut(cause)
	if !client.Pending() {
		t.Error("a cut connection is not pending")
	}
	if _, err := client.ReadPacket(); err != cause {
		t.Errorf("ReadPacket() = %v", err)
	}
}
