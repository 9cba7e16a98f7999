package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
)

// onlyKey lets the owner of one key in, whatever the user's name.
type onlyKey struct{ key keys.PublicKey }

func (p onlyKey) Acceptable(_ context.Context, _ sshserver.Attempt, key keys.PublicKey) bool {
	return keys.Equal(key, p.key)
}

func (p onlyKey) Authorize(_ context.Context, _ sshserver.Attempt, key sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if !keys.Equal(key.Key(), p.key) {
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

// server is our server and what a peer needs to get in.
type server struct {
	addr       string
	port       string
	key        string // private key file of the only user
	knownHosts string // file
	dir        string // what SFTP shows as "/"
}

// serve starts our server on a free port. Commands run in /bin/sh, as whoever
// runs the test; SFTP is confined to a new folder.
func serve(t testing.TB, tc transport.Config) *server {
	t.Helper()
	host, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	id := newIdentity(t, "ed25519")
	user, _, err := keys.LoadPublic(id.public)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{key: id.private, dir: t.TempDir(), knownHosts: filepath.Join(t.TempDir(), "known_hosts")}
	files, err := backend.Rooted(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	srv := &sshserver.Server{
		HostKeys: []keys.Signer{host}, Transport: tc, PublicKey: onlyKey{user}, Exec: runCommand,
		Subsystems: map[string]sshserver.Handler{"sftp": func(ctx context.Context, s *sshserver.Session) error {
			return sftpserver.Serve(ctx, open{s}, files, nil)
		}},
		DirectTCPIP: func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, f.Network, f.Addr())
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }() // stops when the server is closed
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		<-served
		files.Close()
	})
	s.addr = l.Addr().String()
	_, s.port, _ = net.SplitHostPort(s.addr)
	line := fmt.Sprintf("[127.0.0.1]:%s %s\n", s.port, keys.AuthorizedLine(host.PublicKey(), ""))
	if err := os.WriteFile(s.knownHosts, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// open is a session that its handler's end closes, with a status.
type open struct{ *sshserver.Session }

func (open) Close() error { return nil }

// runCommand is a handler for exec.
func runCommand(ctx context.Context, s *sshserver.Session) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", s.Command())
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = s, s.Stderr()
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { // stops when the client's input ends or the session does
		_, _ = s.WriteTo(stdin)
		stdin.Close()
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		s.Exit(uint32(exit.ExitCode()))
		return nil
	} else if err != nil {
		return err
	}
	return nil
}

func (s *server) options(portLetter string, more ...string) []string {
	return append(options(s.knownHosts, s.key, s.port, portLetter), more...)
}

func TestServerExec(t *testing.T) {
	s := serve(t, transport.Config{})
	words := program(t, "WIRELARK_SSH", "ssh")
	tests := []struct {
		name, line, stdin, stdout string
		status                    int
	}{
		{"output", "echo out", "", "out\n", 0},
		{"status", "exit 7", "", "", 7},
		{"input", "tr a-z A-Z", "chirp", "CHIRP", 0},
		{"no such command", "exec /nowhere/at/all", "", "", 127},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := command(t, words, s.options("p", "user@127.0.0.1", tt.line)...)
			cmd.Stdin = strings.NewReader(tt.stdin)
			out, status := output(t, cmd)
			if string(out) != tt.stdout || status != tt.status {
				t.Errorf("ssh says %q with status %d, want %q with %d", out, status, tt.stdout, tt.status)
			}
		})
	}
	t.Run("wrong key", func(t *testing.T) {
		other := *s
		other.key = newIdentity(t, "ed25519").private
		if _, status := output(t, command(t, words, other.options("p", "user@127.0.0.1", "echo")...)); status != 255 {
			t.Errorf("ssh with another key ends with status %d, want 255", status)
		}
	})
}

func TestServerBulk(t *testing.T) {
	words := program(t, "WIRELARK_SSH", "ssh")
	for _, side := range []string{"ours", "theirs"} {
		for _, cipher := range ciphers {
			t.Run("rekey is "+side+"/"+cipher, func(t *testing.T) {
				var tc transport.Config
				more := []string{"-c", cipher}
				if side == "ours" {
					tc.Rekey.Bytes = rekeyBytes
				} else {
					more = append(more, "-o", "RekeyLimit=1M")
				}
				s := serve(t, tc)
				back := newMeter()
				cmd := command(t, words, s.options("p", append(more, "user@127.0.0.1", "cat")...)...)
				var stderr bytes.Buffer
				cmd.Stdin, cmd.Stdout, cmd.Stderr = bulk(size(), 2), back, &stderr
				began := time.Now()
				if err := cmd.Run(); err != nil {
					t.Fatalf("ssh: %v\n%s", err, stderr.Bytes())
				}
				speed(t, "each way", size(), began)
				if want := wantSum(t, size(), 2); back.n != size() || back.String() != want {
					t.Errorf("%d bytes came back with the hash %s, want %d with %s", back.n, back, size(), want)
				}
			})
		}
	}
}

func TestServerKex(t *testing.T) {
	words := program(t, "WIRELARK_SSH", "ssh")
	known, _ := output(t, command(t, words, "-Q", "kex"))
	for _, method := range append(kexMethods[:len(kexMethods):len(kexMethods)], mlkem) {
		t.Run(method, func(t *testing.T) {
			if !strings.Contains(string(known), method) {
				t.Skipf("this ssh does not know it; it knows %s", strings.Join(lines(known), " "))
			}
			s := serve(t, transport.Config{})
			out, status := output(t, command(t, words, s.options("p", "-o", "KexAlgorithms="+method, "user@127.0.0.1", "echo hello")...))
			if string(out) != "hello\n" || status != 0 {
				t.Errorf("ssh says %q with status %d", out, status)
			}
		})
	}
}

// ssh -W speaks to what our server reaches.
func TestServerDirectTCPIP(t *testing.T) {
	inner, outer := serve(t, transport.Config{}), serve(t, transport.Config{})
	cmd := command(t, program(t, "WIRELARK_SSH", "ssh"), outer.options("p", "-W", inner.addr, "user@127.0.0.1")...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len("SSH-2.0-"))
	if _, err := stdout.Read(b); err != nil || string(b) != "SSH-2.0-" {
		t.Errorf("through the server comes %q, %v", b, err)
	}
	stdin.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// sftp, scp and lftp move files through our server.
func TestServerFiles(t *testing.T) {
	n := size()
	// Each row moves the file src to the server as "up" and that one to dst.
	tests := []struct {
		name string
		run  func(t *testing.T, s *server, src, dst string)
	}{
		{"sftp", func(t *testing.T, s *server, src, dst string) {
			cmd := command(t, program(t, "WIRELARK_SFTP", "sftp"), s.options("P", "-b", "-", "user@127.0.0.1")...)
			cmd.Stdin = strings.NewReader(fmt.Sprintf("put %s /up\nls -l /up\nmkdir /d\nrename /up /d/x\nchmod 600 /d/x\nln -s x /d/l\nrename /d/x /up\nrm /d/l\nrmdir /d\ndf /\nget /up %s\n", src, dst))
			if out, status := output(t, cmd); status != 0 {
				t.Errorf("sftp ends with status %d:\n%s", status, tail(out))
			}
		}},
		{"scp", func(t *testing.T, s *server, src, dst string) {
			words := program(t, "WIRELARK_SCP", "scp")
			for _, files := range [][]string{{src, "user@127.0.0.1:/up"}, {"user@127.0.0.1:/up", dst}} {
				if out, status := output(t, command(t, words, s.options("P", append([]string{"-s", "-q"}, files...)...)...)); status != 0 {
					t.Errorf("scp ends with status %d:\n%s", status, tail(out))
				}
			}
		}},
		{"scp of old", func(t *testing.T, s *server, src, dst string) {
			words := program(t, "WIRELARK_SCP", "scp")
			far := filepath.Join(s.dir, "up")
			for _, files := range [][]string{{src, "user@127.0.0.1:" + far}, {"user@127.0.0.1:" + far, dst}} {
				if out, status := output(t, command(t, words, s.options("P", append([]string{"-O", "-q"}, files...)...)...)); status != 0 {
					t.Errorf("scp ends with status %d:\n%s", status, tail(out))
				}
			}
		}},
		{"lftp", func(t *testing.T, s *server, src, dst string) {
			ssh := strings.Join(append(program(t, "WIRELARK_SSH", "ssh"), options(s.knownHosts, s.key, s.port, "p")...), " ")
			script := fmt.Sprintf("set sftp:connect-program \"%s -a -x\"; set net:max-retries 1; open -u user, sftp://127.0.0.1; put %s -o /up; get /up -o %s; ls /; bye", ssh, src, dst)
			cmd := command(t, program(t, "WIRELARK_LFTP", "lftp"), "--norc", "-c", script)
			if out, status := output(t, cmd); status != 0 {
				t.Errorf("lftp ends with status %d:\n%s", status, tail(out))
			}
		}},
	}
	src := bulkFile(t, n, 3)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, transport.Config{Rekey: transport.Rekey{Bytes: rekeyBytes}})
			dst := filepath.Join(t.TempDir(), "down")
			began := time.Now()
			tt.run(t, s, src, dst)
			speed(t, "up and down", 2*n, began)
			checkFile(t, filepath.Join(s.dir, "up"), n, 3)
			checkFile(t, dst, n, 3)
		})
	}
}
