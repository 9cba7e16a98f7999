package join_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

const socket = "/run/mysqld/mysqld.sock"

// database is a MySQL server behind one or two SSH servers.
func database(t testing.TB, cfg transport.Config) (db *mysqltest.Server, hosts []*host, hops []join.Hop) {
	t.Helper()
	db = mysqltest.NewServer(t)
	two := newHost(t, map[string]dialFunc{"db:3306": db.Dial, socket: db.Dial})
	one := newHost(t, map[string]dialFunc{"two:22": two.dial, "db:3306": db.Dial})
	return db, []*host{one, two}, []join.Hop{one.hop("one:22", true, cfg), two.hop("two:22", false, cfg)}
}

func names(t testing.TB, ctx context.Context, c *mysqlclient.Conn) []string {
	t.Helper()
	rows, err := c.Query(ctx, "SELECT name FROM birds")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		list = append(list, rows.String(0))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestMySQL(t *testing.T) {
	for _, tt := range []struct {
		name, network, addr string
		hops                int
	}{
		{"through one host", "tcp", "db:3306", 1},
		{"through two hosts", "tcp", "db:3306", 2},
		{"a socket there", "unix", socket, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db, _, hops := database(t, transport.Config{})
			db.Expect("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"}, mysqltest.Row{"wren"})
			bastion, err := join.Jump(t.Context(), hops[:tt.hops])
			if err != nil {
				t.Fatal(err)
			}
			defer bastion.Close()
			c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{
				Network: tt.network, Address: tt.addr, User: "app", Passwords: []string{"secret"},
				Dial: join.MySQLDialer(bastion), Trace: mysqltest.Flow(t),
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(names(t, t.Context(), c), " "); got != "lark wren" {
				t.Errorf("birds are %q", got)
			}
			if err := c.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
			if err := bastion.Err(); err != nil {
				t.Errorf("closing the database ended the way to it: %v", err)
			}
		})
	}
}

// A socket at the end of a channel is one to the client: a password may be
// sent in clear there. A port is not.
func TestMySQLSocketIsLocal(t *testing.T) {
	_, _, hops := database(t, transport.Config{})
	bastion, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	defer bastion.Close()
	for network, addr := range map[string]string{"unix": socket, "tcp": "db:3306"} {
		nc, err := join.MySQLDialer(bastion)(t.Context(), network, addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := nc.RemoteAddr().Network(); got != network {
			t.Errorf("%s: the network is %q", addr, got)
		}
		nc.Close()
	}
}

// Deadlines work on what a Gateway and a MySQLDialer return.
func TestMySQLDeadline(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	one := newHost(t, map[string]dialFunc{"silent:3306": func(context.Context, string, string) (net.Conn, error) { return near, nil }})
	gate := join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) {
		return join.Jump(ctx, []join.Hop{one.hop("one:22", true, transport.Config{})})
	})
	defer gate.Close()
	nc, err := gate.DialContext(t.Context(), "tcp", "silent:3306")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := nc.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %d, %v, want the deadline", n, err)
	}
}

// A host on the way that goes away is an error with a type, and the client
// knows how much of its statement was sent.
func TestMySQLCut(t *testing.T) {
	for i := range 2 {
		db, hosts, hops := database(t, transport.Config{})
		db.Allow("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"})
		bastion, err := join.Jump(t.Context(), hops)
		if err != nil {
			t.Fatal(err)
		}
		c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Address: "db:3306", User: "app", Dial: join.MySQLDialer(bastion)})
		if err != nil {
			t.Fatal(err)
		}
		names(t, t.Context(), c)
		hosts[i].cut()
		<-bastion.Done()
		_, err = c.Query(t.Context(), "SELECT name FROM birds")
		var lost *mysqlclient.ConnError
		if !errors.As(err, &lost) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("host %d is cut off: Query = %v, want a *ConnError", i+1, err)
		}
		if errors.Is(err, io.EOF) {
			t.Errorf("host %d is cut off: Query = %v, which looks like an end that was meant", i+1, err)
		}
		_ = c.Close()       // it has ended
		_ = bastion.Close() // it has ended
	}
}

// A pool and what stops its statements share one way, which is made when it is
// needed.
func TestGateway(t *testing.T) {
	db, hosts, hops := database(t, transport.Config{})
	came, release := make(chan struct{}), make(chan struct{})
	db.Expect("SELECT SLEEP(60)").Answer(func(ctx context.Context, _ *mysqlserver.Writer, _ *mysqltest.Call) error {
		close(came)
		select {
		case <-ctx.Done(): // it was killed
			return ctx.Err()
		case <-release:
			return nil
		}
	})
	db.Allow("SELECT id, user, host...").Rows(mysqltest.Columns("id BIGINT UNSIGNED", "user", "host", "info"))
	db.Allow("KILL...").Exec(0, 0)
	db.Allow("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"})
	gate := join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) { return join.Jump(ctx, hops) })
	cfg := &mysqlclient.Config{Address: "db:3306", User: "app", Dial: gate.DialContext, TraceInfo: gate.TraceInfo}
	if n := hosts[0].dialed(); n != 0 {
		t.Errorf("before it is used there are %d connections", n)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			c, err := mysqlclient.Connect(t.Context(), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if got := names(t, t.Context(), c); len(got) != 1 {
				t.Errorf("birds are %q", got)
			}
		})
	}
	all.Wait()
	c, err := mysqlclient.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { // stops when the statement has come
		<-came
		cancel()
	}()
	begin := time.Now()
	if _, err := c.Exec(ctx, "SELECT SLEEP(60)"); !errors.Is(err, context.Canceled) {
		t.Errorf("Exec = %v, want that it was cancelled", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the cancelled statement took %v", took)
	}
	close(release)
	for _, h := range hosts {
		if n := h.dialed(); n != 1 {
			t.Errorf("a host was dialed %d times, want once", n)
		}
	}

	// A way that has ended is made again.
	old, err := gate.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hosts[1].cut()
	<-old.Done()
	again, err := mysqlclient.Connect(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, t.Context(), again); len(got) != 1 {
		t.Errorf("through the second way birds are %q", got)
	}
	_ = again.Close() // has been used
	if err := gate.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if err := gate.Close(); err != nil {
		t.Errorf("the second Close = %v", err)
	}
	if _, err := gate.DialContext(t.Context(), "tcp", "db:3306"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("DialContext after Close = %v", err)
	}
	if info := gate.TraceInfo(nil); info.Parent != nil {
		t.Errorf("TraceInfo of a foreign connection = %+v", info)
	}
}

// Who gives up does not keep the others from the login, and a login that nobody
// waits for ends.
func TestGatewayCancelled(t *testing.T) {
	var calls atomic.Int32
	failed := errors.New("refused")
	begun, ended := make(chan struct{}, 2), make(chan error, 2)
	gate := join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) {
		if calls.Add(1) == 3 {
			return nil, failed
		}
		begun <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	one, two := make(chan error, 1), make(chan error, 1)
	patient, leave := context.WithCancel(t.Context())
	go func() { _, err := gate.Client(ctx); one <- err }()     // stops with the answer
	go func() { _, err := gate.Client(patient); two <- err }() // stops with the answer
	<-begun
	cancel()
	if err := <-one; !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up gets %v", err)
	}
	leave()
	if err := <-two; !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up last gets %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the login that nobody waits for sees %v", err)
	}
	// The next one begins anew, and Close ends it.
	third := make(chan error, 1)
	if n := calls.Load(); n == 1 {
		go func() { _, err := gate.Client(t.Context()); third <- err }() // stops with the answer
		<-begun
		if err := gate.Close(); err != nil {
			t.Error(err)
		}
		if err := <-third; err == nil {
			t.Error("a login that Close cut short succeeded")
		}
	}
	other := join.NewGateway(func(context.Context) (*sshclient.Client, error) { return nil, failed })
	defer other.Close()
	if _, err := other.DialContext(t.Context(), "tcp", "db:3306"); !errors.Is(err, failed) {
		t.Errorf("DialContext = %v, want what the login said", err)
	}
}

func TestMySQLTrace(t *testing.T) {
	var o opened
	_, _, hops := database(t, transport.Config{Trace: &o})
	bastion, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	defer bastion.Close()
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{
		Address: "db:3306", User: "app", Dial: join.MySQLDialer(bastion), TraceInfo: join.MySQLTraceInfo(bastion), Trace: &o,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	i := o.infos[len(o.infos)-1]
	if len(o.infos) != 3 || i.Proto != "mysql" || i.Parent != trace.Conn(quiet{}) || i.Label != "direct-tcpip db:3306" {
		t.Errorf("MySQL was traced as %+v", o.infos)
	}
}

// The SQL is in the recording of the SSH that carries it.
func TestMySQLRecorded(t *testing.T) {
	var text bytes.Buffer
	r := record.NewText(&text, nil)
	db, _, hops := database(t, transport.Config{Trace: r})
	db.Expect("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"})
	bastion, err := join.Jump(t.Context(), hops)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{
		Address: "db:3306", User: "app", Dial: join.MySQLDialer(bastion), TraceInfo: join.MySQLTraceInfo(bastion), Trace: r,
	})
	if err != nil {
		t.Fatal(err)
	}
	names(t, t.Context(), c)
	_ = c.Close()       // the server is left
	_ = bastion.Close() // as before
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`mysql COM_QUERY in=ssh/0/ssh/0 query="SELECT name FROM birds"`, "mysql TextResultsetRow in=ssh/0/ssh/0"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the recording lacks %q:\n%s", want, text.String())
		}
	}
}
