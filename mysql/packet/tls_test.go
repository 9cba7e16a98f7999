package packet_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// certificate returns the configurations of both ends for "db.test".
func certificate(t *testing.T) (client, server *tls.Config) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"db.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{RootCAs: roots, ServerName: "db.test"},
		&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: private}}}
}

func TestStartTLS(t *testing.T) {
	see := new(log)
	client, server := pair(t, see)
	ccfg, scfg := certificate(t)
	done := make(chan error, 1)
	go func() { // the server; ends with the handshake, an answer, or the pipe
		done <- func() error {
			if _, err := server.ReadPacket(); err != nil {
				return err
			}
			if err := server.StartTLS(context.Background(), scfg); err != nil {
				return err
			}
			p, err := server.ReadPacket()
			if err != nil {
				return err
			}
			server.AppendPayload(p)
			return server.Flush()
		}()
	}()
	client.AppendPayload([]byte("SSLRequest"))
	if err := client.Flush(); err != nil { // the ClientHello may be read along with it
		t.Fatal(err)
	}
	if err := client.StartTLS(t.Context(), ccfg); err != nil {
		t.Fatal(err)
	}
	client.AppendPayload([]byte("secret word"))
	if err := client.Flush(); err != nil {
		t.Fatal(err)
	}
	if p, err := client.ReadPacket(); err != nil || string(p) != "secret word" {
		t.Errorf("ReadPacket() = %q, %v", p, err)
	}
	if err := <-done; err != nil {
		t.Errorf("the server: %v", err)
	}
	if state, ok := client.TLS(); !ok || state.ServerName != "db.test" {
		t.Errorf("TLS() = %v, %v", state.ServerName, ok)
	}
	if strings.Contains(string(see.wire[0]), "secret word") || !strings.Contains(string(see.packets[0]), "secret word") {
		t.Error("the wire shows the plaintext, or the packets do not")
	}
	if len(see.secrets) == 0 || !strings.HasPrefix(see.secrets[0], "CLIENT_") && !strings.HasPrefix(see.secrets[0], "SERVER_") {
		t.Errorf("key log lines: %q", see.secrets)
	}
	if len(see.events) != 2 || see.events[0] != trace.KexStart || see.events[1] != trace.KexEnd {
		t.Errorf("events: %v", see.events)
	}
	if ccfg.KeyLogWriter != nil {
		t.Error("the caller's configuration was changed")
	}
	if err := client.StartTLS(t.Context(), ccfg); err == nil {
		t.Error("TLS inside TLS succeeded")
	}
}

// TestStartTLSEarlyBytes lets the first bytes of the handshake arrive with the
// request, as they do when a client does not wait.
func TestStartTLSEarlyBytes(t *testing.T) {
	a, b := testkit.Pipe()
	ccfg, scfg := certificate(t)
	server := packet.New(b, &packet.Config{Role: trace.Server})
	defer server.Close()
	client := packet.New(a, nil)
	defer client.Close()
	result := make(chan error, 1)
	client.AppendPayload([]byte("SSLRequest"))
	if err := client.Flush(); err != nil {
		t.Fatal(err)
	}
	go func() { result <- client.StartTLS(context.Background(), ccfg) }() // ends with the handshake
	for b.(*testkit.Conn).Buffered() < 100 {
		time.Sleep(time.Millisecond) // until the ClientHello is under way
	}
	if _, err := server.ReadPacket(); err != nil {
		t.Fatal(err)
	}
	if server.Buffered() == 0 {
		t.Error("the test did not make the server read too far")
	}
	if err := server.StartTLS(t.Context(), scfg); err != nil {
		t.Errorf("the server: %v", err)
	}
	if err := <-result; err != nil {
		t.Errorf("the client: %v", err)
	}
}

func TestStartTLSRefusesEarlyData(t *testing.T) {
	c := raw(t, trace.Client, []byte("\x02\x00\x00\x00\x0ax\x01\x00\x00\x01injected"))
	if _, err := c.ReadPacket(); err != nil {
		t.Fatal(err)
	}
	ccfg, _ := certificate(t)
	var e *packet.EarlyDataError
	if err := c.StartTLS(t.Context(), ccfg); !errors.As(err, &e) || e.Bytes != 12 {
		t.Errorf("StartTLS with bytes in the buffer: %v", err)
	}
}

func TestStartTLSContext(t *testing.T) {
	client, _ := pair(t, nil) // whose server never answers
	ccfg, _ := certificate(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := client.StartTLS(ctx, ccfg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("StartTLS: %v", err)
	}
}

// TestCloseTLSStuck: a peer that takes nothing does not hold Close up.
func TestCloseTLSStuck(t *testing.T) {
	a, b := net.Pipe()
	ccfg, scfg := certificate(t)
	client, server := packet.New(a, nil), packet.New(b, &packet.Config{Role: trace.Server})
	defer server.Close()
	result := make(chan error, 1)
	go func() { result <- server.StartTLS(context.Background(), scfg) }() // ends with the handshake
	if err := client.StartTLS(t.Context(), ccfg); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	since := time.Now()
	if err := client.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if d := time.Since(since); d > 2*time.Second { // crypto/tls alone takes five
		t.Errorf("Close took %v", d)
	}
}
