package mysqltest_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// bare is a client made of packets.
type bare struct {
	*packet.Conn
	t *testing.T
}

func dial(t *testing.T, e *mysqltest.Evil) bare {
	t.Helper()
	nc, err := e.Dial(context.Background(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	c := bare{packet.New(nc, &packet.Config{Role: trace.Client}), t}
	t.Cleanup(func() { c.Close() })
	return c
}

func (c bare) say(m wire.Message) {
	c.t.Helper()
	if err := c.Append(m); err != nil {
		c.t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

func (c bare) hear(m wire.Message) {
	c.t.Helper()
	p, err := c.ReadPacket()
	if err == nil {
		err = mysql.Parse(p, m, c.Dialect())
	}
	if err != nil {
		c.t.Fatalf("hearing %T: %v", m, err)
	}
}

func (c bare) logIn(caps mysql.Capabilities) {
	c.t.Helper()
	var g mysql.HandshakeV10
	c.hear(&g)
	c.SetDialect(mysql.NewDialect(g.Capabilities & caps))
	c.say(&mysql.HandshakeResponse41{Capabilities: g.Capabilities & caps, User: "app", AuthPlugin: auth.Native})
	c.hear(&mysql.OK{})
}

func TestEvilFollowsItsScript(t *testing.T) {
	e := mysqltest.NewEvil(t, mysqltest.Script{
		mysqltest.LogIn(mysqltest.Modern),
		mysqltest.Query("select 1"),
		mysqltest.Send(&mysql.ERR{Code: 1064, State: "42000", Message: "no"}),
		mysqltest.Expect(&mysql.Ping{}),
		mysqltest.CutAfter(6, &mysql.OK{}),
	}, mysqltest.Script{
		mysqltest.Raw(mysqltest.Bytes(0, 0, &mysql.ERR{Code: 1040, Message: "Too many connections"})),
	})
	c := dial(t, e)
	c.logIn(mysqltest.Modern)
	c.Begin()
	c.say(&mysql.Query{SQL: []byte("select 1")})
	var no mysql.ERR
	if c.hear(&no); no.Code != 1064 {
		t.Errorf("got error %d, want 1064", no.Code)
	}
	c.Begin()
	c.say(&mysql.Ping{})
	if _, err := c.ReadPacket(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut packet: got %v, want an unexpected end", err)
	}
	if dial(t, e).hear(&no); no.Code != 1040 {
		t.Errorf("second connection: got error %d, want 1040", no.Code)
	}
	if _, err := e.Dial(context.Background(), "", ""); err == nil {
		t.Error("a connection without a script was made")
	}
	if n := e.Dialed(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestEvilWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := mysqltest.NewEvil(t, mysqltest.Script{
			mysqltest.LogIn(mysqltest.Plain),
			mysqltest.Expect(&mysql.Ping{}),
			mysqltest.Wait(3 * time.Second),
			mysqltest.Send(&mysql.OK{}),
			mysqltest.Hang(),
		})
		c := dial(t, e)
		c.logIn(mysqltest.Plain)
		start := time.Now()
		c.Begin()
		c.say(&mysql.Ping{})
		c.hear(&mysql.OK{})
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("the answer took %v, want 3 s", took)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadPacket(); err == nil {
			t.Error("a server that hangs said something")
		}
	})
}
