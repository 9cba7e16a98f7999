//go:build !unix

package packet

import "net"

// socketPending reports that the system cannot be asked.
func socketPending(net.Conn) (waiting, known bool) { return false, false }
