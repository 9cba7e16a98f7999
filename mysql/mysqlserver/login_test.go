package mysqlserver_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: []string{"db"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// startTLS asks for TLS and begins it.
func (c *client) startTLS(caps mysql.Capabilities) {
	c.Helper()
	c.say(&mysql.SSLRequest{Capabilities: caps & c.hello.Capabilities, MaxPacket: 1 << 24, Collation: 45})
	if err := c.pc.StartTLS(context.Background(), &tls.Config{InsecureSkipVerify: true}); err != nil { //nolint:gosec // it is our own server
		c.Fatalf("TLS: %v", err)
	}
}

// authenticate goes through the conversation of a login whose first answer is
// sent with first, and returns what ends it.
func (c *client) authenticate(cfg *auth.Config, first func(plugin string, proof []byte)) any {
	c.Helper()
	e := auth.NewExchange(cfg, c.hello.AuthPlugin, c.hello.AuthData)
	plugin, proof, err := e.First()
	if err != nil {
		c.Fatal(err)
	}
	first(plugin, proof)
	for {
		var reply []byte
		m := c.hear()
		switch m := m.(type) {
		case *mysql.AuthSwitchRequest:
			reply, err = e.Switch(m.Plugin, m.Data)
		case *mysql.AuthMoreData:
			reply, err = e.More(m.Data)
		case *mysql.AuthPluginData:
			reply, err = e.More(m.Data)
		case *mysql.AuthNextFactor:
			reply, err = e.NextFactor(m.Plugin, m.Data)
		case *mysql.OK:
			if err := e.OK(m.Info); err != nil {
				c.Errorf("the OK is not believed: %v", err)
			}
			return m
		default:
			return m
		}
		if err != nil {
			c.Fatalf("after %T: %v", m, err)
		}
		if reply != nil {
			c.say(&mysql.AuthResponse{Data: reply})
		}
	}
}

// respond returns what sends the answer to the greeting.
func (c *client) respond(caps mysql.Capabilities, name string) func(plugin string, proof []byte) {
	return func(plugin string, proof []byte) {
		c.Helper()
		c.say(&mysql.HandshakeResponse41{Capabilities: caps & c.hello.Capabilities, Collation: 45, User: name, AuthResponse: proof, AuthPlugin: plugin})
	}
}

func only(t *testing.T, factors ...auth.Verifier) mysqlserver.Authenticator {
	t.Helper()
	return mysqlserver.AuthenticatorFunc(func(_ context.Context, l *mysqlserver.Login) (*mysqlserver.Account, error) {
		if l.User != user {
			return nil, nil
		}
		return &mysqlserver.Account{Factors: factors}, nil
	})
}

// TestMethods logs in with every method, with and without TLS, as the greeting
// names it and after a switch, with right and wrong passwords, and changes the
// user afterwards.
func TestMethods(t *testing.T) {
	key, err := auth.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Clear, auth.Ed25519, auth.Parsec, auth.Dialog} {
		for _, secure := range []bool{false, true} {
			for _, named := range []string{auth.Native, auth.CachingSHA2} {
				t.Run(fmt.Sprintf("%s/tls=%v/%s", method, secure, named), func(t *testing.T) {
					v, err := auth.NewAccount(method, password)
					if err != nil {
						t.Fatal(err)
					}
					s := newServer(t)
					s.Auth, s.Plugin, s.Key = only(t, v), named, key
					s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
					clear := method == auth.Clear || method == auth.Dialog
					if clear && !secure {
						s.Secure = true // else nobody sends his password
					}
					for _, try := range []struct {
						password string
						code     uint16
					}{{password, 0}, {"wrong", 1045}, {password, 0}} {
						c := connect(t, s)
						c.greeted()
						caps := modern
						cfg := &auth.Config{Passwords: []string{try.password}, AllowKeyRetrieval: true, Local: s.Secure, Plugins: []string{auth.Native, auth.CachingSHA2, method}}
						if secure {
							caps |= mysql.ClientSSL
							c.startTLS(caps)
							st, _ := c.pc.TLS()
							cfg.TLS = &st
						}
						end := c.authenticate(cfg, c.respond(caps, user))
						if try.code != 0 {
							if e, ok := end.(*mysql.ERR); !ok || e.Code != try.code {
								t.Errorf("with a wrong password: got %+v", end)
							}
							c.wantEnd()
							c.end()
							continue
						}
						if _, ok := end.(*mysql.OK); !ok {
							t.Fatalf("login: got %+v", end)
						}
						c.query("ok")
						again := c.authenticate(cfg, func(plugin string, _ []byte) { c.say(&mysql.ChangeUser{User: user, AuthPlugin: plugin}) })
						if _, ok := again.(*mysql.OK); !ok {
							t.Fatalf("change of user: got %+v", again)
						}
						want(t, "afterwards", c.query("nothing"), okEnd[:3]+"end=false affected=0 id=0 SERVER_STATUS_AUTOCOMMIT warnings=0 info=\"\"")
						c.done()
					}
				})
			}
		}
	}
}

// TestPasswords lets clients use the method that they like.
func TestPasswords(t *testing.T) {
	users, err := mysqlserver.Passwords(map[string]string{user: password, "empty": ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Ed25519, auth.Parsec, "unknown_method"} {
		for name, secret := range map[string]string{user: password, "empty": ""} {
			if secret == "" && (method == auth.Ed25519 || method == auth.Parsec) {
				continue
			}
			l := &mysqlserver.Login{User: name, Plugin: method}
			a, err := users.Account(context.Background(), l)
			if err != nil || len(a.Factors) != 1 {
				t.Fatalf("%s: %v, %v", method, a, err)
			}
			if got := a.Factors[0].Plugin(); got != method && method != "unknown_method" {
				t.Errorf("a client that likes %s is asked for %s", method, got)
			}
		}
	}
	s := newServer(t)
	s.Auth, s.Secure = users, true
	for name, secret := range map[string]string{user: password, "empty": "", "nobody": "x"} {
		c := connect(t, s)
		c.greeted()
		end := c.authenticate(&auth.Config{Passwords: []string{secret}, Local: true}, c.respond(modern, name))
		if _, ok := end.(*mysql.OK); ok != (name != "nobody") {
			t.Errorf("%s: got %+v", name, end)
		}
		c.end()
	}
}

// TestUnknownUsersLookLikeOthers compares what is said to a user that exists
// and has another password, and to one that does not exist.
func TestUnknownUsersLookLikeOthers(t *testing.T) {
	for _, method := range []string{auth.Native, auth.CachingSHA2, auth.SHA256, auth.Ed25519, auth.Parsec} {
		v, err := auth.NewAccount(method, password)
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t)
		s.Auth, s.Plugin, s.Secure = only(t, v), method, true
		if method == auth.Ed25519 || method == auth.Parsec {
			users, err := mysqlserver.Passwords(map[string]string{user: password})
			if err != nil {
				t.Fatal(err)
			}
			s.Auth = users
		}
		talk := func(name string) string {
			c := connect(t, s)
			c.greeted()
			var said []string
			m := c.authenticate(&auth.Config{Passwords: []string{"guess"}, Local: true, Plugins: []string{method}}, func(plugin string, proof []byte) {
				c.respond(modern, name)(plugin, proof)
			})
			said = append(said, strings.ReplaceAll(describe(m.(*mysql.ERR)), name, "USER"))
			n := c.pc.Counts()
			c.wantEnd()
			err := c.end()
			said = append(said, fmt.Sprint(n.PacketsRead, n.PacketsWritten, n.PlainRead, errors.Is(err, mysqlserver.ErrLogin)))
			return strings.Join(said, "\n")
		}
		if known, unknown := talk(user), talk("xyz"); known != unknown { // names of the same length
			t.Errorf("%s: a known user gets\n%s\nan unknown one\n%s", method, known, unknown)
		}
	}
}

func TestRefusalsTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		s.Limits.FailureDelay = time.Second
		c := connect(t, s)
		c.greeted()
		start := time.Now()
		c.answer(modern, "nobody", "x", "")
		e := c.wantError(1045)
		if took := time.Since(start); took != time.Second {
			t.Errorf("a refusal took %v, want a second", took)
		}
		if e.Message != "Access denied for user 'nobody'@'127.0.0.1' (using password: YES)" {
			t.Errorf("it says %q", e.Message)
		}
		c.wantEnd()
		c.end()
	})
}

func TestFactors(t *testing.T) {
	one, err := auth.NewAccount(auth.CachingSHA2, "one")
	if err != nil {
		t.Fatal(err)
	}
	two, err := auth.NewAccount(auth.SHA256, "two")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		passwords []string
		caps      mysql.Capabilities
		in        bool
	}{
		{"both", []string{"one", "two"}, modern, true},
		{"first wrong", []string{"x", "two"}, modern, false},
		{"second wrong", []string{"one", "x"}, modern, false},
		{"second missing", []string{"one"}, modern, false},
		{"old client", []string{"one", "two"}, modern &^ mysql.ClientMultiFactorAuthentication, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.Auth, s.Plugin, s.Secure = only(t, one, two), auth.CachingSHA2, true
			c := connect(t, s)
			c.greeted()
			end := c.authenticate(&auth.Config{Passwords: tt.passwords, Local: true}, c.respond(tt.caps, user))
			if _, ok := end.(*mysql.OK); ok != tt.in {
				t.Errorf("got %+v", end)
			}
			c.end()
		})
	}
}

// TestProofOfTheServer is MariaDB's TLS without configuration: the client sees
// that the server knows the password.
func TestProofOfTheServer(t *testing.T) {
	for _, method := range []string{auth.Native, auth.Ed25519, auth.Parsec} {
		v, err := auth.NewAccount(method, password)
		if err != nil {
			t.Fatal(err)
		}
		s := newServer(t)
		s.MariaDB, s.Auth = true, only(t, v)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
		c := connect(t, s)
		c.greeted()
		c.startTLS(mariaDB | mysql.ClientSSL)
		st, _ := c.pc.TLS()
		end := c.authenticate(&auth.Config{Passwords: []string{password}, TLS: &st, Proof: true}, c.respond(mariaDB|mysql.ClientSSL, user))
		if ok, is := end.(*mysql.OK); !is || !strings.HasPrefix(ok.Info, "\x01") {
			t.Errorf("%s: got %+v, want a proof", method, end)
		}
		c.done()
	}
}

// TestClearPasswordsAreNotAskedFor where somebody could listen.
func TestClearPasswordsAreNotAskedFor(t *testing.T) {
	for _, method := range []string{auth.Clear, auth.Dialog} {
		v, err := auth.NewAccount(method, password)
		if err != nil {
			t.Fatal(err)
		}
		native, err := auth.NewAccount(auth.Native, password)
		if err != nil {
			t.Fatal(err)
		}
		for _, factors := range [][]auth.Verifier{{v}, {native, v}} {
			s := newServer(t)
			s.Auth = only(t, factors...)
			c := connect(t, s)
			c.greeted()
			c.answer(modern, user, password, "")
			c.wantError(1045) // and not a question
			c.end()
		}
	}
}

func TestSecureTransportRequired(t *testing.T) {
	s := newServer(t)
	s.RequireTLS = true
	s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
	c := connect(t, s)
	c.greeted()
	c.answer(modern, user, password, "")
	c.wantError(3159)
	c.wantEnd()
	c.end()
	c = connect(t, s)
	c.greeted()
	c.startTLS(modern | mysql.ClientSSL)
	c.answer(modern|mysql.ClientSSL, user, password, "")
	c.wantOK()
	c.done()
}

// TestAuthenticatorsThatFail panic or return errors: nobody is let in.
func TestAuthenticatorsThatFail(t *testing.T) {
	tests := map[string]struct {
		auth mysqlserver.Authenticator
		code uint16
	}{
		"none": {nil, 1045},
		"panic": {mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			panic("on request")
		}), 1105},
		"error": {mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			return nil, errors.New("the directory is gone")
		}), 1045},
		"error for the client": {mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			return nil, mysqlserver.Errorf(3118, "Access denied. Account is locked.")
		}), 3118},
		"no factors": {mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			return &mysqlserver.Account{}, nil
		}), 1045},
		"TLS": {mysqlserver.AuthenticatorFunc(func(context.Context, *mysqlserver.Login) (*mysqlserver.Account, error) {
			v, err := auth.NewAccount(auth.Native, password)
			return &mysqlserver.Account{Factors: []auth.Verifier{v}, RequireTLS: true}, err
		}), 1045},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.Auth = tt.auth
			c := connect(t, s)
			c.greeted()
			c.answer(modern, user, password, "")
			c.wantError(tt.code)
			c.wantEnd()
			if err := c.end(); !errors.Is(err, mysqlserver.ErrLogin) {
				t.Errorf("ServeConn: %v, want ErrLogin", err)
			}
		})
	}
}

func TestHandlersThatRefuse(t *testing.T) {
	for name, tt := range map[string]struct {
		handler mysqlserver.HandlerFunc
		code    uint16
	}{
		"database": {func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return nil, mysqlserver.Errorf(1049, "Unknown database '%s'", c.Database())
		}, 1049},
		"panic":   {func(context.Context, *mysqlserver.Conn) (mysqlserver.Session, error) { panic("on request") }, 1105},
		"nothing": {func(context.Context, *mysqlserver.Conn) (mysqlserver.Session, error) { return nil, nil }, 1105},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.Handler = tt.handler
			c := connect(t, s)
			c.greeted()
			c.answer(modern, user, password, "db")
			c.wantError(tt.code)
			c.wantEnd()
			c.end()
		})
	}
	s := newServer(t)
	s.Handler = nil
	c := logIn(t, s, modern)
	want(t, "no handler", c.query("select 1"), "ERR 1235 42000 This server does not answer statements")
	c.say(&mysql.StmtPrepare{SQL: []byte("select 1")})
	c.wantError(1295)
	c.say(&mysql.InitDB{Schema: "x"})
	c.wantError(1049)
	c.done()
}

// TestChangeUserClosesTheSession wants the new session to be another one, with
// nothing left of the old one.
func TestChangeUserClosesTheSession(t *testing.T) {
	s := newServer(t)
	var made []*session
	s.Handler = mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
		made = append(made, &session{c: c})
		return made[len(made)-1], nil
	})
	c := logIn(t, s, modern)
	id := c.prepare("ok 1")
	c.query("begin")
	end := c.authenticate(&auth.Config{Passwords: []string{password}}, func(plugin string, _ []byte) {
		c.say(&mysql.ChangeUser{User: user, Database: "other", AuthPlugin: plugin})
	})
	if ok, is := end.(*mysql.OK); !is || ok.Status.Has(mysql.StatusInTrans) {
		t.Errorf("got %+v", end)
	}
	if len(made) != 2 || made[0].closed != 1 || made[1].c.Database() != "other" {
		t.Errorf("%d sessions, the first closed %d times", len(made), made[0].closed)
	}
	c.rude = true
	if got := c.execute(id, 0); !strings.HasPrefix(got, "ERR 1243") {
		t.Errorf("the statement still answers %s", got)
	}
	c.say(&mysql.ChangeUser{User: "nobody"})
	c.hear()
	c.say(&mysql.AuthResponse{Data: make([]byte, 20)})
	c.wantError(1045)
	c.wantEnd()
	c.end()
	if made[1].closed != 1 {
		t.Errorf("the second session was closed %d times", made[1].closed)
	}
}
