package sshclient

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/wirelark/wirelark/ssh/internal/mux"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/transport"
)

// Config configures a client. User and HostKeys are required. It is copied
// when a connection begins.
type Config struct {
	// User is the name to log in with.
	User string

	// Transport configures encryption, key renewal, tracing and logging. When
	// it has no list of host key algorithms, those for which HostKeys knows a
	// key come first.
	Transport transport.Config

	// HostKeys decides whether the server is the right one.
	HostKeys HostKeyChecker

	// Auth are the ways to log in, tried in this order, each as far as the
	// server allows it. With none the client asks to be let in without any.
	Auth []AuthMethod

	// SignatureAlgorithms are what keys log in with, the preferred one of a
	// key's type first; nil: all but those that package keys calls legacy,
	// which is ssh-rsa.
	SignatureAlgorithms []string

	// PreferredAuthentications reorders Auth by method name ("publickey",
	// "password") and leaves out the methods it does not name; nil: as Auth.
	PreferredAuthentications []string

	// PasswordPrompts is how often a password, or the answers to the server's
	// questions, are asked for before the method ends. 0: 3; at most 32.
	PasswordPrompts int

	// Banner is given what the server wants to be shown before the login. The
	// text may hold anything, including terminal escapes. It is called by the
	// goroutine that dials; nil: banners are dropped.
	Banner func(text string)

	// Limits of channels; the zero value means the defaults.
	Limits Limits

	// KeepAlive asks the server for a sign of life. Its zero value does not.
	KeepAlive KeepAlive

	// Dial makes the connection to the server; nil: a net.Dialer's.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// prompts returns PasswordPrompts within its bounds.
func (c *Config) prompts() int {
	if c.PasswordPrompts <= 0 {
		return passwordPrompts
	}
	return min(c.PasswordPrompts, maxPrompting)
}

// Limits bound what a connection may hold. Zero fields mean the defaults.
type Limits struct {
	Channels  int // open at the same time; default 1024
	MaxPacket int // bytes of channel data in one packet that we take; default 32 KiB

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

func (l Limits) mux() mux.Limits {
	return mux.Limits{
		Channels: l.Channels, MaxPacket: l.MaxPacket,
		Window: l.Window, MaxWindow: l.MaxWindow, Budget: l.WindowBudget,
	}
}

// KeepAlive says how often the server is asked for a sign of life, and after
// how many questions in a row without one the connection ends with
// [ErrKeepAlive]. Whatever comes from the server is a sign of life. A key
// exchange has a time limit of its own ([transport.Rekey]) and does not count.
type KeepAlive struct {
	Interval time.Duration // 0: never
	CountMax int           // 0: 3
}

// HostKeyChecker knows which keys servers have. It is safe for concurrent use.
// A *knownhosts.Checker is one.
type HostKeyChecker interface {
	// CheckHostKey returns nil when key is that of the server that was dialed
	// as addr, "host:port". It may ask the user.
	CheckHostKey(ctx context.Context, addr string, key keys.PublicKey) error
	// HostKeyAlgorithms returns the signature algorithms of the keys that it
	// knows for addr, so that the server is asked for one of these first.
	HostKeyAlgorithms(addr string) []string
}

// FixedHostKeys is a [HostKeyChecker] that accepts these keys from any server
// and no other.
func FixedHostKeys(known ...keys.PublicKey) HostKeyChecker { return fixedKeys(known) }

type fixedKeys []keys.PublicKey

func (f fixedKeys) CheckHostKey(_ context.Context, addr string, key keys.PublicKey) error {
	if slices.ContainsFunc(f, func(k keys.PublicKey) bool { return keys.Equal(k, key) }) {
		return nil
	}
	return fmt.Errorf("the host key %s of %s is not the expected one", keys.Fingerprint(key), addr)
}

func (f fixedKeys) HostKeyAlgorithms(string) []string {
	var list []string
	for _, k := range f {
		list = append(list, keys.SignatureAlgorithms(k.Type())...)
	}
	return list
}

func (c *Config) signatureAlgorithms(keyType string) []string {
	if c.SignatureAlgorithms == nil {
		return keys.SignatureAlgorithms(keyType)
	}
	return slices.DeleteFunc(slices.Clone(c.SignatureAlgorithms), func(name string) bool { return keys.TypeOf(name) != keyType })
}
