package sftpserver_test

import (
	"context"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// client is a scripted peer of a server under test. A Flow judges everything
// that both say.
type client struct {
	testing.TB
	conn   *testkit.Conn
	r      *sftp.PacketReader
	flow   sftp.Flow
	rude   bool // the client breaks rules on purpose: only the server is judged
	id     uint32
	served chan error
	cancel context.CancelCauseFunc
}

// start serves b to a new client that has not sent INIT yet.
func start(t testing.TB, b sftpserver.Backend, cfg *sftpserver.Config) *client {
	t.Helper()
	if b == nil {
		b = backend.Memory(0)
	}
	cc, sc := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
	ctx, cancel := context.WithCancelCause(context.Background())
	c := &client{TB: t, conn: cc, r: sftp.NewPacketReader(cc, 0), served: make(chan error, 1), cancel: cancel}
	go func() { // stops when the client closes, see end
		c.served <- sftpserver.Serve(ctx, sc, b, cfg)
	}()
	return c
}

// session is start and the handshake.
func session(t testing.TB, b sftpserver.Backend, cfg *sftpserver.Config) *client {
	t.Helper()
	c := start(t, b, cfg)
	c.send(&sftp.Init{Version: 3})
	if _, ok := c.recv().(*sftp.VersionReply); !ok {
		t.Fatal("INIT is not answered with VERSION")
	}
	return c
}

// end closes the client's stream and returns what Serve returned.
func (c *client) end() error {
	c.Helper()
	c.conn.CloseWrite()
	for {
		if _, err := c.r.ReadPacket(nil); err != nil {
			break
		}
	}
	c.conn.Close()
	return c.wait()
}

func (c *client) wait() error {
	err := <-c.served
	c.cancel(nil)
	return err
}

// done ends the session and wants no error.
func (c *client) done() {
	c.Helper()
	if err := c.end(); err != nil {
		c.Errorf("Serve: %v", err)
	}
}

// send sends requests as they are, in one write.
func (c *client) send(list ...wire.Message) {
	c.Helper()
	var b []byte
	for _, m := range list {
		at := len(b)
		var err error
		if b, err = sftp.AppendPacket(b, m, c.flow.Dialect()); err != nil {
			c.Fatalf("encode %T: %v", m, err)
		}
		c.judge(wire.C2S, b[at+sftp.LengthSize:])
	}
	c.raw(b)
}

func (c *client) raw(b []byte) {
	c.Helper()
	if _, err := c.conn.Write(b); err != nil {
		c.Fatalf("write: %v", err)
	}
}

// packet sends a packet of any content.
func (c *client) packet(body ...byte) {
	c.Helper()
	c.judge(wire.C2S, body)
	n := len(body)
	c.raw(append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, body...))
}

// judge decodes a packet, with the Flow's complaints as failures.
func (c *client) judge(dir wire.Dir, packet []byte) wire.Message {
	c.Helper()
	m, _, err := c.flow.Next(dir, packet)
	strict := dir == wire.S2C || !c.rude
	if err != nil && strict {
		c.Errorf("flow: %v", err)
	}
	if err := sftp.Parse(packet, m, c.flow.Dialect()); err != nil && strict {
		c.Errorf("%v", err)
	}
	if _, err := c.flow.Saw(dir, m); err != nil && strict {
		c.Errorf("flow: %v", err)
	}
	return m
}

// recv returns the next reply.
func (c *client) recv() wire.Message {
	c.Helper()
	b, err := c.r.ReadPacket(nil)
	if err != nil {
		c.Fatalf("read: %v", err)
	}
	return c.judge(wire.S2C, b)
}

// call sends a request with an id of its own and returns its reply.
func (c *client) call(m wire.Message) wire.Message {
	c.Helper()
	c.id++
	sftp.SetID(m, c.id)
	c.send(m)
	r := c.recv()
	if id, _ := sftp.ID(r); id != c.id {
		c.Errorf("%T is answered with id %d, want %d", m, id, c.id)
	}
	return r
}

func (c *client) wantCode(m wire.Message, want sftp.StatusCode) {
	c.Helper()
	r := c.call(m)
	s, ok := r.(*sftp.Status)
	if !ok || s.Code != want {
		c.Errorf("%s is answered with %+v, want %v", sftp.Messages.Name(m), r, want)
	}
}

const create = sftp.OpenRead | sftp.OpenWrite | sftp.OpenCreate

func (c *client) open(name string, flags sftp.OpenFlags) []byte {
	c.Helper()
	r := c.call(&sftp.Open{Filename: name, Flags: flags})
	h, ok := r.(*sftp.Handle)
	if !ok {
		c.Fatalf("OPEN %s is answered with %+v", name, r)
	}
	return h.Handle
}

func (c *client) openDir(name string) []byte {
	c.Helper()
	r := c.call(&sftp.OpenDir{Path: name})
	h, ok := r.(*sftp.Handle)
	if !ok {
		c.Fatalf("OPENDIR %s is answered with %+v", name, r)
	}
	return h.Handle
}

func (c *client) write(name, text string) {
	c.Helper()
	h := c.open(name, create|sftp.OpenTruncate)
	c.wantCode(&sftp.Write{Handle: h, Data: []byte(text)}, sftp.StatusOK)
	c.wantCode(&sftp.Close{Handle: h}, sftp.StatusOK)
}

func (c *client) content(name string) string {
	c.Helper()
	h := c.open(name, sftp.OpenRead)
	defer c.wantCode(&sftp.Close{Handle: h}, sftp.StatusOK)
	var all []byte
	for {
		r := c.call(&sftp.Read{Handle: h, Offset: uint64(len(all)), Length: sftp.SafeData})
		switch r := r.(type) {
		case *sftp.Data:
			all = append(all, r.Data...)
			continue
		case *sftp.Status:
			if r.Code != sftp.StatusEOF {
				c.Errorf("READ %s: %v", name, r.Code)
			}
		}
		return string(all)
	}
}

func (c *client) wantContent(name, want string) {
	c.Helper()
	if got := c.content(name); got != want {
		c.Errorf("%s holds %q, want %q", name, got, want)
	}
}
