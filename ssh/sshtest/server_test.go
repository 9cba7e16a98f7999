package sshtest

import (
	"bytes"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/wirelark/wirelark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

func TestCommands(t *testing.T) {
	c := NewServer(t, nil).Dial()
	tests := []struct {
		line, stdin            string
		wantOut, wantErr, fail string
	}{
		{line: "echo hello", wantOut: "hello\n"},
		{line: "cat", stdin: "some input", wantOut: "some input"},
		{line: "exit 0"},
		{line: "exit 7", fail: "remote command exited with status 7"},
		{line: "kill SEGV", fail: `remote command ended by signal "SEGV"`},
		{line: "nonsense", wantErr: "nonsense: not found\n", fail: "remote command exited with status 127"},
		{line: "panic", fail: "remote command exited with status 255"},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			cmd := c.Command(tt.line)
			var out, errs bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tt.stdin), &out, &errs
			err := cmd.Run(t.Context())
			got := ""
			if err != nil {
				got = err.Error()
			}
			if got != tt.fail || out.String() != tt.wantOut || errs.String() != tt.wantErr {
				t.Errorf("Run(%q) = %q, %q, %q, want %q, %q, %q", tt.line, out.String(), errs.String(), got, tt.wantOut, tt.wantErr, tt.fail)
			}
		})
	}
}

func TestForwardedConnIsANetConn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two seconds")
	}
	s := NewServer(t, nil)
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		defer l.Close()
		c := s.Dial()
		near, err := c.DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			return nil, nil, nil, err
		}
		far, err := l.Accept()
		return near, far, func() { near.Close(); far.Close(); c.Close() }, err
	})
}
