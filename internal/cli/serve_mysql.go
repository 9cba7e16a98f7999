package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// serveMySQL is what serve mysql was asked to do.
type serveMySQL struct {
	listen             string
	user, passwordFile string
	script             string
	cert, key          string
	noTLS, mariaDB     bool
	version            string
	see                seeingFlags
}

func (a *app) serveMySQLCommand() *cobra.Command {
	var f serveMySQL
	cmd := &cobra.Command{
		Use:   "mysql [FILE]",
		Short: "Serve a database, or canned answers, as a MySQL server",
		Long: `Answer MySQL clients from a database in FILE, which is made when it is missing, or
in memory. No MySQL is needed. With --user, that user logs in with the password
in --password-file; without, the user "app" gets a password for this run, which is
printed.

With --script, a file says what is answered. Each statement stands behind "> ",
its answer below it, as mysql -B prints it, up to an empty line:

  > select id, name from users
  id      name
  1       Ada
  2       NULL

  > insert into log *
  OK 1 7

  > drop table users
  ERROR 1142 (42000): DROP command denied

A star at the end stands for anything; case and spacing do not matter. The same
statement again is the next answer to it, and the last answer stays. "TYPES int
text datetime" in front of the names says what the columns are, "WAIT 500ms"
waits, CLOSE ends the connection, # begins a comment.`,
		Example: `  wirelark serve mysql shop.db --user ann --password-file secret
  wirelark serve mysql --script answers.txt --listen 127.0.0.1:0`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case (f.user == "") != (f.passwordFile == ""):
				return usagef(cmd, "--user and --password-file belong together")
			case f.script != "" && len(args) > 0:
				return usagef(cmd, "--script and FILE exclude each other")
			case (f.cert == "") != (f.key == ""):
				return usagef(cmd, "--tls-cert and --tls-key belong together")
			}
			return a.serveDatabase(cmd, args, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:3306", "`ADDR` to listen on; port 0 takes a free one, a path is a unix socket")
	flags.StringVar(&f.user, "user", "", "`NAME` that may log in")
	flags.StringVar(&f.passwordFile, "password-file", "", "`FILE` with the password in its first line")
	flags.StringVar(&f.script, "script", "", "answer what this `FILE` says instead of running statements")
	flags.StringVar(&f.cert, "tls-cert", "", "certificate `FILE` (default: one that is made for this run)")
	flags.StringVar(&f.key, "tls-key", "", "`FILE` of its key")
	flags.BoolVar(&f.noTLS, "no-tls", false, "offer no TLS")
	flags.BoolVar(&f.mariaDB, "mariadb", false, "introduce itself as MariaDB")
	flags.StringVar(&f.version, "server-version", "", "`TEXT` that it calls itself")
	f.see.register(cmd)
	return cmd
}

// serveDatabase runs the server until the context ends.
func (a *app) serveDatabase(cmd *cobra.Command, args []string, f *serveMySQL) (err error) {
	srv := &mysqlserver.Server{MariaDB: f.mariaDB, Version: f.version, Logger: a.serverLog()}
	ready := ""
	user, password := "app", makePassword()
	if f.user != "" {
		user = f.user
		if password, err = readPasswordFile(f.passwordFile); err != nil {
			return err
		}
	} else {
		ready = fmt.Sprintf("user %s, password %s (for this run)", user, password)
	}
	if srv.Auth, err = mysqlserver.Passwords(map[string]string{user: password}); err != nil {
		return err
	}
	if srv.TLS, err = f.tlsConfig(); err != nil {
		return err
	}
	if srv.TLS == nil { // for the passwords of clients that would send them in clear
		if srv.Key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return err
		}
	}
	end, err := f.handler(cmd.Context(), args, srv)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	s, err := a.openSeeing(cmd, &f.see)
	if err != nil {
		return err
	}
	defer s.close(&err)
	srv.Trace = s.tracer
	if s.keyLog != nil && srv.TLS != nil {
		srv.TLS.KeyLogWriter = keyLines{s.keyLog}
	}
	l, err := listenAt(f.listen)
	if err != nil {
		return err
	}
	return a.serveUntil(cmd.Context(), srv, mysqlserver.ErrServerClosed, l, ready)
}

// handler makes what answers statements; end closes it.
func (f *serveMySQL) handler(ctx context.Context, args []string, srv *mysqlserver.Server) (end func() error, err error) {
	if f.script != "" {
		script, err := loadScript(f.script)
		if err != nil {
			return nil, err
		}
		srv.Handler = script
		return func() error { return nil }, nil
	}
	file := ""
	if len(args) > 0 {
		file = args[0]
	}
	srv.Handler, end, err = openEngine(ctx, file)
	return end, err
}

// listenAt listens on host:port, or on a socket when it is a path. A socket that
// nobody listens on any more is taken over.
func listenAt(addr string) (net.Listener, error) {
	if len(addr) == 0 || addr[0] != '/' && addr[0] != '.' {
		return net.Listen("tcp", addr)
	}
	if info, err := os.Stat(addr); err == nil && info.Mode()&os.ModeSocket != 0 {
		if c, err := net.Dial("unix", addr); err == nil {
			_ = c.Close() // it is in use, which Listen will say
		} else if err := os.Remove(addr); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", addr)
}

// tlsConfig loads the certificate, or makes one.
func (f *serveMySQL) tlsConfig() (*tls.Config, error) {
	switch {
	case f.noTLS:
		return nil, nil
	case f.cert != "":
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, &Error{Code: exitUsage, What: "the certificate cannot be used", How: []string{err.Error()}, Err: err, Next: []string{"give PEM files that belong together"}}
		}
		return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
	}
	pair, err := makeCertificate()
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// certificateLife is how long a certificate made for a run is good.
const certificateLife = 30 * 24 * time.Hour

// makeCertificate makes a self-signed certificate for this machine.
func makeCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "wirelark"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost", localHost()}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
