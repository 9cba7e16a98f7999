package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// explain turns any error into what a person gets to read. The library's
// errors say what happened and how that is known; what to do next is decided
// here. The order matters: causes come before what they were wrapped in.
func explain(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	for _, f := range []func(error) *Error{
		explainHostKey, explainLogin, explainNegotiation, explainInterrupt, explainReach, explainFiles, explainProtocol,
	} {
		if e := f(err); e != nil {
			e.Err = err
			return e
		}
	}
	return &Error{Code: exitRemote, What: err.Error(), Err: err}
}

func explainHostKey(err error) *Error {
	var ke *knownhosts.KeyError
	if errors.As(err, &ke) {
		got := fmt.Sprintf("shown: %s %s", ke.Key.Type(), keys.Fingerprint(ke.Key))
		switch ke.Kind {
		case knownhosts.Changed:
			e := &Error{Code: exitHostKey, What: fmt.Sprintf("the host key of %s has changed", ke.Host), How: []string{got}}
			for _, w := range ke.Want {
				if w.Key != nil {
					e.How = append(e.How, fmt.Sprintf("known: %s %s (%s)", w.Key.Type(), keys.Fingerprint(w.Key), &w))
				}
			}
			e.Next = []string{
				"find out why, from somebody who runs the host: this is also what an attack looks like",
				"if the new key is right: wirelark hostkey forget " + ke.Host,
			}
			return e
		case knownhosts.Revoked:
			return &Error{
				Code: exitHostKey, What: fmt.Sprintf("the host key of %s is revoked", ke.Host), How: []string{got},
				Next: []string{"do not connect until somebody who runs the host has given it a new key"},
			}
		}
		return &Error{
			Code: exitHostKey, What: fmt.Sprintf("the host key of %s is not known", ke.Host), How: []string{got},
			Next: []string{
				"compare the fingerprint with what somebody who runs the host tells you",
				"if it is right, accept and keep it: -o StrictHostKeyChecking=accept-new",
			},
		}
	}
	var he *transport.HostKeyError
	if errors.As(err, &he) {
		return &Error{Code: exitHostKey, What: err.Error()}
	}
	return nil
}

func explainLogin(err error) *Error {
	var pe *keys.PassphraseError
	var ae *sshclient.AuthError
	switch {
	case errors.As(err, &ae):
		e := &Error{Code: exitLogin, What: fmt.Sprintf("the server refused every way to log in as %q", ae.User)}
		for _, t := range ae.Attempts {
			e.How = append(e.How, "tried: "+t.String())
		}
		if len(ae.Attempts) == 0 {
			e.How = append(e.How, "tried: nothing, since there was nothing to try")
		}
		if len(ae.ServerMethods) > 0 {
			e.How = append(e.How, "server: accepts "+strings.Join(ae.ServerMethods, ", "))
		}
		e.Next = []string{"give a key: -i FILE", "or log in as somebody else: USER@HOST", "see the packets: --trace --trace-filter ssh.userauth"}
		return e
	case errors.As(err, &pe):
		return &Error{Code: exitLogin, What: err.Error(), Next: []string{"try again, or choose another key: -i FILE"}}
	case errors.Is(err, keys.ErrPermissions):
		return &Error{Code: exitUsage, What: err.Error(), Next: []string{"close it to others: chmod 600 FILE"}}
	}
	return nil
}

func explainNegotiation(err error) *Error {
	var ne *ssh.NegotiationError
	if !errors.As(err, &ne) {
		return nil
	}
	option := "KexAlgorithms"
	switch {
	case strings.HasPrefix(ne.Kind, "host key"):
		option = "HostKeyAlgorithms"
	case strings.HasPrefix(ne.Kind, "cipher"):
		option = "Ciphers"
	case strings.HasPrefix(ne.Kind, "MAC"):
		option = "MACs"
	}
	return &Error{
		Code: exitProtocol, What: "no common algorithm for " + ne.Kind,
		How: []string{
			"client: offers " + strings.Join(ne.Client, ", "),
			"server: offers " + strings.Join(ne.Server, ", "),
		},
		Next: []string{fmt.Sprintf("add one that the other side has: -o %s=+NAME", option)},
	}
}

func explainInterrupt(err error) *Error {
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Code: exitInterrupted, What: "interrupted"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{
			Code: exitTimeout, What: "no answer in time", How: []string{err.Error()},
			Next: []string{"wait longer: -o ConnectTimeout=SECONDS", "see how far it came: --trace"},
		}
	}
	return nil
}

func explainReach(err error) *Error {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return &Error{Code: exitUnreachable, What: fmt.Sprintf("there is no host %q", dns.Name), How: []string{dns.Error()}, Next: []string{"check the name"}}
	case errors.As(err, &op) && op.Op == "dial" && errors.Is(err, syscall.ECONNREFUSED):
		return &Error{
			Code: exitUnreachable, What: fmt.Sprintf("nothing listens on %s", op.Addr), How: []string{err.Error()},
			Next: []string{"check host and port (-p for ssh, -P for sftp and cp)"},
		}
	case errors.As(err, &op) && op.Op == "dial":
		return &Error{Code: exitUnreachable, What: fmt.Sprintf("cannot reach %s", op.Addr), How: []string{err.Error()}}
	case errors.As(err, &op) && op.Op == "listen":
		return &Error{
			Code: exitUnreachable, What: fmt.Sprintf("cannot listen on %s", op.Addr), How: []string{err.Error()},
			Next: []string{"choose another address: --listen 127.0.0.1:0 takes any free port"},
		}
	}
	return nil
}

func explainFiles(err error) *Error {
	var se *sftp.StatusError
	var pe *fs.PathError
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return &Error{Code: exitRemote, What: err.Error(), Next: []string{"make room, then run the same command again"}}
	case errors.As(err, &se):
		return &Error{Code: exitRemote, What: err.Error()}
	case errors.Is(err, capture.ErrFormat):
		return &Error{Code: exitProtocol, What: err.Error(), Next: []string{"give a pcap or pcapng file"}}
	case errors.As(err, &pe) && errors.Is(err, fs.ErrNotExist), errors.As(err, &pe) && errors.Is(err, fs.ErrPermission):
		return &Error{Code: exitRemote, What: err.Error()}
	}
	return nil
}

func explainProtocol(err error) *Error {
	var ve *transport.VersionError
	var de *transport.DisconnectError
	var tp *transport.ProtocolError
	var sp *sftpclient.ProtocolError
	var le *sftpclient.LostError
	var re *transport.ReadError
	switch {
	case errors.As(err, &ve):
		return &Error{
			Code: exitProtocol, What: "the other side does not speak SSH", How: []string{err.Error()},
			Next: []string{"check host and port"},
		}
	case errors.As(err, &de) && !de.Local:
		return &Error{Code: exitProtocol, What: "the server ended the connection", How: []string{fmt.Sprintf("reason: %v, %s", de.Reason, de.Text)}}
	case errors.As(err, &tp), errors.As(err, &sp):
		return &Error{
			Code: exitProtocol, What: "the other side broke the protocol", How: []string{err.Error()},
			Next: []string{"save the packets and show them to who maintains it: --capture FILE.pcapng"},
		}
	case errors.As(err, &re), errors.As(err, &le), errors.Is(err, net.ErrClosed):
		return &Error{Code: exitUnreachable, What: "the connection was lost", How: []string{err.Error()}}
	}
	return nil
}
