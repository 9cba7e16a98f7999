package join_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// connect runs a server with SFTP and connects a client to it in memory.
func connect(t testing.TB, find func(context.Context, *sshserver.Session) (sftpserver.Backend, error), cfg transport.Config) *sshclient.Client {
	t.Helper()
	return connectTo(t, find, cfg, transport.Config{})
}

// connectTo is connect with a configuration for the server too.
func connectTo(t testing.TB, find func(context.Context, *sshserver.Session) (sftpserver.Backend, error), cfg, serverCfg transport.Config) *sshclient.Client {
	t.Helper()
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	server := &sshserver.Server{
		HostKeys:   []keys.Signer{hostKey},
		Transport:  serverCfg,
		None:       func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil },
		Subsystems: map[string]sshserver.Handler{join.Subsystem: join.SFTPSubsystem(find, nil)},
	}
	a, b := testkit.Pipe()
	served := make(chan struct{})
	go func() { // stops when the client leaves
		defer close(served)
		_ = server.ServeConn(context.Background(), b) // how it ends is the client's business
	}()
	c, err := sshclient.New(t.Context(), a, "host.example:22", &sshclient.Config{
		User: "ada", HostKeys: sshclient.FixedHostKeys(hostKey.PublicKey()), Transport: cfg,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		<-served
		_ = server.Close()
	})
	return c
}

func memory(*testing.T) func(context.Context, *sshserver.Session) (sftpserver.Backend, error) {
	files := backend.Memory(0)
	return func(context.Context, *sshserver.Session) (sftpserver.Backend, error) { return files, nil }
}

func TestSFTP(t *testing.T) {
	conn := connect(t, memory(t), transport.Config{})
	ctx := t.Context()
	c, err := join.SFTP(ctx, conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 16<<20)
	rand.NewChaCha8([32]byte{1}).Read(want)
	f, err := c.Create(ctx, "/big")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.ReadFrom(bytes.NewReader(want)); err != nil || n != int64(len(want)) {
		t.Fatalf("ReadFrom = %d, %v", n, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if n, err := f.WriteTo(&got); err != nil || n != int64(len(want)) {
		t.Fatalf("WriteTo = %d, %v", n, err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("what was read is not what was written")
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	if err := conn.Err(); err != nil {
		t.Errorf("closing the SFTP client ended the connection: %v", err)
	}
}

// A second session on the same connection is another channel.
func TestTwoSessions(t *testing.T) {
	conn := connect(t, memory(t), transport.Config{})
	ctx := t.Context()
	for _, name := range []string{"/a", "/b"} {
		c, err := join.SFTP(ctx, conn, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Mkdir(ctx, name, 0o755); err != nil {
			t.Error(err)
		}
	}
}

// The server tells how the subsystem ended, as other servers do: without it
// clients report a broken connection.
func TestExitStatus(t *testing.T) {
	var p packets
	conn := connect(t, memory(t), transport.Config{Trace: &p})
	ch, err := conn.Subsystem(t.Context(), join.Subsystem)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := ch.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(ch); len(b) != 0 || err != nil {
		t.Errorf("after the end of the requests came %d bytes, %v", len(b), err)
	}
	if err := conn.Shutdown(t.Context()); err != nil { // waits until the server has closed the channel
		t.Error(err)
	}
	if !p.contain([]byte("exit-status")) {
		t.Error("the server sent no exit-status")
	}
}

// packets keeps what the server sent.
type packets struct {
	quiet
	mu  sync.Mutex
	all [][]byte
}

func (p *packets) Open(trace.Info) trace.Conn { return p }

func (p *packets) Packet(dir wire.Dir, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if dir == wire.S2C {
		p.all = append(p.all, bytes.Clone(b))
	}
}

func (p *packets) contain(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.all, func(p []byte) bool { return bytes.Contains(p, b) })
}

func TestBackendRefuses(t *testing.T) {
	refuse := func(context.Context, *sshserver.Session) (sftpserver.Backend, error) { return nil, fs.ErrPermission }
	conn := connect(t, refuse, transport.Config{})
	_, err := join.SFTP(t.Context(), conn, nil)
	var start *sftpclient.StartError
	if !errors.As(err, &start) {
		t.Errorf("SFTP = %v, want a *sftpclient.StartError", err)
	}
	if err := conn.Err(); err != nil {
		t.Errorf("the connection ended: %v", err)
	}
}

// opened remembers what connections were traced.
type opened struct {
	mu    sync.Mutex
	infos []trace.Info
}

func (o *opened) Open(i trace.Info) trace.Conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.infos = append(o.infos, i)
	return quiet{}
}

type quiet struct{}

func (quiet) Wire(wire.Dir, []byte)   {}
func (quiet) Packet(wire.Dir, []byte) {}
func (quiet) Secret(string)           {}
func (quiet) Event(trace.Event)       {}
func (quiet) Close(error)             {}

func TestTraceKnowsTheCarrier(t *testing.T) {
	var o opened
	conn := connect(t, memory(t), transport.Config{Trace: &o})
	c, err := join.SFTP(t.Context(), conn, &sftpclient.Config{Trace: &o})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.infos) != 2 {
		t.Fatalf("%d connections were traced, want SSH and SFTP", len(o.infos))
	}
	i := o.infos[1]
	if i.Proto != "sftp" || i.Role != trace.Client || i.Parent != trace.Conn(quiet{}) || i.Label != "subsystem sftp" {
		t.Errorf("SFTP was traced as %+v", i)
	}
}

// starts is a tracer that follows where SFTP packets begin in the data of one
// channel, in one direction: what the traced side sends.
type starts struct {
	trace.Conn
	role trace.Role

	mu      sync.Mutex
	head    []byte // the length in front of an SFTP packet, as far as it has come
	left    int    // bytes of the packet that are still to come
	packets int
	shared  int // SFTP packets that do not begin a CHANNEL_DATA
	err     error
}

func (s *starts) Open(trace.Info) trace.Conn { return s }
func (s *starts) Wire(wire.Dir, []byte)      {}
func (s *starts) Secret(string)              {}
func (s *starts) Event(trace.Event)          {}
func (s *starts) Close(error)                {}
func (s *starts) Packet(dir wire.Dir, b []byte) {
	var m ssh.ChannelData
	if dir != s.role.Sends() || ssh.Messages.Entry(&m).Number != b[0] {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ssh.Parse(b, &m); err != nil {
		s.err = err
	}
	for i, c := range m.Data {
		if s.left == 0 && len(s.head) == 0 {
			s.packets++
			if i > 0 {
				s.shared++
			}
		}
		if s.left > 0 {
			s.left--
		} else if s.head = append(s.head, c); len(s.head) == sftp.LengthSize {
			s.left, s.head = int(binary.BigEndian.Uint32(s.head)), s.head[:0]
		}
	}
}

// Where a connection is traced, every SFTP packet begins a packet of SSH:
// Wireshark shows only the first one in each.
func TestTracedPacketsStandAlone(t *testing.T) {
	client, server := &starts{role: trace.Client}, &starts{role: trace.Server}
	conn := connectTo(t, memory(t), transport.Config{Trace: client}, transport.Config{Trace: server})
	c, err := join.SFTP(t.Context(), conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Create(t.Context(), "/big")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bytes.NewReader(make([]byte, 3<<20))); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, err := c.Stat(t.Context(), "/big"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	_ = c.Close()
	for _, s := range []*starts{client, server} {
		s.mu.Lock()
		if s.err != nil || s.shared > 0 || s.packets < 400 {
			t.Errorf("role %v: %d of %d packets share one of SSH, %v", s.role, s.shared, s.packets, s.err)
		}
		s.mu.Unlock()
	}
}
