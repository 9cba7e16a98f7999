package config

import (
	"time"
)

// A Config is what the configuration says about one destination, with OpenSSH's
// defaults where it says nothing. Tokens, variables and ~ are expanded.
type Config struct {
	Host         string // as it was asked for
	HostName     string // what to connect to
	User         string
	Port         int
	HostKeyAlias string // under which the host key is looked up; "": HostName

	AddressFamily      string // any, inet, inet6
	BindAddress        string
	ConnectTimeout     time.Duration // 0: none of its own
	ConnectionAttempts int           // at least 1

	ProxyJump    []Jump // through which to connect, the nearest first; nil: directly
	ProxyCommand string // whose input and output is the connection; "": none. Tokens are not quoted

	// Algorithm lists as they were written, with + - or ^ in front or without;
	// "" means the defaults. They may name algorithms that we do not have.
	KexAlgorithms            string
	Ciphers                  string
	MACs                     string
	HostKeyAlgorithms        string
	PubkeyAcceptedAlgorithms string
	Compression              bool
	RekeyBytes               uint64        // 0: the default
	RekeyInterval            time.Duration // 0: never by time
	RequiredRSASize          int           // bits, of hosts' and users' keys

	StrictHostKeyChecking string   // yes, no, ask, accept-new
	UserKnownHostsFiles   []string // nil: none
	GlobalKnownHostsFiles []string // nil: none
	RevokedHostKeys       string   // a file with keys that no host may show; "": none
	HashKnownHosts        bool
	UpdateHostKeys        string // yes, no, ask; "": not said

	IdentityFiles    []string // those of the query, then the configuration's, else the usual ones
	GivenIdentities  bool     // they are not merely the usual ones
	CertificateFiles []string
	IdentitiesOnly   bool
	IdentityAgent    string // a socket; "none"; "": that of the environment

	PreferredAuthentications     []string // nil: no preference
	PubkeyAuthentication         bool
	PasswordAuthentication       bool
	KbdInteractiveAuthentication bool
	NumberOfPasswordPrompts      int
	BatchMode                    bool

	ServerAliveInterval time.Duration // 0: never
	ServerAliveCountMax int

	LocalForwards        []Forward
	RemoteForwards       []Forward
	DynamicForwards      []string // [bind:]port
	ClearAllForwardings  bool     // no forwarding at all; the lists are empty then
	ExitOnForwardFailure bool
	GatewayPorts         bool // a LocalForward without an address listens on all of them

	RequestTTY    string // no, yes, force, auto
	SessionType   string // default, none, subsystem
	RemoteCommand string // "": none
	EscapeChar    int    // a byte; -1: none
	StdinNull     bool
	SendEnv       []string // patterns of the names of variables
	SetEnv        []string // NAME=value

	LogLevel         string // QUIET, FATAL, ERROR, INFO, VERBOSE, DEBUG1 to DEBUG3
	Tag              string
	RefuseConnection string // why not to connect at all; "": nothing against it

	// Others are the settings in force for which there is no field.
	Others []Setting
}

// A Forward is one forwarding as it was written: [bind:]port or the path of a
// socket, and where to.
type Forward struct {
	Listen  string
	Connect string // host:port or the path of a socket; "": a SOCKS proxy
}

// A Setting is one keyword with its value, as it stands somewhere.
type Setting struct {
	Name  string   // as the manual writes it
	Args  []string // without quotes
	Value string   // the rest of the line, with its quotes
	File  string   // "-o" for the command line
	Line  int

	// Unsafe says why a client that does not act on the setting must not
	// connect; "": it may.
	Unsafe string
}
