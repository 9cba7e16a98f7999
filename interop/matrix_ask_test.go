package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
)

// The conversation of the matrix: a question whose answer is not shown, and
// behind it, where the peer can be made to answer twice, one whose answer is.
var (
	questions = []ssh.Prompt{{Text: "Password: "}, {Text: "Code: ", Echo: true}}
	answers   = []string{"chirp and trill", "4711"}
)

// asks is our server's side of the conversation. What users are called tells
// how many questions they are asked: "user" one, "twice" two.
func asks(_ context.Context, a sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
	n := map[string]int{"user": 1, "twice": 2}[a.User]
	for i := range n {
		got, err := ask("", "", questions[i])
		if err != nil {
			return nil, err
		}
		if !slices.Equal(got, answers[i:i+1]) {
			return nil, nil
		}
	}
	if n == 0 {
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

// answer is our client's side of it.
func answer(asked *int) sshclient.Answer {
	return func(_ context.Context, _, _ string, prompts []ssh.Prompt) (out []string, err error) {
		for _, p := range prompts {
			i := slices.Index(questions, p)
			if i < 0 {
				return nil, fmt.Errorf("an unexpected question: %+v", p)
			}
			*asked++
			out = append(out, answers[i])
		}
		return out, nil
	}
}

// askClient fills the cell of a peer that answers our server's questions.
func (r *row) askClient(t *testing.T, p clientPeer) {
	r.step(t, colAsk, p.answer != nil, func(t *testing.T) {
		h := newHost(t, transport.Config{})
		var out bytes.Buffer
		status := p.answer(t, visit{r.place, h, "ed25519", false}, "echo hello", &out)
		h.last(t)
		if out.String() != "hello\n" || status != 0 {
			t.Errorf("the command says %q with status %d", out.String(), status)
		}
		if len(h.userAlgs) > 0 {
			t.Errorf("it logged in with a key: %v", h.userAlgs)
		}
	})
}

// askServer fills the cell of a peer that asks our client.
func (r *row) askServer(t *testing.T, p serverPeer) {
	r.step(t, colAsk, p.asks, func(t *testing.T) {
		asked := 0
		c, err := sshclient.Dial(deadline(t), p.start(t, r.place, false), &sshclient.Config{
			User: "twice", HostKeys: sshclient.FixedHostKeys(ringOf(t).hostKeys()...),
			Auth: []sshclient.AuthMethod{sshclient.KeyboardInteractive(answer(&asked))},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if out, err := c.Command("echo hello").Output(deadline(t)); err != nil || string(out) != "hello\n" {
			t.Errorf("the command says %q, %v", out, err)
		}
		if asked != len(questions) {
			t.Errorf("%d questions were asked, want %d", asked, len(questions))
		}
	})
}

func opensshAnswer(t testing.TB, v visit, line string, stdout io.Writer) int {
	t.Helper()
	dir := v.folder(t)
	script := v.write(t, dir, "askpass", fmt.Sprintf("#!/bin/sh\ncase $1 in\n*Password*) echo '%s';;\n*Code*) echo '%s';;\nesac\n", answers[0], answers[1]))
	makeProgram(t, filepath.Join(dir, "askpass"))
	args := append([]string{"-o", "BatchMode=no", "-o", "PreferredAuthentications=keyboard-interactive"}, v.opensshOptions(t, "p")...)
	cmd := command(t, v.program(t, "ssh"), append(args, "twice@127.0.0.1", line)...)
	cmd.Env = append(cmd.Env, "SSH_ASKPASS="+script, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0")
	return run(t, cmd, nil, stdout)
}

// dropbearAnswer answers one question: dbclient has one answer for all.
func dropbearAnswer(t testing.TB, v visit, line string, stdout io.Writer) int {
	t.Helper()
	cmd := command(t, v.program(t, "dbclient"), "-y", "-y", "-p", v.host.port, "user@127.0.0.1", line)
	cmd.Env = append(cmd.Env, "DROPBEAR_PASSWORD="+answers[0])
	return run(t, cmd, nil, stdout)
}

// puttyAnswer answers one question: plink has one answer for all.
func puttyAnswer(t testing.TB, v visit, line string, stdout io.Writer) int {
	t.Helper()
	args := slices.DeleteFunc(v.puttyArgs(t), func(s string) bool { return s == "-i" || strings.HasSuffix(s, ".ppk") })
	return run(t, command(t, v.program(t, "plink"), append(args, "-pw", answers[0], "127.0.0.1", line)...), nil, stdout)
}

func pythonAnswer(library string) func(testing.TB, visit, string, io.Writer) int {
	return func(t testing.TB, v visit, line string, stdout io.Writer) int {
		t.Helper()
		args := v.pythonArgs(t)
		args["user"], args["command"], args["answers"] = "twice", line, talk()
		words, rest := v.script(t, library+"_client.py", args)
		return run(t, command(t, words, rest...), nil, stdout)
	}
}

// talk is the conversation for the scripts: answers by question.
func talk() map[string]string {
	m := map[string]string{}
	for i, q := range questions {
		m[q.Text] = answers[i]
	}
	return m
}

func xAnswer(t testing.TB, v visit, line string, stdout io.Writer) int {
	t.Helper()
	c, err := xssh.Dial("tcp", v.host.addr, &xssh.ClientConfig{
		User: "twice", HostKeyCallback: xssh.InsecureIgnoreHostKey(),
		Auth: []xssh.AuthMethod{xssh.KeyboardInteractive(func(_, _ string, texts []string, _ []bool) (out []string, err error) {
			for _, text := range texts {
				out = append(out, talk()[text])
			}
			return out, nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	session.Stdout = stdout
	if err := session.Run(line); err != nil {
		t.Error(err)
	}
	return 0
}

// xAsks is x/crypto's server's side of the conversation.
func xAsks(_ xssh.ConnMetadata, ask xssh.KeyboardInteractiveChallenge) (*xssh.Permissions, error) {
	for i, q := range questions {
		got, err := ask("", "", []string{q.Text}, []bool{q.Echo})
		if err != nil {
			return nil, err
		}
		if !slices.Equal(got, answers[i:i+1]) {
			return nil, errors.New("wrong answer")
		}
	}
	return nil, nil
}
