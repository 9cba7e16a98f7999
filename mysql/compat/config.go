package mysql

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql/options"
)

// defaultMaxAllowedPacket is what the original takes for the longest command.
// Here it means that the server decides.
const defaultMaxAllowedPacket = 64 << 20

// Config is what a data source name says. Use NewConfig to make one: the zero
// value forbids mysql_native_password and looks at no idle connection.
type Config struct {
	User                 string
	Passwd               string
	Net                  string            // "tcp" if empty
	Addr                 string            // 127.0.0.1:3306, or /tmp/mysql.sock for unix, if empty
	DBName               string            // selected at login
	Params               map[string]string // session variables; values are SQL expressions
	ConnectionAttributes string            // key:value,key:value
	Collation            string
	Loc                  *time.Location // of times without zone; UTC if nil
	MaxAllowedPacket     int            // of a command, in bytes; 0: ask the server
	ServerPubKey         string         // a name given to RegisterServerPubKey
	TLSConfig            string         // true, false, skip-verify, preferred, or a name given to RegisterTLSConfig
	TLS                  *tls.Config    // instead of TLSConfig
	Timeout              time.Duration  // from dialing to the end of login
	ReadTimeout          time.Duration
	WriteTimeout         time.Duration
	Logger               Logger // nil: see SetLogger
	DialFunc             func(ctx context.Context, network, addr string) (net.Conn, error)

	AllowAllFiles            bool // LOAD DATA LOCAL may name any file
	AllowCleartextPasswords  bool // the password itself may be sent, over TLS or a socket
	AllowFallbackToPlaintext bool // go on without TLS if the server has none
	AllowNativePasswords     bool
	AllowOldPasswords        bool // accepted; does nothing
	CheckConnLiveness        bool // look at idle connections before they are used
	ClientFoundRows          bool // count matching rows as affected
	ColumnsWithAlias         bool // name columns table.column
	InterpolateParams        bool // put parameters into the text
	MultiStatements          bool
	ParseTime                bool // DATE and DATETIME as time.Time
	RejectReadOnly           bool // give up connections to servers that became read-only

	compress      bool
	beforeConnect func(context.Context, *Config) error
	pubKey        *rsa.PublicKey
	timeTruncate  time.Duration
	charsets      []string
	more          options.Config // what there is no field for
}

// Option changes a Config; see [Config.Apply].
type Option func(*Config) error

// NewConfig returns a Config with the defaults.
func NewConfig() *Config {
	return &Config{
		Loc:                  time.UTC,
		MaxAllowedPacket:     defaultMaxAllowedPacket,
		Logger:               defaultLogger(),
		AllowNativePasswords: true,
		CheckConnLiveness:    true,
	}
}

// Apply applies options in their order, up to the first error.
func (cfg *Config) Apply(opts ...Option) error {
	for _, opt := range opts {
		if err := opt(cfg); err != nil {
			return err
		}
	}
	return nil
}

// TimeTruncate cuts times in parameters down to a multiple of d.
func TimeTruncate(d time.Duration) Option {
	return func(cfg *Config) error { cfg.timeTruncate = d; return nil }
}

// BeforeConnect sets a function that may change a copy of the configuration
// before each connection is made: to put a fresh token into Passwd, for example.
func BeforeConnect(fn func(context.Context, *Config) error) Option {
	return func(cfg *Config) error { cfg.beforeConnect = fn; return nil }
}

// EnableCompression switches zlib compression on or off.
func EnableCompression(yes bool) Option {
	return func(cfg *Config) error { cfg.compress = yes; return nil }
}

// Charset sets character set and collation of the connection; collation may be
// empty.
func Charset(charset, collation string) Option {
	return func(cfg *Config) error {
		cfg.charsets, cfg.Collation = []string{charset}, collation
		return nil
	}
}

// Clone returns a copy. Logger, DialFunc and Loc are shared.
func (cfg *Config) Clone() *Config {
	c := *cfg
	if c.TLS != nil {
		c.TLS = c.TLS.Clone()
	}
	c.Params = maps.Clone(cfg.Params)
	c.charsets = slices.Clone(cfg.charsets)
	c.more = *cfg.more.Clone()
	return &c
}

// ParseDSN reads a data source name; see [options.ParseDSN] for the syntax.
func ParseDSN(dsn string) (*Config, error) {
	o, err := options.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	cfg := fromOptions(o)
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// FormatDSN writes the data source name that ParseDSN reads as cfg. It contains
// the password. TLS, Logger, DialFunc and what BeforeConnect set are not in it.
func (cfg *Config) FormatDSN() string { return cfg.toOptions().FormatDSN() }

func fromOptions(o *options.Config) *Config {
	cfg := NewConfig()
	cfg.User, cfg.Passwd = o.User, o.Password()
	cfg.Net, cfg.Addr, cfg.DBName = o.Network, o.Address, o.Database
	cfg.Params = maps.Clone(o.Vars)
	cfg.ConnectionAttributes = joinAttributes(o.Attributes)
	cfg.Collation, cfg.charsets = o.Collation, slices.Clone(o.Charsets)
	if o.Location != nil {
		cfg.Loc = o.Location
	}
	switch {
	case o.MaxPacket < 0:
		cfg.MaxAllowedPacket = 0
	case o.MaxPacket > 0:
		cfg.MaxAllowedPacket = o.MaxPacket
	}
	cfg.ServerPubKey, cfg.TLSConfig = o.Auth.ServerKeyName, tlsName(o.TLS)
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = o.ConnectTimeout, o.ReadTimeout, o.WriteTimeout
	cfg.AllowAllFiles, cfg.AllowFallbackToPlaintext = o.LocalInfileAny, o.TLS.Fallback || o.TLS.Mode == options.TLSPreferred
	cfg.AllowCleartextPasswords, cfg.AllowNativePasswords, cfg.AllowOldPasswords = o.Auth.Cleartext, !o.Auth.DenyNative, o.Auth.Old
	cfg.CheckConnLiveness, cfg.ClientFoundRows, cfg.ColumnsWithAlias = !o.SkipLiveness, o.FoundRows, o.ColumnsWithAlias
	cfg.InterpolateParams, cfg.MultiStatements = o.InterpolateParams, o.MultiStatements
	cfg.ParseTime, cfg.RejectReadOnly, cfg.timeTruncate = o.ParseTime, o.RejectReadOnly, o.TimeTruncate
	if slices.Equal(o.Compression.Algorithms, []string{"zlib"}) {
		cfg.compress = true
	}
	cfg.more = *o.Clone()
	return cfg
}

// toOptions writes the fields over what there is no field for.
func (cfg *Config) toOptions() *options.Config {
	o := cfg.more.Clone()
	o.User, o.Network, o.Address, o.Database = cfg.User, cfg.Net, cfg.Addr, cfg.DBName
	if cfg.Passwd != o.Password() {
		o.SetPassword(1, cfg.Passwd)
	}
	o.Vars = maps.Clone(cfg.Params)
	o.Attributes = splitAttributes(cfg.ConnectionAttributes)
	o.Collation, o.Charsets = cfg.Collation, slices.Clone(cfg.charsets)
	o.Location = nil
	if cfg.Loc != nil && cfg.Loc != time.UTC {
		o.Location = cfg.Loc
	}
	switch cfg.MaxAllowedPacket {
	case defaultMaxAllowedPacket:
		o.MaxPacket = 0
	case 0:
		o.MaxPacket = -1
	default:
		o.MaxPacket = cfg.MaxAllowedPacket
	}
	o.Auth.ServerKeyName = cfg.ServerPubKey
	setTLS(&o.TLS, cfg.TLSConfig)
	o.ConnectTimeout, o.ReadTimeout, o.WriteTimeout = cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout
	o.LocalInfileAny, o.TLS.Fallback = cfg.AllowAllFiles, cfg.AllowFallbackToPlaintext
	o.Auth.Cleartext, o.Auth.DenyNative, o.Auth.Old = cfg.AllowCleartextPasswords, !cfg.AllowNativePasswords, cfg.AllowOldPasswords
	o.SkipLiveness, o.FoundRows, o.ColumnsWithAlias = !cfg.CheckConnLiveness, cfg.ClientFoundRows, cfg.ColumnsWithAlias
	o.InterpolateParams, o.MultiStatements = cfg.InterpolateParams, cfg.MultiStatements
	o.ParseTime, o.RejectReadOnly, o.TimeTruncate = cfg.ParseTime, cfg.RejectReadOnly, cfg.timeTruncate
	zlib := slices.Equal(o.Compression.Algorithms, []string{"zlib"})
	switch {
	case cfg.compress && !zlib:
		o.Compression.Algorithms = []string{"zlib"}
	case !cfg.compress && zlib:
		o.Compression.Algorithms = nil
	}
	return o
}

// tlsName returns what tls= would say; "" where it has no word.
func tlsName(t options.TLS) string {
	if t.Name != "" {
		return t.Name
	}
	switch t.Mode {
	case options.TLSDisabled:
		return "false"
	case options.TLSPreferred:
		return "preferred"
	case options.TLSRequired:
		return "skip-verify"
	case options.TLSVerifyCA, options.TLSVerifyIdentity:
		return "true"
	case options.TLSDefault:
	}
	return ""
}

// setTLS sets what name says, unless t says it already.
func setTLS(t *options.TLS, name string) {
	if tlsName(*t) == name {
		return
	}
	t.Name, t.Mode = "", options.TLSDefault
	switch name {
	case "":
	case "false":
		t.Mode = options.TLSDisabled
	case "preferred":
		t.Mode = options.TLSPreferred
	case "skip-verify":
		t.Mode = options.TLSRequired
	case "true":
		t.Mode = options.TLSVerifyIdentity
	default:
		t.Name = name
	}
}

func joinAttributes(m map[string]string) string {
	pairs := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, k+":"+m[k])
	}
	return strings.Join(pairs, ",")
}

func splitAttributes(s string) map[string]string {
	var m map[string]string
	for piece := range strings.SplitSeq(s, ",") {
		if k, v, ok := strings.Cut(piece, ":"); ok {
			if m == nil {
				m = map[string]string{}
			}
			m[k] = v
		}
	}
	return m
}

// normalize fills in what is missing and looks names up.
func (cfg *Config) normalize() error {
	o := options.Config{Network: cfg.Net, Address: cfg.Addr}
	if cfg.Net, cfg.Addr = o.Target(); cfg.Addr == "" {
		return errors.New("default addr for network '" + cfg.Net + "' unknown")
	}
	if err := cfg.normalizeTLS(); err != nil {
		return err
	}
	if cfg.ServerPubKey != "" {
		key, ok := serverKeys.get(cfg.ServerPubKey)
		if !ok {
			return errors.New("invalid value / unknown server pub key name: " + cfg.ServerPubKey)
		}
		cfg.pubKey = key
	}
	if cfg.Logger == nil {
		cfg.Logger = defaultLogger()
	}
	return nil
}

func (cfg *Config) normalizeTLS() error {
	if cfg.TLS == nil {
		switch cfg.TLSConfig {
		case "", "false":
			return nil
		case "true":
			cfg.TLS = &tls.Config{}
		case "skip-verify":
			cfg.TLS = &tls.Config{InsecureSkipVerify: true}
		case "preferred":
			cfg.TLS = &tls.Config{InsecureSkipVerify: true}
			cfg.AllowFallbackToPlaintext = true
		default:
			registered, ok := tlsConfigs.get(cfg.TLSConfig)
			if !ok {
				return fmt.Errorf("invalid value / unknown config name: %s", cfg.TLSConfig)
			}
			cfg.TLS = registered.Clone()
		}
	}
	if cfg.TLS.ServerName == "" && !cfg.TLS.InsecureSkipVerify {
		if host, _, err := net.SplitHostPort(cfg.Addr); err == nil {
			cfg.TLS.ServerName = host
		}
	}
	return nil
}
