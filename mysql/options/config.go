package options

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Config says where a server is and how to speak with it. Its zero value
// means the server at 127.0.0.1:3306, no user name and no password, and lets the
// client decide everything else.
//
// It names things and opens nothing: files of keys and certificates stay names,
// networks and TLS settings that a program registered stay names.
type Config struct {
	// Network is "tcp" (also meant by ""), "tcp4", "tcp6", "unix", "pipe", or a
	// name that the program gave to a dialer of its own.
	Network string
	// Address is host:port, or a path for unix. "": see [Config.Target].
	Address string

	// SSH are the hosts to go through, the first one first, each
	// [user@]host[:port]. None: connect directly.
	SSH []string

	User string
	// Passwords are those of the first, second and third authentication
	// factor. None: no password was given, which is not the empty password.
	Passwords []Secret
	Database  string // selected at login; "": none

	TLS         TLS
	Compression Compression
	Auth        Auth

	// Charsets are tried with SET NAMES until the server takes one. None: the
	// client's own, utf8mb4.
	Charsets  []string
	Collation string // of the connection, by name; "": the default of its character set

	// TimeZone sets both sides: the session's time_zone, and how times without
	// zone are read and written. nil: neither.
	TimeZone *time.Location
	// Location is how times without zone are read and written, and nothing is
	// told to the server (loc). nil: UTC.
	Location *time.Location
	// ParseTime makes database/sql get time.Time for DATE, DATETIME and
	// TIMESTAMP instead of their text.
	ParseTime bool
	// TimeTruncate cuts times in parameters down to a multiple of it; 0: not.
	TimeTruncate time.Duration

	// Vars are session variables to set after login. Each value is an SQL
	// expression: a string has its quotes.
	Vars map[string]string
	// InitCommands are statements to execute after login, in this order.
	InitCommands []string
	// Attributes are told to the server at login (performance_schema).
	Attributes map[string]string

	ConnectTimeout time.Duration // from dialing to the end of login; 0: none
	ReadTimeout    time.Duration // for one read of the network; 0: none
	WriteTimeout   time.Duration // for one write of the network; 0: none

	// MaxPacket is what was said of the largest command, in bytes; 0: nothing;
	// -1: the server is to be asked. It is kept for what is formatted again:
	// package mysqlclient learns the server's own limit when it matters.
	MaxPacket int

	FoundRows         bool // count matching rows as affected, not changed ones
	MultiStatements   bool // several statements in one query
	InterpolateParams bool // put parameters into the text instead of preparing
	ColumnsWithAlias  bool // name columns table.column
	RejectReadOnly    bool // give up connections to a server that became read-only
	SkipLiveness      bool // do not look whether an idle connection still lives
	LocalInfile       bool // LOAD DATA LOCAL may be asked for
	LocalInfileAny    bool // and the server may name any file that we can read
	Reset             Reset
}

// TLS says how a connection is encrypted. All names are paths of PEM files, of
// which "" means none.
type TLS struct {
	Mode       TLSMode
	CA         string // certificates to trust; "": the system's
	CAPath     string // directory of certificates to trust
	Cert       string // of the client
	Key        string // of the client
	CRL        string // revoked certificates
	ServerName string // expected in the certificate; "": the host connected to
	Versions   string // allowed ones with commas between: TLSv1.2,TLSv1.3; "": both
	// Name is a setting that the program registered under it; the other
	// fields but Fallback do not count then.
	Name string
	// Fallback goes on without TLS where the server has none, however strict
	// Mode is otherwise.
	Fallback bool
}

// TLSMode says whether and how a server proves itself by TLS, as --ssl-mode.
type TLSMode uint8

// The modes. Under TLSDefault the client chooses, as nothing was said.
const (
	TLSDefault        TLSMode = iota
	TLSDisabled               // never
	TLSPreferred              // if the server has it, whoever it is
	TLSRequired               // or fail; whoever the server is
	TLSVerifyCA               // and its certificate has a trusted issuer
	TLSVerifyIdentity         // and its certificate is for the host we meant
)

var tlsModes = []string{"", "DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"}

func (m TLSMode) String() string {
	if int(m) < len(tlsModes) {
		return tlsModes[m]
	}
	return "TLSMode(" + strconv.Itoa(int(m)) + ")"
}

// ParseTLSMode reads a mode as --ssl-mode has it, in either case.
func ParseTLSMode(s string) (TLSMode, error) {
	name := strings.ReplaceAll(strings.ToUpper(s), "-", "_")
	if i := slices.Index(tlsModes, name); i > 0 {
		return TLSMode(i), nil
	}
	return 0, &ValueError{Name: "ssl-mode", Value: s, Want: "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"}
}

// Compression says what may be offered to the server. None: no compression.
type Compression struct {
	Algorithms []string // of zlib, zstd and uncompressed, best first
	Level      int      // of zstd, 1 to 22; 0: the client's
}

// Auth says what the client agrees to while it logs in.
type Auth struct {
	// Plugin is the method to begin with; "": the server's.
	Plugin string
	// Cleartext allows the password as it is, over a channel that is secure.
	Cleartext bool
	// DenyNative refuses mysql_native_password.
	DenyNative bool
	// Old allows the hashes from before 4.1. No client here knows them: it is
	// kept for what is formatted again.
	Old bool
	// ServerKey is a PEM file with the RSA key of the server.
	ServerKey string
	// ServerKeyName is a key that the program registered under it.
	ServerKeyName string
	// FetchServerKey asks the server for its RSA key, which a man in the middle
	// can answer.
	FetchServerKey bool
}

// Reset says when a connection is cleaned before a pool hands it out again.
type Reset uint8

// The policies. Under ResetDefault whoever has the pool chooses: package
// sqldriver ResetDirty, package compat ResetNever.
const (
	ResetDefault Reset = iota
	ResetDirty         // when its session was changed, as far as can be known
	ResetNever         // never
	ResetAlways        // before each use but the first
)

var resets = []string{"", "dirty", "never", "always"}

func (r Reset) String() string {
	if int(r) < len(resets) {
		return resets[r]
	}
	return "Reset(" + strconv.Itoa(int(r)) + ")"
}

// A Secret is a text that does not show itself: whatever prints or encodes it
// gets asterisks. string(s) is the text.
type Secret string

const masked = "********"

func (s Secret) String() string { return masked }

// GoString is for %#v.
func (s Secret) GoString() string { return masked }

// MarshalText is for JSON and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// Password returns the password of the first factor, "" if there is none.
func (c *Config) Password() string {
	if len(c.Passwords) == 0 {
		return ""
	}
	return string(c.Passwords[0])
}

// SetPassword sets the password of factor 1, 2 or 3.
func (c *Config) SetPassword(factor int, password string) {
	for len(c.Passwords) < factor {
		c.Passwords = append(c.Passwords, "")
	}
	c.Passwords[factor-1] = Secret(password)
}

// The defaults of the places where a server is.
const (
	DefaultHost   = "127.0.0.1"
	DefaultPort   = 3306
	DefaultSocket = "/tmp/mysql.sock"
)

// Target returns network and address with what is missing filled in: tcp, the
// port 3306, the host 127.0.0.1, the socket /tmp/mysql.sock. It has no address
// for networks that it does not know.
func (c *Config) Target() (network, address string) {
	network, address = c.Network, c.Address
	switch network {
	case "", "tcp", "tcp4", "tcp6":
		if network == "" {
			network = "tcp"
		}
		return network, withPort(address)
	case "unix":
		if address == "" {
			address = DefaultSocket
		}
	}
	return network, address
}

func withPort(address string) string {
	port := strconv.Itoa(DefaultPort)
	if address == "" {
		return net.JoinHostPort(DefaultHost, port)
	}
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		host, p = address, ""
		if inner, ok := strings.CutPrefix(host, "["); ok {
			host = strings.TrimSuffix(inner, "]")
		}
		if strings.ContainsAny(host, "[]") {
			return address // dialing it says what is wrong
		}
	}
	if host == "" {
		host = DefaultHost
	}
	if p == "" {
		p = port
	}
	return net.JoinHostPort(host, p)
}

// Clone returns a copy that shares nothing with c but locations.
func (c *Config) Clone() *Config {
	d := *c
	d.SSH = slices.Clone(c.SSH)
	d.Passwords = slices.Clone(c.Passwords)
	d.Charsets = slices.Clone(c.Charsets)
	d.InitCommands = slices.Clone(c.InitCommands)
	d.Compression.Algorithms = slices.Clone(c.Compression.Algorithms)
	d.Vars = maps.Clone(c.Vars)
	d.Attributes = maps.Clone(c.Attributes)
	return &d
}
