package auth

import (
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"slices"
)

// The names of the methods.
const (
	Native      = "mysql_native_password"
	CachingSHA2 = "caching_sha2_password"
	SHA256      = "sha256_password"
	Clear       = "mysql_clear_password"
	Ed25519     = "client_ed25519"
	Parsec      = "parsec"
	Dialog      = "dialog"
	Old         = "mysql_old_password" // of servers before 4.1: refused
)

// Bounds of a login. Nobody honest comes near them.
const (
	maxRounds  = 32 // packets that the server may ask an answer for
	maxFactors = 3  // passwords of an account
)

// A Config says with what and how far a client proves who its user is. Its zero
// value has no password and trusts nobody.
type Config struct {
	// Passwords are those of the first, second and third factor; a missing one
	// is empty.
	Passwords []string

	// Plugins are the methods that the server may choose; nil: all of this
	// package but mysql_clear_password, which must be named.
	Plugins []string

	// Methods are further methods by name, or others for the names above. They
	// are allowed without being named in Plugins.
	Methods map[string]func() Method

	// TLS is what the TLS handshake agreed on; nil: there is no TLS. Local says
	// that the connection is a socket of this machine, or of the server's at the
	// end of a secure tunnel: servers hold such a connection to be secure.
	TLS   *tls.ConnectionState
	Local bool

	// Proof says that the server's certificate is not trusted, and that the
	// server must prove instead that it knows the password's hash and has sent
	// that certificate, as MariaDB 11.4 and later do. Methods that cannot prove
	// it, and empty passwords, are refused before anything is sent.
	Proof bool

	// ServerKey is the server's RSA key, for the SHA-256 methods without TLS.
	// AllowKeyRetrieval lets the server send its key: whoever sits between can
	// send his own, and read the password.
	ServerKey         *rsa.PublicKey
	AllowKeyRetrieval bool

	// Answer answers a question of the dialog method that the password does not
	// answer; echo says whether what is typed may be seen. nil: such a question
	// ends the login.
	Answer func(prompt string, echo bool) (string, error)
}

// A RefusedError says that the client will not do what the server asks for. No
// secret has been sent.
type RefusedError struct {
	Plugin string
	Reason string
}

// Error names the method and the reason.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server asks for authentication with %q: %s", e.Plugin, e.Reason)
}

// An Exchange is the client's half of one login, or of one change of user. It
// does no I/O and is for one goroutine.
type Exchange struct {
	cfg       Config
	announced string // the server's first choice
	greeting  []byte // the greeting's nonce
	method    Method
	state     State
	factor    int
	rounds    int
}

// NewExchange begins a login. plugin and nonce are the greeting's; a greeting
// without a plugin means mysql_native_password. nil cfg is the zero Config.
// They are copied.
func NewExchange(cfg *Config, plugin string, nonce []byte) *Exchange {
	if cfg == nil {
		cfg = new(Config)
	}
	e := &Exchange{cfg: *cfg, announced: plugin, greeting: bareNonce(nonce)}
	e.cfg.Passwords = slices.Clone(cfg.Passwords)
	if e.announced == "" {
		e.announced = Native
	}
	return e
}

// First returns the method to name in the handshake response, and the proof to
// put there. When the server's choice is unknown or not allowed it is one that
// is, and the server may still switch; an error means that there is none.
func (e *Exchange) First() (plugin string, proof []byte, err error) {
	plugin = e.announced
	if e.check(plugin) != nil {
		if plugin = e.preferred(); plugin == "" {
			return "", nil, e.check(e.announced)
		}
	}
	proof, err = e.start(plugin, e.greeting)
	return plugin, proof, err
}

// Switch begins again with another method, as an AuthSwitchRequest asks, and
// returns the answer, which is sent even when it is empty.
func (e *Exchange) Switch(plugin string, data []byte) (reply []byte, err error) {
	if err := e.round(plugin); err != nil {
		return nil, err
	}
	if err := e.check(plugin); err != nil {
		return nil, err
	}
	return e.start(plugin, data)
}

// NextFactor begins to prove the next password, as an AuthNextFactor asks, and
// returns the answer, which is sent even when it is empty.
func (e *Exchange) NextFactor(plugin string, data []byte) (reply []byte, err error) {
	if e.factor++; e.factor >= maxFactors {
		return nil, &RefusedError{plugin, fmt.Sprintf("it has asked for %d passwords already", maxFactors)}
	}
	return e.Switch(plugin, data)
}

// More takes data of the present method and returns the answer: nil is none, an
// empty slice an empty packet.
func (e *Exchange) More(data []byte) (reply []byte, err error) {
	if e.method == nil {
		return nil, fmt.Errorf("the server goes on with an authentication that has not begun")
	}
	if err := e.round(e.Plugin()); err != nil {
		return nil, err
	}
	return e.method.Next(&e.state, data)
}

// Plugin returns the method in use; empty before First.
func (e *Exchange) Plugin() string { return e.state.plugin }

// OK judges the info of the OK that ends the login. It is an error, and nothing
// more may be said on the connection, when Config.Proof asks for a proof that
// the info does not hold.
func (e *Exchange) OK(info string) error {
	if !e.cfg.Proof {
		return nil
	}
	p, ok := e.method.(Prover)
	if !ok || e.cfg.TLS == nil || len(e.cfg.TLS.PeerCertificates) == 0 {
		return errNoProof
	}
	hash, nonce := p.PasswordHash(&e.state)
	if len(hash) == 0 { // let in before the method was through: anybody can prove that
		return errNoProof
	}
	if nonce == nil {
		nonce = e.greeting
	}
	if !equal([]byte(info), []byte(Proof(hash, nonce, e.cfg.TLS.PeerCertificates[0].Raw))) {
		return errNoProof
	}
	return nil
}

// start begins with a method that has been checked.
func (e *Exchange) start(plugin string, nonce []byte) ([]byte, error) {
	e.method = e.make(plugin)
	e.state = State{
		plugin: plugin, Password: e.password(), Nonce: bareNonce(nonce), Secure: e.secure(),
		ServerKey: e.cfg.ServerKey, AllowKeyRetrieval: e.cfg.AllowKeyRetrieval, Answer: e.cfg.Answer,
	}
	return e.method.Start(&e.state)
}

// round bounds what a server can ask for.
func (e *Exchange) round(plugin string) error {
	if e.rounds++; e.rounds > maxRounds {
		return &RefusedError{plugin, fmt.Sprintf("it has asked for %d answers already", maxRounds)}
	}
	return nil
}

func (e *Exchange) password() string {
	if e.factor < len(e.cfg.Passwords) {
		return e.cfg.Passwords[e.factor]
	}
	return ""
}

func (e *Exchange) secure() bool { return e.cfg.TLS != nil || e.cfg.Local }
