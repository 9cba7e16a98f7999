package record

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

const (
	c2s = wire.C2S
	s2c = wire.S2C
)

func sshPacket(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := ssh.Append(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sftpPacket(t testing.TB, m wire.Message) []byte {
	t.Helper()
	b, err := sftp.Messages.Append(nil, m, sftp.Dialects[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tcpAddr(s string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", s)
	if err != nil {
		panic(err)
	}
	return a
}

func sshInfo() trace.Info {
	return trace.Info{Proto: "ssh", Role: trace.Client, Local: tcpAddr("127.0.0.1:50000"), Remote: tcpAddr("127.0.0.1:22")}
}

// speak reports a short session and closes it.
func speak(t testing.TB, c trace.Conn) {
	t.Helper()
	c.Packet(c2s, []byte("SSH-2.0-a"))
	c.Packet(s2c, []byte("SSH-2.0-b"))
	c.Packet(c2s, sshPacket(t, &ssh.Debug{Message: "one \x1b[2J"}))
	c.Packet(s2c, sshPacket(t, &ssh.Ignore{Data: []byte("two")}))
	c.Close(nil)
}

func TestText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		r := Text(&b)
		speak(t, r.Open(sshInfo()))
		speak(t, r.Open(sshInfo()))
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		want := `0.000000 → ssh identification identification=SSH-2.0-a
0.000000 ← ssh identification identification=SSH-2.0-b
0.000000 → ssh SSH_MSG_DEBUG always_display=false message="one \x1b[2J"
0.000000 ← ssh SSH_MSG_IGNORE data="two"
0.000000 → ssh identification conn=2 identification=SSH-2.0-a
0.000000 ← ssh identification conn=2 identification=SSH-2.0-b
0.000000 → ssh SSH_MSG_DEBUG conn=2 always_display=false message="one \x1b[2J"
0.000000 ← ssh SSH_MSG_IGNORE conn=2 data="two"
`
		if b.String() != want {
			t.Errorf("got\n%swant\n%s", &b, want)
		}
	})
}

func TestFilterAndJSON(t *testing.T) {
	f, err := trace.ParseFilter("ssh.debug")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	r := NewJSON(&b, &Options{Filter: f})
	speak(t, r.Open(sshInfo()))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(b.String(), "\n"); n != 1 || !strings.HasPrefix(b.String(), `{"n":3,"time":"`) {
		t.Errorf("got %s", &b)
	}
}

// SFTP over a pipe has no carrier; SFTP in a recorded connection is decoded
// from there and not recorded twice.
func TestCarriers(t *testing.T) {
	var text, file bytes.Buffer
	one, two := Text(&text), Pcapng(&file, nil)
	m := Multi(one, two)
	carrier := m.Open(sshInfo())
	if inner := m.Open(trace.Info{Proto: "sftp", Parent: carrier}); inner != nil {
		t.Error("what a recorded connection carries is recorded again")
	}
	if inner := one.Open(trace.Info{Proto: "sftp", Parent: two.Open(sshInfo())}); inner == nil {
		t.Error("what somebody else's connection carries is not recorded")
	}
	pipe := m.Open(trace.Info{Proto: "sftp"})
	pipe.Packet(c2s, sftpPacket(t, &sftp.Init{Version: 3}))
	pipe.Close(nil)
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if want := "0.000000 → sftp SSH_FXP_INIT version=3\n"; text.String() != want {
		t.Errorf("got %q, want %q", &text, want)
	}
	if names := interfaceNames(t, file.Bytes()); strings.Join(names, "|") != "wire|inner:sftp" {
		t.Errorf("interfaces %q", names)
	}
}

// stuck is a writer that waits.
type stuck struct {
	release chan struct{}
	n       atomic.Int64
	said    *atomic.Int64 // counted by the test
	before  atomic.Int64  // said when the first write came
	once    sync.Once
}

func (w *stuck) Write(b []byte) (int, error) {
	w.once.Do(func() { w.before.Store(w.said.Load()) })
	<-w.release
	w.n.Add(int64(len(b)))
	return len(b), nil
}

// A session waits when the queue is full, memory stays bounded, and nothing is
// lost.
func TestSessionWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said atomic.Int64
		w := &stuck{release: make(chan struct{}), said: &said}
		r := NewText(w, &Options{QueueBytes: 1 << 20})
		c := r.Open(sshInfo())
		c.Packet(c2s, []byte("SSH-2.0-a"))
		packet := sshPacket(t, &ssh.Ignore{Data: make([]byte, 10000)})
		const packets = 1000
		done := make(chan struct{})
		go func() { // stops when all is said
			defer close(done)
			for range packets {
				c.Packet(c2s, packet)
				said.Add(1)
			}
		}()
		synctest.Wait()
		// What was rendered before the writer got stuck is not in the queue.
		if n := (said.Load() - w.before.Load()) * 10000; n > 2<<20 {
			t.Errorf("%d bytes were taken while the writer was stuck", n)
		}
		close(w.release)
		<-done
		c.Close(nil)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if got, least := w.n.Load(), int64(packets*100); got < least {
			t.Errorf("%d bytes were written, want at least %d", got, least)
		}
	})
}

type failing struct{ left int }

var errFull = errors.New("no space left on device")

func (w *failing) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return w.left, errFull
	}
	w.left -= len(b)
	return len(b), nil
}

// A full disk ends the recording with one report, and not the session.
func TestDiskFull(t *testing.T) {
	for name, make := range map[string]func(io.Writer, *Options) *Recorder{"text": NewText, "json": NewJSON, "pcapng": Pcapng} {
		var told atomic.Int64
		r := make(&failing{left: 5000}, &Options{QueueBytes: 64 << 10, OnError: func(err error) {
			if !errors.Is(err, errFull) {
				t.Errorf("%s: told of %v", name, err)
			}
			told.Add(1)
		}})
		c := r.Open(sshInfo())
		c.Packet(c2s, []byte("SSH-2.0-a"))
		for range 2000 {
			c.Wire(c2s, bytes.Repeat([]byte{1}, 1000))
			c.Packet(c2s, sshPacket(t, &ssh.Ignore{Data: bytes.Repeat([]byte{1}, 1000)}))
		}
		c.Event(trace.Event{Kind: trace.KexEnd})
		c.Close(nil)
		if err := r.Close(); !errors.Is(err, errFull) {
			t.Errorf("%s: Close = %v", name, err)
		}
		if err := r.Close(); !errors.Is(err, errFull) {
			t.Errorf("%s: second Close = %v", name, err)
		}
		if n := told.Load(); n != 1 {
			t.Errorf("%s: told %d times", name, n)
		}
	}
}

func TestCreate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.pcapng")
	if err := os.WriteFile(name, []byte("what was there"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := Create(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	speak(t, r.Open(sshInfo()))
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v", got)
	}
	if _, err := Create(filepath.Join(t.TempDir(), "no", "x"), nil); err == nil {
		t.Error("a file in a missing folder was made")
	}
}

// What was never opened gives a valid, empty file, and what comes after Close
// is dropped.
func TestCloseEarly(t *testing.T) {
	var b bytes.Buffer
	r := Pcapng(&b, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if names := interfaceNames(t, b.Bytes()); len(names) != 1 {
		t.Errorf("interfaces %q", names)
	}
	c := r.Open(sshInfo())
	speak(t, c)

	var text bytes.Buffer
	r = Text(&text)
	c = r.Open(sshInfo())
	var wg sync.WaitGroup
	for _, dir := range []wire.Dir{c2s, s2c} {
		wg.Go(func() {
			for range 1000 {
				c.Packet(dir, []byte("SSH-2.0-x"))
			}
		})
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// A recorder that nobody talks to any more owns little.
func TestIdleOwnsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Text(io.Discard)
		c := r.Open(sshInfo())
		c.Packet(c2s, []byte("SSH-2.0-a"))
		for range 1000 {
			c.Packet(c2s, sshPacket(t, &ssh.Ignore{Data: make([]byte, 30000)}))
		}
		time.Sleep(2 * idleTick)
		synctest.Wait()
		r.queue.mu.Lock()
		n := cap(r.queue.batch.arena)
		if r.queue.spare != nil {
			n += cap(r.queue.spare.arena)
		}
		r.queue.mu.Unlock()
		if n > 64<<10 {
			t.Errorf("the queue of an idle recorder owns %d bytes", n)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkText(b *testing.B) {
	r := Text(io.Discard)
	c := r.Open(sshInfo())
	c.Packet(c2s, []byte("SSH-2.0-a"))
	p := sshPacket(b, &ssh.ChannelData{Data: make([]byte, 30000)})
	b.SetBytes(int64(len(p)))
	b.ReportAllocs()
	for b.Loop() {
		c.Packet(c2s, p)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}
