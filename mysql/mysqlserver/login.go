package mysqlserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/trace"
)

// ErrLogin is wrapped by the errors about clients that were not let in.
var ErrLogin = errors.New("the client was not let in")

// introduction returns what the greeting of connection id says.
func (s *Server) introduction(id uint32) *transport.ServerConfig {
	cfg := &transport.ServerConfig{
		Version: DefaultVersion, ConnectionID: id, Capabilities: transport.OfferedMySQL, Collation: uint8(s.collation()),
		Status: initialStatus, Plugin: s.plugin(), TLS: s.TLS, Key: s.Key, Local: s.Secure,
	}
	if s.MariaDB {
		cfg.Version, cfg.Capabilities = DefaultMariaDBVersion, transport.OfferedMariaDB
	}
	if s.Version != "" {
		cfg.Version = s.Version
	}
	cfg.Capabilities &^= s.Withhold &^ mysql.ClientLongPassword // which says who we are
	return cfg
}

func (s *Server) collation() uint16 {
	switch {
	case s.Collation != 0:
		return uint16(s.Collation)
	case s.MariaDB:
		return 45 // utf8mb4_general_ci
	}
	return 255 // utf8mb4_0900_ai_ci
}

// plugin returns the method that the greeting names.
func (s *Server) plugin() string {
	switch {
	case s.Plugin != "":
		return s.Plugin
	case s.MariaDB:
		return auth.Native
	}
	return auth.CachingSHA2
}

// logIn lets the client in, or does not. Every error ends the connection.
func (c *Conn) logIn() error {
	ctx, cancel := c.inTime()
	defer cancel()
	c.door = transport.NewServerHalf(c.pc, c.s.introduction(c.id))
	if err := c.door.Greet(ctx); err != nil {
		return c.brokenOff(err)
	}
	c.client = &c.door.Client
	c.multi = c.client.Capabilities.Has(mysql.ClientMultiStatements)
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	if err := c.enterSession(ctx); err != nil {
		return err
	}
	if err := c.flush(); err != nil {
		return err
	}
	return c.door.Compress()
}

// changeUser lets another user in on the same connection.
func (c *Conn) changeUser(p []byte) error {
	var m mysql.ChangeUser
	if err := c.parse(p, &m); err != nil {
		return c.fail(errMalformed)
	}
	c.sock.Unwatch()
	ctx, cancel := c.inTime()
	defer cancel()
	c.door.ChangeUser(&m)
	c.closeSession()
	c.mu.Lock()
	c.account, c.owner = nil, nil
	c.mu.Unlock()
	c.multi = c.client.Capabilities.Has(mysql.ClientMultiStatements)
	c.noColumns = false
	c.pc.SetLimit(maxPacketBeforeLogin)
	if err := c.authenticate(ctx); err != nil {
		return err
	}
	return c.enterSession(ctx)
}

// inTime sets the limit of a login.
func (c *Conn) inTime() (context.Context, context.CancelFunc) {
	late := time.Now().Add(c.limits.HandshakeTimeout)
	c.sock.Patience(0)
	_ = c.pc.SetDeadline(late)
	return context.WithDeadline(c.ctx, late)
}

// enterSession makes the session of a user who has proved who he is, and says
// so.
func (c *Conn) enterSession(ctx context.Context) error {
	c.setDatabase(c.client.Database)
	c.status = initialStatus
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
	if c.see != nil {
		c.see.Event(trace.Event{Kind: trace.Authenticated, Detail: c.client.User})
	}
	c.pc.SetLimit(int64(c.limits.MaxPacket))
	return c.append(&mysql.OK{Status: c.status, Info: c.door.Proof()})
}

// authenticate lets the user prove who he is.
func (c *Conn) authenticate(ctx context.Context) error {
	since := time.Now()
	if c.s.RequireTLS && !c.door.Secure() {
		return c.refuse(errInsecure, errors.New("the connection is not secure"))
	}
	account, err := c.lookUp(ctx)
	if err != nil {
		return err
	}
	known := account != nil && len(account.Factors) > 0 && c.door.Safe(account.Factors[0]) && (!account.RequireTLS || c.door.Secure())
	factors := []auth.Verifier{c.s.decoy(c.client.User)} // of nobody
	if known {
		factors = account.Factors
	}
	accepted, used, err := c.door.Prove(factors)
	if err != nil {
		return c.brokenOff(err)
	}
	if !accepted || !known {
		return c.deny(since, used)
	}
	user := c.client.User
	c.mu.Lock()
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
		User: c.client.User, Database: c.client.Database, Plugin: c.client.Plugin, Attributes: c.client.Attributes,
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
	c.s.log(slog.LevelDebug, "login refused", "user", c.client.User, "remote", c.RemoteAddr())
	e := Errorf(1045, "Access denied for user '%.128s'@'%s' (using password: %s)", c.client.User, c.host(), used)
	return c.refuse(e, fmt.Errorf("user %.128q", c.client.User))
}

// host returns where the client is, as error texts name it.
func (c *Conn) host() string {
	if a := c.RemoteAddr(); a != nil {
		if host, _, err := net.SplitHostPort(a.String()); err == nil {
			return host
		}
	}
	return "localhost"
}

// refuse tells the client e and returns why, which stays between us.
func (c *Conn) refuse(e *Error, why error) error {
	_ = c.sendError(e)
	return fmt.Errorf("%w: %w", ErrLogin, why)
}

// brokenOff says what an error of the connection phase means, to the client
// too.
func (c *Conn) brokenOff(err error) error {
	if r := transport.IsRefused(err); r != nil {
		return c.refuse(Errorf(r.Code, "%s", r.Message), err)
	}
	if e := c.over(); e != nil {
		_ = c.sendError(e)
		return e
	}
	var ne net.Error
	switch {
	case errors.As(err, &ne) && ne.Timeout():
		err = fmt.Errorf("the client took longer than %v: %w", c.limits.HandshakeTimeout, err)
	case !errors.Is(err, io.EOF):
		err = c.refuseRead(err)
	}
	return fmt.Errorf("%w: %w", ErrLogin, err)
}
