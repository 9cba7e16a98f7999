// Package sftpserver serves files over SFTP: one session on one stream.
//
// [Serve] reads requests from the stream, asks a [Backend], and answers. It
// does not know what the stream is: the channel of an SSH subsystem, the
// standard input and output of a process that another sshd started, a pipe in
// a test. Package backend has backends for the host's files, for a directory
// that cannot be left, and for memory.
//
// # Order
//
// What requests do to one file is as if they were carried out one after the
// other in the order they came in (filexfer-02 §6), while a session works on
// several at a time. Reads run in parallel with each other, writes to other
// places of a file too, and files are independent. A write waits for earlier
// writes of the same place and for earlier reads of that place or before it,
// since it may move the end of the file; a read waits likewise. A copy is a
// read of one file and a write of another, beside which others go on. Requests
// about a handle wait for everything earlier on that file; requests about paths
// wait for everything earlier. Replies keep the order of the requests unless
// [Config.AnyOrder] is set.
//
// # Limits
//
// Packets, handles, paths, and the number and bytes of requests in hand are
// bounded: see [Config]. Who sends requests faster than they are answered is
// not read from until there is room again. A malformed packet is answered with
// SSH_FX_BAD_MESSAGE and an unknown one with SSH_FX_OP_UNSUPPORTED; only a
// packet without a request id, or of a length out of range, ends the session.
// A panic in a backend is answered as a failure.
//
// It speaks version 3 with OpenSSH's extensions: posix-rename, statvfs,
// fstatvfs, hardlink, fsync, lsetstat, limits, expand-path, copy-data,
// home-directory and users-groups-by-id. Those that need something of the
// backend are offered where it has that.
package sftpserver
