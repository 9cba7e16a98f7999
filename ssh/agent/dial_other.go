//go:build !windows

package agent

import (
	"context"
	"net"
)

// systemPath is where an agent is without being named: nowhere.
const systemPath = ""

func dial(ctx context.Context, path string) (Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}
