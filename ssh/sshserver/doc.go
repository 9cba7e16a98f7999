// Package sshserver is an SSH server in the shape of net/http: a [Server] has
// handlers, Serve accepts connections, Shutdown ends it.
//
//	s := &sshserver.Server{
//		HostKeys:  []keys.Signer{hostKey},
//		PublicKey: policy,
//		Exec: func(ctx context.Context, s *sshserver.Session) error {
//			fmt.Fprintln(s, "you said", s.Command())
//			return nil
//		},
//	}
//	err := s.Serve(listener)
//
// The server runs nothing by itself and reads no files: without a handler a
// request is refused. Package hostshell has handlers that run the programs of
// this machine, package authkeys has a policy made of authorized_keys files.
//
// Who may log in is decided by a [PublicKeyPolicy], which sees a key that is
// merely asked about and a [VerifiedKey] as two different types, so that
// nothing but a verified signature can grant anything, and by a password
// callback. The resulting [Grant] belongs to the connection.
//
// Each connection, channel and handler is on its own: handlers run in their
// own goroutines under a context that ends with their channel, and a panic in
// one ends that session only.
//
// Limits: [Limits] lists them all. Keyboard-interactive and host-based
// authentication, several factors, and listening for clients (tcpip-forward)
// are not here yet.
package sshserver
