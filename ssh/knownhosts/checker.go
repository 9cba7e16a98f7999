package knownhosts

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wirelark/wirelark/ssh/keys"
)

// A Policy says what happens to the key of a host about which nothing is known.
// A revoked key is always refused.
type Policy uint8

// The policies, with the values of OpenSSH's StrictHostKeyChecking that they
// stand for.
const (
	Strict    Policy = iota // yes: refuse it
	Ask                     // ask: let Checker.Ask decide
	AcceptNew               // accept-new: accept and save it
	Off                     // off: accept and save it, and accept changed keys too
)

// A Decision is the answer to a question about an unknown key.
type Decision uint8

// The decisions. The zero value refuses.
const (
	Reject        Decision = iota
	AcceptOnce             // go on, and write nothing
	AcceptAndSave          // go on, and save the key
)

// ErrRejected is wrapped, beside the *KeyError, when Checker.Ask answered Reject.
var ErrRejected = errors.New("the host key was rejected")

// A Checker decides about the keys of hosts for a client. Its zero value
// refuses everything. Fields are set before the first use; its methods are
// safe for concurrent use.
type Checker struct {
	// Store says what is known; nil is an empty one.
	Store *Store
	// Policy says what happens to a key of a host that is not known.
	Policy Policy
	// Ask is called under the policy Ask, for one question at a time, and only
	// for unknown hosts: never about a changed or revoked key. An error refuses
	// the key and is wrapped. nil refuses.
	Ask func(ctx context.Context, question *KeyError) (Decision, error)
	// Save is the file to which accepted keys are appended; empty: they are
	// remembered in Store only.
	Save string
	// Hash hides the names in what is saved.
	Hash bool
	// Warn, if set, is told what did not keep the connection from going on: that
	// a key could not be saved, or, under Off, that it has changed.
	Warn func(err error)

	once   sync.Once     // makes asking
	asking chan struct{} // holds one element while a question is asked
}

// CheckHostKey returns nil if the client may go on with the host at addr
// ("host:port"), which has proved to own key. Other errors wrap an [*KeyError] or
// [ErrCertificate].
func (c *Checker) CheckHostKey(ctx context.Context, addr string, key keys.PublicKey) error {
	known := c.Store
	if known == nil {
		known = new(Store)
	}
	err := known.Check(addr, key)
	var found *KeyError
	if !errors.As(err, &found) {
		return err
	}
	if found.Kind == Changed && c.Policy == Off {
		c.warn(found)
		return nil
	}
	if found.Kind != Unknown {
		return found
	}
	decision := Reject
	switch c.Policy {
	case Ask:
		decision, err = c.ask(ctx, known, addr, found)
		if err != nil || decision == AcceptOnce {
			return err
		}
	case AcceptNew, Off:
		decision = AcceptAndSave
	}
	if decision != AcceptAndSave {
		return found
	}
	return c.save(known, addr, key)
}

func (c *Checker) ask(ctx context.Context, known *Store, addr string, question *KeyError) (Decision, error) {
	if c.Ask == nil {
		return Reject, question
	}
	c.once.Do(func() { c.asking = make(chan struct{}, 1) })
	select {
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-ctx.Done():
		return Reject, fmt.Errorf("%w: %w", question, context.Cause(ctx))
	}
	// Another connection's answer may have been about this key.
	if known.Check(addr, question.Key) == nil {
		return AcceptOnce, nil
	}
	decision, err := c.Ask(ctx, question)
	if err != nil {
		return Reject, fmt.Errorf("%w: %w", question, err)
	}
	if decision != AcceptOnce && decision != AcceptAndSave {
		return Reject, fmt.Errorf("%w: %w", ErrRejected, question)
	}
	if decision == AcceptAndSave {
		// Before the next question is asked, which may be the same.
		return AcceptOnce, c.save(known, addr, question.Key)
	}
	return decision, nil
}

// save remembers an accepted key. That it cannot be written does not stop the
// connection: whoever decided has accepted the key.
func (c *Checker) save(known *Store, addr string, key keys.PublicKey) error {
	line, err := Line(addr, key, c.Hash)
	if err != nil {
		return err
	}
	if c.Save == "" {
		known.AddText("accepted", []byte(line))
		return nil
	}
	if err := known.Add(c.Save, addr, key, c.Hash); err != nil {
		known.AddText("accepted", []byte(line))
		c.warn(fmt.Errorf("saving the host key of %s: %w", Normalize(addr), err))
	}
	return nil
}

func (c *Checker) warn(err error) {
	if c.Warn != nil {
		c.Warn(err)
	}
}

// HostKeyAlgorithms returns the host key algorithms to offer first to the host
// at addr; see [Store.Algorithms].
func (c *Checker) HostKeyAlgorithms(addr string) []string {
	if c.Store == nil {
		return nil
	}
	return c.Store.Algorithms(addr)
}
