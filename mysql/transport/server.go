package transport

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

const (
	sslRequestSize = 32 // bytes of an SSLRequest
	maxRounds      = 16 // answers that one method may ask for
	maxFactors     = 3  // of an account
)

// mariaDBOnly are the flags of which only a client that clears
// ClientLongPassword knows what they mean.
const mariaDBOnly mysql.Capabilities = 0xffffffff << 32

// What servers of the two kinds can do, as ours can, without TLS.
const (
	offered = mysql.ClientLongPassword | mysql.ClientFoundRows | mysql.ClientLongFlag | mysql.ClientConnectWithDB |
		mysql.ClientNoSchema | mysql.ClientODBC | mysql.ClientLocalFiles | mysql.ClientIgnoreSpace |
		mysql.ClientProtocol41 | mysql.ClientInteractive | mysql.ClientIgnoreSigpipe | mysql.ClientTransactions |
		mysql.ClientReserved | mysql.ClientSecureConnection | mysql.ClientMultiStatements | mysql.ClientMultiResults |
		mysql.ClientPSMultiResults | mysql.ClientPluginAuth | mysql.ClientConnectAttrs |
		mysql.ClientPluginAuthLenencClientData | mysql.ClientSessionTrack | mysql.ClientDeprecateEOF |
		mysql.ClientCompress | mysql.ClientRememberOptions

	OfferedMySQL = offered | mysql.ClientOptionalResultsetMetadata | mysql.ClientZstdCompression |
		mysql.ClientQueryAttributes | mysql.ClientMultiFactorAuthentication

	OfferedMariaDB = offered&^mysql.ClientLongPassword | mysql.MariaDBProgress | mysql.MariaDBBulkOperations |
		mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata

	// indispensable is what every server offers.
	indispensable = mysql.ClientProtocol41 | mysql.ClientSecureConnection
)

// ServerConfig says how a server introduces itself.
type ServerConfig struct {
	Version      string
	ConnectionID uint32
	Capabilities mysql.Capabilities // ClientSSL follows from TLS; what no client can do without is added
	Collation    uint8              // the server's default
	Status       mysql.Status
	Plugin       string          // method that the greeting names
	TLS          *tls.Config     // nil: not offered
	Key          *rsa.PrivateKey // for the SHA-256 methods without TLS; nil: they need TLS
	Local        bool            // nobody can listen to the socket
}

// ServerHalf is the server's half of the connection phase. It is for one goroutine.
type ServerHalf struct {
	// Client is what the client has said about itself, after Greet.
	Client Client

	pc        *packet.Conn
	cfg       ServerConfig
	nonce     []byte
	announced string // method for which the client has been shown the nonce; "": none
	proof     string
}

// Client is what a client has said about itself.
type Client struct {
	Capabilities mysql.Capabilities // what both ends have
	User         string             // may hold anything
	Database     string             // may hold anything
	Plugin       string             // the method that it likes
	Collation    uint16
	Attributes   map[string]string
	ZstdLevel    uint8
	Response     []byte // of Plugin; valid until the next packet is read
}

// RefusedError says why a client cannot go on, and what it is to be told.
type RefusedError struct {
	Code    uint16 // as 1043
	Message string // for the client
	Err     error  // for the server's log
}

// Error returns what the server's log is told.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns e.Err.
func (e *RefusedError) Unwrap() error { return e.Err }

func badHandshake(format string, args ...any) error {
	return &RefusedError{1043, "Bad handshake", fmt.Errorf(format, args...)}
}

func oldClient(format string, args ...any) error {
	const text = "Client does not support authentication protocol requested by server; consider upgrading MySQL client"
	return &RefusedError{1251, text, fmt.Errorf(format, args...)}
}

// NewServerHalf returns the beginning of a connection. cfg is copied.
func NewServerHalf(pc *packet.Conn, cfg *ServerConfig) *ServerHalf {
	s := &ServerHalf{pc: pc, cfg: *cfg}
	s.cfg.Capabilities = s.cfg.Capabilities&^mysql.ClientSSL | indispensable
	if cfg.TLS != nil {
		s.cfg.Capabilities |= mysql.ClientSSL
	}
	return s
}

// Greet sends the greeting and reads the answer to it, inside TLS when the
// client wishes that; ctx is for the TLS handshake. A [*RefusedError] is to be
// told to the client; other errors are those of the connection.
func (s *ServerHalf) Greet(ctx context.Context) error {
	caps := s.cfg.Capabilities
	s.nonce, s.announced = auth.NewNonce(), s.cfg.Plugin
	if err := s.send(&mysql.HandshakeV10{
		ServerVersion: s.cfg.Version, ConnectionID: s.cfg.ConnectionID, AuthData: s.nonce, Capabilities: caps,
		Collation: s.cfg.Collation, Status: s.cfg.Status, AuthPlugin: s.announced,
	}); err != nil {
		return err
	}
	p, err := s.read41()
	if err != nil {
		return err
	}
	inside := false
	if isSSLRequest(p) {
		if s.cfg.TLS == nil {
			return badHandshake("the client asks for TLS, which was not offered")
		}
		if err := s.pc.StartTLS(ctx, s.cfg.TLS); err != nil {
			return fmt.Errorf("TLS: %w", err)
		}
		inside = true
		if p, err = s.read41(); err != nil {
			return err
		}
	}
	r := new(mysql.HandshakeResponse41)
	if err := mysql.Parse(p, r, s.pc.Dialect()); err != nil {
		return badHandshake("the answer to the greeting: %w", err)
	}
	if r.Capabilities.Has(mysql.ClientSSL) && !inside {
		return badHandshake("the client wants TLS and has not begun it")
	}
	s.agree(r)
	return nil
}

// read41 reads the answer to the greeting, and refuses clients of the time
// before MySQL 4.1.
func (s *ServerHalf) read41() ([]byte, error) {
	p, err := s.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	if len(p) < 2 || mysql.Capabilities(p[1])<<8&mysql.ClientProtocol41 == 0 {
		return nil, oldClient("the client does not speak the protocol of MySQL 4.1")
	}
	return p, nil
}

// isSSLRequest reports whether the answer to the greeting ends where the user's
// name would begin.
func isSSLRequest(p []byte) bool {
	return len(p) == sslRequestSize && mysql.Capabilities(p[1])<<8&mysql.ClientSSL != 0
}

// agree notes what the client says about itself.
func (s *ServerHalf) agree(r *mysql.HandshakeResponse41) {
	wants := r.Capabilities
	if !wants.MariaDB() {
		wants &^= mariaDBOnly
	}
	both := s.cfg.Capabilities & wants
	if both.Has(mysql.ClientCompress) {
		both &^= mysql.ClientZstdCompression // as the servers decide
	}
	s.Client = Client{
		Capabilities: both, User: r.User, Database: r.Database, Plugin: r.AuthPlugin, Collation: uint16(r.Collation),
		Attributes: attributes(r.Attributes), ZstdLevel: r.ZstdLevel, Response: r.AuthResponse,
	}
	s.pc.SetDialect(mysql.NewDialect(both))
}

func attributes(list []mysql.Attribute) map[string]string {
	m := make(map[string]string, len(list))
	for _, a := range list {
		m[a.Name] = a.Value
	}
	return m
}

// ChangeUser begins a new login on the same connection. The nonce of the first
// one has been used: the client is always asked to switch to a new one.
func (s *ServerHalf) ChangeUser(m *mysql.ChangeUser) {
	c := &s.Client
	c.User, c.Database, c.Plugin, c.Response = m.User, m.Database, m.AuthPlugin, nil
	if m.Collation != 0 {
		c.Collation = m.Collation
	}
	if m.Attributes != nil {
		c.Attributes = attributes(m.Attributes)
	}
	s.nonce, s.announced, s.proof = auth.NewNonce(), "", ""
}

// Secure reports whether what the client sends cannot be read on the way.
func (s *ServerHalf) Secure() bool {
	if _, ok := s.pc.TLS(); ok {
		return true
	}
	a := s.pc.LocalAddr()
	return s.cfg.Local || a != nil && a.Network() == "unix"
}

// Safe reports whether a client can use the method without giving its password
// away to whoever listens. Prove does not ask for the others.
func (s *ServerHalf) Safe(v auth.Verifier) bool {
	return s.Secure() || v.Plugin() != auth.Clear && v.Plugin() != auth.Dialog
}

// Prove asks the client for one proof after another, until one fails or there
// are no more; without factors nobody is accepted. used says whether the client
// has sent anything to prove who it is. Errors are as those of Greet.
func (s *ServerHalf) Prove(factors []auth.Verifier) (accepted, used bool, err error) {
	for i, v := range factors[:min(len(factors), maxFactors)] {
		accepted, used, err = s.factor(v, i, used)
		if err != nil || !accepted {
			return false, used, err
		}
	}
	return accepted && len(factors) <= maxFactors, used, nil
}

// Proof returns what the info of the last OK is to be, by which MariaDB's
// clients see that the server knows the password and has sent its certificate;
// "": nothing.
func (s *ServerHalf) Proof() string { return s.proof }

// factor asks for one proof. What the client has sent along counts when it is
// for the method and the nonce that are wanted.
func (s *ServerHalf) factor(v auth.Verifier, i int, before bool) (accepted, used bool, err error) {
	session := v.Session(&auth.Login{Nonce: s.nonce, Secure: s.Secure(), Key: s.cfg.Key})
	challenge := session.Challenge()
	data, used := s.Client.Response, before
	switch {
	case !s.Safe(v), i > 0 && !s.Client.Capabilities.Has(mysql.ClientMultiFactorAuthentication):
		return false, used, nil
	case i > 0:
		data, err = s.ask(&mysql.AuthNextFactor{Plugin: v.Plugin(), Data: challenge})
	case !s.answersGreeting(v.Plugin(), challenge):
		if !s.Client.Capabilities.Has(mysql.ClientPluginAuth) {
			return false, used, oldClient("the client cannot use %s", v.Plugin())
		}
		data, err = s.ask(&mysql.AuthSwitchRequest{Plugin: v.Plugin(), Data: challenge})
	}
	if err != nil {
		return false, used, err
	}
	for range maxRounds {
		used = used || len(data) > 0
		reply, verdict := session.Next(data)
		if reply != nil {
			if err := s.say(session, reply); err != nil {
				return false, used, err
			}
		}
		if verdict != auth.More {
			if verdict == auth.Accepted && i == 0 {
				s.prove(session)
			}
			return verdict == auth.Accepted, used, nil
		}
		if data, err = s.pc.ReadPacket(); err != nil {
			return false, used, err
		}
	}
	return false, used, nil
}

// answersGreeting reports whether what the client has sent along is its answer
// to the challenge: a client that likes another method than the one that the
// greeting named has not shown it the greeting's nonce. Clients of before
// ClientPluginAuth know one method only.
func (s *ServerHalf) answersGreeting(plugin string, challenge []byte) bool {
	liked := s.Client.Plugin
	switch {
	case s.announced == "":
		return false
	case !s.Client.Capabilities.Has(mysql.ClientPluginAuth):
		liked = auth.Native
	case liked != s.announced:
		return false
	}
	return liked == plugin && (len(challenge) == 0 || bytes.Equal(bytes.TrimSuffix(challenge, []byte{0}), s.nonce))
}

// ask sends the beginning of a method and returns what the client answers,
// which is valid until the next packet is read.
func (s *ServerHalf) ask(m wire.Message) ([]byte, error) {
	if err := s.send(m); err != nil {
		return nil, err
	}
	return s.pc.ReadPacket()
}

// say sends what a method has to say.
func (s *ServerHalf) say(session auth.Session, data []byte) error {
	if _, bare := session.(auth.Bare); bare {
		return s.send(&mysql.AuthPluginData{Data: data})
	}
	return s.send(&mysql.AuthMoreData{Data: data})
}

func (s *ServerHalf) send(m wire.Message) error {
	if err := s.pc.Append(m); err != nil {
		return err
	}
	return s.pc.Flush()
}

// prove makes the proof of a server that shows every client the same
// certificate.
func (s *ServerHalf) prove(session auth.Session) {
	h, ok := session.(auth.Hasher)
	if !ok || !s.cfg.Capabilities.MariaDB() || s.cfg.TLS == nil || len(s.cfg.TLS.Certificates) != 1 {
		return
	}
	chain := s.cfg.TLS.Certificates[0].Certificate
	hash, nonce := h.PasswordHash()
	if len(chain) == 0 || len(hash) == 0 {
		return
	}
	if nonce == nil {
		nonce = s.nonce
	}
	s.proof = auth.Proof(hash, nonce, chain[0])
}

// Compress begins the compression that was agreed on, if any. It is to be
// called behind the last OK of the login.
func (s *ServerHalf) Compress() error {
	switch {
	case s.Client.Capabilities.Has(mysql.ClientCompress):
		return s.pc.StartCompression(packet.Zlib, 0)
	case s.Client.Capabilities.Has(mysql.ClientZstdCompression):
		return s.pc.StartCompression(packet.Zstd, int(s.Client.ZstdLevel))
	}
	return nil
}

// IsRefused returns the error in err that a client is to be told, or nil.
func IsRefused(err error) *RefusedError {
	var r *RefusedError
	if errors.As(err, &r) {
		return r
	}
	return nil
}
