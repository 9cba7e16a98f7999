// Package hostshell lets a server run commands and shells on its own host, as
// the user who runs the server. A server does none of this by itself: whoever
// wants it sets
//
//	host := hostshell.New(nil)
//	server := &sshserver.Server{
//		…
//		Exec:  host.Exec,
//		Shell: host.Shell,
//		Env:   hostshell.AcceptEnv(),
//	}
//
// Everybody whom the server lets in can then do all that its user can do. The
// name with which a client logs in changes nothing about that: no other user's
// identity is taken.
//
// A command runs as "SHELL -c COMMAND" with the login shell of the user, in the
// home directory, with an environment made anew: HOME, USER, LOGNAME, SHELL,
// PATH, LANG, TZ and TMPDIR of the server, SSH_CONNECTION and SSH_CLIENT, TERM
// with a terminal, and what the session was given. A command that a grant
// forces finds the client's own in SSH_ORIGINAL_COMMAND.
//
// A command has a process group of its own, which gets the client's signals.
// When the client goes away first, the group gets SIGHUP and, if the command is
// still there after [Config.Grace], SIGKILL. Otherwise the session lasts until
// the command has ended and its output has been read to the end, also that of
// processes which it has left behind.
//
// Terminals exist on Unix; Windows has none, and a session that asked for one is
// told so.
package hostshell
