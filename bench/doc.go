// Command bench measures Wirelark beside golang.org/x/crypto/ssh with
// github.com/pkg/sftp and, where it is installed, OpenSSH: the same work, in
// one run, taking turns, as a table of medians and ratios.
//
//	go -C bench run . -sections bulk,small -rounds 5
//
// README.md tells what is measured, and how. It is no benchmark of functions:
// those stand beside the code and are run by go test.
package main
