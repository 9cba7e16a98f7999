package join_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// A pool of database/sql goes through the hosts of its URL, and takes the way
// there with it when it is closed.
func TestOpenMySQL(t *testing.T) {
	for _, source := range []string{
		"mysql+ssh://ada@one,two:22/app:secret@db:3306/shop?ssl-mode=DISABLED",
		"app:secret@tcp(db:3306)/shop?ssh=ada@one,two:22&tls=false&readTimeout=10s",
	} {
		db, hosts, hops := database(t, transport.Config{})
		db.Allow("SELECT name FROM birds WHERE id = ?").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"})
		connector, err := join.OpenMySQL(source, func(ctx context.Context, through []string) (*sshclient.Client, error) {
			if !slices.Equal(through, []string{"ada@one", "two:22"}) {
				t.Errorf("%s goes through %q", source, through)
			}
			return join.Jump(ctx, hops)
		})
		if err != nil {
			t.Fatal(err)
		}
		pool := sql.OpenDB(connector)
		for range 3 {
			var name string
			if err := pool.QueryRowContext(t.Context(), "SELECT name FROM birds WHERE id = ?", 7).Scan(&name); err != nil || name != "lark" {
				t.Errorf("%s: %q, %v", source, name, err)
			}
		}
		for i, h := range hosts {
			if n := h.dialed(); n != 1 {
				t.Errorf("%s: host %d was dialed %d times", source, i+1, n)
			}
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		for _, h := range hosts {
			h.serve.Wait() // hangs when the way is left open
		}
	}
}

// The recording of the SSH has the SQL of a pool too, whatever stands around
// its connections.
func TestOpenMySQLTrace(t *testing.T) {
	var o opened
	db, _, hops := database(t, transport.Config{Trace: &o})
	db.Allow("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"})
	gate := join.NewGateway(func(ctx context.Context) (*sshclient.Client, error) { return join.Jump(ctx, hops) })
	defer gate.Close()
	pool := sql.OpenDB(sqldriver.NewConnector(&sqldriver.Config{
		Client: &mysqlclient.Config{Address: "db:3306", User: "app", Dial: gate.DialContext, TraceInfo: gate.TraceInfo, Trace: &o, ReadTimeout: time.Minute},
	}))
	if err := pool.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if i := o.infos[len(o.infos)-1]; i.Proto != "mysql" || i.Parent == nil || i.Label != "direct-tcpip db:3306" {
		t.Errorf("MySQL was traced as %+v", i)
	}
}

func TestOpenMySQLErrors(t *testing.T) {
	refused := errors.New("refused")
	login := func(context.Context, []string) (*sshclient.Client, error) { return nil, refused }
	if _, err := join.OpenMySQL("mysql+ssh://gate", login); err == nil {
		t.Error("a URL without a server is taken")
	}
	connector, err := join.OpenMySQL("mysql+ssh://gate/app@db/", login)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	if err := pool.PingContext(t.Context()); !errors.Is(err, refused) {
		t.Errorf("Ping = %v, want what the login said", err)
	}
	direct, err := join.OpenMySQL("mysql://app@127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	if _, err := direct.Connect(t.Context()); err == nil || strings.Contains(err.Error(), "ssh") {
		t.Errorf("without hosts in between: %v", err)
	}
}
