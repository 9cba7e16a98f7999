package mux

import "context"

// Drain refuses new channels from either side, and waits until there are none.
func (m *Mux) Drain(ctx context.Context) error {
	m.mu.Lock()
	m.draining = true
	if m.empty == nil {
		m.empty = make(chan struct{})
	}
	m.checkEmpty()
	empty := m.empty
	m.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-m.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// checkEmpty tells those who drain when the last channel is gone. m.mu is
// held.
func (m *Mux) checkEmpty() {
	if m.empty == nil || len(m.channels) > 0 || m.pending > 0 {
		return
	}
	select {
	case <-m.empty:
	default:
		close(m.empty)
	}
}
