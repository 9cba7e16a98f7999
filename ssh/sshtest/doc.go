// Package sshtest helps to test SSH: an in-process server for programs that
// are clients, and a scriptable peer, in either role, for programs that must
// survive what no decent peer does.
//
//	func TestDeploy(t *testing.T) {
//		s := sshtest.NewServer(t, nil)
//		c, err := sshclient.Dial(ctx, s.Addr, s.ClientConfig())
//		...
//	}
//
// A [Server] is a real *sshserver.Server on a port of the loopback interface.
// It checks everything that both sides say against the rules of SSH and fails
// the test about what breaks one: see [Flow].
//
// A [Peer] sends and receives single packets, at any moment and whatever they
// hold; [Peer.Reach] brings it to the stage where it is to begin.
//
// It is for tests: keys are made for each server, and passwords are known.
package sshtest
