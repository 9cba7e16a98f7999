package mysqlserver

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/wirelark/wirelark/mysql/auth"
)

// An Authenticator decides who may log in. It is safe for concurrent use.
type Authenticator interface {
	// Account returns how the user of l has to prove who he is. No account and
	// no error means that there is none: the server then goes through the same
	// motions as with a wrong password. An error is logged and refuses the
	// user; an [*Error] is sent to him.
	Account(ctx context.Context, l *Login) (*Account, error)
}

// AuthenticatorFunc is a function as an [Authenticator].
type AuthenticatorFunc func(ctx context.Context, l *Login) (*Account, error)

// Account calls f.
func (f AuthenticatorFunc) Account(ctx context.Context, l *Login) (*Account, error) { return f(ctx, l) }

// Login is what is known of a client that wants to log in.
type Login struct {
	User       string // may hold anything
	Database   string // may hold anything
	Plugin     string // that the client would like to use
	Attributes map[string]string
	LocalAddr  net.Addr
	RemoteAddr net.Addr
	TLS        *tls.ConnectionState // nil: not encrypted
}

// Account says how a user proves who he is and what he may do.
type Account struct {
	// Factors are asked one after another; without any, nobody gets in.
	Factors []auth.Verifier

	RequireTLS bool // over TLS or a unix socket only
	Super      bool // may kill other users' connections
	Value      any  // whatever the Authenticator wants to tell the Handler
}
