package options

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wirelark/wirelark/mysql/auth"
)

// Load reads the files that o names and returns what they hold and o says as a
// configuration; nil: o says nothing that belongs there. Settings that a program
// registered (o.Name) are the caller's to fill in.
func (o *TLS) Load() (*tls.Config, error) {
	if o.CA == "" && o.CAPath == "" && o.Cert == "" && o.CRL == "" && o.ServerName == "" && o.Versions == "" {
		return nil, nil
	}
	cfg := &tls.Config{ServerName: o.ServerName, MinVersion: tls.VersionTLS12}
	if err := addRoots(cfg, o); err != nil {
		return nil, err
	}
	if o.Cert != "" || o.Key != "" {
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return nil, fmt.Errorf("the client's certificate: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if o.CRL != "" {
		check, err := revocation(o.CRL)
		if err != nil {
			return nil, err
		}
		cfg.VerifyConnection = check
	}
	if o.Versions != "" {
		if err := setVersions(cfg, o.Versions); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

func addRoots(cfg *tls.Config, o *TLS) error {
	var files []string
	if o.CA != "" {
		files = append(files, o.CA)
	}
	if o.CAPath != "" {
		found, err := filepath.Glob(filepath.Join(o.CAPath, "*"))
		if err != nil {
			return fmt.Errorf("ssl-capath: %w", err)
		}
		files = append(files, found...)
	}
	any := false
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			if name != o.CA {
				continue // a directory may have others beside certificates
			}
			return fmt.Errorf("ssl-ca: %w", err)
		}
		if cfg.RootCAs == nil {
			cfg.RootCAs = x509.NewCertPool()
		}
		ok := cfg.RootCAs.AppendCertsFromPEM(b)
		if !ok && name == o.CA {
			return fmt.Errorf("ssl-ca: %s holds no certificate", name)
		}
		any = any || ok
	}
	if o.CAPath != "" && !any { // an empty directory has no files, and the system's would be trusted
		return fmt.Errorf("ssl-capath: no file of %s is a certificate", o.CAPath)
	}
	return nil
}

func setVersions(cfg *tls.Config, list string) error {
	known := map[string]uint16{"TLSV1.2": tls.VersionTLS12, "TLSV1.3": tls.VersionTLS13}
	cfg.MinVersion, cfg.MaxVersion = 0, 0
	for name := range strings.SplitSeq(list, ",") {
		v, ok := known[strings.ToUpper(strings.TrimSpace(name))]
		if !ok {
			continue // older ones are named in old files and never used
		}
		if cfg.MinVersion == 0 || v < cfg.MinVersion {
			cfg.MinVersion = v
		}
		cfg.MaxVersion = max(cfg.MaxVersion, v)
	}
	if cfg.MinVersion == 0 {
		return fmt.Errorf("tls-version %q names none of TLSv1.2 and TLSv1.3", list)
	}
	return nil
}

// revocation reads a list of revoked certificates and returns a check for it.
func revocation(name string) (func(tls.ConnectionState) error, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("ssl-crl: %w", err)
	}
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	list, err := x509.ParseRevocationList(b)
	if err != nil {
		return nil, fmt.Errorf("ssl-crl: %s: %w", name, err)
	}
	return func(s tls.ConnectionState) error {
		for _, cert := range s.PeerCertificates {
			for _, r := range list.RevokedCertificateEntries {
				if cert.SerialNumber.Cmp(r.SerialNumber) == 0 && string(cert.RawIssuer) == string(list.RawIssuer) {
					return fmt.Errorf("the certificate of %s is revoked", cert.Subject)
				}
			}
		}
		return nil
	}, nil
}

// LoadKey reads the public RSA key of the server; nil: a names none.
func (a *Auth) LoadKey() (*rsa.PublicKey, error) {
	name := a.ServerKey
	if name == "" {
		return nil, nil
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("the server's public key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", name)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	key, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, errors.New("not an RSA key"))
	}
	return key, nil
}

// Plugins returns the authentication methods that a allows; nil: the usual ones.
func (a *Auth) Plugins() []string {
	if !a.Cleartext && !a.DenyNative {
		return nil
	}
	list := []string{auth.CachingSHA2, auth.SHA256, auth.Ed25519, auth.Parsec, auth.Dialog}
	if !a.DenyNative {
		list = append(list, auth.Native)
	}
	if a.Cleartext {
		list = append(list, auth.Clear)
	}
	return list
}
