package interop

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// clientConfig is a configuration of our client for a peer.
func clientConfig(t testing.TB, s *sshd, tc transport.Config) *sshclient.Config {
	t.Helper()
	signer, err := keys.Load(s.key, nil)
	if err != nil {
		t.Fatal(err)
	}
	store, err := knownhosts.Load(s.knownHosts)
	if err != nil {
		t.Fatal(err)
	}
	return &sshclient.Config{
		User: s.user, Transport: tc,
		HostKeys: &knownhosts.Checker{Store: store},
		Auth:     []sshclient.AuthMethod{sshclient.PublicKeys(signer)},
	}
}

func dialPeer(t testing.TB, s *sshd, tc transport.Config) *sshclient.Client {
	t.Helper()
	c, err := sshclient.Dial(deadline(t), s.addr, clientConfig(t, s, tc))
	if err != nil {
		t.Fatalf("Dial %s (%s): %v", s.addr, s.version, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// eachSSHD runs f against every sshd that is there.
func eachSSHD(t *testing.T, f func(t *testing.T, s *sshd)) {
	for name, s := range sshds(t) {
		t.Run(name, func(t *testing.T) { f(t, s) })
	}
}

func TestClientExec(t *testing.T) {
	eachSSHD(t, func(t *testing.T, s *sshd) {
		c := dialPeer(t, s, transport.Config{})
		tests := []struct {
			name, line, stdin      string
			stdout, stderr, signal string
			status                 int
		}{
			{name: "output", line: "echo out; echo err >&2", stdout: "out\n", stderr: "err\n"},
			{name: "status", line: "exit 7", status: 7},
			{name: "input", line: "tr a-z A-Z", stdin: "chirp", stdout: "CHIRP"},
			{name: "signal", line: "kill -TERM $$", signal: "TERM", status: -1},
			{name: "no such command", line: "exec /nowhere/at/all 2>/dev/null", status: 127},
			{name: "output after input", line: "cat; echo end", stdin: strings.Repeat("x", 1<<16), stdout: strings.Repeat("x", 1<<16) + "end\n"},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				cmd := c.Command(tt.line)
				cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tt.stdin), &stdout, &stderr
				err := cmd.Run(deadline(t))
				var exit *sshclient.ExitError
				switch {
				case tt.status == 0 && tt.signal == "":
					if err != nil {
						t.Errorf("Run = %v, want status 0", err)
					}
				case !errors.As(err, &exit) || exit.Status != tt.status || exit.Signal != tt.signal:
					t.Errorf("Run = %v (%+v), want status %d signal %q", err, exit, tt.status, tt.signal)
				}
				if got := stdout.String(); got != tt.stdout {
					t.Errorf("stdout = %.100q, want %.100q", got, tt.stdout)
				}
				if got := stderr.String(); got != tt.stderr {
					t.Errorf("stderr = %q, want %q", got, tt.stderr)
				}
			})
		}
	})
}

// Both outputs of a command are drained, whichever is read first.
func TestClientTwoOutputs(t *testing.T) {
	eachSSHD(t, func(t *testing.T, s *sshd) {
		c := dialPeer(t, s, transport.Config{})
		out, errs := newMeter(), newMeter()
		cmd := c.Command("head -c 8000000 /dev/zero >&2; head -c 8000000 /dev/zero")
		cmd.Stdout, cmd.Stderr = out, errs
		if err := cmd.Run(deadline(t)); err != nil || out.n != 8e6 || errs.n != 8e6 {
			t.Errorf("Run = %v with %d and %d bytes, want 8 MB each", err, out.n, errs.n)
		}
	})
}

// bothWays sends n bytes through "cat" and checks what comes back.
func bothWays(t *testing.T, c *sshclient.Client, n int64) {
	t.Helper()
	back := newMeter()
	cmd := c.Command("cat")
	cmd.Stdin, cmd.Stdout = bulk(n, 1), back
	began := time.Now()
	if err := cmd.Run(deadline(t)); err != nil {
		t.Fatalf("Run: %v", err)
	}
	speed(t, "each way", n, began)
	if want := wantSum(t, n, 1); back.n != n || back.String() != want {
		t.Errorf("%d bytes came back with the hash %s, want %d with %s", back.n, back, n, want)
	}
}

func TestClientBulk(t *testing.T) {
	for _, side := range []string{"ours", "theirs"} {
		t.Run("rekey is "+side, func(t *testing.T) {
			all := map[string]*sshd{"own": nil}
			if side == "ours" {
				all = sshds(t)
			} else {
				all["own"] = startSSHD(t, "RekeyLimit 1M")
			}
			for name, s := range all {
				for _, cipher := range ciphers {
					t.Run(name+"/"+cipher, func(t *testing.T) {
						tc := transport.Config{Algorithms: transport.Algorithms{Ciphers: []string{cipher}}}
						if side == "ours" {
							tc.Rekey.Bytes = rekeyBytes
						}
						c := dialPeer(t, s, tc)
						bothWays(t, c, size())
						st := c.State()
						if least := int(size() / rekeyBytes); st.KeyExchanges < least/2 {
							t.Errorf("%d key exchanges, want about %d", st.KeyExchanges, 2*least)
						}
						if got := st.Algorithms.C2S.Cipher; got != cipher {
							t.Errorf("the cipher is %s, want %s", got, cipher)
						}
						t.Logf("%d key exchanges", st.KeyExchanges)
					})
				}
			}
		})
	}
}

func TestClientKex(t *testing.T) {
	eachSSHD(t, func(t *testing.T, s *sshd) {
		for _, method := range append(kexMethods[:len(kexMethods):len(kexMethods)], mlkem) {
			t.Run(method, func(t *testing.T) {
				tc := transport.Config{Algorithms: transport.Algorithms{Kex: []string{method}}}
				c, err := sshclient.Dial(deadline(t), s.addr, clientConfig(t, s, tc))
				if method == mlkem && err != nil && strings.Contains(s.version, "OpenSSH_9.2") {
					t.Skipf("%s does not know it: %v", s.version, err)
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if out, err := c.Command("echo hello").Output(deadline(t)); err != nil || string(out) != "hello\n" {
					t.Errorf("echo = %q, %v", out, err)
				}
				if st := c.State(); st.Algorithms.Kex != method {
					t.Errorf("the method is %s, want %s", st.Algorithms.Kex, method)
				}
			})
		}
	})
}

// A key file that ssh-keygen wrote, of each type, lets its owner in.
func TestClientKeys(t *testing.T) {
	for _, kind := range []string{"ed25519", "rsa"} {
		t.Run(kind, func(t *testing.T) {
			s := startSSHD(t, "PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-256,rsa-sha2-512")
			id := newIdentity(t, kind)
			s.authorize(t, id)
			s.key = id.private
			c := dialPeer(t, s, transport.Config{})
			if _, err := c.Command("true").Output(deadline(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClientRefused(t *testing.T) {
	s := startSSHD(t)
	t.Run("unknown key", func(t *testing.T) {
		other := *s
		other.key = newIdentity(t, "ed25519").private
		_, err := sshclient.Dial(deadline(t), s.addr, clientConfig(t, &other, transport.Config{}))
		var auth *sshclient.AuthError
		if !errors.As(err, &auth) {
			t.Errorf("Dial = %v, want an AuthError", err)
		}
	})
	t.Run("changed host key", func(t *testing.T) {
		other := startSSHD(t)
		cfg := clientConfig(t, other, transport.Config{})
		cfg.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.addr)
		}
		_, err := sshclient.Dial(deadline(t), other.addr, cfg)
		var key *knownhosts.KeyError
		if !errors.As(err, &key) || key.Kind != knownhosts.Changed {
			t.Errorf("Dial = %v, want a changed key", err)
		}
	})
	t.Run("no common cipher", func(t *testing.T) {
		s := startSSHD(t, "Ciphers aes128-cbc")
		if _, err := sshclient.Dial(deadline(t), s.addr, clientConfig(t, s, transport.Config{})); err == nil || !strings.Contains(err.Error(), "aes128-cbc") {
			t.Errorf("Dial = %v, want an error that names both offers", err)
		}
	})
}

// A connection through the server carries data and obeys deadlines.
func TestClientDirectTCPIP(t *testing.T) {
	eachSSHD(t, func(t *testing.T, s *sshd) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() { // stops when it has answered once, or when l is closed
			nc, err := l.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			b := make([]byte, 5)
			if n, err := nc.Read(b); err == nil {
				_, _ = nc.Write(bytes.ToUpper(b[:n]))
			}
			_, _ = nc.Read(b) // until the client closes
		}()
		c := dialPeer(t, s, transport.Config{})
		nc, err := c.DialContext(deadline(t), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if _, err := nc.Write([]byte("chirp")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 16)
		if n, err := nc.Read(b); err != nil || string(b[:n]) != "CHIRP" {
			t.Errorf("Read = %q, %v", b[:n], err)
		}
		if err := nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		var timeout net.Error
		if _, err := nc.Read(b); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Read behind the deadline = %v, want a timeout", err)
		}
		if _, err := c.DialContext(deadline(t), "tcp", freeAddr(t)); err == nil {
			t.Error("a connection to a closed port succeeds")
		}
	})
}
