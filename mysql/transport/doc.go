// Package transport is what stands between a socket and the first command of a
// MySQL connection, in either role: the greeting, TLS, the client's answer, the
// conversation of the authentication methods, and compression.
//
//	server                                       client
//	HandshakeV10 ───────────────────────────────▶
//	             ◀───────────── SSLRequest, TLS ── (if the client likes)
//	             ◀──────────── HandshakeResponse41
//	AuthSwitchRequest, AuthMoreData, … ─────────▶
//	             ◀────────────────── AuthResponse    (as often as the method needs)
//	OK or ERR ──────────────────────────────────▶  (the caller's, in the server)
//
// A client calls [ClientHalf.Enter], and is in or is not. A server goes step by
// step, as it has to look the user up on the way:
//
//	h := transport.NewServerHalf(pc, &transport.ServerConfig{…})
//	err := h.Greet(ctx)                      // then h.Client says who it is
//	accepted, used, err := h.Prove(factors)  // those of the user's account
//	…                                        // OK or ERR
//	err = h.Compress()
//
// It decides nothing about users: who they are, and what is said to those who
// are not let in, is up to package mysqlserver. Time limits are deadlines of
// the packet.Conn, which the caller sets.
//
// [Socket] is a socket that can be watched for its end while nobody reads from
// it, for servers.
//
// Limits: a greeting has at most 4 KiB, other packets of a login 64 KiB. In the
// server a method may ask 16 questions, and an account has at most 3 factors.
package transport
