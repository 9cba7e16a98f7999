package mysqlserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
)

// What the two kinds of server can do, without TLS and compression.
const (
	offered = mysql.ClientLongPassword | mysql.ClientFoundRows | mysql.ClientLongFlag | mysql.ClientConnectWithDB |
		mysql.ClientNoSchema | mysql.ClientODBC | mysql.ClientLocalFiles | mysql.ClientIgnoreSpace |
		mysql.ClientProtocol41 | mysql.ClientInteractive | mysql.ClientIgnoreSigpipe | mysql.ClientTransactions |
		mysql.ClientReserved | mysql.ClientSecureConnection | mysql.ClientMultiStatements | mysql.ClientMultiResults |
		mysql.ClientPSMultiResults | mysql.ClientPluginAuth | mysql.ClientConnectAttrs |
		mysql.ClientPluginAuthLenencClientData | mysql.ClientSessionTrack | mysql.ClientDeprecateEOF |
		mysql.ClientCompress | mysql.ClientRememberOptions

	offeredMySQL = offered | mysql.ClientOptionalResultsetMetadata | mysql.ClientZstdCompression |
		mysql.ClientQueryAttributes | mysql.ClientMultiFactorAuthentication

	offeredMariaDB = offered&^mysql.ClientLongPassword | mysql.MariaDBProgress | mysql.MariaDBBulkOperations |
		mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
)

// mariaDBOnly are the flags of which only a client that clears
// ClientLongPassword knows what they mean.
const mariaDBOnly mysql.Capabilities = 0xffffffff << 32

// capabilities returns what the server offers.
func (s *Server) capabilities() mysql.Capabilities {
	caps := offeredMySQL
	if s.MariaDB {
		caps = offeredMariaDB
	}
	if s.TLS != nil {
		caps |= mysql.ClientSSL
	}
	return caps &^ (s.Withhold &^ (mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection))
}

func (s *Server) version() string {
	switch {
	case s.Version != "":
		return s.Version
	case s.MariaDB:
		return DefaultMariaDBVersion
	}
	return DefaultVersion
}

func (s *Server) collation() uint8 {
	switch {
	case s.Collation != 0:
		return s.Collation
	case s.MariaDB:
		return 45 // utf8mb4_general_ci
	}
	return 255 // utf8mb4_0900_ai_ci
}

// plugin returns the method that the greeting names.
func (s *Server) plugin() string {
	switch {
	case s.Plugin != "":
		return s.Plugin
	case s.MariaDB:
		return auth.Native
	}
	return auth.CachingSHA2
}

// greet sends the greeting and reads the answer to it, inside TLS when the
// client wishes that.
//
//	server                              client
//	HandshakeV10 ──────────────────────▶
//	             ◀──── SSLRequest, TLS ── (if it likes)
//	             ◀── HandshakeResponse41
func (c *Conn) greet(ctx context.Context) (*mysql.HandshakeResponse41, error) {
	c.nonce, c.announced = auth.NewNonce(), c.s.plugin()
	caps := c.s.capabilities()
	c.pc.SetDialect(mysql.NewDialect(caps & (mysql.ClientProtocol41 | mysql.ClientLongPassword)))
	err := c.send(&mysql.HandshakeV10{
		ServerVersion: c.s.version(), ConnectionID: c.id, AuthData: c.nonce, Capabilities: caps,
		Collation: c.s.collation(), Status: initialStatus, AuthPlugin: c.announced,
	})
	if err != nil {
		return nil, err
	}
	p, err := c.pc.ReadPacket()
	if err != nil {
		return nil, c.brokenOff(err)
	}
	if err := c.speaks41(p); err != nil {
		return nil, err
	}
	inside := false
	if isSSLRequest(p) {
		if c.s.TLS == nil {
			return nil, c.refuse(errHandshake, errors.New("the client asks for TLS, which was not offered"))
		}
		if err := c.startTLS(ctx); err != nil {
			return nil, err
		}
		inside = true
		if p, err = c.pc.ReadPacket(); err != nil {
			return nil, c.brokenOff(err)
		}
		if err := c.speaks41(p); err != nil {
			return nil, err
		}
	}
	r := new(mysql.HandshakeResponse41)
	if err := c.parse(p, r); err != nil || isSSLRequest(p) {
		return nil, c.refuse(errHandshake, fmt.Errorf("the answer to the greeting: %w", err))
	}
	if r.Capabilities.Has(mysql.ClientSSL) && !inside {
		return nil, c.refuse(errHandshake, errors.New("the client wants TLS and has not begun it"))
	}
	c.agree(caps, r)
	return r, nil
}

// isSSLRequest reports whether the answer to the greeting ends where the user's
// name would begin.
func isSSLRequest(p []byte) bool {
	return len(p) == sslRequestSize && mysql.Capabilities(p[1])<<8&mysql.ClientSSL != 0
}

// sslRequestSize is the length of an SSLRequest.
const sslRequestSize = 32

// speaks41 refuses clients of the time before MySQL 4.1.
func (c *Conn) speaks41(p []byte) error {
	if len(p) < 2 || mysql.Capabilities(p[1])<<8&mysql.ClientProtocol41 == 0 {
		return c.refuse(errOldClient, errors.New("the client does not speak the protocol of MySQL 4.1"))
	}
	return nil
}

func (c *Conn) startTLS(ctx context.Context) error {
	cfg := c.s.TLS
	if err := c.pc.StartTLS(ctx, cfg); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	return nil
}

// agree notes what the client says about itself.
func (c *Conn) agree(caps mysql.Capabilities, r *mysql.HandshakeResponse41) {
	wants := r.Capabilities
	if !wants.MariaDB() {
		wants &^= mariaDBOnly
	}
	both := caps & wants
	if both.Has(mysql.ClientCompress) {
		both &^= mysql.ClientZstdCompression // as the servers decide
	}
	c.client = client{
		caps: both, user: r.User, database: r.Database, plugin: r.AuthPlugin,
		collation: uint16(r.Collation), zstdLevel: r.ZstdLevel, attributes: attributes(r.Attributes),
	}
	c.multi = both.Has(mysql.ClientMultiStatements)
	c.pc.SetDialect(mysql.NewDialect(both))
}

func attributes(list []mysql.Attribute) map[string]string {
	m := make(map[string]string, len(list))
	for _, a := range list {
		m[a.Name] = a.Value
	}
	return m
}

// secure reports whether what the client sends cannot be read on the way.
func (c *Conn) secure() bool {
	if _, ok := c.pc.TLS(); ok {
		return true
	}
	a := c.LocalAddr()
	return c.s.Secure || a != nil && a.Network() == "unix"
}

// host returns where the client is, as error texts name it.
func (c *Conn) host() string {
	a := c.RemoteAddr()
	if a == nil {
		return "localhost"
	}
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return "localhost"
}

// refuse tells the client e and returns why, which stays between us.
func (c *Conn) refuse(e *Error, why error) error {
	_ = c.sendError(e)
	return fmt.Errorf("%w: %w", ErrLogin, why)
}

// brokenOff says what the failure to read before the login means.
func (c *Conn) brokenOff(err error) error {
	if e := c.over(); e != nil {
		_ = c.sendError(e)
		return e
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return fmt.Errorf("%w: the client took longer than %v", ErrLogin, c.limits.HandshakeTimeout)
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the client left", ErrLogin)
	}
	return c.refuseRead(err)
}
