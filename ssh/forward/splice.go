package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// Splice carries bytes between two connections in both directions, until both
// have ended, and closes them. The end of one direction is passed on with
// CloseWrite, to a connection that has it; otherwise it ends both. An error in
// one direction ends both and is returned, as is the cause of ctx when that ends
// first.
func Splice(ctx context.Context, a, b net.Conn) error {
	var once sync.Once
	var cause error
	closeBoth := func(err error) {
		once.Do(func() {
			cause = err
			_ = a.Close() // whoever waits on them is woken; what went wrong is err
			_ = b.Close()
		})
	}
	stop := context.AfterFunc(ctx, func() { closeBoth(context.Cause(ctx)) })
	defer stop()
	var wg sync.WaitGroup
	for _, way := range [2]struct{ from, to net.Conn }{{a, b}, {b, a}} {
		wg.Go(func() { // stops when from ends, or with the first error of either way
			if err := pass(way.to, way.from); err != nil {
				closeBoth(err)
			}
		})
	}
	wg.Wait()
	closeBoth(nil)
	if errors.Is(cause, errNoHalf) {
		return nil
	}
	return cause
}

// errNoHalf ends both ways without being anybody's fault.
var errNoHalf = errors.New("the connection cannot be half closed")

func pass(to, from net.Conn) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	half, ok := to.(interface{ CloseWrite() error })
	if !ok {
		return errNoHalf
	}
	_ = half.CloseWrite() // if the other end has gone, the other way tells how
	return nil
}
