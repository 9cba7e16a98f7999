package config

import (
	"errors"
	"fmt"
)

// An Error is one mistake in a configuration. [Source.Load] returns several
// with errors.Join.
type Error struct {
	File string // as it was named; "-o" for options of the command line
	Line int    // from 1; 0: about the whole file
	Text string // what is wrong
	Err  error  // its cause; may be nil
}

func (e *Error) Error() string {
	s := e.File
	if e.Line > 0 {
		s = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	s += ": " + e.Text
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

var (
	// ErrPermissions says that somebody else may have written a file.
	ErrPermissions = errors.New("others can write to it")

	// ErrExec says that a line wants to run a program and nobody allowed it.
	ErrExec = errors.New("no program is run while this configuration is read")
)
