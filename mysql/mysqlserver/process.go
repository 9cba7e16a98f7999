package mysqlserver

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// Process is a connection as SHOW PROCESSLIST tells about it.
type Process struct {
	ID       uint32
	User     string // "": nobody has logged in yet
	Host     string // "address:port", or "localhost"
	Database string
	Command  mysql.Command // that is being executed; ComSleep: none
	Since    time.Time     // when the command, or the rest after it, has begun
	Info     string        // beginning of the statement's text, at most 1 KiB
}

// maxInfo is how much of a statement's text others can see.
const maxInfo = 1 << 10

// Processes returns the connections in the order of their numbers. It may be
// called from anywhere. Whether a user may see those of others is up to the
// caller.
func (s *Server) Processes() []Process {
	s.serving.mu.Lock()
	conns := make([]*Conn, 0, len(s.serving.conns))
	for _, c := range s.serving.conns {
		conns = append(conns, c)
	}
	s.serving.mu.Unlock()
	list := make([]Process, 0, len(conns))
	for _, c := range conns {
		list = append(list, c.state())
	}
	slices.SortFunc(list, func(a, b Process) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

func (c *Conn) state() Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.process
	p.ID, p.Host = c.id, "localhost"
	if a := c.RemoteAddr(); a != nil && strings.Contains(a.String(), ":") {
		p.Host = a.String()
	}
	if c.owner != nil {
		p.User = *c.owner
	}
	return p
}

// executes says which statement is being executed.
func (c *Conn) executes(sql string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process.Info = sql[:min(len(sql), maxInfo)]
}
