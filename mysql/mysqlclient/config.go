package mysqlclient

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/trace"
)

// Config says whom to connect to and how. The zero value connects to the server
// on this machine without a password. It is copied by [Connect], so one Config
// may serve many connections, at the same time too, and none changes it.
type Config struct {
	// Network is "tcp" or "unix"; empty: "unix" when Address begins with a
	// slash, else "tcp". Any other value is for Dial to understand.
	Network string

	// Address is HOST:PORT or the path of a socket; empty: 127.0.0.1:3306. A
	// missing port is 3306.
	Address string

	// Dial makes the connection, and the side connection that kills a statement.
	// nil: a plain [net.Dialer]. ctx is bounded by HandshakeTimeout.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	User     string
	Database string // the schema to begin in; empty: none

	// Passwords are the passwords of the first, second and third factor.
	// Password, where it is not nil, is asked instead, once for a connection.
	Passwords []string
	Password  func(ctx context.Context) ([]string, error)

	// Answer answers a question that the server's "dialog" plugin asks and that
	// no password answers; echo says whether what is typed may be seen. The time
	// for typing counts against HandshakeTimeout. nil: such a question ends the
	// login.
	Answer func(ctx context.Context, prompt string, echo bool) (string, error)

	// TLSMode says how much of TLS is wanted; see its values. TLS has the
	// details (roots, certificates, ServerName); nil: the system's.
	TLSMode TLSMode
	TLS     *tls.Config

	// Plugins are the authentication plugins that the server may ask for; nil:
	// all of package mysql/auth. mysql_clear_password must be named here, and is
	// used only on TLS or a local socket even then.
	Plugins []string

	// ServerKey is the server's public RSA key, for full authentication with a
	// SHA-256 plugin without TLS. AllowKeyRetrieval lets an unencrypted server
	// send one: whoever sits between can read the password then.
	ServerKey         *rsa.PublicKey
	AllowKeyRetrieval bool

	// Attributes are told to the server at login, where its
	// performance_schema shows them. _client_name and _client_version are added.
	Attributes map[string]string

	// QueryAttributes returns the attributes of a statement that is about to be
	// sent, as a trace context; nil: none. They are left out where the server has
	// no query attributes (MySQL has them since 8.0.23, MariaDB has none).
	QueryAttributes func(ctx context.Context) []Attribute

	// Collation is the name of the session's collation, as "utf8mb4_bin"; empty:
	// the server's default for utf8mb4.
	Collation string

	// Charsets are tried with SET NAMES until the server knows one, when there is
	// no Collation; nil: utf8mb4.
	Charsets []string

	// TimeZone is the session's time zone, on both sides: the server's time_zone
	// is set to it, values are sent and read in it. nil: the server keeps its
	// own, and values without a zone are taken to be in Location; nil: UTC.
	TimeZone *time.Location
	Location *time.Location

	// Vars are session variables to set after login, again after each reset. A
	// value is an SQL expression, as "'STRICT_ALL_TABLES'" or "1". Init are
	// statements to execute then.
	Vars map[string]string
	Init []string

	// Compression are the algorithms that we offer, "zlib" and "zstd"; nil: the
	// connection is not compressed. ZstdLevel is 1 to 22; 0: 3.
	Compression []string
	ZstdLevel   int

	MultiStatements bool // one query may hold several statements
	FoundRows       bool // affected rows are those matched, not those changed
	IgnoreSpace     bool // a function's name may have spaces behind it
	Interactive     bool // the server's interactive_timeout is in force
	ExpiredPassword bool // log in with an expired password; change it, then Reset the session

	// LocalInfile lets [Conn.LoadData] and its like answer the server's
	// question for data. No file is ever opened: a reader belongs to one call.
	LocalInfile bool

	// StatementCache is how many prepared statements a connection keeps for
	// queries with arguments; 0: 100, negative: none.
	StatementCache int

	// MaxPacket is the largest packet that is taken from the server, in bytes;
	// 0: 1 GiB, which is the protocol's own limit for values.
	MaxPacket int

	// HandshakeTimeout bounds everything from dialling to the end of login; 0:
	// 15 s, negative: none but the context's. KillTimeout bounds the side
	// connection that kills a cancelled statement; 0: 5 s, negative: cancelled
	// statements are not killed.
	HandshakeTimeout time.Duration

	// ReadTimeout and WriteTimeout bound each read and write of the stream; 0: none.
	ReadTimeout, WriteTimeout time.Duration
	KillTimeout               time.Duration

	// Trace is told of every packet; nil: nobody is. TraceInfo returns what is
	// known about the stream below: Parent, Channel, Label; nil: nothing is.
	Trace     trace.Tracer
	TraceInfo func(net.Conn) trace.Info

	// Logger hears of what nobody else is told: a kill that did not work. nil:
	// nobody hears it.
	Logger *slog.Logger
}

// TLSMode says how much of TLS a connection wants. Each connection decides
// anew: nothing is remembered of a server that had none.
type TLSMode = options.TLSMode

// The modes. TLSDefault is TLSPreferred: it encrypts when the server offers it
// and checks no certificate, which keeps out those who listen, not those who
// change what passes. TLSRequired checks no certificate either. With the two
// that verify, a MariaDB server (11.4 and later) whose certificate nobody has
// signed may prove with the user's password instead that nobody sits between.
const (
	TLSDefault        = options.TLSDefault
	TLSDisabled       = options.TLSDisabled
	TLSPreferred      = options.TLSPreferred
	TLSRequired       = options.TLSRequired
	TLSVerifyCA       = options.TLSVerifyCA
	TLSVerifyIdentity = options.TLSVerifyIdentity
)

// Attribute is one named value that travels with a statement.
type Attribute struct {
	Name  string
	Value any // as an argument of [Conn.Query]
}

// TxOptions says what kind of transaction [Conn.Begin] starts.
type TxOptions struct {
	Isolation          string // "READ COMMITTED", …; empty: the session's
	ReadOnly           bool
	ConsistentSnapshot bool // the snapshot is taken now, not at the first read
}

// InfileFunc gives out the data of one LOAD DATA LOCAL. It is asked for
// exactly the statement it was passed with; name is what the server asks for,
// which is for comparing, not for opening. The reader is read until EOF and
// closed when it is an [io.Closer].
type InfileFunc func(name string) (io.Reader, error)

const (
	defaultHandshake = 15 * time.Second
	defaultKill      = 5 * time.Second
	defaultCache     = 100
	defaultZstd      = 3
)

// withDefaults returns a copy with every number and address set.
func (c *Config) withDefaults() *Config {
	var cfg Config
	if c != nil {
		cfg = *c
	}
	cfg.Passwords = slices.Clone(cfg.Passwords)
	cfg.Plugins = slices.Clone(cfg.Plugins)
	cfg.Compression = slices.Clone(cfg.Compression)
	cfg.Attributes = maps.Clone(cfg.Attributes)
	cfg.Vars = maps.Clone(cfg.Vars)
	cfg.Init, cfg.Charsets = slices.Clone(cfg.Init), slices.Clone(cfg.Charsets)
	if cfg.TLS != nil {
		cfg.TLS = cfg.TLS.Clone()
	}
	cfg.Network, cfg.Address = endpoint(cfg.Network, cfg.Address)
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	cfg.HandshakeTimeout = either(cfg.HandshakeTimeout, defaultHandshake)
	cfg.KillTimeout = either(cfg.KillTimeout, defaultKill)
	cfg.StatementCache = either(cfg.StatementCache, defaultCache)
	cfg.ZstdLevel = either(cfg.ZstdLevel, defaultZstd)
	return &cfg
}

func either[T comparable](v, other T) T {
	var zero T
	if v == zero {
		return other
	}
	return v
}

// endpoint fills in what is missing of a network and an address.
func endpoint(network, address string) (string, string) {
	if network == "" && (strings.HasPrefix(address, "/") || strings.HasPrefix(address, "@")) {
		network = "unix"
	}
	o := options.Config{Network: network, Address: address}
	return o.Target()
}
