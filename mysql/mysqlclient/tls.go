package mysqlclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"github.com/wirelark/wirelark/mysql"
)

// errNoTLS says that TLS is wanted and not to be had.
var errNoTLS = errors.New("the server offers no TLS, and the configuration wants it")

// startTLS switches to TLS where the configuration wants it. Nothing but the 32
// bytes of the request travels in clear.
func (c *Conn) startTLS(ctx context.Context) error {
	c.secure = c.local()
	mode := c.cfg.TLSMode
	if mode == TLSDefault {
		mode = TLSPreferred
	}
	offered := c.offered.Has(mysql.ClientSSL)
	switch {
	case mode == TLSDisabled, mode == TLSPreferred && (!offered || c.secure):
		return nil
	case !offered:
		return errNoTLS
	}
	c.server.Capabilities |= mysql.ClientSSL
	c.setDialect()
	request := &mysql.SSLRequest{Capabilities: c.server.Capabilities, MaxPacket: maxPacket, Collation: c.collation()}
	if err := c.pc.Append(request); err != nil {
		return err
	}
	if err := c.pc.Flush(); err != nil {
		return err
	}
	if err := c.pc.StartTLS(ctx, c.tlsConfig(mode)); err != nil {
		return err
	}
	state, _ := c.pc.TLS()
	c.server.TLS, c.secure = &state, true
	return nil
}

// local reports whether the stream does not leave this machine, as far as can be
// known: a unix socket, or a pipe within the process. A socket behind an SSH
// server counts as well: SSH protects the way to it.
func (c *Conn) local() bool {
	for _, network := range []string{c.cfg.Network, c.raw.RemoteAddr().Network()} {
		if network == "unix" || network == "pipe" {
			return true
		}
	}
	return false
}

// tlsConfig returns the configuration for a mode. Certificates are checked
// here and not by crypto/tls, which knows neither a check of the chain alone nor
// one that waits for the password.
func (c *Conn) tlsConfig(mode TLSMode) *tls.Config {
	cfg := new(tls.Config)
	if c.cfg.TLS != nil {
		cfg = c.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = c.host()
	}
	cfg.InsecureSkipVerify = true
	if mode != TLSVerifyCA && mode != TLSVerifyIdentity {
		return cfg
	}
	name := cfg.ServerName
	if mode == TLSVerifyCA {
		name = ""
	}
	theirs, roots := cfg.VerifyConnection, cfg.RootCAs
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if err := verifyChain(s, roots, name); err != nil {
			chain := verifyChain(s, roots, "")
			if !c.server.MariaDB || roots != nil || !unsigned(chain) {
				return err
			}
			c.unproven = chain // its OK must prove that it knows the password
		}
		if theirs != nil {
			return theirs(s)
		}
		return nil
	}
	return cfg
}

func (c *Conn) host() string {
	if host, _, err := net.SplitHostPort(c.cfg.Address); err == nil {
		return host
	}
	return "localhost"
}

// verifyChain checks that the server's certificate leads to one of roots, nil
// being the system's, and is for name, unless that is empty.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool, name string) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server has no certificate")
	}
	opts := x509.VerifyOptions{Roots: roots, DNSName: name, Intermediates: x509.NewCertPool()}
	for _, cert := range s.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	if _, err := s.PeerCertificates[0].Verify(opts); err != nil {
		return fmt.Errorf("the server's certificate: %w", err)
	}
	return nil
}

// unsigned reports whether a chain ends at a certificate that nobody vouches
// for, which a server makes that was given none.
func unsigned(err error) bool {
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}
