package sshserver

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/wirelark/wirelark/ssh/internal/mux"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
)

// Server is an SSH server. Its fields must not be changed once it serves. The
// zero value lacks only HostKeys; it lets nobody in.
type Server struct {
	// HostKeys identify the server; at least one is required.
	HostKeys []keys.Signer

	// Transport configures encryption, key renewal, tracing and logging.
	Transport transport.Config

	// PublicKey decides about keys; nil: the method is not offered.
	PublicKey PublicKeyPolicy

	// SignatureAlgorithms are taken from users' keys, and announced to clients;
	// nil: all but those that package keys calls legacy, which is ssh-rsa.
	SignatureAlgorithms []string

	// Password decides about passwords; nil: the method is not offered. It is
	// called in the connection's goroutine. To keep unknown users apart from
	// wrong passwords in nothing that a client can see, it should do the same
	// work for both.
	Password func(ctx context.Context, a Attempt, password string) (*Grant, error)

	// KeyboardInteractive decides after a conversation (RFC 4256); nil: the
	// method is not offered. It asks with ask, as often as it needs to (at most
	// 16 times, 32 questions each), in the goroutine that calls it and before
	// it returns. A Grant counts only when every question was answered. To
	// keep unknown users apart in nothing that a client can see, it should ask
	// them the same, and do the same work. See [AskPassword].
	KeyboardInteractive func(ctx context.Context, a Attempt, ask Ask) (*Grant, error)

	// None lets users in who show nothing; nil: nobody.
	None func(ctx context.Context, a Attempt) (*Grant, error)

	// Banner is shown to clients before they log in; "": nothing is.
	Banner string

	// Exec runs a command, Shell a login shell, Subsystems what has a name;
	// what is nil or missing is refused.
	Exec       Handler
	Shell      Handler
	Subsystems map[string]Handler

	// Env lists the environment variables that sessions may set, with "*" and
	// "?" as in file names: "LANG", "LC_*". The others are refused.
	Env []string

	// DirectTCPIP connects a client to a TCP address, DirectStreamLocal to a
	// socket file; nil: refused. See [Forward].
	DirectTCPIP       func(ctx context.Context, f *Forward) (net.Conn, error)
	DirectStreamLocal func(ctx context.Context, f *Forward) (net.Conn, error)

	// Limits bound what clients can make the server do and hold.
	Limits Limits

	// KeepAlive asks clients for a sign of life once they have logged in. Its
	// zero value does not.
	KeepAlive KeepAlive

	// Logger is told about connections and logins, nil: nobody.
	Logger *slog.Logger

	serving serving
}

// KeepAlive says how often a client is asked for a sign of life, and after how
// many questions in a row without one its connection ends with [ErrKeepAlive].
// Whatever comes from the client is a sign of life. A key exchange has a time
// limit of its own ([transport.Rekey]) and does not count.
type KeepAlive struct {
	Interval time.Duration // 0: never
	CountMax int           // 0: 3
}

// Limits bound what clients can make a server do and hold. Zero fields mean
// the defaults.
type Limits struct {
	LoginTimeout    time.Duration // from the connection to the successful login; default 2 minutes
	AuthTries       int           // refused attempts; default 6
	AuthRequests    int           // authentication requests of any kind; default 128
	FailureDelay    time.Duration // the shortest time that a refused attempt takes; default 5 ms, less than 0: none
	Connections     int           // at the same time; default 1024
	Unauthenticated int           // connections that have not logged in, at the same time; default 100
	Channels        int           // of one connection, at the same time; default 64
	PendingForwards int           // of one connection, connecting at the same time; default 16
	Environment     int           // variables of one session; default 64
	MaxPacket       int           // bytes of channel data in one packet that we take; default 32 KiB

	// Window is how many bytes of a channel may come in before its reader has
	// taken them, at first; default 2 MiB. While the reader takes half of that
	// in two round trips and leaves nothing lying, it doubles, up to MaxWindow
	// (default 32 MiB, at most 128) and as long as the windows of all channels
	// of a connection do not exceed WindowBudget (default 64 MiB). Memory is
	// used for what has come in and not been taken, and only for that. A reader
	// that never keeps up holds Window; one that stops after it has kept up
	// holds what its window was at that moment, until it has taken it.
	Window       int
	MaxWindow    int
	WindowBudget int
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.AuthTries, 6) // OpenSSH's MaxAuthTries
	set(&l.AuthRequests, 128)
	set(&l.Connections, 1024)
	set(&l.Unauthenticated, 100) // the last number of OpenSSH's MaxStartups
	set(&l.Channels, 64)
	set(&l.PendingForwards, 16)
	set(&l.Environment, 64)
	if l.LoginTimeout <= 0 {
		l.LoginTimeout = 2 * time.Minute // OpenSSH's LoginGraceTime
	}
	if l.FailureDelay == 0 {
		l.FailureDelay = 5 * time.Millisecond
	}
	return l
}

func (l Limits) mux() mux.Limits {
	return mux.Limits{
		Channels: l.Channels, PendingOpens: l.PendingForwards,
		Window: l.Window, MaxWindow: l.MaxWindow, Budget: l.WindowBudget, MaxPacket: l.MaxPacket,
	}
}

// Attempt is what is known about a try to log in.
type Attempt struct {
	User       string // may hold anything
	Method     string // "publickey"
	RemoteAddr net.Addr
	LocalAddr  net.Addr
	SessionID  []byte // of the connection; must not be changed
}

// PublicKeyPolicy decides which keys may log in. It is safe for concurrent
// use; calls for one connection come one after another.
type PublicKeyPolicy interface {
	// Acceptable answers whether a signature by key would be looked at. It is
	// advice for the client, asked before anything is proved: its result is
	// forgotten, and nothing may follow from it.
	Acceptable(ctx context.Context, a Attempt, key keys.PublicKey) bool

	// Authorize decides about a key whose owner has just signed this very
	// attempt. A nil Grant refuses it, and so does an error, which is logged.
	// It must check everything, also what Acceptable has checked.
	Authorize(ctx context.Context, a Attempt, key VerifiedKey) (*Grant, error)
}

// VerifiedKey is a public key whose owner has signed the attempt that is being
// decided. Only this package makes one; its zero value holds no key.
type VerifiedKey struct {
	key       keys.PublicKey
	algorithm string
}

// Key returns the key.
func (k VerifiedKey) Key() keys.PublicKey { return k.key }

// Algorithm returns the algorithm of the signature.
func (k VerifiedKey) Algorithm() string { return k.algorithm }

// Grant says what a user may do who has been let in. Its zero value restricts
// nothing that the server offers. It is copied.
type Grant struct {
	// Command runs instead of every command, shell and subsystem that is asked
	// for, which [Session.Original] tells; "": none.
	Command string

	NoPTY        bool     // no terminals
	NoForwarding bool     // no connections to elsewhere
	NoSessions   bool     // no commands, shells and subsystems
	Env          []string // "NAME=value" for every session
	Value        any      // whatever the policy wants to tell handlers

	// PermitOpen tells whether the user may be connected to a TCP port, as the
	// client names it, and no socket files may be connected to then; nil: all
	// may. It must not block: the connection waits for it.
	PermitOpen func(host string, port uint32) bool
}
