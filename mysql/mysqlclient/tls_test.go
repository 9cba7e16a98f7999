package mysqlclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
)

// certificate makes a certificate for name, signed by itself, and the roots to
// which it leads.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}

// tlsServer lets everybody in over TLS. proof is the info of its OK, given what
// the client answered.
func tlsServer(cert tls.Certificate, caps mysql.Capabilities, early string, proof func(r *mysql.HandshakeResponse41) string) func(p *peer) {
	return func(p *peer) {
		p.put(hello(caps | mysql.ClientSSL))
		if early != "" {
			p.pc.AppendPayload([]byte(early))
		}
		_ = p.pc.Flush()
		if _, ok := p.next().(*mysql.SSLRequest); !ok {
			return
		}
		if p.pc.StartTLS(ctx, &tls.Config{Certificates: []tls.Certificate{cert}}) != nil {
			return
		}
		r, ok := p.next().(*mysql.HandshakeResponse41)
		if !ok {
			return
		}
		ok41 := okay()
		if proof != nil {
			ok41.Info = proof(r)
		}
		p.send(ok41)
		for p.command() != nil {
			p.send(okay())
		}
	}
}

// TestTLSNoName: an identity that nobody has named is not taken for verified.
func TestTLSNoName(t *testing.T) {
	cert, roots := certificate(t, "other.example")
	cfg := newWorld(t, false, tlsServer(cert, mysqlCaps, "", nil)).config()
	cfg.Network, cfg.Address = "tunnel", ":3306"
	cfg.TLSMode, cfg.TLS = mysqlclient.TLSVerifyIdentity, &tls.Config{RootCAs: roots}
	if c, err := mysqlclient.Connect(ctx, cfg); err == nil {
		t.Error("Connect() succeeded")
		_ = c.Close()
	}
}

// TestTLSModes: what each mode demands of a server.
func TestTLSModes(t *testing.T) {
	cert, roots := certificate(t, "db.example")
	other, otherRoots := certificate(t, "other.example")
	trust := func(r *x509.CertPool) *tls.Config { return &tls.Config{RootCAs: r} }
	plain := serve(mysqlCaps, nil)
	tests := []struct {
		name   string
		play   func(p *peer)
		mode   mysqlclient.TLSMode
		config *tls.Config
		tls    bool // an encrypted connection comes to be
		fails  bool
	}{
		{"preferred, offered", tlsServer(cert, mysqlCaps, "", nil), mysqlclient.TLSDefault, nil, true, false},
		{"preferred, not offered", plain, mysqlclient.TLSPreferred, nil, false, false},
		{"required, not offered", plain, mysqlclient.TLSRequired, nil, false, true},
		{"required, offered", tlsServer(cert, mysqlCaps, "", nil), mysqlclient.TLSRequired, nil, true, false},
		{"disabled, offered", plain, mysqlclient.TLSDisabled, nil, false, false},
		{"verify-ca, trusted", tlsServer(other, mysqlCaps, "", nil), mysqlclient.TLSVerifyCA, trust(otherRoots), true, false},
		{"verify-ca, not trusted", tlsServer(cert, mysqlCaps, "", nil), mysqlclient.TLSVerifyCA, trust(otherRoots), false, true},
		{"verify-identity", tlsServer(cert, mysqlCaps, "", nil), mysqlclient.TLSVerifyIdentity, trust(roots), true, false},
		{"verify-identity, another name", tlsServer(other, mysqlCaps, "", nil), mysqlclient.TLSVerifyIdentity, trust(otherRoots), false, true},
		{
			"verify-identity, named", tlsServer(other, mysqlCaps, "", nil), mysqlclient.TLSVerifyIdentity,
			&tls.Config{RootCAs: otherRoots, ServerName: "other.example"}, true, false,
		},
		{"early bytes", tlsServer(cert, mysqlCaps, "\x00\x00\x00\x02\x00\x00\x00", nil), mysqlclient.TLSRequired, nil, false, true},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			w := newWorld(t, false, x.play)
			w.secret = "anna" // nothing but 32 bytes in clear
			if !x.tls && !x.fails {
				w.secret = ""
			}
			cfg := w.config()
			cfg.TLSMode, cfg.TLS = x.mode, x.config
			c, err := mysqlclient.Connect(ctx, cfg)
			if (err != nil) != x.fails {
				t.Fatalf("Connect() = %v", err)
			}
			if err != nil {
				return
			}
			if got := c.Server().TLS != nil; got != x.tls {
				t.Errorf("TLS is %v, want %v", got, x.tls)
			}
			if err := c.Ping(ctx); err != nil {
				t.Error(err)
			}
			_ = c.Close()
		})
	}
}

// TestZeroConfiguration: a MariaDB whose certificate nobody signed proves that
// it knows the password, and nobody else can.
func TestZeroConfiguration(t *testing.T) {
	cert, roots := certificate(t, "db.example")
	nonce := hello(mariaCaps).AuthData
	proof := func(password string) func(*mysql.HandshakeResponse41) string {
		return func(*mysql.HandshakeResponse41) string {
			v, err := auth.NewAccount(auth.Native, password)
			if err != nil {
				t.Error(err)
				return ""
			}
			hash, _ := v.Session(&auth.Login{Nonce: nonce}).(auth.Hasher).PasswordHash()
			return auth.Proof(hash, nonce, cert.Leaf.Raw)
		}
	}
	tests := []struct {
		name     string
		caps     mysql.Capabilities
		password string
		roots    *x509.CertPool
		proof    func(*mysql.HandshakeResponse41) string
		fails    bool
	}{
		{"right proof", mariaCaps, "pw", nil, proof("pw"), false},
		{"wrong proof", mariaCaps, "pw", nil, proof("guess"), true},
		{"no proof", mariaCaps, "pw", nil, nil, true},
		{"no password", mariaCaps, "", nil, proof(""), true},
		{"mysql", mysqlCaps, "pw", nil, proof("pw"), true},
		{"roots were given", mariaCaps, "pw", x509.NewCertPool(), proof("pw"), true},
		{"trusted", mariaCaps, "", roots, nil, false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			cfg := newWorld(t, false, tlsServer(cert, x.caps, "", x.proof)).config()
			cfg.TLSMode, cfg.Passwords = mysqlclient.TLSVerifyIdentity, []string{x.password}
			if x.roots != nil {
				cfg.TLS = &tls.Config{RootCAs: x.roots}
			}
			c, err := mysqlclient.Connect(ctx, cfg)
			if (err != nil) != x.fails {
				t.Errorf("Connect() = %v", err)
			}
			if err == nil {
				_ = c.Close()
			}
		})
	}
}

// TestEarlyBytes: the error says what happened.
func TestEarlyBytes(t *testing.T) {
	cert, _ := certificate(t, "db.example")
	cfg := newWorld(t, false, tlsServer(cert, mysqlCaps, "x", nil)).config()
	_, err := mysqlclient.Connect(ctx, cfg)
	if _, ok := errors.AsType[*packet.EarlyDataError](err); !ok {
		t.Errorf("Connect() = %v", err)
	}
}
