package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wirelark/wirelark/internal/shell"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/transfer"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// TestExplain checks that whatever can reach the command line gets its code
// and its three parts, also when it is wrapped.
func TestExplain(t *testing.T) {
	full := fmt.Errorf("%w; no room: %w", &sftp.StatusError{Code: sftp.StatusFailure, Op: "write", Path: "x"}, syscall.ENOSPC)
	lost := &transfer.Error{Count: 1, Failures: []transfer.Failure{{Path: "a", Err: &sftp.StatusError{Code: sftp.StatusPermissionDenied, Op: "open", Path: "a"}}}}
	partly := &transfer.Error{Count: 1, Failures: lost.Failures, Done: transfer.Result{Files: 3}}
	stopped := &transfer.Error{Count: 2, Failures: []transfer.Failure{{Path: "a", Err: context.Canceled}}, Done: transfer.Result{Files: 3}}
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22}, Err: err}
	}
	for _, tt := range []struct {
		name string
		err  error
		code int
		says string // in the text, somewhere
	}{
		{"no such host", &net.OpError{Op: "dial", Err: &net.DNSError{Name: "nowhere.invalid", Err: "no such host", IsNotFound: true}}, 3, `there is no host "nowhere.invalid"`},
		{"refused", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), 3, "nothing listens on 192.0.2.1:22"},
		{"no route", dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), 3, "cannot reach 192.0.2.1:22"},
		{"dial timeout", dial(os.ErrDeadlineExceeded), 8, "ConnectTimeout"},
		{"handshake timeout", &transport.TimeoutError{Waiting: "the server's identification line"}, 8, "identification line"},
		{"sftp timeout", &sftpclient.TimeoutError{}, 8, "no answer"},
		{"not SSH", &transport.VersionError{Line: "HTTP/1.1 400", Reason: "no identification"}, 6, "does not speak SSH"},
		{"nothing in common", &ssh.NegotiationError{Kind: "cipher client to server", Client: []string{"a"}, Server: []string{"b"}}, 6, "-o Ciphers=+NAME"},
		{"bad packet", &transport.ProtocolError{Rule: "its MAC is wrong", Section: "RFC 4253 §6.4"}, 6, "--capture"},
		{"flood", transport.ErrFlood, 6, "broke the protocol"},
		{"disconnect", &transport.DisconnectError{Reason: 2, Text: "bye\x1b[31m"}, 6, `"bye\x1b[31m"`},
		{"hung up", &transport.ReadError{Err: io.EOF}, 3, "the connection was lost"},
		{"broken pipe to the server", &transport.WriteError{Err: errors.New("reset")}, 3, "the connection was lost"},
		{"bad signature of the host", &transport.HostKeyError{Err: errors.New("signature is wrong")}, 4, "did not prove who it is"},
		{"certificate of the host", &transport.HostKeyError{Err: knownhosts.ErrCertificate}, 4, "HostKeyAlgorithms=ssh-ed25519"},
		{"login refused", &sshclient.AuthError{User: "ann", ServerMethods: []string{"publickey"}}, 5, "server: accepts publickey"},
		{"subsystem refused", &sshclient.RequestError{Request: "subsystem", Detail: "sftp"}, 1, "the answer to the request was no"},
		{"channel refused", &sshclient.OpenError{Type: "session", Reason: 1, Text: "no"}, 1, "opened no session"},
		{"dead server", fmt.Errorf("x: %w", sshclient.ErrKeepAlive), 8, "nothing has come from it"},
		{"no exit status", sshclient.ErrNoExitStatus, 1, "do not count on"},
		{"text before SFTP", &sftpclient.StartError{Text: "Welcome!", Err: io.EOF}, 6, "start-up files"},
		{"channel ended", &sftpclient.LostError{}, 3, "the connection was lost"},
		{"broken SFTP", &sftpclient.ProtocolError{What: "an answer to nothing"}, 6, "an answer to nothing"},
		{"missing there", &sftp.StatusError{Code: sftp.StatusNoSuchFile, Op: "open", Path: "x"}, 1, "SSH_FX_NO_SUCH_FILE"},
		{"missing here", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}, 1, "found on this machine"},
		{"full here", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, 1, "this machine's file system is full"},
		{"full there", full, 1, "the server's file system is full"},
		{"without the extension", &sftpclient.UnsupportedError{Extension: "statvfs@openssh.com"}, 1, "did not announce"},
		{"nothing copied", lost, 1, "log in as somebody who may"},
		{"partly copied", partly, 7, "1 file not copied, 3 copied"},
		{"interrupted copy", stopped, 130, "--resume"},
		{"interrupted", context.Canceled, 130, "interrupted"},
		{"wrong line", &shell.UsageError{Text: "there is no command"}, 2, "help"},
		{"several", errors.Join(&shell.UsageError{Text: "one"}, fs.ErrNotExist), 2, "2 things were not done"},
		{"anything else", errors.New("odd"), 1, "odd"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, err := range []error{tt.err, fmt.Errorf("doing it: %w", tt.err)} {
				if tt.name == "several" && err != tt.err { //nolint:errorlint // the rows' own
					continue
				}
				e := explain(err)
				text := e.text()
				if e.Code != tt.code || !strings.Contains(text, tt.says) {
					t.Errorf("%v: code %d, want %d with %q in\n%s", err, e.Code, tt.code, tt.says, text)
				}
				if strings.Contains(text, "\x1b") || strings.Contains(text, "%!") {
					t.Errorf("not fit for a terminal: %q", text)
				}
				if e.Code != exitInterrupted && len(e.Next) == 0 {
					t.Errorf("it does not say what to do next:\n%s", text)
				}
			}
		})
	}
}
