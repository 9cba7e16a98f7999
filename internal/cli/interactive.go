package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// interactive lets the user answer the server's questions, as ssh(1) does: who
// asks stands in front of each. The same question is asked at most as often as
// -o NumberOfPasswordPrompts says.
func (p *prompter) interactive(user, host string, most int) sshclient.AuthMethod {
	asked := map[string]int{}
	return sshclient.KeyboardInteractive(func(ctx context.Context, name, instruction string, prompts []ssh.Prompt) ([]string, error) {
		if p.noInput {
			return nil, errNoPrompt
		}
		for _, text := range []string{name, instruction} {
			if text = strings.TrimRight(text, "\r\n"); text != "" {
				fmt.Fprintln(p.Stderr, harmless(text))
			}
		}
		answers := make([]string, len(prompts))
		for i, q := range prompts {
			if asked[q.Text]++; asked[q.Text] > most {
				return nil, errNoPrompt
			}
			var err error
			if answers[i], err = p.ask(ctx, harmless(fmt.Sprintf("(%s@%s) %s", user, host, q.Text)), q.Echo, false); err != nil {
				return nil, err
			}
		}
		return answers, nil
	})
}
