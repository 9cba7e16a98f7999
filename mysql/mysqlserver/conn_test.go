package mysqlserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

func TestPanicsAreAnswered(t *testing.T) {
	c := logIn(t, newServer(t), modern)
	want(t, "panic", c.query("panic"), "ERR 1105 HY000 Internal error: see the server's log")
	want(t, "afterwards", c.query("ok 1"), "OK end=false affected=1 id=0 SERVER_STATUS_AUTOCOMMIT warnings=1 info=\"done\"")
	c.done()
}

// TestIdleClient waits beyond the time limit.
func TestIdleClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.IdleTimeout = time.Minute
		c := logIn(t, s, modern)
		c.query("nothing")
		start := time.Now()
		head := make([]byte, 9)
		if _, err := io.ReadFull(c.conn, head); err != nil || string(head[3:]) != "\x00\xff\xbf\x0f#H" {
			t.Errorf("got %x, %v, want error 4031 with the number 0", head, err)
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %v, want a minute", took)
		}
		if _, err := io.Copy(io.Discard, c.conn); err != nil {
			t.Errorf("the connection has not ended: %v", err)
		}
		var e *mysqlserver.Error
		if err := c.end(); !errors.As(err, &e) || e.Code != 4031 {
			t.Errorf("ServeConn: %v, want error 4031", err)
		}
	})
}

// TestSlowCommand sends a command one byte at a time, and then no more.
func TestSlowCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.ReadTimeout = 10 * time.Second
		c := logIn(t, s, modern)
		c.rude = true
		for _, b := range []byte{1, 0, 0, 0, byte(mysql.ComPing)} {
			c.raw([]byte{b})
			time.Sleep(9 * time.Second)
		}
		c.pc.Begin()
		c.pc.Expect(1)
		c.payloadSeen(byte(mysql.ComPing))
		c.wantOK()
		c.raw([]byte{1, 0})
		start := time.Now()
		c.wantError(1159)
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v, want ten seconds", took)
		}
		c.wantEnd()
		c.end()
	})
}

// payloadSeen tells the flow of a packet that went by another way.
func (c *client) payloadSeen(b ...byte) {
	m, _, _ := c.flow.Next(0, b)
	_, _ = c.flow.Saw(0, m)
}

// TestSlowReader does not take what it has asked for.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.WriteTimeout = 5 * time.Second
		c := logIn(t, s, modern)
		start := time.Now()
		c.say(&mysql.Query{SQL: []byte("rows 1000000")})
		if err := <-c.served; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("ServeConn: %v, want a timeout", err)
		}
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("it took %v, want five seconds", took)
		}
		c.conn.Close()
	})
}

// TestClientGoesAway cuts the connection while a statement runs: its context
// ends.
func TestClientGoesAway(t *testing.T) {
	for name, prepare := range map[string]func(c *client){
		"closed": func(*client) {},
		"with commands behind": func(c *client) {
			c.pc.Apart(true)
			c.say(&mysql.Ping{}, &mysql.Ping{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := logIn(t, newServer(t), modern)
				c.say(&mysql.Query{SQL: []byte("wait")})
				synctest.Wait()
				prepare(c)
				time.Sleep(time.Second)
				start := time.Now()
				if err := c.end(); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("ServeConn: %v, want an unexpected end", err)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it was noticed after %v", took)
				}
			})
		})
	}
}

// TestCommandsBehindALongOne sends commands while a statement runs: they are
// kept for later.
func TestCommandsBehindALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, killer := logIn(t, s, modern), logIn(t, s, modern)
		c.pc.Apart(true)
		c.say(&mysql.Query{SQL: []byte("wait")})
		time.Sleep(time.Second) // somebody looks whether the client is there
		c.say(&mysql.Query{SQL: []byte("error 1064 " + strings.Repeat("x", 10_000))}, &mysql.Ping{})
		time.Sleep(time.Second)
		killer.query("kill query " + strconv.Itoa(int(c.hello.ConnectionID)))
		for _, code := range []uint16{1317, 1064} {
			c.pc.Expect(1)
			c.wantError(code)
		}
		c.pc.Expect(1)
		c.wantOK()
		c.pc.Apart(false)
		c.done()
		killer.done()
	})
}

func TestKill(t *testing.T) {
	tests := []struct {
		name, victim, kill string
		maria              bool
		answers            []uint16 // to the victim, in order
		ends               bool
	}{
		{"query", "wait", "kill query ", false, []uint16{1317}, false},
		{"query of one that does not tell", "hide", "kill query ", false, []uint16{0}, false},
		{"connection", "wait", "kill ", false, []uint16{1317, 3169}, true},
		{"idle", "", "kill ", false, []uint16{3169}, true},
		{"idle of MariaDB", "", "kill ", true, []uint16{1927}, true},
		{"query of an idle one", "", "kill query ", false, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				caps := modern
				if s.MariaDB = tt.maria; tt.maria {
					caps = mariaDB
				}
				victim, killer := logIn(t, s, caps), logIn(t, s, caps)
				if tt.victim != "" {
					victim.say(&mysql.Query{SQL: []byte(tt.victim)})
				}
				synctest.Wait()
				if got := killer.query(tt.kill + strconv.Itoa(int(victim.hello.ConnectionID))); !strings.HasPrefix(got, "OK") {
					t.Errorf("%s is answered with %s", tt.kill, got)
				}
				for _, code := range tt.answers {
					if code == 0 {
						victim.wantOK()
					} else {
						victim.wantError(code)
					}
				}
				killer.done()
				if !tt.ends {
					victim.done()
					return
				}
				victim.wantEnd()
				victim.end()
			})
		})
	}
}

func TestKillOthers(t *testing.T) {
	s := newServer(t)
	c := logIn(t, s, modern)
	want(t, "nobody", c.query("kill 999"), "ERR 1094 HY000 Unknown thread id: 999")
	stranger := connect(t, s) // has not logged in: nobody's
	stranger.greeted()
	want(t, "a stranger", c.query("kill "+strconv.Itoa(int(stranger.hello.ConnectionID))), "ERR 1095 HY000 You are not owner of thread "+strconv.Itoa(int(stranger.hello.ConnectionID)))
	stranger.end()
	c.say(&mysql.ProcessKill{ID: 999})
	c.wantError(1094)
	c.say(&mysql.ProcessKill{ID: c.hello.ConnectionID})
	c.wantError(1317)
	c.wantError(3169)
	c.wantEnd()
	c.end()
	if s.Kill(999, false) {
		t.Error("nobody was killed")
	}
}

func TestProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		long := "wait " + strings.Repeat("x", 5000)
		idle, busy, stranger := logIn(t, s, modern), logIn(t, s, modern), connect(t, s)
		stranger.greeted()
		idle.query("use db")
		busy.say(&mysql.Query{SQL: []byte(long)})
		time.Sleep(5 * time.Second)
		var got []string
		for _, p := range s.Processes() {
			got = append(got, fmt.Sprintf("%d %s %s %s %v %v %d", p.ID, p.User, p.Host, p.Database, p.Command, time.Since(p.Since), len(p.Info)))
		}
		want(t, "processes", strings.Join(got, "\n"), "1 app 127.0.0.1:40001 db COM_SLEEP 5s 0\n2 app 127.0.0.1:40001  COM_QUERY 5s 1024\n3  127.0.0.1:40001  COM_SLEEP 5s 0")
		s.Close()
		for _, c := range []*client{idle, busy, stranger} {
			c.end()
		}
	})
}

// TestShutdown lets a statement end, tells everybody, and waits for them.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		idle, busy, killer, stranger := logIn(t, s, modern), logIn(t, s, modern), logIn(t, s, modern), connect(t, s)
		stranger.greeted()
		busy.say(&mysql.Query{SQL: []byte("hide")})
		killer.say(&mysql.Query{SQL: []byte("wait")})
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(context.Background()) }() // stops when the connections have ended
		idle.wantError(1053)
		idle.wantEnd()
		stranger.wantError(1053)
		stranger.wantEnd()
		time.Sleep(time.Hour)
		select {
		case err := <-ended:
			t.Fatalf("Shutdown returned %v before the statements were done", err)
		default:
		}
		s.Kill(busy.hello.ConnectionID, true)
		s.Kill(killer.hello.ConnectionID, true)
		busy.wantOK()
		busy.wantError(1053)
		killer.wantError(1317)
		killer.wantError(1053)
		if err := <-ended; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		late := connect(t, s)
		late.wantError(1053)
		for _, c := range []*client{idle, busy, killer, stranger, late} {
			c.end()
		}
	})
}

func TestShutdownLosesPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := logIn(t, s, modern)
		c.say(&mysql.Query{SQL: []byte("wait")})
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v, want the deadline", err)
		}
		if err := c.end(); !errors.Is(err, mysqlserver.ErrServerClosed) {
			t.Errorf("ServeConn: %v, want ErrServerClosed", err)
		}
		s.Close()
	})
}

// TestServe serves a listener of the loopback interface.
func TestServe(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // stops with Close
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p, err := packet.New(nc, &packet.Config{Role: trace.Client}).ReadPacket()
	if err != nil || p[0] != mysql.HeaderHandshake {
		t.Errorf("got %x, %v, want a greeting", p, err)
	}
	s.Close()
	if err := <-served; !errors.Is(err, mysqlserver.ErrServerClosed) {
		t.Errorf("Serve: %v, want ErrServerClosed", err)
	}
	if err := s.Serve(l); !errors.Is(err, mysqlserver.ErrServerClosed) {
		t.Errorf("Serve after Close: %v, want ErrServerClosed", err)
	}
}

// TestContextOfServeConn cuts the connection with its context.
func TestContextOfServeConn(t *testing.T) {
	cc, sc := testkit.Pipe()
	defer cc.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	served := make(chan error, 1)
	go func() { served <- newServer(t).ServeConn(ctx, sc) }() // stops with ctx
	if _, err := packet.New(cc, nil).ReadPacket(); err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	if err := <-served; !errors.Is(err, cause) {
		t.Errorf("ServeConn: %v, want %v", err, cause)
	}
}

// TestAnswersDoNotWaitForTheNextCommand sends two commands at once, of which
// the second one takes its time.
func TestAnswersDoNotWaitForTheNextCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c := logIn(t, s, modern)
		c.pc.Apart(true)
		c.say(&mysql.Query{SQL: []byte("ok 1")}, &mysql.Query{SQL: []byte("wait")})
		if err := c.pc.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.pc.Expect(1)
		c.wantOK()
		s.Close()
		c.end()
	})
}
