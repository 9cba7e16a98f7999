package mysql

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
)

// registry is a set of things with names, for the whole process.
type registry[T any] struct {
	mu    sync.RWMutex
	named map[string]T
}

func (r *registry[T]) set(name string, v T) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named == nil {
		r.named = map[string]T{}
	}
	r.named[name] = v
}

func (r *registry[T]) remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.named, name)
}

func (r *registry[T]) get(name string) (T, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	v, ok := r.named[name]
	return v, ok
}

// The registries. Programs fill them through package-level functions, which the
// original's API demands.
var (
	dials      registry[DialContextFunc]
	tlsConfigs registry[*tls.Config]
	serverKeys registry[*rsa.PublicKey]
	files      registry[struct{}]
	readers    registry[func() io.Reader]
	loggers    registry[Logger] // "" is the default one
)

// DialFunc makes the connection to an address.
//
// Deprecated: use DialContextFunc.
type DialFunc func(addr string) (net.Conn, error)

// DialContextFunc makes the connection to an address.
type DialContextFunc func(ctx context.Context, addr string) (net.Conn, error)

// RegisterDialContext makes dial the dialer of a network of your own, which is
// then written network(address) in a data source name.
func RegisterDialContext(network string, dial DialContextFunc) { dials.set(network, dial) }

// DeregisterDialContext removes the dialer of a network.
func DeregisterDialContext(network string) { dials.remove(network) }

// RegisterDial is RegisterDialContext for a dialer without context.
//
// Deprecated: use RegisterDialContext.
func RegisterDial(network string, dial DialFunc) {
	RegisterDialContext(network, func(_ context.Context, addr string) (net.Conn, error) { return dial(addr) })
}

// RegisterTLSConfig makes config known as tls=key. The names that tls= knows by
// itself are refused. The configuration belongs to this package from then on.
func RegisterTLSConfig(key string, config *tls.Config) error {
	if key == "" || slices.Contains([]string{"0", "1", "true", "false", "skip-verify", "preferred"}, strings.ToLower(key)) {
		return fmt.Errorf("the name %q is reserved", key)
	}
	tlsConfigs.set(key, config)
	return nil
}

// DeregisterTLSConfig removes the configuration of a name.
func DeregisterTLSConfig(key string) { tlsConfigs.remove(key) }

// RegisterServerPubKey makes the RSA key of a server known as serverPubKey=name.
// The key belongs to this package from then on.
func RegisterServerPubKey(name string, key *rsa.PublicKey) { serverKeys.set(name, key) }

// DeregisterServerPubKey removes the key of a name.
func DeregisterServerPubKey(name string) { serverKeys.remove(name) }

// RegisterLocalFile allows one file for LOAD DATA LOCAL INFILE, by the name that
// the statement has.
func RegisterLocalFile(path string) { files.set(strings.Trim(path, `"`), struct{}{}) }

// DeregisterLocalFile takes that back.
func DeregisterLocalFile(path string) { files.remove(strings.Trim(path, `"`)) }

// RegisterReaderHandler makes the readers that handler returns known as the file
// Reader::name of LOAD DATA LOCAL INFILE. A reader that is an [io.Closer] is
// closed behind the last byte.
func RegisterReaderHandler(name string, handler func() io.Reader) { readers.set(name, handler) }

// DeregisterReaderHandler removes the readers of a name.
func DeregisterReaderHandler(name string) { readers.remove(name) }

// infile returns what a server asked for by name, if it was registered. all
// allows every file.
func infile(name string, all bool) (io.Reader, error) {
	// Servers may put the name behind a directory of theirs.
	if i := strings.Index(name, "Reader::"); i == 0 || i > 0 && name[i-1] == '/' {
		name = name[i+len("Reader::"):]
		handler, ok := readers.get(name)
		if !ok {
			return nil, fmt.Errorf("reader '%s' is not registered", name)
		}
		r := handler()
		if r == nil {
			return nil, fmt.Errorf("reader '%s' is <nil>", name)
		}
		return r, nil
	}
	name = strings.Trim(name, `"`)
	if _, ok := files.get(name); !ok && !all {
		return nil, fmt.Errorf("local file '%s' is not registered", name)
	}
	return os.Open(name)
}
