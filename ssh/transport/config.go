package transport

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/trace"
)

// Config is what both roles have in common. Its zero value is ready; it is
// copied when a connection begins.
type Config struct {
	// Version is the software version in our identification line, printable
	// US-ASCII without space or minus sign (RFC 4253 §4.2); "" means
	// [DefaultVersion].
	Version string

	Algorithms Algorithms // what is offered; nil lists mean the defaults
	Rekey      Rekey      // when keys are renewed

	// HandshakeTimeout bounds version exchange and first key exchange, without
	// the time that ClientConfig.HostKey takes; 0 means 30 s, less than 0 no
	// limit beside the context.
	HandshakeTimeout time.Duration

	// CloseTimeout bounds how long Close and Disconnect wait for the output to
	// be written; 0 means 2 s.
	CloseTimeout time.Duration

	Trace  trace.Tracer   // sees all packets, bytes and secrets; nil: off
	KeyLog *keylog.Writer // gets the secret of every key exchange; nil: off
	Logger *slog.Logger   // nil: nothing is logged
}

// Algorithms lists the algorithms that are offered, most wanted first. A nil
// list means the default; an empty one that is not nil offers nothing. See
// [Defaults] and [ParseList].
type Algorithms struct {
	Kex         []string
	HostKeys    []string // signature algorithms of host keys; of a server only those for which it has a key count
	Ciphers     []string
	MACs        []string
	Compression []string
}

// Rekey says when new keys are negotiated. Zero values mean the defaults.
type Rekey struct {
	Bytes    uint64        // sent or received under one set of keys; 0: 1 GiB (RFC 4253 §9)
	Packets  uint64        // sent or received under one set of keys; 0, and at most: 2^31 (RFC 4344 §3.1)
	Interval time.Duration // 0: one hour (RFC 4253 §9); less than 0: never
	Timeout  time.Duration // how long a key exchange may take; 0: two minutes
}

// ClientConfig configures [Client]. HostKey is required.
type ClientConfig struct {
	Config

	// HostKey decides whether the server's key is to be trusted. It is called
	// once, in the first key exchange, by the goroutine that called Client,
	// after the server has proved that it owns the key; it may ask the user. An
	// error ends the connection and is wrapped by the [*HostKeyError] that
	// Client returns. In later key exchanges the key must stay the same.
	HostKey func(ctx context.Context, k HostKey) error
}

// HostKey is what a client is asked to trust.
type HostKey struct {
	Key       keys.PublicKey
	Algorithm string   // of the signature: "rsa-sha2-512" for an ssh-rsa key
	Remote    net.Addr // of the socket
}

// ServerConfig configures [Server]. At least one host key is required.
type ServerConfig struct {
	Config

	// HostKeys sign key exchanges: one key of each type, the first one of a
	// type counts.
	HostKeys []keys.Signer

	// ServerSigAlgs are the signature algorithms for user authentication that
	// the server announces (RFC 8308 §3.1); nil: those of all key types that
	// package keys knows.
	ServerSigAlgs []string
}
