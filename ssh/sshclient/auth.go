package sshclient

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
)

// What a server can make us do before it lets us in.
const (
	maxAuthRounds   = 64       // requests that we send
	maxAuthPackets  = 256      // packets of any kind that we read
	maxBanners      = 64 << 10 // bytes of banners
	passwordPrompts = 3        // by default; OpenSSH's NumberOfPasswordPrompts
	maxPrompting    = 32       // at most
)

// AuthMethod is a way to log in. Make one with [PublicKeys], [PublicKeysFunc],
// [KeyboardInteractive] or [Password].
type AuthMethod struct {
	name    string
	signers func(ctx context.Context) ([]keys.Signer, error)
	ask     func(ctx context.Context, prompt string) (string, error)
	answer  Answer
}

// Name returns the method's name on the wire: "publickey", "password".
func (m AuthMethod) Name() string { return m.name }

// PublicKeys logs in with keys, one after another. A signer that has to ask
// somebody (a [keys.ContextSigner], as the keys of an agent or of a file with
// a passphrase are) signs only after the server has said that it would take
// the key.
func PublicKeys(signers ...keys.Signer) AuthMethod {
	signers = slices.Clone(signers)
	return PublicKeysFunc(func(context.Context) ([]keys.Signer, error) { return signers, nil })
}

// PublicKeysFunc is [PublicKeys] for keys that are looked for when they are
// needed. An error of find ends this method and is told in the [*AuthError];
// the keys that came with it are tried.
func PublicKeysFunc(find func(ctx context.Context) ([]keys.Signer, error)) AuthMethod {
	return AuthMethod{name: ssh.MethodPublicKey, signers: find}
}

// Password logs in with the password that ask returns. It is asked again after
// a refusal, [Config].PasswordPrompts times in all. prompt is for people, as "ada@host's
// password: ", and contains no control characters. An error of ask ends this
// method and is told in the [*AuthError].
func Password(ask func(ctx context.Context, prompt string) (string, error)) AuthMethod {
	return AuthMethod{name: ssh.MethodPassword, ask: ask}
}

// authSession is the conversation from the first key exchange to the success
// (RFC 4252). The goroutine that dials owns it and reads for it.
type authSession struct {
	t    *transport.Conn
	cfg  *Config
	host string // for prompts

	rounds, packets, banners int

	allowed []string // what the server says can continue; nil: it has not said
	tried   []Attempt
}

// errNotAllowed ends a method that the server does not take, or no longer.
var errNotAllowed = errors.New("not allowed by the server")

// authenticate logs in. Errors of the connection come as they are, everything
// else in an [*AuthError].
func (a *authSession) authenticate(ctx context.Context) error {
	if err := a.t.Send(ctx, &ssh.ServiceRequest{Service: ssh.ServiceUserAuth}); err != nil {
		return err
	}
	var accept ssh.ServiceAccept
	if err := a.expect(&accept); err != nil {
		return err
	}
	if accept.Service != ssh.ServiceUserAuth {
		return a.violation(fmt.Sprintf("service %q was accepted, which was not asked for", accept.Service))
	}
	methods := order(a.cfg.Auth, a.cfg.PreferredAuthentications)
	if len(methods) == 0 {
		methods = []AuthMethod{{name: ssh.MethodNone}}
	}
	var why []error
	for again := true; again; { // once more after a partial success
		again = false
		for i, m := range methods {
			if a.allowed == nil && m.name == ssh.MethodKbdInt && i+1 < len(methods) {
				// Servers that take no conversation count the attempt; most take
				// what follows. So they are asked what they take.
				if done, err := a.askMethods(ctx); done || err != nil {
					return err
				}
			}
			if a.allowed != nil && !slices.Contains(a.allowed, m.name) {
				continue
			}
			done, partial, err := a.try(ctx, m)
			switch {
			case done:
				return nil
			case isAuthEnd(err):
				return a.ended(err)
			case err != nil && !errors.Is(err, errNotAllowed):
				why = append(why, err)
			}
			if partial {
				methods = slices.Delete(slices.Clone(methods), i, i+1)
				again = true
				break
			}
		}
	}
	if a.rounds == 0 {
		// Nothing could be tried. The server is asked nevertheless, so that the
		// error tells what it would take.
		if done, err := a.askMethods(ctx); done || err != nil {
			return err
		}
	}
	return &AuthError{User: a.cfg.User, Attempts: a.tried, ServerMethods: a.allowed, Err: errors.Join(why...)}
}

// askMethods learns what the server takes from what it says to "none" (RFC
// 4252 §5.2), which may let us in.
func (a *authSession) askMethods(ctx context.Context) (done bool, err error) {
	done, _, err = a.request(ctx, a.newRequest(ssh.MethodNone), nil)
	if isAuthEnd(err) {
		return false, a.ended(err)
	}
	return done, nil
}

// ended returns why nothing more can be tried. A server that hangs up on us
// after a refusal has answered our attempts, so they are told.
func (a *authSession) ended(err error) error {
	var bye *transport.DisconnectError
	if errors.As(err, &bye) && !bye.Local {
		return &AuthError{User: a.cfg.User, Attempts: a.tried, ServerMethods: a.allowed, Err: bye}
	}
	return err
}

// endError marks errors after which nothing more can be tried.
type endError struct{ error }

func (e endError) Unwrap() error { return e.error }

func isAuthEnd(err error) bool { return errors.As(err, new(endError)) }

func order(methods []AuthMethod, preferred []string) []AuthMethod {
	if preferred == nil {
		return methods
	}
	var list []AuthMethod
	for _, name := range preferred {
		for _, m := range methods {
			if m.name == name {
				list = append(list, m)
			}
		}
	}
	return list
}

// try goes through one method.
func (a *authSession) try(ctx context.Context, m AuthMethod) (done, partial bool, err error) {
	switch m.name {
	case ssh.MethodPublicKey:
		return a.publicKeys(ctx, m)
	case ssh.MethodPassword:
		return a.password(ctx, m)
	case ssh.MethodKbdInt:
		return a.interactive(ctx, m)
	}
	a.tried = append(a.tried, Attempt{Method: ssh.MethodNone})
	return a.request(ctx, a.newRequest(ssh.MethodNone), nil)
}

func (a *authSession) newRequest(method string) *ssh.UserAuthRequest {
	return &ssh.UserAuthRequest{User: a.cfg.User, Service: ssh.ServiceConnection, Method: method}
}

func (a *authSession) publicKeys(ctx context.Context, m AuthMethod) (done, partial bool, err error) {
	signers, findErr := m.signers(ctx)
	for _, s := range signers {
		done, partial, err = a.publicKey(ctx, s)
		if done || partial || isAuthEnd(err) || errors.Is(err, errNotAllowed) {
			return done, partial, err
		}
	}
	return false, false, findErr
}

func (a *authSession) publicKey(ctx context.Context, s keys.Signer) (done, partial bool, err error) {
	key := s.PublicKey()
	attempt := Attempt{Method: ssh.MethodPublicKey, Key: keys.Fingerprint(key)}
	attempt.Algorithm, err = a.algorithm(key.Type())
	if err != nil {
		attempt.Err = err
		a.tried = append(a.tried, attempt)
		return false, false, nil //nolint:nilerr // told with the attempt; the next key may do
	}
	r := a.newRequest(ssh.MethodPublicKey)
	r.Algorithm, r.Key = attempt.Algorithm, key.Marshal()
	a.tried = append(a.tried, attempt)
	last := &a.tried[len(a.tried)-1]
	if _, asks := s.(keys.ContextSigner); asks {
		wanted, err := a.probe(ctx, r)
		if err != nil || !wanted {
			return false, false, err
		}
	}
	data, err := r.SignedData(a.t.SessionID())
	if err != nil {
		return false, false, endError{err}
	}
	r.HasSignature = true
	r.Signature, err = keys.SignContext(ctx, nil, s, attempt.Algorithm, data)
	if err != nil {
		if ctx.Err() != nil {
			return false, false, endError{context.Cause(ctx)}
		}
		last.Err = err
		return false, false, nil
	}
	return a.request(ctx, r, nil)
}

// algorithm chooses how a key signs: the first way that the server knows, or
// our favourite when it does not tell (RFC 8332 §3.3).
func (a *authSession) algorithm(keyType string) (string, error) {
	ours := a.cfg.signatureAlgorithms(keyType)
	if len(ours) == 0 {
		return "", fmt.Errorf("keys of type %s cannot be used to log in", keyType)
	}
	st := a.t.State()
	value, told := st.Extension("server-sig-algs")
	if !told {
		return ours[0], nil
	}
	theirs := strings.Split(string(value), ",")
	for _, alg := range ours {
		if slices.Contains(theirs, alg) || slices.Contains(theirs, keys.PlainType(alg)) {
			return alg, nil
		}
	}
	if len(ours) == 1 {
		return ours[0], nil // an older server may know it and not say so
	}
	return "", fmt.Errorf("the server takes no signature that a key of type %s makes", keyType)
}

// probe asks whether a signature by r's key would be looked at.
func (a *authSession) probe(ctx context.Context, r *ssh.UserAuthRequest) (wanted bool, err error) {
	var ok *ssh.UserAuthPKOK
	done, partial, err := a.request(ctx, r, func(p []byte) error {
		ok = new(ssh.UserAuthPKOK)
		return ssh.Parse(p, ok)
	})
	switch {
	case err != nil:
		return false, err
	case done || partial:
		return false, a.violation("a question about a key was answered with success")
	case ok == nil:
		return false, nil
	case string(ok.Key) != string(r.Key):
		return false, a.violation("the answer to a question about a key names another key")
	}
	return true, nil
}

func (a *authSession) password(ctx context.Context, m AuthMethod) (done, partial bool, err error) {
	prompt := fmt.Sprintf("%s@%s's password: ", printable(a.cfg.User), printable(a.host))
	for range a.cfg.prompts() {
		secret, err := m.ask(ctx, prompt)
		if err != nil {
			if ctx.Err() != nil {
				return false, false, endError{context.Cause(ctx)}
			}
			return false, false, err
		}
		r := a.newRequest(ssh.MethodPassword)
		r.Password = secret
		a.tried = append(a.tried, Attempt{Method: ssh.MethodPassword})
		var expired error
		done, partial, err = a.request(ctx, r, func(p []byte) error {
			expired = ErrPasswordExpired
			return ssh.Parse(p, new(ssh.UserAuthPasswdChangeReq))
		})
		if done || partial || err != nil {
			return done, partial, err
		}
		if expired != nil {
			return false, false, expired
		}
	}
	return false, false, nil
}

// request sends r and reads the answer. special is given the packet with the
// number 60, whose meaning depends on the method; nil: there is none.
// errNotAllowed says that the server refused and takes this method no more.
func (a *authSession) request(ctx context.Context, r *ssh.UserAuthRequest, special func(p []byte) error) (done, partial bool, err error) {
	if a.rounds++; a.rounds > maxAuthRounds {
		return false, false, endError{fmt.Errorf("the server wants more than %d attempts", maxAuthRounds)}
	}
	if err := a.t.Send(ctx, r); err != nil {
		return false, false, endError{err}
	}
	return a.outcome(r.Method, special)
}

// outcome reads what the server says to a request.
func (a *authSession) outcome(method string, special func(p []byte) error) (done, partial bool, err error) {
	p, err := a.read()
	if err != nil {
		return false, false, err
	}
	var refused ssh.UserAuthFailure
	switch p[0] {
	case numAuthSuccess:
		if err := a.parse(p, new(ssh.UserAuthSuccess)); err != nil {
			return false, false, err
		}
		a.t.Authenticated()
		return true, false, nil
	case numAuthSpecial:
		if special == nil {
			return false, false, a.violation("an answer that belongs to another method")
		}
		if err := special(p); err != nil {
			return false, false, a.malformed(err)
		}
		return false, false, nil
	case numAuthFailure:
		if err := a.parse(p, &refused); err != nil {
			return false, false, err
		}
	default:
		return false, false, a.violation(fmt.Sprintf("message %d in place of an answer to a login", p[0]))
	}
	a.allowed = append([]string{}, refused.Methods...)
	if refused.PartialSuccess {
		if last := len(a.tried) - 1; last >= 0 { // none has been tried when we only ask
			a.tried[last].Partial = true
		}
		return false, true, nil
	}
	if !slices.Contains(a.allowed, method) {
		return false, false, errNotAllowed
	}
	return false, false, nil
}
