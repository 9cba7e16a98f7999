package mysqlserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/packet"
)

// response returns a good answer to the greeting, as a packet with its header.
func response(c *client, caps mysql.Capabilities) []byte {
	c.Helper()
	_, proof, err := auth.NewExchange(&auth.Config{Passwords: []string{password}}, c.hello.AuthPlugin, c.hello.AuthData).First()
	if err != nil {
		c.Fatal(err)
	}
	b, err := mysql.Append(nil, &mysql.HandshakeResponse41{
		Capabilities: caps, User: user, AuthResponse: proof, Database: "db", AuthPlugin: auth.Native,
		Attributes: []mysql.Attribute{{Name: "a", Value: "b"}},
	}, c.flow.Dialect())
	if err != nil {
		c.Fatal(err)
	}
	return packetOf(1, b)
}

func packetOf(number byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), number}, payload...)
}

// TestTruncatedResponse ends the answer to the greeting at every byte, as a
// shorter packet and as a broken connection.
func TestTruncatedResponse(t *testing.T) {
	c := connect(t, newServer(t))
	c.greeted()
	whole := response(c, modern)
	c.end()
	for n := range len(whole) {
		c := connect(t, newServer(t))
		c.greeted()
		c.raw(response(c, modern)[:n])
		c.conn.CloseWrite()
		if err := c.end(); !errors.Is(err, mysqlserver.ErrLogin) {
			t.Errorf("cut after %d bytes: %v, want ErrLogin", n, err)
		}
		if n < 4 {
			continue
		}
		c = connect(t, newServer(t))
		c.greeted()
		c.raw(packetOf(1, response(c, modern)[4:n]))
		c.conn.CloseWrite()
		answer, _ := io.ReadAll(c.conn)
		if len(answer) < 7 {
			t.Errorf("a packet of %d bytes is answered with %x", n-4, answer)
		}
		c.end()
	}
}

// TestBadHandshakes are first packets that are no answers to the greeting.
func TestBadHandshakes(t *testing.T) {
	tests := []struct {
		name string
		send func(good []byte) []byte
		code uint16 // 0: none
	}{
		{"nothing", func([]byte) []byte { return packetOf(1, nil) }, 1251},
		{"before 4.1", func([]byte) []byte { return packetOf(1, append([]byte{0x05, 0x00, 0, 0, 1}, "root\x00abcdefgh"...)) }, 1251},
		{"wrong number", func(good []byte) []byte { good[3] = 7; return good }, 1156},
		{"TLS that was not offered", func([]byte) []byte { return packetOf(1, append([]byte{0, 0x0a, 0, 0}, make([]byte, 28)...)) }, 1043},
		{"TLS without beginning it", func(good []byte) []byte { good[5] |= 8; return good }, 1043},
		{"no user", func([]byte) []byte { return packetOf(1, append([]byte{0, 2, 0, 0}, make([]byte, 27)...)) }, 1043},
		{"huge auth length", func([]byte) []byte {
			b := append([]byte{0, 0x82, 0x28, 0}, make([]byte, 28)...)
			return packetOf(1, append(append(b, "app\x00"...), 0xfe, 255, 255, 255, 255, 255, 255, 255, 255))
		}, 1043},
		{"too large", func([]byte) []byte { return append([]byte{0, 0, 2, 1}, make([]byte, 0x20000)...) }, 1153},
		{"16 MiB announced", func([]byte) []byte { return []byte{255, 255, 255, 1} }, 1153},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := connect(t, newServer(t))
				c.greeted()
				c.rude = true
				c.raw(tt.send(response(c, modern)))
				c.conn.CloseWrite()
				p, err := io.ReadAll(c.conn)
				if err != nil || len(p) < 7 || p[4] != 0xff || uint16(p[5])|uint16(p[6])<<8 != tt.code {
					t.Errorf("answered with %x, %v, want error %d", p, err, tt.code)
				}
				if err := c.end(); err == nil {
					t.Error("ServeConn returned nil")
				}
			})
		})
	}
}

// TestSilentStrangers say nothing, or not enough.
func TestSilentStrangers(t *testing.T) {
	for _, sent := range []int{0, 1, 20, 60} {
		synctest.Test(t, func(t *testing.T) {
			c := connect(t, newServer(t))
			c.greeted()
			start := time.Now()
			for i := range sent {
				c.raw(response(c, modern)[i : i+1])
				time.Sleep(time.Second / 10)
			}
			if err := <-c.served; !errors.Is(err, mysqlserver.ErrLogin) {
				t.Errorf("ServeConn: %v, want ErrLogin", err)
			}
			if took := time.Since(start); took != 10*time.Second {
				t.Errorf("it took %v, want ten seconds", took)
			}
			c.conn.Close()
		})
	}
}

func TestConnectionLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.Connections, s.Limits.Unauthenticated = 3, 2
		first, second := logIn(t, s, modern), logIn(t, s, modern)
		third := connect(t, s)
		third.greeted()
		late := connect(t, s)
		if e := late.wantError(1040); e.State != "" {
			t.Errorf("an error before the greeting has the SQLSTATE %s", e.State)
		}
		if err := late.end(); !errors.Is(err, mysqlserver.ErrTooManyConnections) {
			t.Errorf("ServeConn: %v, want ErrTooManyConnections", err)
		}
		third.end()
		logIn(t, s, modern).done()
		first.done()
		second.done()
	})
}

// TestStrangersAreLimited keeps some of those that have not logged in out, and
// all of them beyond the limit.
func TestStrangersAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.Unauthenticated = 10
		var list []*client
		in := 0
		for range 100 {
			c := connect(t, s)
			if m, ok := c.hear().(*mysql.HandshakeV10); ok {
				c.hello = m
				in++
			}
			list = append(list, c)
		}
		if in < 5 || in > 10 {
			t.Errorf("%d of 100 were greeted, want 5 to 10", in)
		}
		for _, c := range list {
			c.end()
		}
	})
}

// TestWrongPackets are bytes that are no commands.
func TestWrongPackets(t *testing.T) {
	tests := []struct {
		name string
		raw  []byte
		code uint16
	}{
		{"wrong number", packetOf(9, []byte{byte(mysql.ComPing)}), 1156},
		{"larger than allowed", []byte{0, 0, 0x20, 0}, 1153},
		{"a continuation with a wrong number", append(packetOf(0, bytes.Repeat([]byte{3}, 1<<24-1)), packetOf(5, nil)...), 1156},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				s.Limits.MaxPacket = 1 << 20
				if len(tt.raw) > 1<<20 {
					s.Limits.MaxPacket = 1 << 26
				}
				c := logIn(t, s, modern)
				c.pc.Begin()
				c.raw(tt.raw)
				c.conn.CloseWrite()
				p, err := io.ReadAll(c.conn)
				if err != nil || len(p) < 7 || p[4] != 0xff || uint16(p[5])|uint16(p[6])<<8 != tt.code {
					t.Errorf("answered with %x, %v, want error %d", p, err, tt.code)
				}
				c.end()
			})
		})
	}
}

// TestLargestCommand takes a command of the largest size, in several packets.
func TestLargestCommand(t *testing.T) {
	s := newServer(t)
	s.Limits.MaxPacket = 1<<24 + 100
	c := logIn(t, s, oldest)
	text := append([]byte("error 1064 "), bytes.Repeat([]byte{'x'}, 1<<24+50)...)
	c.say(&mysql.Query{SQL: text})
	if e := c.wantError(1064); len(e.Message) != 1<<24+50 {
		t.Errorf("the answer has %d bytes", len(e.Message))
	}
	c.done()
}

// TestCutAtEveryByte breaks a conversation off after each byte that the client
// has sent: the server comes to an end, and closes the session if there was
// one.
func TestCutAtEveryByte(t *testing.T) {
	talk := func(n int64) (sent int64) {
		s := newServer(t)
		var made []*session
		s.Handler = mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			made = append(made, &session{c: c})
			return made[0], nil
		})
		cc, sc := testkit.NewPipe(testkit.PipeConfig{C2S: testkit.Line{CutAfter: n}})
		served := make(chan error, 1)
		go func() { served <- s.ServeConn(context.Background(), sc) }() // stops when the line is cut
		pc := packet.New(cc, nil)
		c := &client{TB: t, conn: cc, pc: pc}
		c.greeted()
		list := []byte{}
		list = append(list, response(c, modern)...)
		for _, m := range []string{"\x03\x00\x01rows 3", "\x16echo ?", "\x18\x01\x00\x00\x00\x00\x00long", "\x03\x00\x01file x"} {
			list = append(list, packetOf(0, []byte(m))...)
		}
		list = append(list, packetOf(2, []byte("content"))...)
		_, _ = cc.Write(list)
		cc.CloseWrite()
		_, _ = io.Copy(io.Discard, cc)
		<-served
		cc.Close()
		if len(made) > 0 && made[0].closed != 1 {
			t.Errorf("cut after %d bytes: the session was closed %d times", n, made[0].closed)
		}
		return int64(len(list))
	}
	all := talk(0)
	for n := int64(1); n < all; n++ {
		talk(n)
	}
}

// TestManyStatements: a text of very many statements is divided as they are
// executed, and no further when one fails.
func TestManyStatements(t *testing.T) {
	const size = 4 << 20
	s := newServer(t)
	executed := 0
	s.Handler = mysqlserver.HandlerFunc(func(context.Context, *mysqlserver.Conn) (mysqlserver.Session, error) {
		return failing{executed: &executed}, nil
	})
	c := logIn(t, s, modern)
	c.say(&mysql.SetOption{Option: mysql.OptionMultiStatementsOn})
	c.hear()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c.say(&mysql.Query{SQL: bytes.Repeat([]byte("a;"), size/2)})
	c.wantError(1064)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 16*size || executed != 1 {
		t.Errorf("%d MiB were taken for a text of %d MiB, %d statements executed", got>>20, size>>20, executed)
	}
	c.end()
}

// failing is a session whose statements fail.
type failing struct {
	mysqlserver.Unsupported
	executed *int
}

func (f failing) Query(context.Context, *mysqlserver.Writer, *mysqlserver.Query) error {
	*f.executed++
	return mysqlserver.Errorf(1064, "no")
}
