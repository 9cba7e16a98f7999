package options

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// authority makes certificates.
type authority struct {
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func save(t *testing.T, dir, name, kind string, der []byte) string {
	t.Helper()
	return write(t, dir, name, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key))
	a.cert = must(x509.ParseCertificate(der))
	save(t, a.dir, "ca.pem", "CERTIFICATE", der)
	return a
}

// issue makes a certificate and its files NAME.pem and NAME.key.
func (a *authority) issue(t *testing.T, serial int64, name string) *x509.Certificate {
	t.Helper()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key))
	save(t, a.dir, name+".pem", "CERTIFICATE", der)
	save(t, a.dir, name+".key", "PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
	return must(x509.ParseCertificate(der))
}

func TestLoadTLS(t *testing.T) {
	a := newAuthority(t)
	server := a.issue(t, 2, "db")
	a.issue(t, 3, "client")
	file := func(name string) string { return filepath.Join(a.dir, name) }

	if cfg, err := (&TLS{Mode: TLSRequired}).Load(); cfg != nil || err != nil {
		t.Errorf("nothing was said: got %v, %v", cfg, err)
	}
	cfg, err := (&TLS{CA: file("ca.pem"), Cert: file("client.pem"), Key: file("client.key"), ServerName: "db", Versions: "TLSv1.1, tlsv1.3"}).Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Certificates) != 1 || cfg.ServerName != "db" || cfg.MinVersion != tls.VersionTLS13 || cfg.MaxVersion != tls.VersionTLS13 {
		t.Errorf("got %+v", cfg)
	}
	if _, err := server.Verify(x509.VerifyOptions{Roots: cfg.RootCAs, DNSName: "db"}); err != nil {
		t.Error(err)
	}

	save(t, a.dir, "no.certificate", "PUBLIC KEY", nil)
	cfg, err = (&TLS{CAPath: a.dir}).Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Verify(x509.VerifyOptions{Roots: cfg.RootCAs}); err != nil {
		t.Errorf("of a directory: %v", err)
	}
}

func TestRevoked(t *testing.T) {
	a := newAuthority(t)
	good, bad := a.issue(t, 2, "good"), a.issue(t, 3, "bad")
	list := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: bad.SerialNumber, RevocationTime: time.Now()}},
	}, a.cert, crypto.Signer(a.key)))
	for _, name := range []string{save(t, a.dir, "crl.pem", "X509 CRL", list), write(t, a.dir, "crl.der", string(list))} {
		cfg, err := (&TLS{CRL: name}).Load()
		if err != nil {
			t.Fatal(err)
		}
		for _, cert := range []*x509.Certificate{good, bad} {
			err := cfg.VerifyConnection(tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert, a.cert}})
			if (err != nil) != (cert == bad) {
				t.Errorf("%s, %s: got %v", filepath.Base(name), cert.Subject, err)
			}
		}
	}
}

func TestBadTLSFiles(t *testing.T) {
	dir := t.TempDir()
	text := write(t, dir, "text", "no certificate")
	missing := filepath.Join(dir, "missing")
	for _, row := range []struct {
		o    TLS
		want string
	}{
		{TLS{CA: missing}, "ssl-ca: "},
		{TLS{CA: text}, "holds no certificate"},
		{TLS{CAPath: dir}, "ssl-capath: no file of "},
		{TLS{Cert: missing, Key: missing}, "the client's certificate"},
		{TLS{CRL: missing}, "ssl-crl: "},
		{TLS{CRL: text}, "ssl-crl: "},
		{TLS{Versions: "TLSv1,TLSv1.1"}, "names none of"},
	} {
		if _, err := row.o.Load(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: got %v, want %s", row.o, err, row.want)
		}
	}
}

func TestLoadKey(t *testing.T) {
	dir := t.TempDir()
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	name := save(t, dir, "rsa.pem", "PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key.Public())))
	if got, err := (&Auth{ServerKey: name}).LoadKey(); err != nil || !got.Equal(key.Public()) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := (&Auth{}).LoadKey(); err != nil || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for want, name := range map[string]string{
		"the server's public key": filepath.Join(dir, "missing"),
		"holds no key":            write(t, dir, "text", "nothing"),
		"asn1":                    save(t, dir, "bad.pem", "PUBLIC KEY", []byte{1}),
		"not an RSA key":          save(t, dir, "ec.pem", "PUBLIC KEY", must(x509.MarshalPKIXPublicKey(other.Public()))),
	} {
		if _, err := (&Auth{ServerKey: name}).LoadKey(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", filepath.Base(name), err, want)
		}
	}
}

func TestPlugins(t *testing.T) {
	if got := (&Auth{}).Plugins(); got != nil {
		t.Errorf("got %q", got)
	}
	for _, row := range []struct{ clear, deny bool }{{true, false}, {false, true}, {true, true}} {
		got := (&Auth{Cleartext: row.clear, DenyNative: row.deny}).Plugins()
		if slices.Contains(got, "mysql_clear_password") != row.clear || slices.Contains(got, "mysql_native_password") == row.deny || !slices.Contains(got, "caching_sha2_password") {
			t.Errorf("%+v: got %q", row, got)
		}
	}
}
