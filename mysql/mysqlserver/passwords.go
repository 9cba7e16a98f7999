package mysqlserver

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/wirelark/wirelark/mysql/auth"
)

// secretSize is the length of what unknown users' salts are made of.
const secretSize = 32

// methods are those that Passwords has, the preferred one first.
func methods() []string {
	return []string{auth.CachingSHA2, auth.Native, auth.SHA256, auth.Ed25519, auth.Parsec}
}

// Passwords returns an [Authenticator] that knows users by their passwords. It
// lets each client use the method that it likes, of mysql_native_password,
// caching_sha2_password, sha256_password, client_ed25519 and parsec, and asks
// the others for caching_sha2_password, which, as sha256_password, needs TLS,
// a unix socket, or a [Server] with a Key.
//
// The map is copied. It takes a few milliseconds for each user.
func Passwords(users map[string]string) (Authenticator, error) {
	p := &passwords{users: make(map[string]map[string]auth.Verifier, len(users)), secret: newSecret()}
	for user, password := range users {
		p.users[user] = make(map[string]auth.Verifier)
		for _, method := range methods() {
			v, err := auth.NewAccount(method, password)
			if err != nil {
				return nil, fmt.Errorf("user %q: %w", user, err)
			}
			p.users[user][method] = v
		}
	}
	return p, nil
}

type passwords struct {
	users  map[string]map[string]auth.Verifier // by method
	secret []byte
}

// Account returns the account of a user for the method that his client likes;
// of one who does not exist, such as always refuses.
func (p *passwords) Account(_ context.Context, l *Login) (*Account, error) {
	user := p.users[l.User]
	v := user[l.Plugin]
	if v == nil {
		v = user[methods()[0]]
	}
	if v == nil {
		v = decoy(l.User, p.secret, l.Plugin, methods()[0])
	}
	return &Account{Factors: []auth.Verifier{v}}, nil
}

func newSecret() []byte {
	b := make([]byte, secretSize)
	_, _ = rand.Read(b) // never fails
	return b
}

// decoy returns the account of somebody who does not exist, for the first of
// the methods that there is.
func decoy(user string, secret []byte, list ...string) auth.Verifier {
	for _, method := range append(list, auth.CachingSHA2) {
		if v, err := auth.Unknown(method, user, secret); err == nil {
			return v
		}
	}
	return nil
}

// decoy returns what an unknown user of the server is asked for.
func (s *Server) decoy(user string) auth.Verifier {
	s.serving.once.Do(func() { s.serving.secret = newSecret() })
	return decoy(user, s.serving.secret, s.plugin())
}
