package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/term"
)

// errNoPrompt says that a question could not be asked.
var errNoPrompt = errors.New("there is nobody to ask: no terminal, no SSH_ASKPASS, or prompts are switched off")

// prompter asks the user: on the terminal, or through the program that
// SSH_ASKPASS names, under the rules of ssh(1).
type prompter struct {
	*app
	batch bool // never ask
}

// secret asks for a password or passphrase; what is typed is not shown.
func (p *prompter) secret(ctx context.Context, prompt string) (string, error) {
	return p.ask(ctx, prompt, false, false)
}

// confirm asks a yes-or-no question and returns what was answered, in full:
// the caller decides what counts.
func (p *prompter) confirm(ctx context.Context, prompt string) (string, error) {
	return p.ask(ctx, prompt, true, true)
}

// ask asks for a line. echo shows it while it is typed; confirm tells a program
// that it is to be yes or no.
func (p *prompter) ask(ctx context.Context, prompt string, echo, confirm bool) (string, error) {
	if p.batch || p.noInput {
		return "", errNoPrompt
	}
	askpass, require := p.Getenv("SSH_ASKPASS"), p.Getenv("SSH_ASKPASS_REQUIRE")
	display := p.Getenv("DISPLAY") != "" || p.Getenv("WAYLAND_DISPLAY") != ""
	if askpass != "" && (require == "force" || (require == "prefer" && display)) {
		return p.askProgram(ctx, askpass, prompt, confirm)
	}
	in, out, err := openTTY()
	if err != nil {
		if askpass != "" && display && require != "never" {
			return p.askProgram(ctx, askpass, prompt, confirm)
		}
		return "", errNoPrompt
	}
	defer in.Close()
	if out != in {
		defer out.Close()
	}
	return askTerminal(ctx, in, out, prompt, echo)
}

// askProgram runs SSH_ASKPASS as ssh does: the prompt is its only argument,
// the answer its first line of output.
func (p *prompter) askProgram(ctx context.Context, program, prompt string, confirm bool) (string, error) {
	cmd := exec.CommandContext(ctx, program, prompt)
	cmd.Stderr = p.Stderr
	if confirm {
		cmd.Env = append(os.Environ(), "SSH_ASKPASS_PROMPT=confirm")
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking through SSH_ASKPASS %s: %w", program, err)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return strings.TrimSuffix(string(line), "\r"), nil
}

// askTerminal prompts on out and reads from in. A cancelled context restores the terminal and
// gives up; the reader behind it ends with the process.
func askTerminal(ctx context.Context, in, out *os.File, prompt string, echo bool) (string, error) {
	fd := int(in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("reading the terminal's state: %w", err)
	}
	fmt.Fprint(out, harmless(prompt))
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() { // stops with the answer, or with the process
		if echo {
			text, err := readLine(in)
			done <- answer{text, err}
			return
		}
		b, err := term.ReadPassword(fd)
		done <- answer{string(b), err}
	}()
	select {
	case a := <-done:
		if !echo {
			fmt.Fprintln(out)
		}
		return a.text, a.err
	case <-ctx.Done():
		if err := term.Restore(fd, state); err != nil {
			return "", errors.Join(context.Cause(ctx), err)
		}
		fmt.Fprintln(out)
		return "", context.Cause(ctx)
	}
}

// readLine reads up to a line end, a byte at a time so that nothing behind it
// is taken from the terminal.
func readLine(r io.Reader) (string, error) {
	var line []byte
	var b [1]byte
	for len(line) < 4096 {
		n, err := r.Read(b[:])
		if n > 0 {
			if b[0] == '\n' {
				return strings.TrimSuffix(string(line), "\r"), nil
			}
			line = append(line, b[0])
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("the answer is too long")
}
