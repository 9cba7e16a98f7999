package mysqlclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// killCancelled kills what the server is doing for a command whose context has
// ended. It stops after KillTimeout at the latest.
func (c *Conn) killCancelled(ctx context.Context, sql string) {
	cfg := c.config()
	if cfg.KillTimeout < 0 {
		return
	}
	ctx, stop := context.WithTimeout(ctx, cfg.KillTimeout)
	defer stop()
	if err := c.kill(ctx, "KILL CONNECTION", sql); err != nil && cfg.Logger != nil {
		cfg.Logger.Warn("mysql: a cancelled statement was not killed", "conn_id", c.server.ConnID, "error", err)
	}
}

// config returns the configuration, which a change of user replaces.
func (c *Conn) config() *Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg
}

// Interrupt stops the statement that another goroutine has under way, and
// leaves the connection as it is: that goroutine gets the server's answer, which
// is ERR 1317 as a rule, but may be a result (a SLEEP that is interrupted returns
// 1 on MySQL). Without a statement under way it does nothing; a statement that is
// begun before the server has taken the KILL, when Interrupt returns, may be the
// one that is hit. ctx and KillTimeout bound it.
func (c *Conn) Interrupt(ctx context.Context) error {
	sql, busy := c.line.Under()
	if err := c.Err(); err != nil || !busy {
		return err
	}
	if t := c.config().KillTimeout; t > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, t)
		defer stop()
	}
	return c.kill(ctx, "KILL QUERY", sql)
}

// errStranger says that a side connection has reached another server, or cannot
// tell: a number is then the number of somebody else's thread.
var errStranger = errors.New("the side connection may have reached another server")

// kill sends verb for this connection from a side connection made in the same
// way, after making sure that it is the same thread on the same server.
func (c *Conn) kill(ctx context.Context, verb, sql string) error {
	cfg := *c.config()
	cfg.Vars, cfg.Init, cfg.Collation, cfg.Charsets, cfg.TimeZone, cfg.Database = nil, nil, "", nil, nil, ""
	cfg.KillTimeout = -1
	side, err := Connect(ctx, &cfg)
	if err != nil {
		return fmt.Errorf("making a side connection: %w", err)
	}
	defer func() { _ = side.Close() }() // it has done what it is for
	if err := side.sees(ctx, c, sql); err != nil {
		return err
	}
	_, err = side.Exec(ctx, fmt.Sprintf("%s %d", verb, c.server.ConnID))
	if e, ok := errors.AsType[*ServerError](err); ok && e.Code == errNoSuchThread {
		return nil // it has ended meanwhile
	}
	return err
}

// errNoSuchThread is ER_NO_SUCH_THREAD.
const errNoSuchThread = 1094

// sees makes sure that the thread with the number of victim, on the server that
// c is connected to, is the one that victim speaks with. A load balancer may
// have led c to another server, where that number is somebody else's.
func (c *Conn) sees(ctx context.Context, victim *Conn, sql string) error {
	a, b := c.server, victim.server
	if a.Version != b.Version || a.Collation != b.Collation || c.RemoteAddr().String() != victim.RemoteAddr().String() {
		return errStranger
	}
	list, err := c.processes(ctx, victim.server.ConnID)
	if err != nil {
		return fmt.Errorf("%w: %w", errStranger, err)
	}
	it, there := list[victim.server.ConnID]
	ours, found := list[c.server.ConnID]
	switch {
	case !there || it.user != victim.config().User && victim.config().User != "":
		return errStranger
	case c.RemoteAddr().Network() == "unix":
		return nil // the same path on the same machine
	case found && port(ours.host) == port(c.LocalAddr().String()):
		// It sees our connections as they are: no two have the same host and port.
		if host(it.host) == host(ours.host) && port(it.host) == port(victim.LocalAddr().String()) {
			return nil
		}
	case runs(it.info, sql):
		return nil // addresses are translated on the way, but it executes our statement
	}
	return errStranger
}

// host and port return the parts of the process list's HOST:PORT, where HOST is a
// name or an address.
func host(s string) string { return s[:max(strings.LastIndexByte(s, ':'), 0)] }
func port(s string) string { return s[strings.LastIndexByte(s, ':')+1:] }

// runs reports whether a process with that text, which is cut, executes sql. The
// server may show arguments in the place of placeholders.
func runs(info, sql string) bool {
	if at := strings.IndexByte(sql, '?'); at >= 0 {
		sql = sql[:at]
	}
	n := min(len(info), len(sql))
	return n > 0 && info[:n] == sql[:n]
}

// process is a row of the server's process list.
type process struct {
	user, host, info string
}

// infoBytes is how much of a statement's text is compared.
const infoBytes = 60

// processes returns the rows of the process list of thread id and of c itself.
func (c *Conn) processes(ctx context.Context, id uint32) (map[uint32]process, error) {
	rows, err := c.Query(ctx, fmt.Sprintf(
		"SELECT id, user, host, LEFT(info, %d) FROM information_schema.processlist WHERE id IN (%d, CONNECTION_ID())", infoBytes, id))
	if err != nil {
		return nil, err
	}
	list := map[uint32]process{}
	for rows.Next() && len(list) < 2 {
		list[uint32(rows.Uint64(0))] = process{user: rows.String(1), host: rows.String(2), info: rows.String(3)}
	}
	return list, rows.Close()
}
