package config

import (
	"context"
	"errors"
	"net/netip"
	"strconv"
)

// Version is the program whose manual this package follows. It is what "Match
// version" is compared with.
const Version = "OpenSSH_10.6"

// A Source is where configuration comes from. It is not changed by reading and
// is safe for concurrent use.
type Source struct {
	Files []File // in the order in which they are asked
	Local Local

	// Exec runs the command of a "Match exec" line through the user's shell and
	// reports whether it ended with status 0. nil: such a line is a mistake
	// ([ErrExec]).
	Exec func(ctx context.Context, command string) (bool, error)

	disk disk // nil: the machine's
}

// A File is one file of a Source, or a text in its place.
type File struct {
	Path string

	// Text is what the file says; nil: it is read from Path.
	Text []byte

	// User marks a file of the user: ~ stands for a home directory in its
	// Include lines, and relative names there are looked up in ~/.ssh instead of
	// /etc/ssh.
	User bool

	// Private refuses a file that others than its owner can write to, and one
	// that is neither the user's nor root's, with [ErrPermissions]. For files
	// that are included, that is always so.
	Private bool

	// Optional takes a file that does not exist for an empty one.
	Optional bool
}

// Local is what a configuration may ask about the user and the machine that it
// is read for.
type Local struct {
	User      string                      // %u, Match localuser, and whom to log in as where nothing says so
	UID       string                      // %i
	Home      string                      // %d and ~
	Host      string                      // %l; %L is its first label
	Lookup    func(string) (string, bool) // environment variables; nil: there are none
	Addresses []netip.Addr                // of the network interfaces, for Match localnetwork
}

// A Query is what the configuration is asked for: a destination, and what the
// command line said about it, which wins over all files.
type Query struct {
	Host string // as the user wrote it, without user and port
	User string // "": not given
	Port int    // 0: not given

	// Options are further settings, as "Name=value" or "Name value", the first
	// one wins.
	Options []string

	// IdentityFiles are asked before those of the configuration.
	IdentityFiles []string

	Command string // the remote command or subsystem, for Match command
	Session string // shell, exec, subsystem or none, for Match sessiontype; "": shell
}

// Load evaluates the configuration for q. A host or user that could reach a
// shell, through tokens, as more than a word is refused. Mistakes are of type [*Error], several
// of them joined. ctx covers the programs that are run.
func (s *Source) Load(ctx context.Context, q Query) (*Config, error) {
	if q.Host == "" {
		return nil, errors.New("config: a query needs a host")
	}
	// What is given here becomes part of commands that a shell reads
	// (CVE-2023-51385).
	if !plain(q.Host) {
		return nil, &Error{File: "the host " + strconv.Quote(q.Host), Text: "has characters that a shell would act on, or begins with a dash"}
	}
	if !plainUser(q.User) {
		return nil, &Error{File: "the user " + strconv.Quote(q.User), Text: "has characters that a shell would act on, or begins with a dash"}
	}
	r := newReader(ctx, s, &q)
	r.commandLine()
	r.files()
	if r.failed() {
		return nil, r.err()
	}
	r.takeHostName()
	if r.wantFinal && !r.failed() {
		r.final = true
		r.files()
	}
	if r.failed() {
		return nil, r.err()
	}
	c := r.build()
	if r.failed() {
		return nil, r.err()
	}
	return c, nil
}
