package mysqlclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// raw sends payloads that no message has, one packet each.
func (p *peer) raw(payloads ...string) {
	for _, b := range payloads {
		p.pc.AppendPayload([]byte(b))
	}
	_ = p.pc.Flush()
}

// TestRogueLogin: a server that means ill gets no secret, and the login ends
// with an error of its kind.
func TestRogueLogin(t *testing.T) {
	greet := func(change func(h *mysql.HandshakeV10), then func(p *peer)) func(p *peer) {
		return func(p *peer) {
			h := hello(mysqlCaps)
			change(h)
			p.send(h)
			if p.next() != nil {
				then(p)
			}
		}
	}
	usual := func(*mysql.HandshakeV10) {}
	refused := func(err error) bool { _, ok := errors.AsType[*auth.RefusedError](err); return ok }
	protocol := func(err error) bool { _, ok := errors.AsType[*mysqlclient.ProtocolError](err); return ok }
	server := func(code uint16) func(err error) bool {
		return func(err error) bool {
			e, ok := errors.AsType[*mysqlclient.ServerError](err)
			return ok && e.Code == code && e.State == ""
		}
	}
	any := func(err error) bool { return err != nil }
	tests := []struct {
		name string
		play func(p *peer)
		want func(err error) bool
	}{
		{"switch to the clear password", greet(usual, func(p *peer) { p.send(&mysql.AuthSwitchRequest{Plugin: "mysql_clear_password"}) }), refused},
		{"switch to the old hash", greet(usual, func(p *peer) { p.raw("\xfe") }), refused},
		{"switch to the old plugin", greet(usual, func(p *peer) {
			p.send(&mysql.AuthSwitchRequest{Plugin: "mysql_old_password", Data: []byte("12345678")})
		}), refused},
		{"an RSA key of its own", greet(usual, func(p *peer) {
			p.send(&mysql.AuthSwitchRequest{Plugin: "caching_sha2_password", Data: []byte("abcdefghijklmnopqrst\x00")})
			p.next()
			p.send(&mysql.AuthMoreData{Data: []byte{4}})
		}), refused},
		{"an unknown plugin", greet(usual, func(p *peer) { p.send(&mysql.AuthSwitchRequest{Plugin: "give_me_all"}) }), refused},
		{"questions without end", greet(usual, func(p *peer) {
			for {
				p.send(&mysql.AuthSwitchRequest{Plugin: "mysql_native_password", Data: []byte("abcdefghijklmnopqrst\x00")})
				if p.next() == nil {
					return
				}
			}
		}), any},
		{"no questions but more data", greet(usual, func(p *peer) {
			for range 100 {
				p.send(&mysql.AuthMoreData{Data: []byte("x")})
			}
		}), any},
		{"too many connections", func(p *peer) { p.raw("\xff\x10\x04Too many connections") }, server(1040)},
		{"host blocked", func(p *peer) { p.raw("\xff\x69\x04Host is blocked") }, server(1129)},
		{"an empty greeting", func(p *peer) { p.raw("") }, protocol},
		{"a cut greeting", func(p *peer) { p.raw("\x0a9.7.0\x00abc") }, protocol},
		{"an old version", func(p *peer) { p.raw("\x09") }, protocol},
		{"protocol of 3.20", greet(func(h *mysql.HandshakeV10) { h.Capabilities &^= mysql.ClientProtocol41 }, func(*peer) {}), protocol},
		{"another protocol", func(p *peer) { _, _ = p.nc.Write([]byte("SSH-2.0-OpenSSH_9.9\r\n")) }, any},
		{"a greeting of 16 MiB", func(p *peer) { _, _ = p.nc.Write([]byte{0xfe, 0xff, 0xff, 0, 10}) }, any},
		{"a cut error", func(p *peer) { p.raw("\xff\x01") }, protocol},
		{"an infile request", greet(usual, func(p *peer) { p.raw("\xfb/etc/passwd") }), any},
		{"nothing", func(*peer) {}, func(err error) bool { return errors.Is(err, io.EOF) }},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t, false, x.play)
			w.secret = "swordfish"
			cfg := w.config()
			cfg.Passwords = []string{w.secret}
			c, err := mysqlclient.Connect(ctx, cfg)
			if err == nil {
				_ = c.Close()
			}
			if _, ok := errors.AsType[*mysqlclient.ConnError](err); !ok || !x.want(err) {
				t.Errorf("Connect() = %v", err)
			}
		})
	}
}

// evil answers a query, and an execution, with something malformed.
var evil = []struct {
	name string
	say  func(p *peer)
	fine bool // the connection survives
}{
	{"infile request", func(p *peer) { p.raw("\xfb/etc/passwd") }, false},
	{"empty packet", func(p *peer) { p.raw("") }, false},
	{"cut OK", func(p *peer) { p.raw("\x00") }, false},
	{"cut OK with state", func(p *peer) { p.raw("\x00\x00\x00\x02\x40\x00\x00\x00\xff") }, false},
	{"cut ERR", func(p *peer) { p.raw("\xff\x01") }, false},
	{"ERR with half a state", func(p *peer) { p.raw("\xff\x10\x04#42") }, false},
	{"ERR", func(p *peer) { p.send(oops(1064, "no")) }, true},
	{"2^40 columns", func(p *peer) { p.raw("\xfe\x00\x00\x00\x00\x00\x01\x00\x00") }, false},
	{"2^63 columns", func(p *peer) { p.raw("\xfe\xff\xff\xff\xff\xff\xff\xff\x7f") }, false},
	{"cut column count", func(p *peer) { p.raw("\xfc\x01") }, false},
	{"a million columns that do not come", func(p *peer) { p.raw("\xfd\x00\x00\x10") }, false},
	{"no columns", func(p *peer) { p.raw("\x00\x01") }, false},
	{"cut definition", func(p *peer) { p.raw("\x01", "\x03def\x00\x00") }, false},
	{"definition with a long name", func(p *peer) { p.raw("\x01", "\x03def\xfe\xff\xff\xff\xff\xff\xff\xff\x7f") }, false},
	{"ERR between definitions", func(p *peer) {
		p.send(&mysql.ColumnCount{Count: 2, Metadata: 1}, column("a", mysql.TypeLong), oops(1317, "killed"))
	}, true},
	{"short row", func(p *peer) {
		p.send(p.head(column("a", mysql.TypeLong), column("b", mysql.TypeLong))...)
		p.raw("\x01")
	}, false},
	{"short binary row", func(p *peer) {
		p.send(p.head(column("a", mysql.TypeLonglong), column("b", mysql.TypeLonglong))...)
		p.raw("\x00\x00\x01")
	}, false},
	{"row beyond its end", func(p *peer) {
		p.send(p.head(column("a", mysql.TypeLong))...)
		p.raw("\x00\xfe\xff\xff\xff\xff\xff\xff\xff\xff")
	}, false},
	{"row with more", func(p *peer) {
		p.send(p.head(column("a", mysql.TypeLong))...)
		p.raw("\x011\x012")
	}, false},
	{"cut end", func(p *peer) {
		p.send(p.head(column("a", mysql.TypeLong))...)
		p.raw("\xfe\x00")
	}, false},
	{"wrong number", func(p *peer) {
		_, _ = p.nc.Write([]byte{1, 0, 0, 9, 0})
	}, false},
	{"a packet that ends early", func(p *peer) {
		_, _ = p.nc.Write([]byte{100, 0, 0, 1, 0})
		_ = p.nc.CloseWrite()
	}, false},
	{"16 MiB that do not come", func(p *peer) {
		_, _ = p.nc.Write([]byte{0xff, 0xff, 0xff, 1, 0})
		_ = p.nc.CloseWrite()
	}, false},
	{"the end", func(p *peer) { _ = p.nc.Close() }, false},
}

// TestEvil: whatever a server answers, a command ends with an error, and memory
// stays bounded.
func TestEvil(t *testing.T) {
	for _, caps := range kinds {
		for _, x := range evil {
			for _, args := range [][]any{nil, {1}} {
				t.Run(fmt.Sprint(x.name, len(args)), func(t *testing.T) {
					w := newWorld(t, false, serve(caps&^mysql.ClientLocalFiles, func(p *peer, m wire.Message) bool {
						switch m := m.(type) {
						case *mysql.StmtPrepare:
							p.prepared(1, strings.Count(string(m.SQL), "?"))
						case *mysql.Query, *mysql.StmtExecute:
							x.say(p)
							_ = p.nc.CloseWrite()
						default:
							return false
						}
						return true
					}))
					c := w.connect(nil)
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					rows, err := c.Query(ctx, "SELECT ?", args...)
					if err == nil {
						for rows.Next() {
						}
						err = rows.Close()
					}
					runtime.ReadMemStats(&after)
					if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
						t.Errorf("%d bytes were allocated", got)
					}
					_, lost := errors.AsType[*mysqlclient.ConnError](err)
					if err == nil || lost == x.fine || lost != (c.Err() != nil) {
						t.Errorf("the error is %v, the connection's %v", err, c.Err())
					}
				})
			}
		}
	}
}

// TestCutAnywhere: a connection that ends behind any byte of the server's gives
// an error, nothing hangs, and no COMMIT is reported that may not have been.
func TestCutAnywhere(t *testing.T) {
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			for _, reset := range []bool{false, true} {
				whole := false
				for n := int64(1); !whole; n++ {
					w := newWorld(t, false, serve(caps, func(p *peer, m wire.Message) bool { return typesServer(p, m) }))
					w.pipe.S2C = testkit.Line{CutAfter: n, Reset: reset}
					whole = session(t, w)
					if n > 20_000 {
						t.Fatal("the session does not end")
					}
				}
			}
		})
	}
}

// session runs a small session and reports whether it came to its end.
func session(t *testing.T, w *world) bool {
	t.Helper()
	cfg := w.config()
	cfg.Trace, cfg.KillTimeout = nil, -1
	c, err := mysqlclient.Connect(ctx, cfg)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	for _, args := range [][]any{nil, {1}} {
		rows, err := c.Query(ctx, "SELECT ?", args...)
		if err != nil {
			return false
		}
		n := 0
		for rows.Next() {
			n++
		}
		if err := rows.Close(); err != nil {
			return false
		}
		if n != 1 {
			t.Errorf("%d rows and no error", n)
		}
	}
	return c.Ping(ctx) == nil
}

// TestBomb: a compressed frame yields what its header says and no more.
func TestBomb(t *testing.T) {
	w := newWorld(t, false, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		if _, ok := m.(*mysql.Query); !ok {
			return false
		}
		// zlib of 16 MiB of zeros, announced as 20 bytes.
		var z bytes.Buffer
		pc := packet.New(discard{Buffer: &z}, nil)
		if err := pc.StartCompression(packet.Zlib, 0); err != nil {
			t.Error(err)
		}
		pc.AppendPayload(make([]byte, 15<<20))
		_ = pc.Flush()
		frame := z.Bytes()
		frame[3], frame[4], frame[5], frame[6] = 1, 20, 0, 0
		_, _ = p.nc.Write(frame)
		_ = p.nc.CloseWrite()
		return true
	}))
	c := w.connect(func(c *mysqlclient.Config) { c.Compression = []string{"zlib"} })
	_, err := c.Query(ctx, "SELECT 1")
	if _, ok := errors.AsType[*packet.FrameError](err); !ok {
		t.Errorf("Query() = %v", err)
	}
}

// discard is a connection that only keeps what is written.
type discard struct {
	*bytes.Buffer
	net.Conn
}

func (d discard) Read(b []byte) (int, error)  { return d.Buffer.Read(b) }
func (d discard) Write(b []byte) (int, error) { return d.Buffer.Write(b) }

// TestDrip: a server that sends a byte now and then does not outlive the
// context.
func TestDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, false, serve(mysqlCaps, typesServer))
		w.pipe.S2C = testkit.Line{Chunk: 1, Every: time.Second}
		cfg := w.config()
		cfg.HandshakeTimeout, cfg.KillTimeout = -1, -1
		c, err := mysqlclient.Connect(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		start := time.Now()
		_, err = c.Query(short, "SELECT 1")
		if took := time.Since(start); took != 10*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Query() = %v after %v", err, took)
		}
	})
}
