package forward_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh/forward"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

func TestParseLocal(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"8080:db.example:3306", "tcp localhost:8080 tcp db.example:3306"},
		{"0:db.example:3306", "tcp localhost:0 tcp db.example:3306"},
		{"127.0.0.2:8080:db.example:3306", "tcp 127.0.0.2:8080 tcp db.example:3306"},
		{"*:8080:db.example:3306", "tcp :8080 tcp db.example:3306"},
		{":8080:db.example:3306", "tcp :8080 tcp db.example:3306"},
		{"[::1]:8080:[2001:db8::1]:80", "tcp [::1]:8080 tcp [2001:db8::1]:80"},
		{"8080:[2001:db8::1]:80", "tcp localhost:8080 tcp [2001:db8::1]:80"},
		{"8080:/run/db.sock", "tcp localhost:8080 unix /run/db.sock"},
		{"localhost:8080:/run/db.sock", "tcp localhost:8080 unix /run/db.sock"},
		{"/tmp/s:db.example:3306", "unix /tmp/s tcp db.example:3306"},
		{"./s:/run/db.sock", "unix ./s unix /run/db.sock"},
		{"", ""},
		{"8080", ""},
		{"8080:", ""},
		{"8080:host", ""},
		{"8080:host:", ""},
		{"8080::80", ""},
		{"8080:host:0", ""},
		{"8080:host:http", ""},
		{"port:host:80", ""},
		{"65536:host:80", ""},
		{"-1:host:80", ""},
		{"8080:host:65536", ""},
		{"a:b:8080:host:80", ""},
		{"[::1:8080:host:80", ""},
		{"[::1]x:8080:host:80", ""},
		{"8080:ho st:80", ""},
		{"/tmp/s", ""},
		{"/tmp/s:host", ""},
		{"8080:/run/db.sock:80", ""},
		{"8080:host\n:80", ""},
	} {
		got := ""
		s, err := forward.ParseLocal(row.text)
		if err == nil {
			got = s.ListenNetwork + " " + s.ListenAddr + " " + s.DialNetwork + " " + s.DialAddr
		}
		if got != row.want {
			t.Errorf("ParseLocal(%q) = %q (%v), want %q", row.text, got, err, row.want)
		}
	}
}

func FuzzParseLocal(f *testing.F) {
	for _, s := range []string{"8080:h:1", "[::1]:1:[::1]:2", "/a:/b", "*:1:/x", ":::::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := forward.ParseLocal(text)
		if err == nil && (s.ListenAddr == "" || s.DialAddr == "") {
			t.Errorf("ParseLocal(%q) = %+v", text, s)
		}
	})
}

// dialer hands its ends of pipes to a function.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

func (d dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return d(ctx, network, addr)
}

// pipes returns a dialer and the far ends of what it dialed.
func pipes() (dialer, <-chan net.Conn) {
	ends := make(chan net.Conn, 10)
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := testkit.Pipe()
		ends <- far
		return near, nil
	}, ends
}

func listen(t *testing.T, spec string, d forward.Dialer, cfg *forward.Config) *forward.Local {
	t.Helper()
	s, err := forward.ParseLocal(spec)
	if err != nil {
		t.Fatal(err)
	}
	l, err := forward.Listen(t.Context(), s, d, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func connect(t *testing.T, l *forward.Local) net.Conn {
	t.Helper()
	conn, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestHalfClose(t *testing.T) {
	for _, first := range []string{"near", "far"} {
		t.Run(first+" ends first", func(t *testing.T) {
			d, ends := pipes()
			l := listen(t, "127.0.0.1:0:host:80", d, nil)
			near := connect(t, l)
			far := <-ends
			defer far.Close()
			a, b := near, far
			if first == "far" {
				a, b = far, near
			}
			question, answer := bytes.Repeat([]byte("question"), 100_000), bytes.Repeat([]byte("answer"), 100_000)
			var wg sync.WaitGroup
			wg.Go(func() { // stops when everything is written, or with the deadline
				_, err := a.Write(question)
				if err == nil {
					err = a.(interface{ CloseWrite() error }).CloseWrite()
				}
				if err != nil {
					t.Error(err)
				}
			})
			if got, err := io.ReadAll(b); err != nil || !bytes.Equal(got, question) {
				t.Fatalf("the question: %d bytes, %v", len(got), err)
			}
			wg.Wait()
			wg.Go(func() { // stops when everything is written, or with the deadline
				if _, err := b.Write(answer); err != nil {
					t.Error(err)
				}
				b.Close()
			})
			if got, err := io.ReadAll(a); err != nil || !bytes.Equal(got, answer) {
				t.Errorf("the answer after the end of the question: %d bytes, %v", len(got), err)
			}
			wg.Wait()
		})
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var network, addr string
	d := dialer(func(_ context.Context, n, a string) (net.Conn, error) {
		network, addr = n, a
		return nil, errors.New("nobody there")
	})
	spec, err := forward.ParseLocal(path + ":/run/far.sock")
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	l, err := forward.Listen(t.Context(), spec, d, &forward.Config{OnError: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v, want 0600", info.Mode(), err)
	}
	if _, err := forward.Listen(t.Context(), spec, d, nil); err == nil {
		t.Error("listened at a socket that exists")
	}
	conn := connect(t, l)
	if b, err := io.ReadAll(conn); err != nil || len(b) > 0 {
		t.Errorf("got %q, %v, want the end", b, err)
	}
	if err := <-told; !strings.Contains(err.Error(), "nobody there") {
		t.Errorf("told %v", err)
	}
	if network != "unix" || addr != "/run/far.sock" {
		t.Errorf("dialed %s %s", network, addr)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	d, ends := pipes()
	l := listen(t, "127.0.0.1:0:host:80", d, &forward.Config{Connections: 1})
	first := connect(t, l)
	far := <-ends
	second := connect(t, l)
	if _, err := second.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	// The first works still, and the second is not carried while it does.
	if _, err := first.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(far, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ends:
		t.Fatal("two connections are carried, one is allowed")
	default:
	}
	first.Close()
	far.Close()
	far = <-ends
	defer far.Close()
	if b := make([]byte, 5); true {
		if _, err := io.ReadFull(far, b); err != nil || string(b) != "hello" {
			t.Errorf("got %q, %v", b, err)
		}
	}
}

func TestClose(t *testing.T) {
	d, ends := pipes()
	l := listen(t, "localhost:0:host:80", d, nil)
	near := connect(t, l)
	far := <-ends
	defer far.Close()
	dialing := make(chan struct{})
	stuck := listen(t, "127.0.0.1:0:host:80", dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialing)
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}), nil)
	waits := connect(t, stuck)
	<-dialing
	for _, l := range []*forward.Local{l, stuck, l} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, conn := range []net.Conn{near, waits} {
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes after Close", n)
		}
	}
	if n, err := far.Read(make([]byte, 1)); err == nil {
		t.Errorf("the far side read %d bytes after Close", n)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("still listening after Close")
	}
}

func TestDialTimeout(t *testing.T) {
	told := make(chan error, 1)
	l := listen(t, "127.0.0.1:0:host:80", dialer(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}), &forward.Config{DialTimeout: time.Millisecond, OnError: func(err error) { told <- err }})
	connect(t, l)
	if err := <-told; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	d, _ := pipes()
	port := taken.Addr().(*net.TCPAddr).Port
	spec := forward.Spec{ListenNetwork: "tcp", ListenAddr: fmt.Sprintf("localhost:%d", port), DialNetwork: "tcp", DialAddr: "h:1"}
	if l, err := forward.Listen(t.Context(), spec, d, nil); err == nil {
		l.Close()
		t.Error("listened at a port that is taken")
	}
}

// plain hides CloseWrite.
type plain struct{ net.Conn }

func TestSpliceEnds(t *testing.T) {
	for _, row := range []struct {
		name string
		act  func(a, b *testkit.Conn, cancel func())
		want error
	}{
		{"both ends closed", func(a, b *testkit.Conn, _ func()) { a.Close(); b.Close() }, nil},
		{"cut", func(a, _ *testkit.Conn, _ func()) { a.Cut(); a.Write([]byte("x")) }, nil},
		{"cancelled", func(_, _ *testkit.Conn, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, nearA := testkit.NewPipe(testkit.PipeConfig{})
			b, nearB := testkit.NewPipe(testkit.PipeConfig{})
			defer a.Close()
			defer b.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- forward.Splice(ctx, plain{nearA}, plain{nearB}) }() // stops when either ends
			row.act(a, b, cancel)
			if err := <-done; !errors.Is(err, row.want) && !(row.want == nil && errors.Is(err, testkit.ErrCut)) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
}

func Example() {
	spec, err := forward.ParseLocal("0:127.0.0.1:80")
	if err != nil {
		panic(err)
	}
	// An *sshclient.Client takes the dialer's place.
	local, err := forward.Listen(context.Background(), spec, new(net.Dialer), nil)
	if err != nil {
		panic(err)
	}
	defer local.Close()
	fmt.Println(local.Addr().Network())
	// Output: tcp
}
