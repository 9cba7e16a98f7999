package mysqlserver

// Kill ends the statement that the connection with the number id is executing,
// or, unless queryOnly, the connection. It reports whether there is such a
// connection. It does not wait.
func (s *Server) Kill(id uint32, queryOnly bool) bool {
	c := s.find(id)
	if c == nil {
		return false
	}
	c.kill(queryOnly)
	return true
}

// Kill is [Server.Kill] in the name of this connection's user. The error is an
// [*Error] for the client: 1094 when there is no such connection, 1095 when it
// is another user's and this one's [Account] is not Super, 1317 when it is
// this connection itself.
func (c *Conn) Kill(id uint32, queryOnly bool) error {
	victim := c.s.find(id)
	if victim == nil {
		return Errorf(1094, "Unknown thread id: %d", id)
	}
	victim.mu.Lock()
	owner := victim.owner
	victim.mu.Unlock()
	if !c.account.Super && (owner == nil || *owner != c.client.User) {
		return Errorf(1095, "You are not owner of thread %d", id)
	}
	victim.kill(queryOnly)
	if victim == c {
		return errInterrupted
	}
	return nil
}

func (c *Conn) kill(queryOnly bool) {
	if !queryOnly {
		e := errKilled
		if c.s.MariaDB {
			e = errKilledMariaDB
		}
		c.end(e)
	}
	c.interruptStatement(errInterrupted)
}
