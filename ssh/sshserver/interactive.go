package sshserver

import (
	"context"
	"errors"
	"sync"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

// Ask shows a client's user a name, an instruction and questions, each of
// which may be empty, and returns one answer for each question; what was typed
// may be anything. An error means that the conversation is over.
type Ask func(name, instruction string, prompts ...ssh.Prompt) (answers []string, err error)

// AskPassword returns a conversation for [Server.KeyboardInteractive] that asks
// every user for a password, and lets check decide about it.
func AskPassword(check func(ctx context.Context, a Attempt, password string) (*Grant, error)) func(context.Context, Attempt, Ask) (*Grant, error) {
	return func(ctx context.Context, a Attempt, ask Ask) (*Grant, error) {
		answers, err := ask("", "", ssh.Prompt{Text: "Password: "})
		if err != nil {
			return nil, err
		}
		return check(ctx, a, answers[0])
	}
}

// What one conversation may do.
const (
	maxAsks    = 16
	maxPrompts = 32 // at once
)

var (
	errConversation = errors.New("the conversation is over")
	errAnswers      = errors.New("the client did not answer every question")
	errAbandoned    = errors.New("the client began another attempt")
	errManyAsks     = errors.New("too many questions in one conversation")
)

// conversation is one attempt with keyboard-interactive. RFC 4256.
type conversation struct {
	session *authSession

	mu    sync.Mutex
	asked int
	err   error // why it is over; nil: it is not
	fatal error // of the connection
}

// interactive deals with a request for a conversation. What the handler grants
// counts only if every question was answered in this very attempt.
func (a *authSession) interactive(ctx context.Context) (g *Grant, asked bool, err error) {
	c := &conversation{session: a}
	g = a.judge(func() (*Grant, error) {
		g, err := a.s.KeyboardInteractive(ctx, a.attempt, c.asker(ctx))
		if c.over() != nil {
			err = nil // it is about that, which is no news
		}
		return g, err
	})
	over := c.over()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errConversation // for a handler that has kept ask
	switch {
	case c.fatal != nil:
		return nil, false, c.fatal
	case errors.Is(over, errAbandoned):
		// No answer is due (RFC 4252 §5.1), but it was a try.
		if a.refused++; a.refused >= a.limits.AuthTries {
			return nil, false, a.disconnect(ssh.NoMoreAuthMethodsAvailable, "too many authentication failures")
		}
		return nil, true, nil
	case over != nil:
		return nil, false, nil
	}
	return g, false, nil
}

func (c *conversation) over() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *conversation) asker(ctx context.Context) Ask {
	return func(name, instruction string, prompts ...ssh.Prompt) ([]string, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil {
			return nil, c.err
		}
		answers, err := c.ask(ctx, &ssh.UserAuthInfoRequest{Name: name, Instruction: instruction, Prompts: prompts})
		c.err = err
		return answers, err
	}
}

func (c *conversation) ask(ctx context.Context, m *ssh.UserAuthInfoRequest) ([]string, error) {
	if c.asked++; c.asked > maxAsks || len(m.Prompts) > maxPrompts {
		return nil, errManyAsks
	}
	a := c.session
	if c.fatal = a.t.Send(ctx, m); c.fatal != nil {
		return nil, c.fatal
	}
	var response ssh.UserAuthInfoResponse
	var other ssh.UserAuthRequest
	var got wire.Message
	if got, c.fatal = a.nextOf(&response, &other); c.fatal != nil {
		return nil, c.fatal
	}
	a.start() // what follows must take its time from here
	switch {
	case got == wire.Message(&other):
		a.pending = &other
		return nil, errAbandoned
	case len(response.Answers) != len(m.Prompts): // RFC 4256 §3.4: a failure
		return nil, errAnswers
	}
	return response.Answers, nil
}
