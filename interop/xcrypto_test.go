package interop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// The peer here is golang.org/x/crypto/ssh, which knows all our algorithms and
// is there on every machine.

func xConfig(t testing.TB, s *server) *xssh.ClientConfig {
	t.Helper()
	b, err := os.ReadFile(s.key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := xssh.ParsePrivateKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return &xssh.ClientConfig{
		User: "user", Auth: []xssh.AuthMethod{xssh.PublicKeys(signer)},
		HostKeyCallback: xssh.InsecureIgnoreHostKey(), Timeout: 10 * time.Second,
	}
}

// password is the login with one password, given once.
func password(p string) sshclient.AuthMethod {
	return sshclient.Password(func(context.Context, string) (string, error) { return p, nil })
}

// share is how much goes each way: everything with the method that no other
// peer may have, a part with the others.
func share(method string) int64 {
	if method == mlkem {
		return size()
	}
	return size() / 8
}

// Every cipher with every method; x/crypto renews keys every MiB, or we do.
func TestXCryptoClient(t *testing.T) {
	for _, method := range append(kexMethods[:len(kexMethods):len(kexMethods)], mlkem) {
		for _, cipher := range ciphers {
			for _, side := range []string{"ours", "theirs"} {
				t.Run(method+"/"+cipher+"/rekey is "+side, func(t *testing.T) {
					var tc transport.Config
					if side == "ours" {
						tc.Rekey.Bytes = rekeyBytes
					}
					s := serve(t, tc)
					cfg := xConfig(t, s)
					cfg.KeyExchanges, cfg.Ciphers = []string{method}, []string{cipher}
					if side == "theirs" {
						cfg.RekeyThreshold = rekeyBytes
					}
					c, err := xssh.Dial("tcp", s.addr, cfg)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					session, err := c.NewSession()
					if err != nil {
						t.Fatal(err)
					}
					defer session.Close()
					n, back := share(method), newMeter()
					session.Stdin, session.Stdout = bulk(n, 4), back
					if err := session.Run("cat"); err != nil {
						t.Fatalf("Run: %v", err)
					}
					if want := wantSum(t, n, 4); back.n != n || back.String() != want {
						t.Errorf("%d bytes came back with the hash %s, want %d with %s", back.n, back, n, want)
					}
				})
			}
		}
	}
}

func TestXCryptoClientStatus(t *testing.T) {
	s := serve(t, transport.Config{})
	c, err := xssh.Dial("tcp", s.addr, xConfig(t, s))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var exit *xssh.ExitError
	if err := session.Run("exit 9"); !errors.As(err, &exit) || exit.ExitStatus() != 9 {
		t.Errorf("Run = %v, want status 9", err)
	}
}

// xServer serves "cat" and "exit 9" with x/crypto on a free port.
func xServer(t testing.TB, algorithms xssh.Config) (addr string, host keys.PublicKey) {
	t.Helper()
	signer, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &xssh.ServerConfig{Config: algorithms, PasswordCallback: func(c xssh.ConnMetadata, password []byte) (*xssh.Permissions, error) {
		if c.User() != "user" || string(password) != "chirp" {
			return nil, errors.New("wrong password")
		}
		return nil, nil
	}}
	cfg.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // stops when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go xServe(nc, cfg) // stops when the client closes nc
		}
	}()
	return l.Addr().String(), signer.PublicKey()
}

func xServe(nc net.Conn, cfg *xssh.ServerConfig) {
	defer nc.Close()
	_, channels, requests, err := xssh.NewServerConn(nc, cfg)
	if err != nil {
		return
	}
	go xssh.DiscardRequests(requests) // stops when the connection ends
	for in := range channels {
		ch, requests, err := in.Accept()
		if err != nil {
			continue
		}
		go func() { // stops when the channel ends
			for r := range requests {
				_ = r.Reply(r.Type == "exec", nil)
				status := byte(9)
				if r.Type != "exec" {
					continue
				}
				if bytes.HasSuffix(r.Payload, []byte("cat")) {
					status = 0
					_, _ = io.Copy(ch, ch)
				}
				_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, status})
				ch.Close()
			}
		}()
	}
}

func TestXCryptoServer(t *testing.T) {
	for _, method := range append(kexMethods[:len(kexMethods):len(kexMethods)], mlkem) {
		for _, cipher := range ciphers {
			for _, side := range []string{"ours", "theirs"} {
				t.Run(method+"/"+cipher+"/rekey is "+side, func(t *testing.T) {
					their := xssh.Config{KeyExchanges: []string{method}, Ciphers: []string{cipher}}
					var tc transport.Config
					if side == "ours" {
						tc.Rekey.Bytes = rekeyBytes
					} else {
						their.RekeyThreshold = rekeyBytes
					}
					addr, host := xServer(t, their)
					c, err := sshclient.Dial(deadline(t), addr, &sshclient.Config{
						User: "user", Transport: tc, HostKeys: sshclient.FixedHostKeys(host), Auth: []sshclient.AuthMethod{password("chirp")},
					})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					bothWays(t, c, share(method))
					var exit *sshclient.ExitError
					if err := c.Command("exit").Run(deadline(t)); !errors.As(err, &exit) || exit.Status != 9 {
						t.Errorf("Run = %v, want status 9", err)
					}
				})
			}
		}
	}
	t.Run("wrong password", func(t *testing.T) {
		addr, host := xServer(t, xssh.Config{})
		_, err := sshclient.Dial(deadline(t), addr, &sshclient.Config{
			User: "user", HostKeys: sshclient.FixedHostKeys(host), Auth: []sshclient.AuthMethod{password("wrong")},
		})
		var auth *sshclient.AuthError
		if !errors.As(err, &auth) {
			t.Errorf("Dial = %v, want an AuthError", err)
		}
	})
}
