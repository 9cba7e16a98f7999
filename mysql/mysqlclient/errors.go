package mysqlclient

import (
	"errors"

	"github.com/wirelark/wirelark/mysql/transport"
	"github.com/wirelark/wirelark/mysql/value"
)

// ErrOutcomeUnknown says that a COMMIT was sent and its answer was lost: the
// transaction may be committed or rolled back, and only the data can tell.
// Sending it again is not safe. It comes wrapped in a [*ConnError].
var ErrOutcomeUnknown = transport.ErrOutcomeUnknown

// ErrInfile says that the server asked for data of a LOAD DATA LOCAL and that
// the call had none to give. The server was told that the file is empty.
var ErrInfile = errors.New("the server asks for a local file, which was not offered to it")

// ErrTxDone says that a transaction was committed or rolled back before.
var ErrTxDone = errors.New("the transaction is over")

// ServerError is an error that the server reports: its number, its SQLSTATE and
// its words. errors.Is maps many numbers to the standard library.
type ServerError = transport.ServerError

// ProtocolError says that the server broke the protocol. The connection is dead
// after it; it is the cause in a [*ConnError].
type ProtocolError = transport.ProtocolError

// ValueError says that a value cannot be had as what was asked for. It ends the
// rows it belongs to; see [Rows].
type ValueError = value.Error

// ArgError says that an argument has a type that is none of SQL's, or that a
// statement got the wrong number of arguments. Nothing was executed.
type ArgError = value.ArgError

// ConnError says that the connection is lost, or never came to be: in what phase,
// after how long, and whether the server may have seen the command that was
// under way. Nothing works on the connection any more.
type ConnError = transport.ConnError

// BusyError says that a connection cannot take a command, because another one
// is under way: rows that nobody has read to their end or closed, a pipeline, a
// call in another goroutine. Nothing was sent.
type BusyError = transport.BusyError

// Phase is what a connection was doing.
type Phase = transport.Phase

// The phases of a connection, in the order in which they come.
const (
	PhaseDial     = transport.PhaseDial     // making the stream
	PhaseGreeting = transport.PhaseGreeting // waiting for the server's first packet
	PhaseTLS      = transport.PhaseTLS      // the TLS handshake
	PhaseAuth     = transport.PhaseAuth     // logging in
	PhaseSetup    = transport.PhaseSetup    // setting the session's variables
	PhaseIdle     = transport.PhaseIdle     // between two commands
	PhaseWrite    = transport.PhaseWrite    // sending a command
	PhaseAnswer   = transport.PhaseAnswer   // waiting for a command's answer
	PhaseRows     = transport.PhaseRows     // reading rows
)
