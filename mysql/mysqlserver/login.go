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
	return c.enter(ctx)
}

// enter makes the session of a user who has proved who he is, and says so.
func (c *Conn) enter(ctx context.Context) error {
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
		c.see.Event(authenticated)
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
		ok, account = false, &Account{Factors: []auth.Verifier{c.s.decoy(c.client.user, c.client.plugin)}}
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
	c.account, c.owner = account, c.client.user
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
	case c.client.plugin != v.Plugin() || !answersGreeting(challenge, c.nonce):
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

// answersGreeting reports whether what the client has computed from the
// greeting's nonce is an answer to the challenge.
func answersGreeting(challenge, nonce []byte) bool {
	return len(challenge) == 0 || bytes.Equal(bytes.TrimSuffix(challenge, []byte{0}), nonce)
}

func (c *Conn) ask(m interface{ Fields(*coder) }) ([]byte, error) {
	if err := c.send(m); err != nil {
		return nil, err
	}
	return c.answer()
}
