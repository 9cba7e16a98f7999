// Package knownhosts reads and extends OpenSSH's known_hosts files: which host
// has which key.
//
// A [Store] holds what one or more files say, and answers two questions: is
// this the key of that host ([Store.Check]), and which host key algorithms are
// to be negotiated so that the key that is known will be shown
// ([Store.Algorithms]). A [Checker] puts a policy on top for a client: refuse,
// ask, or accept what is new. A key that differs from a known one is never
// accepted or asked about.
//
// Plain, hashed and wildcard names, negation, ports, @revoked, several keys
// for a host and several files mean what they mean to OpenSSH (sshd(8),
// SSH_KNOWN_HOSTS FILE FORMAT). A line that cannot be read, or whose key has an
// unknown type, is noted and skipped; it disables nothing else, and no
// operation here changes a byte of it.
//
// Lines marked @cert-authority are kept and listed, but host certificates are
// not checked: such a key is refused with [ErrCertificate].
//
// Files are added to by one appending write, and rewritten only by [Remove]. The
// package reads no environment: callers pass paths.
//
// Limits: a file is read up to 64 MiB and a line up to 128 KiB.
package knownhosts
