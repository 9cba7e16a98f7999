package sshserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// ErrAuth ends a connection whose client was not let in.
var ErrAuth = errors.New("the client was not let in")

// authSession is the conversation from the first key exchange to the success
// (RFC 4252). The connection's goroutine owns it and reads for it.
type authSession struct {
	s      *Server
	limits Limits
	t      *transport.Conn

	methods  []string
	attempt  Attempt // the user of the first request; a client cannot change it
	packets  int
	requests int
	refused  int
	since    time.Time            // when the client had said what is being decided about
	pending  *ssh.UserAuthRequest // read already, and not dealt with
}

// authenticate returns what the user may do. Every error has ended the
// connection, or follows from its end.
func (a *authSession) authenticate(ctx context.Context) (*Grant, error) {
	a.methods = a.offered()
	var service ssh.ServiceRequest
	if err := a.next(&service); err != nil {
		return nil, err
	}
	if service.Service != ssh.ServiceUserAuth {
		return nil, a.disconnect(ssh.ServiceNotAvailable, "only ssh-userauth is available")
	}
	if err := a.t.Send(ctx, &ssh.ServiceAccept{Service: service.Service}); err != nil {
		return nil, err
	}
	if a.s.Banner != "" {
		if err := a.t.Send(ctx, &ssh.UserAuthBanner{Message: a.s.Banner}); err != nil {
			return nil, err
		}
	}
	for {
		r := a.pending
		if a.pending = nil; r == nil {
			r = new(ssh.UserAuthRequest)
			if err := a.next(r); err != nil {
				return nil, err
			}
		}
		grant, err := a.answer(ctx, r)
		if grant != nil || err != nil {
			return grant, err
		}
	}
}

func (a *authSession) offered() []string {
	var list []string
	if a.s.PublicKey != nil {
		list = append(list, ssh.MethodPublicKey)
	}
	if a.s.Password != nil {
		list = append(list, ssh.MethodPassword)
	}
	if a.s.KeyboardInteractive != nil {
		list = append(list, ssh.MethodKbdInt)
	}
	return list
}

// start begins the time that a refusal takes.
func (a *authSession) start() { a.since = time.Now() }

// answer deals with one request. It returns a grant after it has told the
// client about it.
func (a *authSession) answer(ctx context.Context, r *ssh.UserAuthRequest) (*Grant, error) {
	a.start()
	if a.requests++; a.requests == 1 {
		a.attempt.User = r.User
	}
	switch {
	case r.User != a.attempt.User:
		return nil, a.disconnect(ssh.ProtocolError, "the user name must not change")
	case r.Service != ssh.ServiceConnection:
		return nil, a.disconnect(ssh.ServiceNotAvailable, "only ssh-connection is available")
	case a.requests > a.limits.AuthRequests:
		return nil, a.disconnect(ssh.NoMoreAuthMethodsAvailable, "too many authentication requests")
	}
	a.attempt.Method = r.Method
	grant, asked, err := a.decide(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case asked: // and answered
		return nil, nil
	case grant != nil:
		a.t.Authenticated()
		return grant, a.t.Send(ctx, &ssh.UserAuthSuccess{})
	}
	return nil, a.refuse(ctx, r)
}

// refuse tells the client no, always after the same shortest time, so that how
// we came to it does not show.
func (a *authSession) refuse(ctx context.Context, r *ssh.UserAuthRequest) error {
	a.s.log(slog.LevelDebug, "attempt refused", "user", r.User, "method", r.Method, "remote", a.attempt.RemoteAddr)
	if r.Method != ssh.MethodNone { // a way to ask what there is, not a guess
		a.refused++
	}
	if wait := a.limits.FailureDelay - time.Since(a.since); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if a.refused >= a.limits.AuthTries {
		return a.disconnect(ssh.NoMoreAuthMethodsAvailable, "too many authentication failures")
	}
	return a.t.Send(ctx, &ssh.UserAuthFailure{Methods: a.methods})
}

// decide returns the grant, or that the client had merely asked and has its
// answer. Errors are those of the connection.
func (a *authSession) decide(ctx context.Context, r *ssh.UserAuthRequest) (g *Grant, asked bool, err error) {
	switch {
	case r.Method == ssh.MethodNone && a.s.None != nil:
		g = a.judge(func() (*Grant, error) { return a.s.None(ctx, a.attempt) })
	case r.Method == ssh.MethodPassword && a.s.Password != nil && !r.Change:
		g = a.judge(func() (*Grant, error) { return a.s.Password(ctx, a.attempt, r.Password) })
	case r.Method == ssh.MethodKbdInt && a.s.KeyboardInteractive != nil:
		return a.interactive(ctx)
	case r.Method == ssh.MethodPublicKey && a.s.PublicKey != nil:
		return a.publicKey(ctx, r)
	}
	return g, false, nil
}

// publicKey deals with a request about a key. Nothing that a question (one
// without signature) brings about is kept: the key that is authorized is the
// one in the request whose signature has just been verified.
func (a *authSession) publicKey(ctx context.Context, r *ssh.UserAuthRequest) (g *Grant, asked bool, err error) {
	key := keyOf(r, a.s.SignatureAlgorithms)
	if key == nil {
		return nil, false, nil
	}
	if !r.HasSignature {
		ok := a.judge(func() (*Grant, error) {
			if a.s.PublicKey.Acceptable(ctx, a.attempt, key) {
				return new(Grant), nil // stands for yes, and goes no further
			}
			return nil, nil
		}) != nil
		if !ok {
			return nil, false, nil
		}
		return nil, true, a.t.Send(ctx, &ssh.UserAuthPKOK{Algorithm: r.Algorithm, Key: r.Key})
	}
	if !signedBy(key, r, a.t.SessionID()) {
		return nil, false, nil
	}
	verified := VerifiedKey{key: key, algorithm: r.Algorithm}
	return a.judge(func() (*Grant, error) { return a.s.PublicKey.Authorize(ctx, a.attempt, verified) }), false, nil
}

// keyOf returns the key that r is about; nil when it is none that could sign
// as r says, with one of the algorithms that are taken.
func keyOf(r *ssh.UserAuthRequest, taken []string) keys.PublicKey {
	key, err := keys.ParsePublic(r.Key)
	if err != nil || keys.TypeOf(r.Algorithm) != key.Type() {
		return nil
	}
	if taken == nil {
		taken = keys.SignatureAlgorithms(key.Type())
	}
	if !slices.Contains(taken, r.Algorithm) {
		return nil
	}
	return key
}

func signedBy(key keys.PublicKey, r *ssh.UserAuthRequest, sessionID []byte) bool {
	data, err := r.SignedData(sessionID)
	return err == nil && keys.Verify(key, r.Algorithm, data, r.Signature) == nil
}

// judge calls a callback of the user. An error, and a panic, means no.
func (a *authSession) judge(decide func() (*Grant, error)) (grant *Grant) {
	defer func() {
		if p := recover(); p != nil {
			a.s.log(slog.LevelError, "panic while deciding about a login", "panic", p, "stack", stack())
			grant = nil
		}
	}()
	g, err := decide()
	if err != nil {
		a.s.log(slog.LevelWarn, "login could not be decided", "user", a.attempt.User, "err", err)
		return nil
	}
	return g
}

// next reads the one message that has a place now: a service request before
// there was one, an authentication request afterwards. Whatever else has a
// meaning in SSH ends the connection; in particular nothing of the connection
// protocol is looked at before the success.
func (a *authSession) next(m wire.Message) error {
	_, err := a.nextOf(m)
	return err
}

// nextOf is next where one of several messages has a place. It returns the one
// that came.
func (a *authSession) nextOf(list ...wire.Message) (wire.Message, error) {
	for {
		p, err := a.t.ReadPacket()
		if err != nil {
			return nil, err
		}
		if a.packets++; a.packets > 2*a.limits.AuthRequests {
			return nil, a.disconnect(ssh.ProtocolError, "too many messages before the login")
		}
		n := p[0]
		if i := slices.IndexFunc(list, func(m wire.Message) bool { return n == number(m) }); i >= 0 {
			if err := ssh.Parse(p, list[i]); err != nil {
				return nil, a.fail(&transport.ProtocolError{Rule: "malformed message", Err: err})
			}
			return list[i], nil
		}
		if ssh.PhaseOf(n) != ssh.NoPhase {
			return nil, a.fail(&transport.ProtocolError{Rule: fmt.Sprintf("message %d before the login", n), Section: "RFC 4252 §6"})
		}
		if err := a.t.Reject(); err != nil {
			return nil, err
		}
	}
}

func (a *authSession) fail(err error) error {
	a.t.Fail(ssh.ProtocolError, err)
	return err
}

func (a *authSession) disconnect(reason ssh.DisconnectReason, text string) error {
	err := fmt.Errorf("%w: %s", ErrAuth, text)
	_ = a.t.Disconnect(reason, text)
	return err
}

func number(m wire.Message) byte { return ssh.Messages.Entry(m).Number }

var numUserAuth = number(&ssh.UserAuthRequest{})
