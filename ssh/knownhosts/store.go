package knownhosts

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/wirelark/wirelark/ssh/keys"
)

// maxFile bounds what is read of a file.
const maxFile = 64 << 20

// ErrCertificate is returned for host certificates, which are not checked.
var ErrCertificate = errors.New("the host key is a certificate, and host certificates are not checked")

// A Kind says why a key was not found to be that of a host.
type Kind uint8

// The kinds of a KeyError.
const (
	Unknown Kind = iota + 1 // nothing is known about the host
	Changed                 // the host is known with other keys
	Revoked                 // the key is marked as revoked
)

func (k Kind) String() string {
	switch k {
	case Unknown:
		return "unknown"
	case Changed:
		return "changed"
	case Revoked:
		return "revoked"
	}
	return fmt.Sprintf("0x%02x", uint8(k))
}

// A KeyError says that a key is not known to be that of a host.
type KeyError struct {
	Kind Kind
	Host string         // as looked up: see Normalize
	Key  keys.PublicKey // what the host showed
	Want []Entry        // Changed: the keys that are known; Revoked: the lines that say so; Unknown: lines with keys of types that are not known
}

func (e *KeyError) Error() string {
	shown := e.Key.Type() + " " + keys.Fingerprint(e.Key)
	switch e.Kind {
	case Changed:
		return fmt.Sprintf("the host key of %s has changed: it is %s, known is %s", e.Host, shown, describe(e.Want))
	case Revoked:
		return fmt.Sprintf("the host key of %s is revoked: %s, by %s", e.Host, shown, describe(e.Want))
	}
	return fmt.Sprintf("the host key of %s is not known: %s", e.Host, shown)
}

func describe(entries []Entry) string {
	var parts []string
	for i := range entries {
		part := entries[i].KeyType
		if entries[i].Key != nil {
			part += " " + keys.Fingerprint(entries[i].Key)
		}
		parts = append(parts, part+" ("+entries[i].String()+")")
	}
	return strings.Join(parts, ", ")
}

func isUnknownType(err error) bool {
	var unknown *keys.UnknownTypeError
	return errors.As(err, &unknown)
}

// A Store holds what known_hosts files say. Its zero value is empty and ready.
// It is safe for concurrent use.
type Store struct {
	mu      sync.RWMutex
	entries []Entry // guarded by mu
	notes   []Note  // guarded by mu
}

// Load reads the given files into a Store, in this order. A file that does not
// exist is like an empty one; other failures to read are returned.
func Load(paths ...string) (*Store, error) {
	s := new(Store)
	for _, path := range paths {
		text, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.AddText(path, text)
	}
	return s, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes", path, maxFile)
	}
	return text, nil
}

// AddText adds what a known_hosts text says; file is its name in entries and
// notes.
func (s *Store) AddText(file string, text []byte) {
	entries, notes := Parse(file, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, entries...)
	s.notes = append(s.notes, notes...)
}

// Notes returns which lines were skipped, and why.
func (s *Store) Notes() []Note {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.notes)
}

// Lookup returns the entries about a host, with all markers. addr is as for
// [Normalize].
func (s *Store) Lookup(addr string) []Entry { return s.lookup(Normalize(addr)) }

func (s *Store) lookup(name string) []Entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Entry
	for i := range s.entries {
		if matches(s.entries[i].Hosts, name) {
			found = append(found, s.entries[i])
		}
	}
	return found
}

// Check returns nil if key is known as a key of the host at addr ("host:port",
// see [Normalize]) and is not revoked. Otherwise the error is an [*KeyError], or
// [ErrCertificate].
//
// As with OpenSSH, any other key known for the host makes a new one Changed,
// of whatever type; and a host at an unusual port may also be known by its name
// alone. A revocation of the name alone holds for all ports.
func (s *Store) Check(addr string, key keys.PublicKey) error {
	if keys.IsCertificate(key.Type()) {
		return ErrCertificate
	}
	host, port := split(addr)
	name := Normalize(addr)
	at := s.lookup(name)
	alone := at
	if port != defaultPort {
		alone = s.lookup(host)
	}
	result := &KeyError{Kind: Unknown, Host: name, Key: key}
	if lines := withKey(slices.Concat(at, alone), MarkerRevoked, key); len(lines) > 0 {
		result.Kind, result.Want = Revoked, lines[:1]
		return result
	}
	if len(withKey(at, "", key)) > 0 {
		return nil
	}
	for i := range at {
		if at[i].Marker != "" {
			continue
		}
		if at[i].Key != nil && result.Kind == Unknown {
			result.Kind, result.Want = Changed, nil
		}
		if at[i].Key != nil || result.Kind == Unknown {
			result.Want = append(result.Want, at[i])
		}
	}
	if result.Kind == Unknown && len(withKey(alone, "", key)) > 0 {
		return nil
	}
	return result
}

func withKey(entries []Entry, marker string, key keys.PublicKey) []Entry {
	var found []Entry
	for i := range entries {
		if entries[i].Marker == marker && keys.Equal(entries[i].Key, key) {
			found = append(found, entries[i])
		}
	}
	return found
}

// Algorithms returns the host key algorithms under which the host at addr shows
// a key that is known, in the order of the files; nil if none is. A client
// offers them before all others, so that a host with several keys is not
// mistaken for a changed one. An RSA key gives rsa-sha2-512 and rsa-sha2-256.
func (s *Store) Algorithms(addr string) []string {
	host, port := split(addr)
	algos := algorithms(s.lookup(Normalize(addr)))
	if algos == nil && port != defaultPort {
		algos = algorithms(s.lookup(host))
	}
	return algos
}

func algorithms(entries []Entry) []string {
	var algos []string
	for i := range entries {
		if entries[i].Marker != "" || entries[i].Key == nil {
			continue
		}
		for _, algo := range keys.SignatureAlgorithms(entries[i].KeyType) {
			if !slices.Contains(algos, algo) {
				algos = append(algos, algo)
			}
		}
	}
	return algos
}

// Add appends a key of the host at addr to the file and to the store; see
// [Append].
func (s *Store) Add(path, addr string, key keys.PublicKey, hashed bool) error {
	line, err := Line(addr, key, hashed)
	if err != nil {
		return err
	}
	if err := appendLine(path, line); err != nil {
		return err
	}
	s.AddText(path, []byte(line))
	return nil
}
