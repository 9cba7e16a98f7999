package mysqlclient_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/wire"
)

// TestEndpoint: what is dialled when a part of the address is missing.
func TestEndpoint(t *testing.T) {
	tests := []struct{ network, address, want string }{
		{"", "", "tcp 127.0.0.1:3306"},
		{"", "db", "tcp db:3306"},
		{"", "db:3307", "tcp db:3307"},
		{"", "::1", "tcp [::1]:3306"},
		{"", "/run/m.sock", "unix /run/m.sock"},
		{"unix", "m.sock", "unix m.sock"},
		{"tcp6", "db", "tcp6 db:3306"},
		{"bastion", "anything", "bastion anything"},
	}
	stop := errors.New("far enough")
	for _, x := range tests {
		var got string
		_, err := mysqlclient.Connect(ctx, &mysqlclient.Config{
			Network: x.network, Address: x.address,
			Dial: func(_ context.Context, network, address string) (net.Conn, error) {
				got = network + " " + address
				return nil, stop
			},
		})
		if !errors.Is(err, stop) || got != x.want {
			t.Errorf("%q %q dials %q, %v; want %q", x.network, x.address, got, err, x.want)
		}
		if e, ok := errors.AsType[*mysqlclient.ConnError](err); !ok || e.Phase != mysqlclient.PhaseDial || !e.SafeToRetry() || errors.Is(err, net.ErrClosed) {
			t.Errorf("the error is %v", err)
		}
	}
}

// TestFromOptions: what options say reaches the server.
func TestFromOptions(t *testing.T) {
	o := &options.Config{
		Address: "db.example", User: "anna", Passwords: []options.Secret{"pw"}, Database: "shop", Collation: "utf8mb4_bin",
		Vars: map[string]string{"a": "1"}, InitCommands: []string{"DO 2"}, FoundRows: true, LocalInfile: true,
		Compression: options.Compression{Algorithms: []string{"uncompressed", "zlib"}}, Auth: options.Auth{DenyNative: true, Cleartext: true},
	}
	cfg, err := mysqlclient.FromOptions(o)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	var login *mysql.HandshakeResponse41
	w := newWorld(t, true, func(p *peer) {
		h := hello(mysqlCaps)
		h.AuthPlugin = "caching_sha2_password"
		p.send(h)
		login, _ = p.next().(*mysql.HandshakeResponse41)
		p.send(&mysql.AuthMoreData{Data: []byte{3}}, okay())
		if login == nil || p.pc.StartCompression(1, 0) != nil {
			return
		}
		for m := p.command(); m != nil; m = p.command() {
			told(&said, m)
			p.send(okay())
		}
	})
	cfg.Dial, cfg.Trace = w.dial, w.flow
	c, err := mysqlclient.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if want := "[SET NAMES utf8mb4 COLLATE utf8mb4_bin SET a = 1 DO 2]"; fmt.Sprint(said) != want {
		t.Errorf("the server was told %v, want %v", said, want)
	}
	want := mysql.ClientFoundRows | mysql.ClientLocalFiles | mysql.ClientCompress | mysql.ClientConnectWithDB
	if login.User != "anna" || login.Database != "shop" || !login.Capabilities.Has(want) || len(login.AuthResponse) != 32 {
		t.Errorf("the login is %+v", login)
	}
	cfg.Dial = newWorld(t, true, func(p *peer) { p.send(hello(mysqlCaps)); p.next() }).dial
	if _, err := mysqlclient.Connect(ctx, cfg); err == nil {
		t.Error("mysql_native_password was used, which is denied")
	}
}

// TestFromOptionsFiles: files that cannot be read are named.
func TestFromOptionsFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.pem")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []options.Config{
		{TLS: options.TLS{CA: missing}},
		{TLS: options.TLS{CA: empty}},
		{TLS: options.TLS{Cert: missing, Key: missing}},
		{TLS: options.TLS{CRL: missing}},
		{TLS: options.TLS{Versions: "SSLv3"}},
		{Auth: options.Auth{ServerKey: missing}},
		{Auth: options.Auth{ServerKey: empty}},
	} {
		if _, err := mysqlclient.FromOptions(&o); err == nil {
			t.Errorf("FromOptions(%+v) is fine", o)
		} else if strings.Contains(err.Error(), "missing.pem") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is no fs.ErrNotExist", err)
		}
	}
}

// TestTooLarge: a statement that the server would refuse is not sent, and the
// connection lives.
func TestTooLarge(t *testing.T) {
	asked, executed := 0, 0
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		q, ok := m.(*mysql.Query)
		if ok && string(q.SQL) == "SELECT @@max_allowed_packet" {
			asked++
			p.text(mysql.StatusAutocommit, "2000000")
			return true
		}
		executed++
		return false
	})).connect(nil)
	big := strings.Repeat("x", 3<<20)
	for _, args := range [][]any{nil, {big}} {
		sql := "SELECT ?"
		if args == nil {
			sql = big
		}
		_, err := c.Exec(ctx, sql, args...)
		if e, ok := errors.AsType[*mysqlclient.TooLargeError](err); !ok || e.Limit != 2_000_000 || e.Size < 3<<20 {
			t.Errorf("Exec() = %v", err)
		}
	}
	if asked != 1 || executed != 0 {
		t.Errorf("the limit was asked for %d times, %d statements came", asked, executed)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
}

// TestTx: statements pass through an open transaction and not behind its end.
func TestTx(t *testing.T) {
	c := newWorld(t, true, serve(mysqlCaps, echo)).connect(nil)
	tx, err := c.Begin(ctx, mysqlclient.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if tx.Conn() != c {
		t.Error("Conn() is another one")
	}
	rows, err := tx.Query(ctx, "SELECT ?", "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(ctx); err == nil {
		t.Error("a COMMIT passed unread rows")
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if _, err := tx.Exec(ctx, "DO 1"); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Errorf("Rollback() = %v", err)
	}
	if _, err := tx.Exec(ctx, "DO 1"); !errors.Is(err, mysqlclient.ErrTxDone) {
		t.Errorf("Exec() = %v behind the end", err)
	}
	if _, err := tx.Query(ctx, "DO 1"); !errors.Is(err, mysqlclient.ErrTxDone) {
		t.Errorf("Query() = %v behind the end", err)
	}
}

// TestBeginRefused: a transaction that began at another level than was asked for
// is rolled back.
func TestBeginRefused(t *testing.T) {
	var said []string
	c := newWorld(t, true, serve(mysqlCaps, func(p *peer, m wire.Message) bool {
		told(&said, m)
		switch {
		case strings.HasPrefix(said[len(said)-1], "SET"):
			p.send(oops(1568, "no"))
		case strings.HasPrefix(said[len(said)-1], "START"):
			p.send(&mysql.OK{Status: mysql.StatusInTrans})
		default:
			return false
		}
		return true
	})).connect(nil)
	if _, err := c.Begin(ctx, mysqlclient.TxOptions{Isolation: "SERIALIZABLE"}); err == nil {
		t.Error("Begin() is fine")
	}
	if want := "[SET TRANSACTION ISOLATION LEVEL SERIALIZABLE START TRANSACTION ROLLBACK]"; fmt.Sprint(said) != want {
		t.Errorf("the server was told %v, want %v", said, want)
	}
}
