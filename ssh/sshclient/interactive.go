package sshclient

import (
	"context"
	"fmt"

	"github.com/wirelark/wirelark/ssh"
)

// What a server can ask in one attempt.
const (
	maxAsks    = 32
	maxPrompts = 64 // at once
)

// An Answer returns one answer for each prompt, possibly none. The texts are
// the server's and may hold anything, including terminal escapes. Without
// prompts there is something to be shown only.
type Answer func(ctx context.Context, name, instruction string, prompts []ssh.Prompt) (answers []string, err error)

// KeyboardInteractive logs in by answering what the server asks (RFC 4256):
// often a password, and then a code. The server may ask several times in one
// attempt; after a refusal there is another, [Config].PasswordPrompts in all.
// An error of answer ends this method and is told in the [*AuthError].
func KeyboardInteractive(answer Answer) AuthMethod {
	return AuthMethod{name: ssh.MethodKbdInt, answer: answer}
}

func (a *authSession) interactive(ctx context.Context, m AuthMethod) (done, partial bool, err error) {
	for range a.cfg.prompts() {
		a.tried = append(a.tried, Attempt{Method: ssh.MethodKbdInt})
		asked, done, partial, err := a.converse(ctx, m)
		if done || partial || err != nil || !asked {
			return done, partial, err
		}
	}
	return false, false, nil
}

// converse is one attempt. asked tells whether there was a question at all.
func (a *authSession) converse(ctx context.Context, m AuthMethod) (asked, done, partial bool, err error) {
	var info *ssh.UserAuthInfoRequest
	special := func(p []byte) error {
		info = new(ssh.UserAuthInfoRequest)
		return ssh.Parse(p, info)
	}
	var gaveUp error
	done, partial, err = a.request(ctx, a.newRequest(ssh.MethodKbdInt), special)
	for n := 1; info != nil && err == nil; n++ {
		asked = asked || len(info.Prompts) > 0
		if n > maxAsks || len(info.Prompts) > maxPrompts {
			return asked, false, false, a.violation("it asks without an end")
		}
		response := &ssh.UserAuthInfoResponse{Answers: make([]string, len(info.Prompts))}
		if gaveUp == nil {
			response.Answers, gaveUp = a.answers(ctx, m, info)
		}
		if ctx.Err() != nil {
			return asked, false, false, endError{context.Cause(ctx)}
		}
		if err := a.t.Send(ctx, response); err != nil {
			return asked, false, false, endError{err}
		}
		info = nil
		done, partial, err = a.outcome(ssh.MethodKbdInt, special)
	}
	if gaveUp != nil && !done && !partial && !isAuthEnd(err) {
		return asked, false, false, gaveUp
	}
	return asked, done, partial, err
}

// answers returns what the user answers. When nothing can be answered, the
// server gets empty answers, so that it says no and the next method may come:
// fewer would break the rules.
func (a *authSession) answers(ctx context.Context, m AuthMethod, info *ssh.UserAuthInfoRequest) ([]string, error) {
	none := make([]string, len(info.Prompts))
	if len(none) == 0 && info.Name == "" && info.Instruction == "" {
		return none, nil
	}
	answers, err := m.answer(ctx, info.Name, info.Instruction, info.Prompts)
	switch {
	case err != nil:
		return none, err
	case len(answers) != len(none):
		return none, fmt.Errorf("%d answers to %d questions", len(answers), len(none))
	}
	return answers, nil
}
