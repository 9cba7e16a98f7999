package mysqlserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// ErrLogin is wrapped by the errors about clients that were not let in.
var ErrLogin = errors.New("the client was not let in")

// maxAuthRounds bounds the conversation of one factor.
const maxAuthRounds = 16

// logIn lets the client in, or does not. Every error ends the connection.
func (c *Conn) logIn() error {
	late := time.Now().Add(c.limits.HandshakeTimeout)
	ctx, cancel := context.WithDeadline(c.ctx, late)
	defer cancel()
	_ = c.pc.SetReadDeadline(late)
	r, err := c.greet(ctx)
	if err != nil {
		return err
	}
	if err := c.authenticate(ctx, r.AuthResponse); err != nil {
		return err
	}
	return c.enterSession(ctx)
}

// enterSession makes the session of a user who has proved who he is, and says so.
func (c *Conn) enterSession(ctx context.Context) error {
	c.db, c.status = c.client.database, initialStatus
	info := c.proof
	c.proof = ""
	err := c.guard("NewSession", func() (err error) {
		if c.s.Handler == nil {
			c.session = Unsupported{}
			return nil
		}
		c.session, err = c.s.Handler.NewSession(ctx, c)
		if err == nil && c.session == nil {
			err = errors.New("the handler made no session")
		}
		return err
	})
	if err != nil {
		c.session = nil
		return c.refuse(errorOf(err), err)
	}
	c.tracks = tracks{} // what it was at first is no change
	if err := c.send(&mysql.OK{Status: c.status, Info: info}); err != nil {
		return err
	}
	if c.see != nil {
		c.see.Event(trace.Event{Kind: trace.Authenticated, Detail: c.client.user})
	}
	c.pc.SetLimit(int64(c.limits.MaxPacket))
	return nil
}

// authenticate asks the user for all the factors of his account. first is what
// the client has sent along, for the method that it thinks of.
func (c *Conn) authenticate(ctx context.Context, first []byte) error {
	since := time.Now()
	if c.s.RequireTLS && !c.secure() {
		return c.refuse(errInsecure, errors.New("the connection is not secure"))
	}
	account, err := c.lookUp(ctx)
	if err != nil {
		return err
	}
	ok := account != nil
	if !ok || len(account.Factors) == 0 {
		ok, account = false, &Account{Factors: []auth.Verifier{c.s.decoy(c.client.user)}}
	}
	if account.RequireTLS && !c.secure() {
		ok = false
	}
	usedPassword := len(first) > 0
	for i, v := range account.Factors {
		accepted, err := c.factor(v, i, first, &usedPassword)
		if err != nil {
			return err
		}
		if !accepted {
			ok = false
		}
		if !ok {
			break
		}
	}
	if !ok {
		return c.deny(since, usedPassword)
	}
	c.mu.Lock()
	user := c.client.user
	c.account, c.owner = account, &user
	c.mu.Unlock()
	return nil
}

// lookUp asks who the user is. A nil account is nobody.
func (c *Conn) lookUp(ctx context.Context) (account *Account, err error) {
	if c.s.Auth == nil {
		return nil, nil
	}
	l := &Login{
		User: c.client.user, Database: c.client.database, Plugin: c.client.plugin, Attributes: c.client.attributes,
		LocalAddr: c.LocalAddr(), RemoteAddr: c.RemoteAddr(), TLS: c.TLS(),
	}
	err = c.guard("Account", func() (err error) {
		account, err = c.s.Auth.Account(ctx, l)
		return err
	})
	var e *Error
	if errors.As(err, &e) {
		return nil, c.refuse(e, err)
	}
	if err != nil {
		c.s.log(slog.LevelWarn, "login could not be decided", "user", l.User, "err", err)
		return nil, nil
	}
	return account, nil
}

// factor asks for one proof. What the client has sent along counts when it is
// for the method and the nonce that are wanted.
func (c *Conn) factor(v auth.Verifier, i int, first []byte, used *bool) (accepted bool, err error) {
	session := v.Session(&auth.Login{Nonce: c.nonce, Secure: c.secure(), Key: c.s.Key})
	challenge := session.Challenge()
	data := first
	switch {
	case i > 0 && !c.client.caps.Has(mysql.ClientMultiFactorAuthentication):
		return false, nil
	case i > 0:
		data, err = c.ask(&mysql.AuthNextFactor{Plugin: v.Plugin(), Data: challenge})
	case !c.answersGreeting(v.Plugin(), challenge):
		if !c.client.caps.Has(mysql.ClientPluginAuth) {
			return false, c.refuse(errOldClient, fmt.Errorf("the client cannot use %s", v.Plugin()))
		}
		data, err = c.ask(&mysql.AuthSwitchRequest{Plugin: v.Plugin(), Data: challenge})
	}
	if err != nil {
		return false, err
	}
	_, bare := session.(auth.Bare)
	for range maxAuthRounds {
		*used = *used || len(data) > 0
		reply, verdict := session.Next(data)
		if reply != nil {
			if err := c.sayMore(reply, bare); err != nil {
				return false, err
			}
		}
		if verdict != auth.More {
			if h, ok := session.(auth.Hasher); ok && verdict == auth.Accepted && i == 0 {
				c.prove(h)
			}
			return verdict == auth.Accepted, nil
		}
		if data, err = c.answer(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// answersGreeting reports whether what the client has sent along is its answer
// to the challenge: a client that likes another method than the one that the
// greeting named has not shown it the greeting's nonce. Clients of before
// CLIENT_PLUGIN_AUTH know one method only.
func (c *Conn) answersGreeting(plugin string, challenge []byte) bool {
	liked := c.client.plugin
	if !c.client.caps.Has(mysql.ClientPluginAuth) {
		liked = auth.Native
	} else if liked != c.announced {
		return false
	}
	return liked == plugin && (len(challenge) == 0 || bytes.Equal(bytes.TrimSuffix(challenge, []byte{0}), c.nonce))
}

// ask sends the beginning of a method and returns what the client answers,
// which is valid until the next packet is read.
func (c *Conn) ask(m wire.Message) ([]byte, error) {
	if err := c.send(m); err != nil {
		return nil, err
	}
	return c.answer()
}

func (c *Conn) answer() ([]byte, error) {
	p, err := c.pc.ReadPacket()
	if err != nil {
		return nil, c.brokenOff(err)
	}
	return p, nil
}

func (c *Conn) sayMore(data []byte, bare bool) error {
	if bare {
		return c.send(&mysql.AuthPluginData{Data: data})
	}
	return c.send(&mysql.AuthMoreData{Data: data})
}

// prove lets the client see that the server knows the password and has sent
// this certificate: MariaDB's TLS without configuration.
func (c *Conn) prove(h auth.Hasher) {
	cert := c.s.certificate()
	hash, nonce := h.PasswordHash()
	if !c.s.MariaDB || cert == nil || len(hash) == 0 {
		return
	}
	if nonce == nil {
		nonce = c.nonce
	}
	c.proof = auth.Proof(hash, nonce, cert)
}

// certificate returns the certificate that clients are shown, if it is always
// the same one.
func (s *Server) certificate() []byte {
	if s.TLS == nil || len(s.TLS.Certificates) != 1 || len(s.TLS.Certificates[0].Certificate) == 0 {
		return nil
	}
	return s.TLS.Certificates[0].Certificate[0]
}

// deny refuses the user, after the same shortest time and with the same words
// whatever the reason.
func (c *Conn) deny(since time.Time, usedPassword bool) error {
	if wait := c.limits.FailureDelay - time.Since(since); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		}
	}
	used := "NO"
	if usedPassword {
		used = "YES"
	}
	c.s.log(slog.LevelDebug, "login refused", "user", c.client.user, "remote", c.RemoteAddr())
	e := Errorf(1045, "Access denied for user '%.128s'@'%s' (using password: %s)", c.client.user, c.host(), used)
	return c.refuse(e, fmt.Errorf("user %.128q", c.client.user))
}
