// Package auth is how users of MySQL and MariaDB prove who they are: both
// halves of every authentication method that the two servers have today, the
// rules for when a client may use one, and the formats in which servers store
// what they compare with. It does no I/O: its users send what it returns.
//
// Methods: mysql_native_password, caching_sha2_password, sha256_password,
// mysql_clear_password, client_ed25519, parsec, dialog. mysql_old_password is
// always refused. Others can be added with a [Method].
//
// The client runs one [Exchange] for a login:
//
//	e := auth.NewExchange(&auth.Config{Passwords: []string{"secret"}}, hello.AuthPlugin, hello.AuthData)
//	plugin, proof, err := e.First() // for the handshake response
//	// then, for each packet up to OK or ERR:
//	reply, err := e.Switch(m.Plugin, m.Data)     // an AuthSwitchRequest came
//	reply, err := e.More(m.Data)                 // an AuthMoreData, or bare data of the plugin
//	reply, err := e.NextFactor(m.Plugin, m.Data) // an AuthNextFactor
//	err := e.OK(ok.Info)                         // before the OK is believed
//
// A server has a [Verifier] for each account and factor, and runs one [Session]
// of it for a login.
//
// What a client gives away: the SHA-1 and SHA-256 methods let whoever listens
// try passwords on what he heard; only TLS prevents that. A password itself is
// sent only over TLS, over a socket of this machine, or encrypted for a public
// key that the user gave or explicitly allowed to be fetched.
package auth
