package interop

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// TestMySQLLogin logs in with every method and TLS mode that the servers have.
func TestMySQLLogin(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		users := []string{"app"}
		if d.ed {
			users = append(users, "ed")
		}
		modes := []mysqlclient.TLSMode{mysqlclient.TLSDisabled, mysqlclient.TLSPreferred}
		offered := d.connect(t).Server().TLS != nil
		if offered {
			modes = append(modes, mysqlclient.TLSRequired)
		}
		if d.ca != nil {
			modes = append(modes, mysqlclient.TLSVerifyCA, mysqlclient.TLSVerifyIdentity)
		}
		for _, user := range users {
			for _, mode := range modes {
				cfg := d.config(user)
				cfg.TLSMode, cfg.TLS = mode, &tls.Config{RootCAs: d.ca}
				c := mysqlConnect(t, cfg)
				if got := mysqlText(t, c, "SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1), DATABASE()"); got != user+" "+d.client.Database {
					t.Errorf("%s with TLS mode %v is %q", user, mode, got)
				}
				if secure := c.Server().TLS != nil; secure != (offered && mode != mysqlclient.TLSDisabled) {
					t.Errorf("%s with TLS mode %v: TLS %v", user, mode, secure)
				}
			}
		}
		cfg := d.config("app")
		cfg.Passwords = []string{"wrong"}
		var refused *mysqlclient.ServerError
		if _, err := mysqlclient.Connect(t.Context(), cfg); !errors.As(err, &refused) || refused.Code != 1045 || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a wrong password: %v", err)
		}
		cfg = d.config("app")
		cfg.Database = "no_such_schema"
		if _, err := mysqlclient.Connect(t.Context(), cfg); !errors.As(err, &refused) || refused.Code != 1049 {
			t.Errorf("an unknown schema: %v", err)
		}
	})
}

// TestMariaDBLogin has what only a server of our own can show.
func TestMariaDBLogin(t *testing.T) {
	d := startMariaDB(t)
	connect := func(change func(*mysqlclient.Config)) error {
		cfg := d.client
		change(&cfg)
		c, err := mysqlclient.Connect(t.Context(), &cfg)
		if err == nil {
			defer c.Close()
			return c.Ping(t.Context())
		}
		return err
	}
	for _, tt := range []struct {
		name   string
		change func(*mysqlclient.Config)
		want   string // in the error; "": none
	}{
		{"socket", func(c *mysqlclient.Config) { c.Network, c.Address = "unix", d.socket }, ""},
		{"no password", func(c *mysqlclient.Config) { c.User, c.Passwords = "nopass", nil }, ""},
		{"a user who needs TLS", func(c *mysqlclient.Config) { c.User = "tlsonly" }, ""},
		{"a user who needs TLS without it", func(c *mysqlclient.Config) { c.User, c.TLSMode = "tlsonly", mysqlclient.TLSDisabled }, "1045"},
		{"an authority that we do not know", func(c *mysqlclient.Config) {
			c.TLSMode, c.TLS = mysqlclient.TLSVerifyCA, &tls.Config{RootCAs: x509.NewCertPool()}
		}, "certificate"},
		{"another name", func(c *mysqlclient.Config) {
			c.TLSMode, c.TLS = mysqlclient.TLSVerifyIdentity, &tls.Config{RootCAs: d.ca, ServerName: "db.example"}
		}, "certificate"},
		{"another name, authority only", func(c *mysqlclient.Config) {
			c.TLSMode, c.TLS = mysqlclient.TLSVerifyCA, &tls.Config{RootCAs: d.ca, ServerName: "db.example"}
		}, ""},
		{"a certificate without proof", func(c *mysqlclient.Config) { c.TLSMode = mysqlclient.TLSVerifyIdentity }, "somebody may be between"},
		{"plugins that the account has not", func(c *mysqlclient.Config) { c.Plugins = []string{"client_ed25519"} }, "not allowed"},
		{"nobody there", func(c *mysqlclient.Config) { c.Address = freeAddr(t) }, "refused"},
	} {
		err := connect(tt.change)
		switch {
		case tt.want == "" && err != nil, tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestMySQLChangeUser logs in again on the same connection.
func TestMySQLChangeUser(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		c := d.connect(t)
		mysqlExec(t, c, "SET @before = 1")
		if err := c.ChangeUser(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if got := mysqlText(t, c, "SELECT @before IS NULL, DATABASE()"); got != "1 "+d.client.Database {
			t.Errorf("after the change: %q", got)
		}
		if d.ed {
			if err := c.ChangeUser(t.Context(), d.config("ed")); err != nil {
				t.Fatal(err)
			}
			if got := mysqlText(t, c, "SELECT CURRENT_USER()"); got != "ed@%" {
				t.Errorf("after the change to ed: %q", got)
			}
		}
		wrong := d.config("app")
		wrong.Passwords = []string{"wrong"}
		if err := c.ChangeUser(t.Context(), wrong); err == nil {
			t.Error("a change with a wrong password succeeded")
		}
	})
}

// TestMySQLDialThroughDialer uses the dialer of the configuration, for the side
// connection too.
func TestMySQLDialThroughDialer(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		var dialed []string
		cfg := d.config("app")
		cfg.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialed = append(dialed, network)
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		c := mysqlConnect(t, cfg)
		if err := c.Ping(t.Context()); err != nil || len(dialed) != 1 {
			t.Errorf("%v, dialed %v", err, dialed)
		}
	})
}

// packetLog is a trace that keeps the packets of servers.
type packetLog struct {
	mu      sync.Mutex
	packets [][]byte
}

func (l *packetLog) Open(trace.Info) trace.Conn { return l }
func (l *packetLog) Wire(wire.Dir, []byte)      {}
func (l *packetLog) Secret(string)              {}
func (l *packetLog) Event(trace.Event)          {}
func (l *packetLog) Close(error)                {}

func (l *packetLog) Packet(d wire.Dir, b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d == wire.S2C {
		l.packets = append(l.packets, bytes.Clone(b))
	}
}

// TestMySQLFastLogin sees the fast way of caching_sha2_password, which full
// authentication would hide if it were broken: 01 03, and then the OK.
func TestMySQLFastLogin(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *database) {
		for _, mode := range []mysqlclient.TLSMode{mysqlclient.TLSPreferred, mysqlclient.TLSDisabled} {
			var log *packetLog
			for range 2 { // the first may have to tell the whole password
				log = new(packetLog)
				cfg := d.config("app")
				cfg.TLSMode, cfg.Trace, cfg.Plugins = mode, log, []string{auth.CachingSHA2}
				c, err := mysqlclient.Connect(t.Context(), cfg)
				var refused *auth.RefusedError
				if errors.As(err, &refused) && refused.Plugin == auth.Native {
					return // a server that does not know the method
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
			}
			log.mu.Lock()
			i := slices.IndexFunc(log.packets, func(p []byte) bool { return p[4] == mysql.HeaderMoreData })
			if i < 0 || string(log.packets[i][4:]) != "\x01\x03" || log.packets[i+1][4] != mysql.HeaderOK {
				t.Errorf("TLS mode %v: the server says % x", mode, log.packets)
			}
			log.mu.Unlock()
		}
	})
}
