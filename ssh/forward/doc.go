// Package forward carries connections that arrive at a local port or socket
// through something that can dial: ssh's -L.
//
// [ParseLocal] reads what stands behind -L, [Listen] listens and carries. It
// knows no SSH: an *sshclient.Client is a [Dialer], and so is a *net.Dialer. The
// end of one direction is passed on as the end of that direction alone, so that
// protocols which close their sending half early work.
//
// Remote and dynamic forwarding (-R, -D) are not here yet.
//
// Limits: [Config.Connections] connections at the same time; further ones wait
// in the system's queue. Of each, 32 KiB in each direction are held.
package forward
