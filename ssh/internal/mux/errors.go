package mux

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
)

// section is where the rules stand that these errors are about.
const section = "RFC 4254 §5"

func protocolError(format string, args ...any) error {
	return &transport.ProtocolError{Rule: fmt.Sprintf(format, args...), Section: section}
}

func malformed(err error) error {
	return &transport.ProtocolError{Rule: "malformed message", Err: err}
}

// OpenError says that the peer refused to open a channel.
type OpenError struct {
	Type   string // of the channel
	Reason ssh.OpenFailureReason
	Text   string // the peer's words; may hold anything, including terminal escapes
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("ssh: channel %q refused by the peer: %v: %q", e.Type, e.Reason, e.Text)
}

// closedError is a way in which something is closed. It is a [net.ErrClosed].
type closedError string

func (e closedError) Error() string { return string(e) }

// Is reports whether target is net.ErrClosed.
func (e closedError) Is(target error) bool { return target == net.ErrClosed }

// What a stream or a connection returns when it is closed.
var (
	ErrClosed              = transport.ErrClosed
	errChannelClosed error = closedError("ssh: channel closed")
	errPeerClosed    error = closedError("ssh: channel closed by the peer")
	errDraining      error = closedError("ssh: connection is being shut down")
	errWriteClosed   error = closedError("ssh: channel closed for writing")
)

// ErrTooManyChannels says that our own limit of channels is reached.
var ErrTooManyChannels = errors.New("ssh: too many channels")

// lost turns the end of the transport into an error that nobody mistakes for
// the end of a stream.
func lost(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("ssh: connection lost: %w", io.ErrUnexpectedEOF)
	}
	return err
}
