// Package authkeys reads OpenSSH's authorized_keys files: which keys may log in,
// and what each of them may do.
//
// [Parse] reads a text once; [File.Authorize] finds the line that lets a key in
// from an address at a time, and returns its [Grant], which a server enforces.
// Only a key that has proved itself may be asked about: the caller passes the
// key of a verified signature.
//
// Options mean what they mean to OpenSSH (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
// Whatever is not understood makes a line grant nothing: an unknown option, a
// value that cannot be read, an option standing where the key type is expected.
// Such lines are noted and skipped, and disable no other line. The pattern
// list of from= is compared with the peer's address, as sshd does without
// UseDNS: names in it match nothing.
//
// Not supported, and therefore granting nothing: cert-authority lines and
// verify-required. no-touch-required is noted and ignored: a touch stays
// required. environment= is handed on; whether to honour it is the server's
// choice, as PermitUserEnvironment is.
//
// Limits: a file is read up to 16 MiB and a line up to 128 KiB.
package authkeys
