package sshtest

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// Who may log in to a [Server]: the owner of its UserKey, and this user with
// this password.
const (
	User     = "ada"
	Password = "correct horse"
)

// Server is an SSH server on the loopback interface.
type Server struct {
	*sshserver.Server
	Addr    string      // "127.0.0.1:port"
	HostKey keys.Signer // of the server
	UserKey keys.Signer // lets [User] in

	t testing.TB
}

// NewServer starts a server that ends with the test. It runs the commands of
// [Commands], has a subsystem "echo", and connects clients to any address.
// configure, if not nil, may change all that before the server starts.
func NewServer(t testing.TB, configure func(*sshserver.Server)) *Server {
	t.Helper()
	s := &Server{t: t, HostKey: newKey(t), UserKey: newKey(t)}
	s.Server = &sshserver.Server{
		HostKeys:   []keys.Signer{s.HostKey},
		PublicKey:  onlyKey{s.UserKey.PublicKey()},
		Password:   checkPassword,
		Exec:       Commands,
		Shell:      Commands,
		Subsystems: map[string]sshserver.Handler{"echo": echo},
		Env:        []string{"LC_*"},
	}
	s.DirectTCPIP = func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", f.Addr())
	}
	s.DirectStreamLocal = func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", f.Addr())
	}
	s.Transport.Trace = Flow(t)
	s.Limits.FailureDelay = -1
	if configure != nil {
		configure(s.Server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }() // stops with Close
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Shutdown(ctx) // cuts what is left
		if err := <-ended; !errors.Is(err, sshserver.ErrServerClosed) {
			t.Errorf("sshtest: Serve: %v", err)
		}
	})
	return s
}

func newKey(t testing.TB) keys.Signer {
	t.Helper()
	s, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ClientConfig returns what a client needs to log in with the user's key.
func (s *Server) ClientConfig() *sshclient.Config {
	return &sshclient.Config{
		User:     User,
		HostKeys: sshclient.FixedHostKeys(s.HostKey.PublicKey()),
		Auth:     []sshclient.AuthMethod{sshclient.PublicKeys(s.UserKey)},
	}
}

// Dial logs in as [Server.ClientConfig] says. The connection ends with the
// test.
func (s *Server) Dial() *sshclient.Client {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := sshclient.Dial(ctx, s.Addr, s.ClientConfig())
	if err != nil {
		s.t.Fatalf("sshtest: dial: %v", err)
	}
	s.t.Cleanup(func() { c.Close() })
	return c
}

type onlyKey struct{ key keys.PublicKey }

func (o onlyKey) Acceptable(_ context.Context, _ sshserver.Attempt, k keys.PublicKey) bool {
	return keys.Equal(k, o.key)
}

func (o onlyKey) Authorize(_ context.Context, a sshserver.Attempt, k sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if a.User != User || !keys.Equal(k.Key(), o.key) {
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

func checkPassword(_ context.Context, a sshserver.Attempt, password string) (*sshserver.Grant, error) {
	user := subtle.ConstantTimeCompare([]byte(a.User), []byte(User))
	if user&subtle.ConstantTimeCompare([]byte(password), []byte(Password)) == 0 {
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

func echo(_ context.Context, s *sshserver.Session) error {
	_, err := io.Copy(s, s)
	return err
}

// Commands is a handler that runs small commands in this process:
//
//	echo TEXT     writes TEXT and a newline
//	cat           copies standard input to standard output
//	fill N M      writes N bytes to standard output and M to standard error
//	exit N        ends with status N
//	kill NAME     ends as if signal NAME had
//	env           writes the environment
//	wait          waits for a signal, writes its name, ends as if it had killed
//	panic         panics
//
// Without a command it is a shell: cat. Any other ends with status 127.
func Commands(ctx context.Context, s *sshserver.Session) error {
	name, args, _ := strings.Cut(s.Command(), " ")
	switch name {
	case "echo":
		fmt.Fprintln(s, args)
	case "cat", "":
		return echo(ctx, s)
	case "fill":
		return fill(s, args)
	case "exit":
		n, err := strconv.ParseUint(args, 10, 32)
		s.Exit(uint32(n))
		return err
	case "kill":
		s.ExitSignal(exitSignal(args))
	case "env":
		fmt.Fprintln(s, strings.Join(s.Env(), "\n"))
	case "wait":
		e, err := s.Event(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(s, e.Signal)
		s.ExitSignal(exitSignal(e.Signal))
	case "panic":
		panic("on request")
	default:
		fmt.Fprintf(s.Stderr(), "%s: not found\n", name)
		s.Exit(127)
	}
	return nil
}
