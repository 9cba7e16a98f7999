// Package sftpclient is the client of SFTP version 3 (package sftp).
//
// [New] opens a channel with a function that the caller gives, which is how it
// comes to run inside SSH without knowing SSH; package join has that function.
// [NewPipe] runs over any stream, such as the two pipes of an sftp-server
// process.
//
//	c, err := sftpclient.NewPipe(ctx, stream, nil)
//	f, err := c.Open(ctx, "/etc/motd")
//	_, err = f.WriteTo(os.Stdout)
//
// Every operation takes a context. Canceling it abandons that request and
// nothing else: the id stays reserved until the answer comes, a handle that
// arrives late is closed.
//
// Requests are pipelined. Reads and writes of one file are cut into chunks, of
// which as many are in flight as a budget of bytes allows; the budget belongs
// to the channel and finds its size by itself. Operations of several
// goroutines share the channel without waiting for each other, so many small
// operations at once cost about as many round trips as one; [Group] bounds how
// many there are.
//
// Chunks have the size that the server states with limits@openssh.com. Where it
// allows few open files, operations that open and close files by themselves
// wait for each other.
//
// "Written" means acknowledged: Write, WriteAt and ReadFrom return when the
// server has confirmed every byte they report, and an error tells how many
// bytes from the beginning are confirmed without a hole ([PartialError]). The
// end of a file is where the server says so with a status, never where an
// answer was short.
//
// Errors are *[fs.PathError] or *[os.LinkError] around an *[sftp.StatusError]
// when the server refused, a *[ProtocolError] when it broke the protocol (the
// channel is dead then), or the context's error. Errors of a dead channel are
// [net.ErrClosed].
//
// The package has no multi-channel transfers, no versions 4 to 6 and no
// resuming; package transfer copies trees.
package sftpclient
