package knownhosts_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/knownhosts"
)

func TestAppend(t *testing.T) {
	key := public(t, "ed25519")
	for _, hashed := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "new", ".ssh", "known_hosts")
		for _, addr := range []string{"a.example:22", "a.example:2222", "[2001:db8::1]:22"} {
			if err := knownhosts.Append(path, addr, key, hashed); err != nil {
				t.Fatal(err)
			}
		}
		s := load(t, path)
		for _, addr := range []string{"a.example", "a.example:2222", "2001:db8::1"} {
			if err := s.Check(addr, key); err != nil {
				t.Errorf("hashed %v: %v", hashed, err)
			}
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(text, []byte("example")); got == hashed {
			t.Errorf("hashed %v, and the name is in the file: %v", hashed, got)
		}
		if runtime.GOOS == "windows" {
			continue
		}
		for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode().Perm(), want, err)
			}
		}
	}
}

func TestAppendBehindAnUnendedLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known_hosts")
	first, err := knownhosts.Line("a.example", public(t, "ed25519"), false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, strings.TrimSuffix(first, "\n"))
	if err := knownhosts.Append(path, "b.example", public(t, "ed25519"), false); err != nil {
		t.Fatal(err)
	}
	s := load(t, path)
	for _, addr := range []string{"a.example", "b.example"} {
		if err := s.Check(addr, public(t, "ed25519")); err != nil {
			t.Error(err)
		}
	}
}

func TestAppendsDoNotTear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "known_hosts")
	const n = 20
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { // stops when its line is written
			if err := knownhosts.Append(path, "a.example", public(t, "rsa"), true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s := load(t, path)
	if got := len(s.Lookup("a.example")); got != n || len(s.Notes()) != 0 {
		t.Errorf("%d lines and notes %v, want %d", got, s.Notes(), n)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRemove(t *testing.T) {
	original, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		addr    string
		removed int
		gone    []string // beginnings of the lines that are removed
	}{
		{"plain.example", 1, []string{"plain.example "}},
		{"192.0.2.7", 1, []string{"multi.example,"}},
		{"multi.example:2222", 1, []string{"multi.example,"}},
		{"several.example", 3, []string{"several.example "}},
		{"both.example", 2, []string{"both.example "}},
		{"hashed.example", 1, []string{"|1|HHFoxVpQCQ3eErQrjhOXs5VWyXo="}},
		{"x.wild.example", 1, []string{"*.wild.example"}},
		{"a.ca.example", 0, nil},
		{"nobody.example", 0, nil},
		{"last.example", 1, []string{"last.example "}},
	} {
		t.Run(row.addr, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "known_hosts")
			write(t, path, string(original))
			removed, err := knownhosts.Remove(path, row.addr)
			if err != nil || removed != row.removed {
				t.Fatalf("Remove = %d, %v, want %d", removed, err, row.removed)
			}
			var want strings.Builder
			for line := range strings.Lines(string(original)) {
				gone := false
				for _, g := range row.gone {
					gone = gone || strings.HasPrefix(line, g)
				}
				if !gone {
					want.WriteString(line)
				}
			}
			if got, _ := os.ReadFile(path); string(got) != want.String() {
				t.Errorf("what is left differs:\n%s", got)
			}
			old, err := os.ReadFile(path + ".old")
			if row.removed == 0 {
				if !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a backup was made of an unchanged file: %v", err)
				}
			} else if !bytes.Equal(old, original) {
				t.Errorf("the backup differs: %v", err)
			}
			if rest, _ := filepath.Glob(path + "*.tmp"); len(rest) > 0 {
				t.Errorf("left behind: %v", rest)
			}
		})
	}
}

func TestRemoveThroughALink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "known_hosts"), filepath.Join(dir, "link")
	if err := knownhosts.Append(path, "a.example", public(t, "ed25519"), false); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if n, err := knownhosts.Remove(link, "a.example"); err != nil || n != 1 {
		t.Fatalf("Remove = %d, %v", n, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) != 0 {
		t.Errorf("left: %q, %v", text, err)
	}
	if _, err := knownhosts.Remove(filepath.Join(dir, "none"), "a.example"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: got %v, want fs.ErrNotExist", err)
	}
}

func TestChecker(t *testing.T) {
	const newHost, oldHost, revokedHost = "new.example:22", "plain.example:22", "any.example:22"
	answer := func(d knownhosts.Decision, err error) func(context.Context, *knownhosts.KeyError) (knownhosts.Decision, error) {
		return func(_ context.Context, question *knownhosts.KeyError) (knownhosts.Decision, error) {
			if question.Kind != knownhosts.Unknown {
				t.Errorf("asked about a key that is %s", question.Kind)
			}
			return d, err
		}
	}
	for _, row := range []struct {
		name      string
		checker   *knownhosts.Checker
		addr, key string
		want      knownhosts.Kind // 0: accepted
		saved     bool
	}{
		{"strict, known", &knownhosts.Checker{}, oldHost, "ed25519", 0, false},
		{"strict, new", &knownhosts.Checker{}, newHost, "ed25519", knownhosts.Unknown, false},
		{"ask, nobody there", &knownhosts.Checker{Policy: knownhosts.Ask}, newHost, "ed25519", knownhosts.Unknown, false},
		{"ask, no", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.Reject, nil)}, newHost, "ed25519", knownhosts.Unknown, false},
		{"ask, nonsense", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(77, nil)}, newHost, "ed25519", knownhosts.Unknown, false},
		{"ask, error", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.AcceptAndSave, fs.ErrClosed)}, newHost, "ed25519", knownhosts.Unknown, false},
		{"ask, once", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.AcceptOnce, nil)}, newHost, "ed25519", 0, false},
		{"ask, yes", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.AcceptAndSave, nil)}, newHost, "ed25519", 0, true},
		{"ask, changed", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.AcceptAndSave, nil)}, oldHost, "rsa", knownhosts.Changed, false},
		{"ask, revoked", &knownhosts.Checker{Policy: knownhosts.Ask, Ask: answer(knownhosts.AcceptAndSave, nil)}, revokedHost, "revoked", knownhosts.Revoked, false},
		{"accept-new, new", &knownhosts.Checker{Policy: knownhosts.AcceptNew}, newHost, "ed25519", 0, true},
		{"accept-new, hashed", &knownhosts.Checker{Policy: knownhosts.AcceptNew, Hash: true}, newHost, "ed25519", 0, true},
		{"accept-new, changed", &knownhosts.Checker{Policy: knownhosts.AcceptNew}, oldHost, "rsa", knownhosts.Changed, false},
		{"off, new", &knownhosts.Checker{Policy: knownhosts.Off}, newHost, "ed25519", 0, true},
		{"off, changed", &knownhosts.Checker{Policy: knownhosts.Off}, oldHost, "rsa", 0, false},
		{"off, revoked", &knownhosts.Checker{Policy: knownhosts.Off}, revokedHost, "revoked", knownhosts.Revoked, false},
		{"unknown policy", &knownhosts.Checker{Policy: 99}, newHost, "ed25519", knownhosts.Unknown, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := row.checker
			c.Store = load(t, fixture)
			c.Save = filepath.Join(t.TempDir(), "known_hosts")
			key := public(t, row.key)
			var got knownhosts.Kind
			err := c.CheckHostKey(t.Context(), row.addr, key)
			if ke, ok := errors.AsType[*knownhosts.KeyError](err); ok {
				got = ke.Kind
			} else if err != nil {
				t.Error(err)
			}
			if got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
			saved := load(t, c.Save).Check(row.addr, key) == nil
			if saved != row.saved {
				t.Errorf("saved: %v, want %v", saved, row.saved)
			}
			if row.saved {
				if err := c.Store.Check(row.addr, key); err != nil {
					t.Errorf("the store was not told: %v", err)
				}
			}
		})
	}
}

func TestCheckerZeroRefuses(t *testing.T) {
	var c knownhosts.Checker
	if err := c.CheckHostKey(t.Context(), "a.example:22", public(t, "ed25519")); err == nil {
		t.Error("the zero Checker accepted a key")
	}
	if got := c.HostKeyAlgorithms("a.example:22"); got != nil {
		t.Errorf("HostKeyAlgorithms = %v", got)
	}
}

func TestCheckerGoesOnWhenItCannotSave(t *testing.T) {
	var warned error
	c := knownhosts.Checker{
		Store:  new(knownhosts.Store),
		Policy: knownhosts.AcceptNew,
		Save:   t.TempDir(), // a folder
		Warn:   func(err error) { warned = err },
	}
	if err := c.CheckHostKey(t.Context(), "a.example:22", public(t, "ed25519")); err != nil || warned == nil {
		t.Errorf("got %v and the warning %v", err, warned)
	}
	if err := c.CheckHostKey(t.Context(), "a.example:22", public(t, "rsa")); err == nil {
		t.Error("the accepted key was not remembered: another one was accepted")
	}
}

func TestCheckerAsksOnceAtATime(t *testing.T) {
	asked := make(chan struct{})
	answer := make(chan knownhosts.Decision)
	c := knownhosts.Checker{
		Store:  new(knownhosts.Store),
		Policy: knownhosts.Ask,
		Ask: func(context.Context, *knownhosts.KeyError) (knownhosts.Decision, error) {
			asked <- struct{}{}
			return <-answer, nil
		},
	}
	key := public(t, "ed25519")
	first := make(chan error, 1)
	go func() { first <- c.CheckHostKey(t.Context(), "a.example:22", key) }() // stops when answered
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.CheckHostKey(ctx, "b.example:22", key); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for the question: got %v, want context.Canceled", err)
	}
	second := make(chan error, 1)
	go func() { second <- c.CheckHostKey(t.Context(), "a.example:22", key) }() // stops with the answer to the first
	answer <- knownhosts.AcceptAndSave
	for _, ch := range []chan error{first, second} {
		if err := <-ch; err != nil {
			t.Error(err)
		}
	}
}

func TestKeyErrorTellsWhere(t *testing.T) {
	err := load(t, fixture).Check("plain.example:22", public(t, "ecdsa"))
	for _, part := range []string{"plain.example", "changed", fixture + ":3", keys.Fingerprint(public(t, "ecdsa")), keys.Fingerprint(public(t, "ed25519"))} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is missing in %q", part, err)
		}
	}
}
