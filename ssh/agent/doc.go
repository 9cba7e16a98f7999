// Package agent is a client of the ssh-agent that users already run: it lists
// the agent's keys and lets the agent sign with them (RFC 9987).
//
// The signers it returns work wherever a [keys.Signer] does, and take a context
// through [keys.SignContext], which matters with an agent that asks its user.
// One [Client] is one connection; it is safe for concurrent use and asks one
// question after another. A call that is cut short while the agent thinks ends
// the connection, since the answer would still come: later calls return
// net.ErrClosed.
//
// It is not an agent, adds no keys to one, and forwards none.
//
// Limits: an answer has at most 256 KiB.
package agent
