package transport

// flushAt is how many bytes of output are gathered before they are sent, and how
// many may be sent without reading: the buffers of sockets hold as much.
const flushAt = 32 << 10

// Send sends n commands, which put appends one by one, without waiting for
// answers, and returns the numbers with which the answers begin. The packet.Conn
// must be Apart. Many commands are sent by a goroutine, as the server stops
// reading when nobody reads what it says. The channel is closed behind the last
// number, and early when sending has failed: the connection is cut then. Until it
// is closed nobody else may write.
func (l *Line) Send(n int, put func(i int) error) <-chan uint8 {
	numbers := make(chan uint8, n)
	i := 0
	fill := func() error {
		for ; i < n && l.pc.Unsent() < flushAt; i++ {
			if err := put(i); err != nil {
				return err
			}
			numbers <- l.pc.Sequence()
		}
		return nil
	}
	err := fill()
	rest := func() {
		defer close(numbers)
		for err == nil {
			if err = l.Flush(); err == nil && i == n {
				return
			}
			if err == nil {
				err = fill()
			}
		}
		l.pc.Cut(err)
	}
	if err == nil && i < n {
		go rest() // stops when all is sent or the stream is cut
	} else {
		rest()
	}
	return numbers
}
