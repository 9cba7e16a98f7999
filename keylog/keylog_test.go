package keylog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

var cookie = [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

const cookieHex = "000102030405060708090a0b0c0d0e0f"

func TestLine(t *testing.T) {
	if got, want := Line(cookie, []byte{0, 0xab}), cookieHex+" SHARED_SECRET 00ab"; got != want {
		t.Errorf("Line = %q, want %q", got, want)
	}
}

func TestSecrets(t *testing.T) {
	ssh := cookieHex + " SHARED_SECRET "
	random := strings.Repeat("ab", 32)
	tests := []struct {
		name string
		text string
		k    string // the secret under cookie
		n    int
		bad  int
	}{
		{"nothing", "", "", 0, 0},
		{"comments", "# a comment\n\n  \n", "", 0, 0},
		{"one", ssh + "00ff\n", "\x00\xff", 1, 0},
		{"no line end, carriage returns, upper case", "\r\n" + strings.ToUpper(cookieHex) + " SHARED_SECRET 00FF\r", "\x00\xff", 1, 0},
		{"the later one wins", ssh + "01\n" + ssh + "02\n", "\x02", 1, 0},
		{"TLS", "CLIENT_RANDOM " + random + " 00\nSERVER_HANDSHAKE_TRAFFIC_SECRET " + random + " 00\n", "", 2, 0},
		{"not hexadecimal", ssh + "0g\n", "", 0, 1},
		{"half a byte", ssh + "000\n", "", 0, 1},
		{"no secret", ssh + "\n", "", 0, 1},
		{"short cookie", "0001 SHARED_SECRET 00\n", "", 0, 1},
		{"cookie of other digits", strings.Repeat("z", 32) + " SHARED_SECRET 00\n", "", 0, 1},
		{"other word", cookieHex + " PRIVATE_KEY 00\n", "", 0, 1},
		{"rubbish between", "hello\n" + ssh + "07\nworld a b\n", "\x07", 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Secrets
			if bad := s.Add([]byte(tt.text)); bad != tt.bad || s.Len() != tt.n {
				t.Errorf("%d bad lines and %d secrets, want %d and %d", bad, s.Len(), tt.bad, tt.n)
			}
			k, ok := s.SSH(cookie[:])
			if string(k) != tt.k || ok != (tt.k != "") {
				t.Errorf("SSH = %x, %v; want %x", k, ok, tt.k)
			}
		})
	}
}

func TestSecretsAskedForAnotherCookie(t *testing.T) {
	var s Secrets
	s.Add([]byte(Line(cookie, []byte{1})))
	for _, c := range [][]byte{nil, cookie[:15], make([]byte, 16)} {
		if k, ok := s.SSH(c); ok {
			t.Errorf("SSH(%x) = %x", c, k)
		}
	}
}

func TestSecretsAreBounded(t *testing.T) {
	var s Secrets
	long := []byte(Line(cookie, make([]byte, maxKept/4)) + "\n") // twice as many digits
	if bad := s.Add(long); bad != 0 {
		t.Errorf("%d bad lines", bad)
	}
	if bad := s.Add(long); bad != 1 {
		t.Errorf("%d bad lines beyond the limit, want 1", bad)
	}
}

func TestCreate(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys")
	for i := range 2 { // the second one appends
		w, c, err := Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(Line(cookie, []byte{byte(i + 1)})); err != nil {
			t.Error(err)
		}
		c.Close()
	}
	text, err := os.ReadFile(name)
	if want := Line(cookie, []byte{1}) + "\n" + Line(cookie, []byte{2}) + "\n"; err != nil || string(text) != want {
		t.Errorf("the file holds %q, %v; want %q", text, err, want)
	}
	if info, err := os.Stat(name); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if _, _, err := Create(filepath.Join(name, "x")); err == nil {
		t.Error("a file below a file was made")
	}
}

type failing struct{ after int }

var errFull = errors.New("disk full")

func (f *failing) Write(b []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterKeepsItsError(t *testing.T) {
	w := NewWriter(&failing{after: 1})
	for i, want := range []error{nil, errFull, errFull} {
		if err := w.Write("x"); err != want {
			t.Errorf("write %d = %v, want %v", i, err, want)
		}
	}
	if err := (*Writer)(nil).Write("x"); err != nil {
		t.Errorf("a nil Writer says %v", err)
	}
}

func TestWriterWritesWholeLines(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				w.Write(strings.Repeat(fmt.Sprint(i), 40))
			}
		})
	}
	wg.Wait()
	for line := range strings.Lines(out.String()) {
		if len(line) != 41 || strings.Count(line, line[:1]) != 40 {
			t.Fatalf("line %q is mixed", line)
		}
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add([]byte(Line(cookie, []byte{1})))
	f.Add([]byte("CLIENT_RANDOM a b\n# c\nrubbish"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Secrets
		if bad := s.Add(text); bad < 0 || bad+s.Len() > bytes.Count(text, []byte("\n"))+1 {
			t.Errorf("%d bad lines and %d secrets in %q", bad, s.Len(), text)
		}
	})
}

func Example() {
	w := NewWriter(os.Stdout)
	w.Write(Line(cookie, []byte{0xca, 0xfe}))

	var s Secrets
	s.Add([]byte(Line(cookie, []byte{0xca, 0xfe})))
	k, ok := s.SSH(cookie[:])
	fmt.Printf("%x %v\n", k, ok)
	// Output:
	// 000102030405060708090a0b0c0d0e0f SHARED_SECRET cafe
	// cafe true
}
