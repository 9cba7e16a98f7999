package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/options"
)

// startTLS switches to TLS where the configuration wants it. Nothing but the 32
// bytes of the request travels in clear.
func (h *ClientHalf) startTLS(ctx context.Context) error {
	mode := h.cfg.TLSMode
	if mode == options.TLSDefault {
		mode = options.TLSPreferred
	}
	offered := h.offered.Has(mysql.ClientSSL)
	switch {
	case mode == options.TLSDisabled, mode == options.TLSPreferred && (!offered || h.cfg.Local):
		return nil
	case !offered:
		return ErrNoTLS
	}
	cfg := h.tlsConfig(mode)
	if mode == options.TLSVerifyIdentity && cfg.ServerName == "" {
		return errNoName
	}
	h.Server.Capabilities |= mysql.ClientSSL
	h.pc.SetDialect(mysql.NewDialect(h.Server.Capabilities))
	if err := h.send(&mysql.SSLRequest{Capabilities: h.Server.Capabilities, MaxPacket: maxPacket, Collation: h.collation}); err != nil {
		return err
	}
	if err := h.pc.StartTLS(ctx, cfg); err != nil {
		return err
	}
	state, _ := h.pc.TLS()
	h.Server.TLS = &state
	return nil
}

// errNoName says that nobody knows whose certificate is due.
var errNoName = errors.New("the server's identity cannot be verified: its name is not known (ServerName)")

// tlsConfig returns the configuration for a mode. Certificates are checked
// here and not by crypto/tls, which knows neither a check of the chain alone nor
// one that waits for the password.
func (h *ClientHalf) tlsConfig(mode options.TLSMode) *tls.Config {
	cfg := new(tls.Config)
	if h.cfg.TLS != nil {
		cfg = h.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = h.cfg.Host
	}
	cfg.InsecureSkipVerify = true
	if mode != options.TLSVerifyCA && mode != options.TLSVerifyIdentity {
		return cfg
	}
	name := cfg.ServerName
	if mode == options.TLSVerifyCA {
		name = ""
	}
	theirs, roots := cfg.VerifyConnection, cfg.RootCAs
	cfg.VerifyConnection = func(s tls.ConnectionState) error {
		if err := verifyChain(s, roots, name); err != nil {
			chain := verifyChain(s, roots, "")
			if !h.Server.MariaDB || roots != nil || !unsigned(chain) {
				return err
			}
			h.unproven = chain // its OK must prove that it knows the password
		}
		if theirs != nil {
			return theirs(s)
		}
		return nil
	}
	return cfg
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
