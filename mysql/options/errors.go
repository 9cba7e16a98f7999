package options

import "fmt"

// A ValueError says that an option has a value which it cannot have. It does
// not show values of options that hold secrets.
type ValueError struct {
	Name  string // of the option or parameter
	Value string
	Want  string // what it may be, for people
	Err   error  // why, if somebody said so
}

func (e *ValueError) Error() string {
	s := fmt.Sprintf("%s cannot be %q", e.Name, e.Value)
	if e.Want != "" {
		s += ": " + e.Want + " wanted"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *ValueError) Unwrap() error { return e.Err }

// A SyntaxError says what is wrong with a data source name or URL, without
// showing it: it may hold a password.
type SyntaxError struct {
	What string // "data source name" or "URL"
	Msg  string
}

func (e *SyntaxError) Error() string { return e.What + ": " + e.Msg }

// A FileError says where in an option file something is wrong.
type FileError struct {
	File string
	Line int // from 1; 0: the file as a whole
	Err  error
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }
