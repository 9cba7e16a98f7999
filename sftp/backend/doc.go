// Package backend has the files that an SFTP server serves: those of the host
// with the rights of the process ([Host]), those below one directory that
// cannot be left ([Rooted]), and those that live in memory ([Memory]). All
// implement [sftpserver.Backend] and pass the suite of package sftptest.
//
// [Host] is for a process that already runs as the user whom it serves, as
// sshd's sftp-server does. It is no jail: a client sees all that the user may
// see.
//
// [Rooted] is for everything else. A client sees the directory as "/". Links
// that point to absolute paths mean paths below that directory, and ".." of
// "/" is "/", so that a tree with absolute links can be moved there as it is;
// whatever links say and however they change meanwhile, no operation touches a
// file outside. That holds by os.Root and not by looking at paths.
package backend
