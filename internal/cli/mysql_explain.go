package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wirelark/wirelark/internal/mysqlshell"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
)

// explainStatement is about statements that servers refuse and scripts that
// failed.
func explainStatement(err error) *Error {
	var fe *mysqlshell.FailedError
	if errors.As(err, &fe) {
		e := &Error{Code: exitPartly, What: fe.Error(), How: []string{"first: " + fe.First.Error()}, Next: []string{"mend what is wrong, and run those statements again"}}
		if fe.Done == 0 {
			e.Code = exitRemote
		}
		return e
	}
	if ue, ok := errors.AsType[*mysqlshell.UsageError](err); ok {
		return &Error{Code: exitUsage, What: ue.Text, Next: []string{"the command help lists all of them"}}
	}
	se, ok := errors.AsType[*mysqlshell.StatementError](err)
	if !ok {
		return nil
	}
	where := "statement: " + firstLine(se.SQL)
	if se.Line > 0 {
		where = fmt.Sprintf("line %d: %s", se.Line, firstLine(se.SQL))
	}
	if errors.Is(err, mysqlshell.ErrLocal) {
		return &Error{
			Code: exitUsage, What: se.Err.Error(), How: []string{where},
			Next: []string{"take the line out, or, if you trust the script: --commands"},
		}
	}
	e := *explain(se.Err)
	e.How = append([]string{where}, e.How...)
	return &e
}

// firstLine is the first line of a statement, cut when it is long.
func firstLine(sql string) string {
	line, _, more := strings.Cut(strings.TrimSpace(sql), "\n")
	const most = 100
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	if more {
		line += " …"
	}
	return line
}

// explainMySQL is about MySQL servers, and the connections to them.
func explainMySQL(err error) *Error {
	se, _ := errors.AsType[*mysqlclient.ServerError](err)
	ce, _ := errors.AsType[*mysqlclient.ConnError](err)
	switch {
	case ce == nil && se == nil:
		return explainMySQLValues(err)
	case errors.Is(err, context.Canceled):
		return nil // somebody else's words
	case se != nil && (ce == nil || ce.Phase > mysqlclient.PhaseSetup):
		return &Error{Code: exitRemote, What: serverWords(se), Next: afterServerError(se.Code)}
	case se != nil:
		return explainRefusedLogin(ce, se)
	case errors.Is(err, mysqlclient.ErrOutcomeUnknown):
		return &Error{
			Code: exitUnreachable, What: mysqlclient.ErrOutcomeUnknown.Error(), How: []string{ce.Error()},
			Next: []string{"look at the data before you repeat the transaction"},
		}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return &Error{
			Code: exitTimeout, What: "no answer in time", How: []string{ce.Error()},
			Next: []string{"wait longer: --connect-timeout=SECONDS", "see how far it came: --trace"},
		}
	}
	return explainMySQLConnection(err, ce)
}

func explainMySQLValues(err error) *Error {
	if ve, ok := errors.AsType[*mysqlclient.ValueError](err); ok {
		return &Error{Code: exitProtocol, What: ve.Error(), Next: []string{"see what the server sent: --trace=fields"}}
	}
	return nil
}

// serverWords is how mysql(1) writes what a server reports.
func serverWords(se *mysqlclient.ServerError) string {
	if se.State == "" {
		return fmt.Sprintf("ERROR %d: %s", se.Code, se.Message)
	}
	return fmt.Sprintf("ERROR %d (%s): %s", se.Code, se.State, se.Message)
}

func explainRefusedLogin(ce *mysqlclient.ConnError, se *mysqlclient.ServerError) *Error {
	e := &Error{What: serverWords(se), How: []string{fmt.Sprintf("%s answered the login so", ce.Address)}}
	switch se.Code {
	case 1040, 1129, 1130, 1203, 1226: // too many connections, host blocked or unknown
		e.Code = exitUnreachable
		e.Next = []string{"try again later, or ask who runs the server"}
	case 1049: // ER_BAD_DB_ERROR
		e.Code = exitRemote
		e.Next = []string{"see what there is: -e 'show databases', without the name of one"}
	case 1820, 1862: // password expired
		e.Code = exitLogin
		e.Next = []string{"set a new one in the interactive shell: ALTER USER USER() IDENTIFIED BY '…'"}
	case 1045, 1044, 1698, 1251, 3118, 3159, 3955, 4052:
		e.Code = exitLogin
		e.Next = []string{"check name and password: -u NAME -p asks for it", "see the packets: --trace --trace-filter mysql"}
	default:
		e.Code = exitLogin
		e.Next = []string{"see the packets: --trace --trace-filter mysql"}
	}
	return e
}

func explainMySQLConnection(err error, ce *mysqlclient.ConnError) *Error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var cve *tls.CertificateVerificationError
	switch {
	case errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &cve):
		return &Error{
			Code: exitHostKey, What: "the server's certificate is not to be trusted", How: []string{ce.Err.Error()},
			Next: []string{"name the certificates that you trust: --ssl-ca=FILE", "reach it through SSH instead: -J HOST"},
		}
	case ce.Phase == mysqlclient.PhaseGreeting && brokeFraming(err):
		return &Error{
			Code: exitProtocol, What: "the other side does not speak MySQL", How: []string{ce.Error()},
			Next: []string{"check host and port"},
		}
	case brokeFraming(err):
		return &Error{
			Code: exitProtocol, What: "the other side broke the protocol", How: []string{ce.Error()},
			Next: []string{"check host and port", "save the packets and show them to who maintains it: --capture FILE.pcapng"},
		}
	case ce.Phase == mysqlclient.PhaseDial:
		return nil // the network's words are told elsewhere
	case ce.Phase == mysqlclient.PhaseTLS:
		return &Error{
			Code: exitProtocol, What: "there is no TLS with this server", How: []string{ce.Err.Error()},
			Next: []string{"go without, if the network is yours: --ssl-mode=DISABLED", "reach it through SSH instead: -J HOST"},
		}
	case ce.Phase == mysqlclient.PhaseAuth:
		return &Error{
			Code: exitLogin, What: "the login went no further", How: []string{ce.Err.Error()},
			Next: []string{"encrypt the connection: --ssl-mode=REQUIRED", "see the packets: --trace --trace-filter mysql"},
		}
	case ce.Phase <= mysqlclient.PhaseSetup:
		return &Error{
			Code: exitUnreachable, What: fmt.Sprintf("no MySQL server at %s", ce.Address), How: []string{ce.Error()},
			Next: []string{"check host and port", "see how far it came: --trace"},
		}
	}
	again := "look whether the statement was done before you repeat it"
	if ce.SafeToRetry() {
		again = "try again: the server has not seen the statement"
	}
	return &Error{Code: exitUnreachable, What: "the connection was lost", How: []string{ce.Error()}, Next: []string{again}}
}

// brokeFraming reports an error of what came and not of the network.
func brokeFraming(err error) bool {
	return errors.As(err, new(*mysqlclient.ProtocolError)) || errors.As(err, new(*packet.TooLargeError)) ||
		errors.As(err, new(*packet.SequenceError)) || errors.As(err, new(*packet.FrameError)) || errors.As(err, new(*packet.EarlyDataError))
}

// afterServerError is what may help.
func afterServerError(code uint16) []string {
	switch code {
	case 1046:
		return []string{"choose a database: as an argument, or USE NAME"}
	case 1049:
		return []string{"see what there is: show databases"}
	case 1146, 1051:
		return []string{"see what there is: show tables"}
	case 1054:
		return []string{"see what there is: describe TABLE"}
	case 1064:
		return []string{"look at the statement where the server says"}
	case 1044, 1142, 1143, 1227, 1370:
		return []string{"ask who runs the server what this user may do: show grants"}
	case 1148, 3948:
		return []string{"allow LOAD DATA LOCAL on both sides: --local-infile here, local_infile there"}
	case 1820:
		return []string{"set a new password: ALTER USER USER() IDENTIFIED BY '…'"}
	case 1205, 1213:
		return []string{"run the transaction again"}
	}
	return []string{"see what was asked and answered: --trace --trace-filter mysql"}
}
