package transport

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/wire"
)

// ClientConfig says as whom a client logs in, and what it demands of the server.
type ClientConfig struct {
	User      string
	Database  string   // to begin in; empty: none
	Passwords []string // of the factors, in order

	TLSMode options.TLSMode // TLSDefault is TLSPreferred
	TLS     *tls.Config     // roots, certificates, ServerName; nil: the system's roots
	Host    string          // that was dialled, for ServerName where TLS has none
	Local   bool            // nobody can listen to the socket

	Plugins           []string // that the server may ask for; nil: see [auth.Config]
	ServerKey         *rsa.PublicKey
	AllowKeyRetrieval bool
	Answer            func(prompt string, echo bool) (string, error)

	Capabilities mysql.Capabilities // to ask for beside those that every client of ours wants
	Compression  []string           // "zlib" and "zstd", in the order of preference
	ZstdLevel    int
	Attributes   map[string]string
}

// Introduction is what a server said of itself in its greeting, and what both
// sides agreed on.
type Introduction struct {
	Version      string // without the "5.5.5-" that MariaDB puts before its own
	MariaDB      bool
	ConnID       uint32               // for KILL
	Capabilities mysql.Capabilities   // that both sides have
	Collation    uint8                // the server's default; the low byte of its number
	TLS          *tls.ConnectionState // nil: not encrypted
}

// ClientHalf is the client's half of the connection phase. It is for one
// goroutine.
type ClientHalf struct {
	// Server is what is known about the server, complete after Enter.
	Server Introduction

	pc        *packet.Conn
	cfg       ClientConfig
	offered   mysql.Capabilities
	plugin    string // the greeting's
	collation uint8  // that we ask for
	unproven  error  // why the certificate is not trusted, when the server is to prove itself otherwise
}

// Step is how far a ClientHalf has come.
type Step uint8

// The steps of Enter.
const (
	StepGreeting Step = iota // waiting for the server's first packet
	StepTLS                  // the TLS handshake
	StepLogin                // logging in
)

const (
	// greetingLimit bounds the first packet, loginLimit those up to the end of
	// the login: servers send a few hundred bytes, and a certificate at most.
	greetingLimit = 4 << 10
	loginLimit    = 64 << 10

	// maxPacket is what we say that we take: the protocol's limit for a value.
	maxPacket = 1 << 30

	// clientName is what we tell servers about ourselves.
	clientName = "wirelark"
)

// Collations of the handshake, whose field has one byte. Others are for SET
// NAMES.
const (
	utf8mb4General = 45  // every server of today
	utf8mb40900    = 255 // MySQL since 8.0
)

// NewClientHalf returns the beginning of a connection. cfg is copied.
func NewClientHalf(pc *packet.Conn, cfg *ClientConfig) *ClientHalf {
	return &ClientHalf{pc: pc, cfg: *cfg}
}

// Enter goes from the greeting to the end of the login, compression included,
// and returns the server's last OK. It says in step how far it came. ctx is for
// the TLS handshake; what else waits ends with the packet.Conn. An error of the
// server is a [*ServerError].
func (h *ClientHalf) Enter(ctx context.Context, step *Step) (*mysql.OK, error) {
	*step = StepGreeting
	h.pc.SetLimit(greetingLimit)
	hello, err := h.greeting()
	if err != nil {
		return nil, err
	}
	h.pc.SetLimit(loginLimit)
	h.negotiate(hello)
	*step = StepTLS
	if err := h.startTLS(ctx); err != nil {
		return nil, err
	}
	*step = StepLogin
	ok, err := h.login(hello)
	if err != nil {
		return nil, err
	}
	return ok, h.compress()
}

// greeting reads the server's first packet. A server that refuses at once sends
// an ERR without SQLSTATE instead.
func (h *ClientHalf) greeting() (*mysql.HandshakeV10, error) {
	p, err := h.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	switch {
	case len(p) == 0:
		return nil, &ProtocolError{What: "an empty greeting"}
	case p[0] == mysql.HeaderERR:
		return nil, h.serverError(p)
	case p[0] != mysql.HeaderHandshake:
		return nil, &ProtocolError{What: fmt.Sprintf("a greeting of version %d, we speak %d", p[0], mysql.HeaderHandshake)}
	}
	hello := new(mysql.HandshakeV10)
	if err := h.parse(p, hello); err != nil {
		return nil, err
	}
	if !hello.Capabilities.Has(mysql.ClientProtocol41 | mysql.ClientSecureConnection) {
		return nil, &ProtocolError{What: "it speaks the protocol of servers before 4.1 only"}
	}
	hello.AuthData = slices.Clone(hello.AuthData)
	return hello, nil
}

// negotiate chooses what both sides can do.
func (h *ClientHalf) negotiate(hello *mysql.HandshakeV10) {
	h.offered, h.plugin = hello.Capabilities, hello.AuthPlugin
	h.Server = Introduction{
		Version: hello.Version(), MariaDB: hello.MariaDB(), ConnID: hello.ConnectionID, Collation: hello.Collation,
		Capabilities: h.wanted(hello.MariaDB()) & hello.Capabilities,
	}
	h.collation = utf8mb4General
	if hello.Collation == utf8mb40900 && !h.Server.MariaDB {
		h.collation = utf8mb40900
	}
	h.pc.SetDialect(mysql.NewDialect(h.Server.Capabilities))
}

// wanted returns what we would like to have, before the server is asked.
func (h *ClientHalf) wanted(mariaDB bool) mysql.Capabilities {
	want := h.cfg.Capabilities | mysql.ClientLongFlag | mysql.ClientProtocol41 | mysql.ClientTransactions | mysql.ClientSecureConnection |
		mysql.ClientMultiResults | mysql.ClientPSMultiResults | mysql.ClientPluginAuth | mysql.ClientPluginAuthLenencClientData |
		mysql.ClientConnectAttrs | mysql.ClientSessionTrack | mysql.ClientDeprecateEOF
	if mariaDB {
		want |= mysql.MariaDBBulkOperations | mysql.MariaDBBulkUnitResults | mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
	} else {
		want |= mysql.ClientLongPassword | mysql.ClientMultiFactorAuthentication
	}
	if h.cfg.Database != "" {
		want |= mysql.ClientConnectWithDB
	}
	for _, name := range h.cfg.Compression { // the first that the server has
		flag := map[string]mysql.Capabilities{"zlib": mysql.ClientCompress, "zstd": mysql.ClientZstdCompression}[name]
		if h.offered&flag != 0 {
			return want | flag
		}
	}
	return want
}

// login sends the handshake response and goes through the server's questions.
func (h *ClientHalf) login(hello *mysql.HandshakeV10) (*mysql.OK, error) {
	e := h.exchange(&h.cfg, hello.AuthData)
	plugin, proof, err := e.First()
	if err != nil {
		return nil, err
	}
	if err := h.send(&mysql.HandshakeResponse41{
		Capabilities: h.Server.Capabilities, MaxPacket: maxPacket, Collation: h.collation, User: h.cfg.User,
		AuthResponse: proof, Database: h.cfg.Database, AuthPlugin: plugin,
		Attributes: h.attributes(), ZstdLevel: uint8(h.cfg.ZstdLevel),
	}); err != nil {
		return nil, err
	}
	return h.authenticate(e)
}

// exchange begins the client's half of a login.
func (h *ClientHalf) exchange(cfg *ClientConfig, nonce []byte) *auth.Exchange {
	return auth.NewExchange(&auth.Config{
		Passwords: cfg.Passwords, Plugins: cfg.Plugins, TLS: h.Server.TLS, Local: h.cfg.Local, Proof: h.unproven != nil,
		ServerKey: cfg.ServerKey, AllowKeyRetrieval: cfg.AllowKeyRetrieval, Answer: cfg.Answer,
	}, h.plugin, nonce)
}

// authenticate answers what the server asks until it lets us in or does not. The
// number of rounds is bounded by the exchange.
func (h *ClientHalf) authenticate(e *auth.Exchange) (*mysql.OK, error) {
	for {
		p, err := h.pc.ReadPacket()
		if err != nil {
			return nil, err
		}
		if len(p) > 0 && p[0] == mysql.HeaderOK {
			ok := new(mysql.OK)
			if err := h.parse(p, ok); err != nil {
				return nil, err
			}
			return ok, e.OK(ok.Info)
		}
		reply, err := h.answer(e, p)
		if err != nil {
			return nil, err
		}
		if reply == nil {
			continue
		}
		if err := h.send(&mysql.AuthResponse{Data: reply}); err != nil {
			return nil, err
		}
	}
}

// answer takes a question of the server's and returns the answer to it; nil:
// none is due.
func (h *ClientHalf) answer(e *auth.Exchange, p []byte) ([]byte, error) {
	first := byte(mysql.HeaderHandshake) // no question begins with that
	if len(p) > 0 {
		first = p[0]
	}
	switch first {
	case mysql.HeaderERR:
		err := h.serverError(p)
		if h.unproven != nil {
			err = fmt.Errorf("%w (and its certificate is not trusted: %w)", err, h.unproven)
		}
		return nil, err
	case mysql.HeaderEOF:
		var m mysql.AuthSwitchRequest
		if err := h.parse(p, &m); err != nil {
			return nil, err
		}
		if m.Old {
			m.Plugin = auth.Old
		}
		return e.Switch(m.Plugin, m.Data)
	case mysql.HeaderNextFactor:
		var m mysql.AuthNextFactor
		if err := h.parse(p, &m); err != nil {
			return nil, err
		}
		return e.NextFactor(m.Plugin, m.Data)
	case mysql.HeaderMoreData:
		var m mysql.AuthMoreData
		if err := h.parse(p, &m); err != nil {
			return nil, err
		}
		return e.More(m.Data)
	default: // dialog and parsec send their data bare
		var m mysql.AuthPluginData
		if err := h.parse(p, &m); err != nil {
			return nil, err
		}
		return e.More(m.Data)
	}
}

// attributes returns the connection attributes, sorted.
func (h *ClientHalf) attributes() []mysql.Attribute {
	list := []mysql.Attribute{{Name: "_client_name", Value: clientName}}
	for name, value := range h.cfg.Attributes {
		list = append(list, mysql.Attribute{Name: name, Value: value})
	}
	slices.SortStableFunc(list, func(a, b mysql.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ChangeUser logs in anew, as cfg says, with COM_CHANGE_USER, and returns the
// server's last OK. Of cfg only who logs in, and how, counts. Any error is final.
func (h *ClientHalf) ChangeUser(cfg *ClientConfig) (*mysql.OK, error) {
	// The greeting's nonce is used up. An empty answer makes the server send a
	// new one with a switch.
	h.pc.Begin()
	if err := h.send(&mysql.ChangeUser{
		User: cfg.User, Database: cfg.Database, Collation: uint16(h.collation), AuthPlugin: h.plugin, Attributes: h.attributes(),
	}); err != nil {
		return nil, err
	}
	return h.authenticate(h.exchange(cfg, nil))
}

// compress begins compression where it was agreed on: with the first packet
// behind the login.
func (h *ClientHalf) compress() error {
	switch caps := h.Server.Capabilities; {
	case caps.Has(mysql.ClientCompress):
		return h.pc.StartCompression(packet.Zlib, 0)
	case caps.Has(mysql.ClientZstdCompression):
		return h.pc.StartCompression(packet.Zstd, h.cfg.ZstdLevel)
	}
	return nil
}

func (h *ClientHalf) send(m wire.Message) error {
	if err := h.pc.Append(m); err != nil {
		return err
	}
	return h.pc.Flush()
}

// parse decodes a packet. Its failure is the server's fault.
func (h *ClientHalf) parse(p []byte, m wire.Message) error {
	if err := mysql.Parse(p, m, h.pc.Dialect()); err != nil {
		return &ProtocolError{What: "a packet that cannot be decoded", Err: err}
	}
	return nil
}

// serverError decodes an ERR.
func (h *ClientHalf) serverError(p []byte) error {
	var m mysql.ERR
	if err := h.parse(p, &m); err != nil {
		return err
	}
	return &ServerError{Code: m.Code, State: m.State, Message: m.Message}
}

// ErrNoTLS says that TLS is wanted and the server has none. Nothing but its
// greeting has passed.
var ErrNoTLS = errors.New("the server offers no TLS, and the configuration wants it")
