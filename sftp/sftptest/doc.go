// Package sftptest helps to test programs that use SFTP, this project's and
// other people's: [New] runs a server inside the test, and [Backend] is the
// suite that every [sftpserver.Backend] passes.
package sftptest
