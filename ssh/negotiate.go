package ssh

import (
	"fmt"
	"slices"
	"strings"
)

// Markers that stand among the key-exchange algorithms of a side's first
// KEXINIT and are no algorithms. RFC 8308 §2.1, OpenSSH PROTOCOL §1.9.
const (
	MarkerExtInfoClient = "ext-info-c"
	MarkerExtInfoServer = "ext-info-s"
	MarkerStrictClient  = "kex-strict-c-v00@openssh.com"
	MarkerStrictServer  = "kex-strict-s-v00@openssh.com"
)

// Algorithms is what a key exchange agreed on. The zero value is the state
// before the first one.
type Algorithms struct {
	Kex     string
	HostKey string // signature algorithm of the host key
	C2S     DirectionAlgorithms
	S2C     DirectionAlgorithms
}

// DirectionAlgorithms protect the packets of one direction.
type DirectionAlgorithms struct {
	Cipher      string
	MAC         string // empty when Cipher authenticates by itself
	Compression string
}

// NegotiationError says that the sides have no algorithm of one kind in
// common. RFC 4253 §7.1.
type NegotiationError struct {
	Kind   string // as "key exchange", "host key", "cipher c2s", "MAC s2c", "compression c2s"
	Client []string
	Server []string
}

func (e *NegotiationError) Error() string {
	return fmt.Sprintf("no common algorithm for %s: client offers %s; server offers %s",
		e.Kind, offer(e.Client), offer(e.Server))
}

func offer(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	s := strings.Join(names, ",")
	if len(s) > 1000 { // a peer chose these; keep the message readable
		s = s[:1000] + "…"
	}
	return s
}

// Negotiate chooses the algorithms that follow from both sides' KEXINITs:
// of each kind the first one of the client that the server has too; markers
// are no algorithms. RFC 4253 §7.1. A missing choice is a [*NegotiationError].
func Negotiate(client, server *KexInit) (Algorithms, error) {
	var a Algorithms
	for _, k := range []struct {
		kind           string
		client, server []string
		to             *string
	}{
		{"key exchange", kexMethods(client.KexAlgorithms), kexMethods(server.KexAlgorithms), &a.Kex},
		{"host key", client.ServerHostKeyAlgorithms, server.ServerHostKeyAlgorithms, &a.HostKey},
		{"cipher c2s", client.CiphersC2S, server.CiphersC2S, &a.C2S.Cipher},
		{"cipher s2c", client.CiphersS2C, server.CiphersS2C, &a.S2C.Cipher},
		{"MAC c2s", client.MACsC2S, server.MACsC2S, &a.C2S.MAC},
		{"MAC s2c", client.MACsS2C, server.MACsS2C, &a.S2C.MAC},
		{"compression c2s", client.CompressionC2S, server.CompressionC2S, &a.C2S.Compression},
		{"compression s2c", client.CompressionS2C, server.CompressionS2C, &a.S2C.Compression},
	} {
		if k.to == &a.C2S.MAC && IsAEAD(a.C2S.Cipher) || k.to == &a.S2C.MAC && IsAEAD(a.S2C.Cipher) {
			continue // the MAC lists are not looked at, OpenSSH PROTOCOL §§1.6, 1.7
		}
		i := slices.IndexFunc(k.client, func(s string) bool { return slices.Contains(k.server, s) })
		if i < 0 {
			return Algorithms{}, &NegotiationError{Kind: k.kind, Client: k.client, Server: k.server}
		}
		*k.to = k.client[i]
	}
	return a, nil
}

// IsAEAD reports whether the cipher authenticates its packets by
// itself, so that no MAC is negotiated. OpenSSH PROTOCOL §1.6 and
// PROTOCOL.chacha20poly1305.
func IsAEAD(cipher string) bool {
	switch cipher {
	case "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com":
		return true
	}
	return false
}

// StrictKex reports whether the sides' first KEXINITs agree on strict key
// exchange; later ones do not change it. OpenSSH PROTOCOL §1.9.
func StrictKex(client, server *KexInit) bool {
	return slices.Contains(client.KexAlgorithms, MarkerStrictClient) &&
		slices.Contains(server.KexAlgorithms, MarkerStrictServer)
}

// GuessedRight reports whether a key-exchange packet that a side sent on a
// guess, behind a KEXINIT with FirstKexPacketFollows, counts: both sides
// prefer the same key exchange and the same host key algorithm. A wrong guess
// is ignored by its receiver. RFC 4253 §7.
func GuessedRight(client, server *KexInit) bool {
	return first(kexMethods(client.KexAlgorithms)) == first(kexMethods(server.KexAlgorithms)) &&
		first(client.ServerHostKeyAlgorithms) == first(server.ServerHostKeyAlgorithms)
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// kexMethods returns names without the markers.
func kexMethods(names []string) []string {
	isMarker := func(s string) bool {
		switch s {
		case MarkerExtInfoClient, MarkerExtInfoServer, MarkerStrictClient, MarkerStrictServer:
			return true
		}
		return false
	}
	if !slices.ContainsFunc(names, isMarker) {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), isMarker)
}

// KexContext returns the context of the message numbers 30–49 under a
// key-exchange method, empty for a method that this package does not know.
// RFC 4253 §8, RFC 4419, RFC 5656 §4, RFC 8731, RFC 9142.
func KexContext(method string) string {
	switch {
	case strings.HasPrefix(method, "diffie-hellman-group-exchange-"):
		return ContextGex
	case strings.HasPrefix(method, "diffie-hellman-group"):
		return ContextDH
	case strings.HasPrefix(method, "ecdh-sha2-"),
		strings.HasPrefix(method, "curve25519-sha256"), strings.HasPrefix(method, "curve448-sha512"),
		strings.HasPrefix(method, "mlkem"), strings.HasPrefix(method, "sntrup761x25519-sha512"):
		return ContextECDH
	}
	return ""
}

// AuthContext returns the context of the message numbers 60–79 while the
// answer to a request with the given method is pending, empty for a method
// that has none of these messages. RFC 4252 §6.
func AuthContext(method string) string {
	switch method {
	case MethodPublicKey, "publickey-hostbound-v00@openssh.com":
		return ContextKey
	case MethodPassword:
		return ContextPassword
	case MethodKbdInt:
		return ContextKbdInt
	}
	return ""
}
