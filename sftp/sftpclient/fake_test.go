package sftpclient_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// fake is the server's end of a session that a test plays by hand.
type fake struct {
	tb   testing.TB
	conn net.Conn
	in   *sftp.PacketReader
	mu   sync.Mutex // one packet at a time
}

// start begins a session with a server that announces exts ("name", "data",
// …) and then does what play says. play runs in its own goroutine, which ends
// with the stream.
func start(tb testing.TB, cfg *sftpclient.Config, exts []string, play func(f *fake)) *sftpclient.Client {
	tb.Helper()
	return startOn(tb, testkit.PipeConfig{Buffer: 1 << 20}, cfg, exts, play)
}

func startOn(tb testing.TB, pipe testkit.PipeConfig, cfg *sftpclient.Config, exts []string, play func(f *fake)) *sftpclient.Client {
	tb.Helper()
	a, b := testkit.NewPipe(pipe)
	f := &fake{tb: tb, conn: b, in: sftp.NewPacketReader(b, 0)}
	played := make(chan struct{})
	go func() { // stops when the client closes its end
		defer close(played)
		if _, err := f.in.ReadPacket(nil); err != nil {
			return
		}
		v := &sftp.VersionReply{Version: 3}
		for i := 0; i < len(exts); i += 2 {
			v.Extensions = append(v.Extensions, sftp.Extension{Name: exts[i], Data: exts[i+1]})
		}
		f.send(v)
		play(f)
	}()
	c, err := sftpclient.NewPipe(context.Background(), a, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Close()
		_ = b.Close()
		<-played
	})
	return c
}

// next returns the next request and its id; nil at the end of the stream. The
// message owns its bytes.
func (f *fake) next() (wire.Message, uint32) {
	p, err := f.in.ReadPacket(nil)
	if err != nil {
		return nil, 0
	}
	number, id, _ := sftp.Header(p)
	e := sftp.Messages.Find("", number)
	if e == nil || e.From != wire.FromClient {
		f.tb.Errorf("the client sent a packet of type %d", number)
		return nil, 0
	}
	m := e.New()
	if err := sftp.Parse(p, m, wire.Dialect{}); err != nil {
		f.tb.Errorf("the client sent a broken %s: %v", e.Name, err)
		return nil, 0
	}
	return m, id
}

func (f *fake) send(messages ...wire.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range messages {
		b, err := sftp.AppendPacket(nil, m, wire.Dialect{})
		if err != nil {
			f.tb.Error(err)
			return
		}
		if _, err := f.conn.Write(b); err != nil {
			return // the client is gone
		}
	}
}

func status(id uint32, code sftp.StatusCode) *sftp.Status { return &sftp.Status{ID: id, Code: code} }

func handle(id uint32) *sftp.Handle { return &sftp.Handle{ID: id, Handle: []byte("h")} }

// usual answers what tests do not care about: everything that is opened gets a
// handle, closing it is fine. It reports whether it has answered.
func (f *fake) usual(m wire.Message, id uint32) bool {
	switch m.(type) {
	case *sftp.Open, *sftp.OpenDir:
		f.send(handle(id))
	case *sftp.Close:
		f.send(status(id, sftp.StatusOK))
	default:
		return false
	}
	return true
}

// serve plays: it answers each request with what answer returns, the usual
// ones by itself.
func serve(answer func(m wire.Message, id uint32) []wire.Message) func(f *fake) {
	return func(f *fake) {
		for {
			m, id := f.next()
			if m == nil {
				return
			}
			if !f.usual(m, id) {
				f.send(answer(m, id)...)
			}
		}
	}
}

// silent plays a server that never answers.
func silent(f *fake) { _, _ = io.Copy(io.Discard, f.conn) }

// memory begins a session with our own server over a pipe.
func memory(tb testing.TB, pipe testkit.PipeConfig, cfg *sftpclient.Config) *sftpclient.Client {
	tb.Helper()
	a, b := testkit.NewPipe(pipe)
	served := make(chan struct{})
	go func() { // stops when the client closes its end
		defer close(served)
		_ = sftpserver.Serve(context.Background(), b, backend.Memory(0), nil)
	}()
	c, err := sftpclient.NewPipe(context.Background(), a, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = c.Close()
		<-served
	})
	return c
}
