// Package sshclient is an SSH client: it logs in, runs commands and shells,
// opens subsystems, and connects through the server.
//
//	c, err := sshclient.Dial(ctx, "host.example:22", &sshclient.Config{
//		User:     "ada",
//		HostKeys: known, // a *knownhosts.Checker
//		Auth:     []sshclient.AuthMethod{sshclient.PublicKeys(signer)},
//	})
//	...
//	out, err := c.Command("uname -a").Output(ctx)
//
// One context covers dialing, key exchange and authentication: when it ends
// before Dial has returned, the connection is cut. Afterwards a context covers
// one command or one channel.
//
// It reads no configuration files, asks nobody and prints nothing: known_hosts
// is package knownhosts, agents are package agent, and questions go to
// callbacks. What a server may write to a terminal (banners, messages of
// errors) is handed on as it came, so whoever prints it must make it safe.
//
// Limits: keyboard-interactive and host-based authentication, expired
// passwords, and listening on the server's side are not here yet. A server
// cannot open channels to this client.
package sshclient
