package transport

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
)

func FuzzVersionLine(f *testing.F) {
	f.Add(true, "SSH-2.0-x y\r\n")
	f.Add(false, "hello\nSSH-1.99-x\n")
	f.Add(true, strings.Repeat("a\n", 1030))
	f.Fuzz(func(t *testing.T, server bool, s string) {
		a, b := testkit.NewPipe(testkit.PipeConfig{Buffer: len(s) + 1})
		defer a.Close()
		defer b.Close()
		if _, err := a.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		a.CloseWrite()
		role := trace.Client
		if server {
			role = trace.Server
		}
		line, err := readVersion(packet.NewPacketizer(b), role)
		if err == nil && (len(line) > maxVersionLine-1 || !strings.HasPrefix(string(line), "SSH-") || strings.ContainsAny(string(line), "\x00\r\n\x1b")) {
			t.Errorf("accepted %q", line)
		}
	})
}

func FuzzNegotiation(f *testing.F) {
	init := func(kex, host, ciphers string) []byte {
		split := func(s string) []string { return strings.Split(s, ",") }
		b, err := ssh.Append(nil, &ssh.KexInit{
			KexAlgorithms: split(kex), ServerHostKeyAlgorithms: split(host), CiphersC2S: split(ciphers), CiphersS2C: split(ciphers),
			CompressionC2S: []string{"none"}, CompressionS2C: []string{"none"},
		})
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	f.Add(false, init("curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com"))
	f.Add(true, init("x,mlkem768x25519-sha256,kex-strict-c-v00@openssh.com,ext-info-c", "ssh-ed25519", "x,aes256-gcm@openssh.com"))
	f.Add(true, init("ext-info-s,kex-strict-s-v00@openssh.com", "ssh-ed25519", "none"))
	signer := hostKey(f)
	f.Fuzz(func(t *testing.T, server bool, b []byte) {
		synctest.Test(t, func(t *testing.T) { feed(t, server, signer, [][]byte{b}, nil) })
	})
}

// FuzzStream feeds both roles a byte stream behind a good identification line.
func FuzzStream(f *testing.F) {
	f.Add(false, []byte("\x00\x00\x00\x0c\x0a\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(true, []byte("\x00\x00\x00\x0c\x06\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	signer := hostKey(f)
	f.Fuzz(func(t *testing.T, server bool, b []byte) {
		synctest.Test(t, func(t *testing.T) { feed(t, server, signer, nil, b) })
	})
}

// FuzzPackets feeds both roles packets behind a good KEXINIT: the fuzzed bytes
// are payloads, each behind a byte with its length.
func FuzzPackets(f *testing.F) {
	f.Add(false, []byte("\x05\x1f\x00\x00\x00\x00"))
	f.Add(true, []byte("\x25\x1e\x00\x00\x00\x20"+strings.Repeat("k", 32)+"\x01\x15"))
	f.Add(true, []byte("\x01\x15\x05\x02\x00\x00\x00\x00"))
	signer := hostKey(f)
	f.Fuzz(func(t *testing.T, server bool, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			p := peer{t: t, role: trace.Server}
			if server {
				p.role = trace.Client
			}
			init := p.offer()
			init.KexAlgorithms = []string{"curve25519-sha256"}
			first, err := ssh.Append(nil, &init)
			if err != nil {
				t.Fatal(err)
			}
			packets := [][]byte{first}
			for len(b) > 1 && len(packets) < 100 {
				n := min(max(1, int(b[0])), len(b)-1)
				packets = append(packets, b[1:1+n])
				b = b[1+n:]
			}
			feed(t, server, signer, packets, nil)
		})
	})
}

// feed runs one side against a peer that says the given packets and bytes, and
// ends. It has no host key, so no handshake of a client can succeed; a server
// learns only from the next packet that its peer has no keys.
func feed(t *testing.T, server bool, signer keys.Signer, packets [][]byte, stream []byte) {
	t.Helper()
	cn, sn := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
	ours, theirs := cn, sn
	if server {
		ours, theirs = sn, cn
	}
	go func() { // stops when everything is written
		p := packet.NewPacketizer(theirs)
		p.AppendRaw([]byte("SSH-2.0-Fuzz\r\n"))
		for _, b := range packets {
			if p.Append(b) != nil {
				break
			}
		}
		p.AppendRaw(stream)
		_ = p.Flush()
		theirs.CloseWrite()
		_, _ = io.Copy(io.Discard, theirs)
	}()
	cfg := Config{HandshakeTimeout: time.Minute}
	var c *Conn
	var err error
	if server {
		c, err = Server(context.Background(), ours, &ServerConfig{Config: cfg, HostKeys: []keys.Signer{signer}})
	} else {
		c, err = Client(context.Background(), ours, &ClientConfig{Config: cfg, HostKey: func(context.Context, HostKey) error { return nil }})
	}
	if err == nil {
		if _, err := c.ReadPacket(); err == nil || !server {
			t.Error("garbage is accepted")
		}
		c.Close()
	}
}
