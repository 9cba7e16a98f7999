package mysql

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// A Flow follows one connection and names each packet in its context.
type Flow struct {
	dialect wire.Dialect
}

// Seen is what a [Flow] says about the message it has just seen.
type Seen struct {
	Ordinal uint64 // of this message in its connection, counted from 1
	Answers uint64 // ordinal of the message that this one answers; 0: none
	Asks    bool   // this message will be answered, and Answers will tell
}

// FlowError says that a message is not allowed here and now.
type FlowError struct {
	Dir     wire.Dir
	Message string // the registry's name, or what there is of an unknown message
	Rule    string // what it breaks, for people
	Section string // where the rule stands
}

func (e *FlowError) Error() string {
	from := "the client"
	if e.Dir == wire.S2C {
		from = "the server"
	}
	return fmt.Sprintf("%s from %s: %s (%s)", e.Message, from, e.Rule, e.Section)
}

// Dialect returns what the connection has negotiated so far.
func (f *Flow) Dialect() wire.Dialect { return f.dialect }
