package mux

import (
	"os"
	"sync"
	"time"
)

var errDeadline = os.ErrDeadlineExceeded

// deadline is a moment after which something must not wait any longer. The
// channel's mutex guards it.
type deadline struct {
	timer *time.Timer
	turn  int // of set; tells a timer that it came too late to be stopped
	past  bool
}

// set arms the deadline; fire is called with mu held when it passes.
func (d *deadline) set(mu *sync.Mutex, t time.Time, fire func()) {
	d.stop()
	d.past = false
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		d.past = true
		fire()
		return
	}
	turn := d.turn
	d.timer = time.AfterFunc(wait, func() {
		mu.Lock()
		defer mu.Unlock()
		if d.turn == turn {
			d.past = true
			fire()
		}
	})
}

func (d *deadline) stop() {
	d.turn++
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}
