package cli

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/wirelark/wirelark/ssh/authkeys"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// authorizedKeys lets in who owns a key of an authorized_keys file. The file
// is read anew for every login, so that a change counts at once.
type authorizedKeys struct {
	path string
	user string // the only user name; empty: any
}

var _ sshserver.PublicKeyPolicy = (*authorizedKeys)(nil)

// newAuthorizedKeys reads the file once, so that a wrong name is told at the
// start.
func (a *app) newAuthorizedKeys(path, user string) (*authorizedKeys, error) {
	f, err := authkeys.Load(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &Error{Code: exitUsage, What: fmt.Sprintf("there is no file %s", path), Err: err, Next: []string{"put public keys into it, one a line, or name another file"}}
		}
		return nil, err
	}
	for _, n := range f.Notes() {
		a.infof("wirelark: warning: %s: %s", path, n)
	}
	if len(f.Entries()) == 0 {
		a.infof("wirelark: warning: %s has no key: nobody can log in", path)
	}
	return &authorizedKeys{path: path, user: user}, nil
}

func (k *authorizedKeys) Acceptable(_ context.Context, at sshserver.Attempt, key keys.PublicKey) bool {
	f, err := authkeys.Load(k.path)
	return err == nil && f.Has(key) && (k.user == "" || k.user == at.User)
}

func (k *authorizedKeys) Authorize(_ context.Context, at sshserver.Attempt, key sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if k.user != "" && k.user != at.User {
		return nil, nil
	}
	f, err := authkeys.Load(k.path)
	if err != nil {
		return nil, err
	}
	g, err := f.Authorize(key.Key(), at.RemoteAddr, time.Now())
	if err != nil {
		if errors.Is(err, authkeys.ErrNoSuchKey) {
			return nil, nil
		}
		return nil, err
	}
	return grantOf(g), nil
}

// grantOf says in the server's terms what a line of the file allows. Its
// environment settings are not used, as with sshd's PermitUserEnvironment no:
// they could undo a forced command.
func grantOf(g *authkeys.Grant) *sshserver.Grant {
	out := &sshserver.Grant{
		NoPTY: g.NoPTY, NoForwarding: g.NoPortForwarding,
		Command: g.Command, NoSessions: g.HasCommand && g.Command == "",
	}
	if g.PermitOpen != nil {
		out.PermitOpen = g.AllowsOpen
	}
	return out
}

// passwordPolicy lets one user in with one password. It does the same work
// for every name.
type passwordPolicy struct {
	user     string
	password [sha256.Size]byte
}

func newPasswordPolicy(user, password string) *passwordPolicy {
	return &passwordPolicy{user: user, password: sha256.Sum256([]byte(password))}
}

func (p *passwordPolicy) check(_ context.Context, at sshserver.Attempt, password string) (*sshserver.Grant, error) {
	given := sha256.Sum256([]byte(password))
	right := subtle.ConstantTimeCompare(given[:], p.password[:])
	name := sha256.Sum256([]byte(at.User))
	want := sha256.Sum256([]byte(p.user))
	if right&subtle.ConstantTimeCompare(name[:], want[:]) == 1 {
		return &sshserver.Grant{}, nil
	}
	return nil, nil
}

// readPasswordFile reads the first line of a file that only its owner may
// read.
func readPasswordFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if err := keys.CheckPermissions(info); err != nil {
		return "", &Error{
			Code: exitUsage, What: fmt.Sprintf("the password file %s is open to others", path), Err: err,
			Next: []string{"close it: chmod 600 " + path},
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", &Error{Code: exitUsage, What: fmt.Sprintf("the password file %s has no password in its first line", path)}
	}
	return line, nil
}

// makePassword returns a password of 100 bits that can be read out aloud.
func makePassword() string {
	s := strings.ToLower(rand.Text()[:20])
	return s[:5] + "-" + s[5:10] + "-" + s[10:15] + "-" + s[15:]
}
