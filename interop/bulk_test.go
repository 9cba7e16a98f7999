package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// bulkSize is how much goes each way in the tests of each cipher; with -short
// an eighth.
const bulkSize = 100 << 20

func size() int64 {
	if testing.Short() {
		return bulkSize / 8
	}
	return bulkSize
}

// rekeyBytes is after how many bytes new keys are negotiated in these tests.
const rekeyBytes = 1 << 20

// ciphers are all that our transport speaks.
var ciphers = []string{"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"}

// kexMethods are all that our transport speaks and OpenSSH 9.2 too.
var kexMethods = []string{"curve25519-sha256", "curve25519-sha256@libssh.org"}

const mlkem = "mlkem768x25519-sha256"

// bulk is a stream of n reproducible bytes.
func bulk(n int64, seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

// sum returns the hash of what r yields and how much it was.
func sum(r io.Reader) (string, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// wantSum is the hash of bulk.
func wantSum(t testing.TB, n int64, seed byte) string {
	t.Helper()
	s, _, err := sum(bulk(n, seed))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// meter is a writer that hashes and counts.
type meter struct {
	hash.Hash
	n int64
}

func newMeter() *meter { return &meter{Hash: sha256.New()} }

func (m *meter) Write(b []byte) (int, error) {
	m.n += int64(len(b))
	return m.Hash.Write(b)
}

func (m *meter) String() string { return hex.EncodeToString(m.Sum(nil)) }

// bulkFile writes a file of n reproducible bytes.
func bulkFile(t testing.TB, n int64, seed byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), fmt.Sprintf("bulk-%d", seed))
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, bulk(n, seed)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkFile compares a file with bulk.
func checkFile(t testing.TB, name string, n int64, seed byte) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	got, size, err := sum(f)
	if want := wantSum(t, n, seed); err != nil || size != n || got != want {
		t.Errorf("%s: %d bytes with the hash %s, %v; want %d with %s", filepath.Base(name), size, got, err, n, want)
	}
}

// deadline is a context that ends before the peers are killed.
func deadline(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), peerTimeout)
	t.Cleanup(cancel)
	return ctx
}

// speed logs what a bulk test has measured.
func speed(t testing.TB, what string, n int64, began time.Time) {
	t.Helper()
	took := time.Since(began)
	t.Logf("%s: %d MiB in %v, %.0f MiB/s", what, n>>20, took.Round(time.Millisecond), float64(n)/(1<<20)/took.Seconds())
}

// lines splits text for comparison, without empty ones.
func lines(b []byte) []string {
	var out []string
	for _, l := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		if len(l) > 0 {
			out = append(out, string(l))
		}
	}
	return out
}
