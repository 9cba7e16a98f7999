package transport

import (
	"context"
	"net"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/keys"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

func hostKey(t testing.TB) keys.Signer {
	t.Helper()
	k, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// connect returns both ends of a connection over a pair of sockets.
func connect(t testing.TB, cn, sn net.Conn, cc *ClientConfig, sc *ServerConfig) (client, server *Conn) {
	t.Helper()
	if cc == nil {
		cc = &ClientConfig{}
	}
	if cc.HostKey == nil {
		cc.HostKey = func(context.Context, HostKey) error { return nil }
	}
	if sc == nil {
		sc = &ServerConfig{}
	}
	if sc.HostKeys == nil {
		sc.HostKeys = []keys.Signer{hostKey(t)}
	}
	done := make(chan error)
	go func() { // stops when the handshake is over
		var err error
		server, err = Server(context.Background(), sn, sc)
		done <- err
	}()
	client, err := Client(context.Background(), cn, cc)
	if serr := <-done; serr != nil {
		t.Errorf("server: %v", serr)
	}
	if err != nil {
		t.Errorf("client: %v", err)
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

func TestHandshake(t *testing.T) {
	cn, sn := testkit.Pipe()
	c, s := connect(t, cn, sn, nil, nil)
	if string(c.SessionID()) != string(s.SessionID()) || len(c.SessionID()) != 32 {
		t.Errorf("session ids %x and %x", c.SessionID(), s.SessionID())
	}
	t.Logf("%+v", c.State())
}
