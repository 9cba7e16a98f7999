package sftpclient

import (
	"context"
	"sync"
)

// Group runs many small operations at once, never more than a given number.
// It keeps the first error and cancels the rest. Make one with [NewGroup].
//
// Operations on a tree fit it like this: a leaf goes through Go, which waits
// for a free place and must not be called by a leaf; a branch goes through
// Branch, which never waits: where it finds no place the caller walks the
// branch itself. Leaves and branches have places of their own, so a branch
// that waits in Go always waits for leaves, which wait for nobody.
type Group struct {
	ctx    context.Context //nolint:containedctx // the group is the scope of its operations
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	leaves, branches chan struct{} // a value is a taken place

	mu  sync.Mutex
	err error // the first one
}

// NewGroup returns a group for at most n operations at once, and the context
// that ends with ctx or the first error. [Group.Wait] must be called.
func NewGroup(ctx context.Context, n int) (*Group, context.Context) {
	g := &Group{leaves: make(chan struct{}, max(n, 1)), branches: make(chan struct{}, max(n, 1))}
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	return g, g.ctx
}

// Go runs f on a goroutine of its own as soon as there is a place. When the
// group's context ends before, it does not run f and returns false.
func (g *Group) Go(f func(ctx context.Context) error) bool {
	select {
	case g.leaves <- struct{}{}:
		g.run(g.leaves, f)
		return true
	case <-g.ctx.Done():
		g.fail(context.Cause(g.ctx))
		return false
	}
}

// Branch runs f on a goroutine of its own if there is a place at once, and
// otherwise returns false.
func (g *Group) Branch(f func(ctx context.Context) error) bool {
	select {
	case g.branches <- struct{}{}:
		g.run(g.branches, f)
		return true
	default:
		return false
	}
}

func (g *Group) run(places chan struct{}, f func(ctx context.Context) error) {
	g.wg.Add(1)
	go func() { // stops when f returns; Wait waits for it
		defer g.wg.Done()
		defer func() { <-places }()
		if err := f(g.ctx); err != nil {
			g.fail(err)
		}
	}()
}

func (g *Group) fail(err error) {
	g.mu.Lock()
	if g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
	g.cancel(err)
}

// Wait waits for all operations and returns the first error.
func (g *Group) Wait() error {
	g.wg.Wait()
	g.cancel(nil)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Context returns the context of the group: it ends with the first error.
func (g *Group) Context() context.Context { return g.ctx }
