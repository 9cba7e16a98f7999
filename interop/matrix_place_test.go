package interop

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// place is where peers are installed: this system, or another one below a
// folder, into which chroot leads.
type place struct{ root string }

// places are this system and that of the environment.
func places() []*place {
	all := []*place{{}}
	if root := os.Getenv("WIRELARK_INTEROP_ROOT"); root != "" {
		all = append(all, &place{root: filepath.Clean(root)})
	}
	return all
}

// program returns the words that start a peer of this place.
func (p *place) program(t testing.TB, name string) []string {
	t.Helper()
	variable := "WIRELARK_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if p.root == "" && os.Getenv(variable) != "" {
		return program(t, variable, name)
	}
	for _, dir := range []string{"/usr/bin", "/usr/sbin", "/bin", "/sbin"} { // not another Python in front of the system's
		path := filepath.Join(dir, name)
		if _, err := os.Stat(filepath.Join(p.root, path)); err != nil {
			continue
		}
		if p.root == "" {
			return []string{path}
		}
		return []string{"chroot", p.root, path}
	}
	if p.root == "" {
		return program(t, variable, name)
	}
	missing(t, "%s is not installed in %s", name, p.root)
	return nil
}

// folder makes a folder that the peers of this place see.
func (p *place) folder(t testing.TB) string {
	t.Helper()
	if p.root == "" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(filepath.Join(p.root, "run"), "wirelark") // dropbear wants parents that only root can write
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// inside is the name by which the peers of this place know a file.
func (p *place) inside(name string) string { return strings.TrimPrefix(name, p.root) }

// write makes a file for the peers of this place and returns its name for them.
func (p *place) write(t testing.TB, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p.inside(file)
}

// makeProgram lets a file be run.
func makeProgram(t testing.TB, file string) {
	t.Helper()
	if err := os.Chmod(file, 0o700); err != nil {
		t.Fatal(err)
	}
}

// keyring are the keys of all hosts and users of the matrix.
type keyring struct {
	hosts []keys.Signer
	users map[string]keys.Signer // by kind
}

// userKinds are the keys that users log in with.
var userKinds = []string{"ed25519", "ecdsa", "rsa"}

var newKeyring = sync.OnceValues(func() (*keyring, error) {
	ring := &keyring{users: map[string]keys.Signer{}}
	for _, k := range []struct {
		kind string
		bits int
	}{{"ed25519", 0}, {"ecdsa", 256}, {"ecdsa", 384}, {"ecdsa", 521}, {"rsa", 2048}} {
		signer, err := keys.Generate(k.kind, k.bits)
		if err != nil {
			return nil, err
		}
		ring.hosts = append(ring.hosts, signer)
	}
	for _, kind := range userKinds {
		bits := map[string]int{"rsa": 2048}[kind]
		signer, err := keys.Generate(kind, bits)
		if err != nil {
			return nil, err
		}
		ring.users[kind] = signer
	}
	return ring, nil
})

func ringOf(t testing.TB) *keyring {
	t.Helper()
	ring, err := newKeyring()
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func pem(t testing.TB, s keys.Signer) string {
	t.Helper()
	b, err := keys.MarshalPrivate(s, "interop", nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (r *keyring) hostKeys() []keys.PublicKey {
	var all []keys.PublicKey
	for _, s := range r.hosts {
		all = append(all, s.PublicKey())
	}
	return all
}

// hostLines are "type base64" of all host keys, userLines those of all users.
func (r *keyring) hostLines() (all []string) {
	for _, s := range r.hosts {
		all = append(all, strings.TrimSpace(keys.AuthorizedLine(s.PublicKey(), "")))
	}
	return all
}

func (r *keyring) userLines() (all []string) {
	for _, kind := range userKinds {
		all = append(all, strings.TrimSpace(keys.AuthorizedLine(r.users[kind].PublicKey(), "")))
	}
	return all
}

// base64s are the last words of lines.
func base64s(lines []string) (all []string) {
	for _, l := range lines {
		all = append(all, strings.Fields(l)[1])
	}
	return all
}

// offers is a tracer that keeps what both sides of a connection offer.
type offers struct {
	mu       sync.Mutex
	c2s, s2c *ssh.KexInit
}

func (o *offers) Open(info trace.Info) trace.Conn {
	if info.Proto != "ssh" {
		return nil
	}
	return offersConn{o}
}

type offersConn struct{ *offers }

func (offersConn) Wire(wire.Dir, []byte) {}
func (offersConn) Secret(string)         {}
func (offersConn) Event(trace.Event)     {}
func (offersConn) Close(error)           {}

func (o offersConn) Packet(dir wire.Dir, b []byte) {
	var m ssh.KexInit
	if len(b) == 0 || b[0] != msgKexInit || ssh.Parse(b, &m) != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if dir == wire.C2S {
		o.c2s = &m
	} else {
		o.s2c = &m
	}
}

const msgKexInit = 20 // RFC 4253 §12

// host is our server, with all host keys and for all users of the matrix.
type host struct {
	addr, port string
	dir        string // what SFTP shows as "/"

	mu       sync.Mutex
	states   []transport.State // at the end of each session
	userAlgs map[string]bool   // signature algorithms of users
	errs     []error           // of connections that failed
}

func (h *host) Acceptable(_ context.Context, _ sshserver.Attempt, key keys.PublicKey) bool {
	ring, err := newKeyring()
	if err != nil {
		return false
	}
	for _, s := range ring.users {
		if keys.Equal(key, s.PublicKey()) {
			return true
		}
	}
	return false
}

func (h *host) Authorize(ctx context.Context, a sshserver.Attempt, key sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if !h.Acceptable(ctx, a, key.Key()) {
		return nil, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.userAlgs[key.Algorithm()] = true
	return &sshserver.Grant{}, nil
}

func (h *host) keep(s *sshserver.Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.states = append(h.states, s.Conn().State())
}

// last is the state at the end of the last session.
func (h *host) last(t testing.TB) transport.State {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range h.errs {
		t.Logf("our server: %v", err)
	}
	if len(h.states) == 0 {
		t.Fatal("no session reached our server")
	}
	return h.states[len(h.states)-1]
}

// newHost starts our server on a free port.
func newHost(t testing.TB, tc transport.Config) *host {
	t.Helper()
	h := &host{dir: t.TempDir(), userAlgs: map[string]bool{}}
	files, err := backend.Rooted(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	srv := &sshserver.Server{
		HostKeys: ringOf(t).hosts, Transport: tc, PublicKey: h, KeyboardInteractive: asks,
		Exec: func(ctx context.Context, s *sshserver.Session) error {
			defer h.keep(s)
			return runCommand(ctx, s)
		},
		Subsystems: map[string]sshserver.Handler{"sftp": func(ctx context.Context, s *sshserver.Session) error {
			defer h.keep(s)
			return sftpserver.Serve(ctx, open{s}, files, nil)
		}},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	_, h.port, _ = net.SplitHostPort(h.addr)
	var running sync.WaitGroup
	running.Go(func() { // stops when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { // stops when the connection ends
				if err := srv.ServeConn(context.Background(), nc); err != nil {
					h.mu.Lock()
					h.errs = append(h.errs, err)
					h.mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		if err := srv.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		running.Wait()
		files.Close()
	})
	return h
}

// run runs a peer with the given input and output, and returns its status.
func run(t testing.TB, cmd *exec.Cmd, stdin io.Reader, stdout io.Writer) int {
	t.Helper()
	var stderr strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	err := cmd.Run()
	if stderr.Len() > 0 {
		t.Logf("%s says:\n%s", strings.Join(cmd.Args[:1], " "), tail([]byte(stderr.String())))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		t.Fatalf("%s: %v", cmd.Path, err)
	}
	return 0
}
