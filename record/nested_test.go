package record

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// fakeSink notes what it is given.
type fakeSink struct {
	mu  sync.Mutex
	all []string
}

func (f *fakeSink) add(s string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, s)
}

func (f *fakeSink) open(*conn) { f.add("open") }
func (f *fakeSink) take(_ *conn, it *item, b []byte) {
	name := map[kind]string{wireBytes: "wire", packetBytes: "packet", secretLine: "secret", event: "event", closed: "close", nestedSecret: "nested secret of " + it.event.Detail}[it.kind]
	if len(b) > 0 {
		name += " " + string(b)
	}
	f.add(name)
}
func (f *fakeSink) idle(time.Time) {}
func (f *fakeSink) busy() bool     { return false }
func (f *fakeSink) finish()        {}
func (f *fakeSink) err() error     { return nil }

func fakeRecorder(o Options) (*Recorder, *fakeSink) {
	s := &fakeSink{}
	r := newRecorder(o.withDefaults(), s)
	r.wire = true
	return r, s
}

func (f *fakeSink) check(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	got := f.all
	if !slices.Equal(got, want) {
		t.Errorf("the sink got\n%q, want\n%q", got, want)
	}
}

// A secret of what runs inside comes in front of what it opens, however deep
// inside, and other sessions do not wait.
func TestNestedSecretFirst(t *testing.T) {
	r, s := fakeRecorder(Options{})
	root := r.Open(trace.Info{Proto: "ssh"})
	hop := r.Open(trace.Info{Proto: "ssh", Parent: root})
	deep := r.Open(trace.Info{Proto: "mysql", Parent: hop})
	if inner := r.Open(trace.Info{Proto: "sftp", Parent: hop}); inner != nil {
		t.Errorf("a session without secrets is recorded twice: %v", inner)
	}
	other := r.Open(trace.Info{Proto: "ssh"})
	root.Packet(wire.C2S, []byte("1"))
	deep.Event(trace.Event{Kind: trace.KexStart, Detail: "TLS"})
	root.Wire(wire.S2C, []byte("2"))
	root.Packet(wire.S2C, []byte("3"))
	other.Packet(wire.C2S, []byte("4"))
	deep.Packet(wire.S2C, []byte("never"))
	deep.Wire(wire.S2C, []byte("never"))
	deep.Secret("5")
	root.Packet(wire.S2C, []byte("6"))
	deep.Event(trace.Event{Kind: trace.KexEnd, Detail: "TLS"})
	root.Packet(wire.C2S, []byte("7"))
	hop.Event(trace.Event{Kind: trace.KexStart})
	root.Packet(wire.C2S, []byte("8"))
	hop.Secret("9")
	hop.Close(nil) // before its key exchange ended
	root.Close(nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s.check(t, "open", "open", "packet 1", "packet 4", "nested secret of mysql 5", "wire 2", "packet 3", "packet 6", "packet 7",
		"nested secret of ssh 9", "packet 8", "close")
}

// What is held back is bounded in bytes and time, and lost never.
func TestNestedBounds(t *testing.T) {
	t.Run("bytes", func(t *testing.T) {
		r, s := fakeRecorder(Options{HoldBytes: 1000})
		root := r.Open(trace.Info{Proto: "ssh"})
		r.Open(trace.Info{Proto: "ssh", Parent: root}).Event(trace.Event{Kind: trace.KexStart})
		want := []string{"open"}
		for i := range 100 {
			root.Packet(wire.C2S, []byte(fmt.Sprint(i)))
			want = append(want, fmt.Sprint("packet ", i))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		s.check(t, want...)
	})
	t.Run("bytes, before the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, s := fakeRecorder(Options{HoldBytes: 3 * itemBytes})
			root := r.Open(trace.Info{Proto: "ssh"})
			r.Open(trace.Info{Proto: "ssh", Parent: root}).Event(trace.Event{Kind: trace.KexStart})
			for range 3 {
				root.Packet(wire.C2S, []byte("x"))
			}
			synctest.Wait()
			s.check(t, "open", "packet x", "packet x", "packet x")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, s := fakeRecorder(Options{HoldTime: 5 * time.Second})
			root := r.Open(trace.Info{Proto: "ssh"})
			r.Open(trace.Info{Proto: "ssh", Parent: root}).Event(trace.Event{Kind: trace.KexStart})
			root.Packet(wire.C2S, []byte("1"))
			time.Sleep(4 * time.Second)
			synctest.Wait()
			s.check(t, "open")
			time.Sleep(4 * time.Second)
			synctest.Wait()
			s.check(t, "open", "packet 1")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("end", func(t *testing.T) {
		r, s := fakeRecorder(Options{})
		root := r.Open(trace.Info{Proto: "ssh"})
		r.Open(trace.Info{Proto: "ssh", Parent: root}).Event(trace.Event{Kind: trace.KexStart})
		root.Packet(wire.C2S, []byte("1"))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		s.check(t, "open", "packet 1")
	})
}
