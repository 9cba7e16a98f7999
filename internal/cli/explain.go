package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/packet"
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
	if hop := (*join.HopError)(nil); errors.As(err, &hop) {
		e := *explain(hop.Err)
		e.How = append([]string{fmt.Sprintf("on the way: %s, host %d of %d", hop.Addr, hop.Number, hop.Of)}, e.How...)
		return &e
	}
	for _, f := range []func(error) *Error{
		explainConfig, explainSeveral, explainStatement, explainMySQL, explainTransfer, explainHostKey, explainLogin, explainNegotiation, explainInterrupt, explainReach,
		explainRefusal, explainProtocol, explainFiles, explainLine,
	} {
		if e := f(err); e != nil {
			e.Err = err
			return e
		}
	}
	return &Error{Code: exitRemote, What: err.Error(), Next: []string{"see how it came to that: -v, or --trace for every packet"}, Err: err}
}

// explainSeveral takes the code of the first of several errors and tells all.
func explainSeveral(err error) *Error {
	all := joined(err)
	if len(all) < 2 {
		return nil
	}
	first := explain(all[0])
	e := &Error{Code: first.Code, What: fmt.Sprintf("%d things were not done", len(all)), Next: first.Next}
	for _, one := range all {
		e.How = append(e.How, explain(one).What)
	}
	return e
}

// joined returns the errors of an errors.Join, or err alone. What wraps several
// in other ways, as fmt.Errorf does, is one error.
func joined(err error) []error {
	if reflect.TypeOf(err) != reflect.TypeOf(errors.Join(err)) {
		return []error{err}
	}
	return err.(interface{ Unwrap() []error }).Unwrap()
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
	if errors.Is(err, knownhosts.ErrCertificate) {
		return &Error{
			Code: exitHostKey, What: knownhosts.ErrCertificate.Error(), How: []string{err.Error()},
			Next: []string{"ask the host for its plain key: -o HostKeyAlgorithms=ssh-ed25519"},
		}
	}
	if errors.Is(err, join.ErrRevoked) {
		return &Error{
			Code: exitHostKey, What: join.ErrRevoked.Error(), How: []string{err.Error()},
			Next: []string{"do not connect until somebody who runs the host has given it a new key"},
		}
	}
	var he *transport.HostKeyError
	if errors.As(err, &he) {
		return &Error{
			Code: exitHostKey, What: "the host did not prove who it is", How: []string{he.Error()},
			Next: []string{"ask somebody who runs the host", "see the key exchange: --trace"},
		}
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
		if ae.Err != nil {
			e.How = append(e.How, "ended: "+ae.Err.Error())
		}
		if len(ae.ServerMethods) > 0 {
			e.How = append(e.How, "server: accepts "+strings.Join(ae.ServerMethods, ", "))
		}
		e.Next = []string{"give a key: -i FILE", "or log in as somebody else: USER@HOST", "see the packets: --trace --trace-filter ssh.userauth"}
		return e
	case errors.As(err, &pe):
		return &Error{Code: exitLogin, What: err.Error(), Next: []string{"try again, or choose another key: -i FILE"}}
	case errors.Is(err, keys.ErrPermissions):
		return &Error{Code: exitUsage, What: err.Error(), Next: []string{"close it to others: chmod 600 " + fileOf(err)}}
	case errors.As(err, new(*fileError)):
		return &Error{
			Code: exitUsage, What: err.Error(), How: []string{"read as a private key"},
			Next: []string{"name a private key file (not the .pub beside it), or make one: wirelark keygen"},
		}
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
	case errors.Is(err, sshclient.ErrKeepAlive):
		return &Error{
			Code: exitTimeout, What: sshclient.ErrKeepAlive.Error(), How: []string{"nothing has come from it for as long as ServerAliveInterval and ServerAliveCountMax allow"},
			Next: []string{"connect again", "allow longer silence: -o ServerAliveCountMax=COUNT"},
		}
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
			Next: []string{"check host and port (-p for ssh, -P for the others)"},
		}
	case errors.As(err, &op) && op.Op == "dial":
		where := "the host"
		if op.Addr != nil {
			where = op.Addr.String()
		}
		return &Error{
			Code: exitUnreachable, What: "cannot reach " + where, How: []string{err.Error()},
			Next: []string{"check host, port and network; -4 and -6 choose between IPv4 and IPv6"},
		}
	case errors.As(err, &op) && op.Op == "listen" && op.Addr == nil:
		return &Error{
			Code: exitUsage, What: "this is no address to listen on", How: []string{err.Error()},
			Next: []string{"write HOST:PORT, as 127.0.0.1:2222, or :2222 for all addresses"},
		}
	case errors.As(err, &op) && op.Op == "listen":
		return &Error{
			Code: exitUnreachable, What: fmt.Sprintf("cannot listen on %s", op.Addr), How: []string{err.Error()},
			Next: []string{"choose another address; port 0 takes any free one"},
		}
	}
	return nil
}

// explainRefusal is about what a server does not do for us after the login.
func explainRefusal(err error) *Error {
	var re *sshclient.RequestError
	var oe *sshclient.OpenError
	switch {
	case errors.As(err, &re):
		next := "ask who runs the server what this login may do"
		if re.Request == "exec" || re.Request == "shell" {
			next = "for files alone: wirelark sftp, or wirelark cp"
		}
		return &Error{Code: exitRemote, What: re.Error(), How: []string{"the login succeeded; the answer to the request was no"}, Next: []string{next}}
	case errors.As(err, &oe):
		return &Error{
			Code: exitRemote, What: fmt.Sprintf("the server opened no %s", oe.Type),
			How:  []string{fmt.Sprintf("server: %v, %q", oe.Reason, oe.Text)},
			Next: []string{"ask who runs the server what this login may do"},
		}
	case errors.Is(err, sshclient.ErrNoExitStatus):
		return &Error{
			Code: exitRemote, What: sshclient.ErrNoExitStatus.Error(), How: []string{"it closed the channel without a status or signal"},
			Next: []string{"do not count on the command having done its work", "see the packets: --trace"},
		}
	}
	return nil
}

func explainProtocol(err error) *Error {
	var ve *transport.VersionError
	var de *transport.DisconnectError
	var tp *transport.ProtocolError
	var sp *sftpclient.ProtocolError
	var st *sftpclient.StartError
	var pe *packet.Error
	save := []string{"save the packets and show them to who maintains it: --capture FILE.pcapng"}
	switch {
	case errors.As(err, &ve):
		return &Error{
			Code: exitProtocol, What: "the other side does not speak SSH", How: []string{err.Error()},
			Next: []string{"check host and port"},
		}
	case errors.As(err, &de) && !de.Local:
		return &Error{
			Code: exitProtocol, What: "the server ended the connection", How: []string{fmt.Sprintf("reason: %v, %q", de.Reason, de.Text)},
			Next: []string{"try again later, or ask who runs the server", "see the packets: --trace"},
		}
	case errors.As(err, &st) && st.Text != "":
		return &Error{
			Code: exitProtocol, What: "the other side does not speak SFTP", How: []string{err.Error()},
			Next: []string{"let the start-up files of the shell there print nothing when nobody is at a terminal"},
		}
	case errors.As(err, &tp), errors.As(err, &sp), errors.As(err, &pe), errors.Is(err, transport.ErrFlood):
		return &Error{Code: exitProtocol, What: "the other side broke the protocol", How: []string{err.Error()}, Next: save}
	case errors.As(err, new(*transport.ReadError)), errors.As(err, new(*transport.WriteError)),
		errors.As(err, new(*sftpclient.LostError)), errors.Is(err, net.ErrClosed):
		return &Error{
			Code: exitUnreachable, What: "the connection was lost", How: []string{err.Error()},
			Next: []string{"try again", "see how far it came: --trace"},
		}
	}
	return nil
}
