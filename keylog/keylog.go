// Package keylog reads and writes key log lines: the session secrets with
// which a captured SSH or TLS conversation can be decrypted.
//
// An SSH line is the cookie of a KEXINIT, in hexadecimal, the word
// SHARED_SECRET, and the shared secret K of that key exchange: the body of the
// shortest mpint where the method encodes K as an mpint, the raw octets where
// it encodes a string (the ML-KEM hybrids). That is Wireshark's format. A TLS
// line is in the NSS format: a label such as CLIENT_TRAFFIC_SECRET_0, the
// random of the ClientHello, and the secret, in hexadecimal.
//
// A key log is a credential. Files are made with mode 0600.
package keylog

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// Line returns the SSH line for the key exchange whose KEXINIT had the given
// cookie, without a line end. Leading zero octets of k that an mpint would not
// have are kept: give the shortest form.
func Line(cookie [16]byte, k []byte) string {
	return fmt.Sprintf("%x SHARED_SECRET %x", cookie, k)
}

// Writer appends lines to a key log, each in one write. It is safe for
// concurrent use. A nil *Writer writes nothing.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewWriter returns a Writer that appends to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Create opens the named file for appending, with mode 0600 when it is new.
// The caller closes the file after the last line.
func Create(name string) (*Writer, io.Closer, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return NewWriter(f), f, nil
}

// Write appends one line. The first error sticks and is returned by every
// later call, so a session may go on without its log and say so.
func (w *Writer) Write(line string) error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		_, w.err = io.WriteString(w.w, line+"\n")
	}
	return w.err
}

// TLS returns the id of a TLS secret for [Secrets.Find]: its label and the
// random of the ClientHello.
func TLS(label string, random []byte) []byte { return fmt.Appendf(nil, "%s %x", label, random) }

// Secrets is a set of secrets read from key logs. Its zero value is empty. It
// is not safe for concurrent use.
type Secrets struct {
	ssh  map[[16]byte][]byte
	tls  map[string][]byte // by id
	kept int               // bytes of lines taken so far
}

// maxKept bounds the lines that a set takes, in bytes: some hundred thousand
// key exchanges. The text may be part of a capture that a stranger has made.
const maxKept = 64 << 20

// Add reads the lines of text. Lines that are neither an SSH nor a TLS secret
// are counted as bad, as are those beyond 64 MiB in all; comments and empty
// lines are skipped. It returns the number of bad lines.
func (s *Secrets) Add(text []byte) (bad int) {
	for line := range bytes.Lines(text) {
		if s.kept+len(line) > maxKept {
			bad++
			continue
		}
		s.kept += len(line)
		line := strings.TrimSpace(string(line))
		switch {
		case line == "" || line[0] == '#':
		case s.addSSH(line):
		case s.addTLS(line):
		default:
			bad++
		}
	}
	return bad
}

func (s *Secrets) addSSH(line string) bool {
	f := strings.Fields(line)
	if len(f) != 3 || f[1] != "SHARED_SECRET" || len(f[0]) != 32 {
		return false
	}
	var cookie [16]byte
	if _, err := hex.Decode(cookie[:], []byte(f[0])); err != nil {
		return false
	}
	k, err := hex.DecodeString(f[2])
	if err != nil || len(k) == 0 {
		return false
	}
	if s.ssh == nil {
		s.ssh = make(map[[16]byte][]byte)
	}
	s.ssh[cookie] = k
	return true
}

func (s *Secrets) addTLS(line string) bool {
	f := strings.Fields(line)
	if len(f) != 3 || len(f[1]) != 64 {
		return false
	}
	known := false
	for _, prefix := range []string{"CLIENT_", "SERVER_", "EXPORTER_", "EARLY_EXPORTER_"} {
		known = known || strings.HasPrefix(f[0], prefix)
	}
	random, err := hex.DecodeString(f[1])
	if err != nil || !known {
		return false
	}
	secret, err := hex.DecodeString(f[2])
	if err != nil || len(secret) == 0 {
		return false
	}
	if s.tls == nil {
		s.tls = make(map[string][]byte)
	}
	s.tls[string(TLS(f[0], random))] = secret
	return true
}

// Find returns the secret with the given id: the cookie of an SSH KEXINIT,
// which has 16 bytes, or what [TLS] returns.
func (s *Secrets) Find(id []byte) (secret []byte, ok bool) {
	if len(id) == 16 {
		return s.SSH(id)
	}
	secret, ok = s.tls[string(id)]
	return secret, ok
}

// SSH returns the secret of the key exchange in which one side's KEXINIT had
// the given cookie.
func (s *Secrets) SSH(cookie []byte) (k []byte, ok bool) {
	if len(cookie) != 16 {
		return nil, false
	}
	k, ok = s.ssh[[16]byte(cookie)]
	return k, ok
}

// Len returns the number of secrets.
func (s *Secrets) Len() int { return len(s.ssh) + len(s.tls) }
