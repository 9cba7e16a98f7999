// Package mysqlserver is the server half of the MySQL and MariaDB protocol in
// the shape of net/http: a [Server] has a [Handler], Serve accepts connections,
// Shutdown ends it.
//
//	users, err := mysqlserver.Passwords(map[string]string{"app": "secret"})
//	s := &mysqlserver.Server{Auth: users, Handler: handler}
//	err = s.Serve(listener)
//
// It speaks the protocol and knows no SQL: for every connection whose user has
// been let in the Handler makes a [Session], which answers the statements of
// that connection through a [Writer]. The writer streams: rows go out as they
// are written, in the text or the binary form that the client has asked for,
// and a client that does not read makes the session wait.
//
// The server itself does the rest: the greeting as MySQL or as MariaDB, TLS,
// logging in with every plugin of package auth, compression, both ways of
// ending results, session tracking, multi statements and results, prepared
// statements with cursors and long data, bulk execution, query attributes,
// KILL, and local infile when a session asks for it. What a session does not
// implement, because it embeds [Unsupported], is refused with the error number
// that clients expect.
//
// Each connection is on its own: a panic in a session is answered with an
// error and ends that session only. The context of every call ends when the
// client goes away, when the statement is killed, and when the server is
// closed.
//
// Limits: [Limits] lists them all. Replication is not served. The server never
// asks a client for a file by itself.
package mysqlserver
