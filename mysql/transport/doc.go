// Package transport is what stands between a socket and the first command of a
// MySQL connection, on the server's side: the greeting, TLS, the client's
// answer, the conversation of the authentication methods, and compression.
//
//	server                                       client
//	HandshakeV10 ───────────────────────────────▶
//	             ◀───────────── SSLRequest, TLS ── (if the client likes)
//	             ◀──────────── HandshakeResponse41
//	AuthSwitchRequest, AuthMoreData, … ─────────▶
//	             ◀────────────────── AuthResponse    (as often as the method needs)
//	OK or ERR ──────────────────────────────────▶  (the caller's)
//
//	s := transport.NewServer(pc, &transport.ServerConfig{…})
//	err := s.Greet(ctx)                     // then s.Client says who it is
//	accepted, err := s.Prove(account.Factors)
//
// It decides nothing: who the users are, and what is said to those who are not
// let in, is up to package mysqlserver. What it does not do either is to wait
// for anything but packets; time limits are deadlines of the packet.Conn.
//
// [Socket] is a socket that can be watched for its end while nobody reads from
// it.
//
// Limits: a method may ask 16 questions, an account has at most 3 factors.
package transport
