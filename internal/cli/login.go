package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/ssh/agent"
	"github.com/wirelark/wirelark/ssh/config"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// authMethods are the ways to log in: keys, the server's questions, a password.
func (a *app) authMethods(c *config.Config, given int, p *prompter) ([]sshclient.AuthMethod, error) {
	var methods []sshclient.AuthMethod
	if c.PubkeyAuthentication {
		for _, path := range c.IdentityFiles[:min(given, len(c.IdentityFiles))] {
			if err := checkIdentity(path); err != nil {
				return nil, err
			}
		}
		methods = append(methods, sshclient.PublicKeysFunc(func(ctx context.Context) ([]keys.Signer, error) {
			return a.findKeys(ctx, c, p), nil
		}))
	}
	if p.batch || c.NumberOfPasswordPrompts == 0 {
		return methods, nil
	}
	if c.KbdInteractiveAuthentication {
		methods = append(methods, p.interactive(c.User, c.HostName, c.NumberOfPasswordPrompts))
	}
	if c.PasswordAuthentication {
		methods = append(methods, sshclient.Password(func(ctx context.Context, prompt string) (string, error) {
			if prompt == "" {
				prompt = fmt.Sprintf("Password of %s on %s: ", c.User, c.HostName)
			}
			return p.secret(ctx, prompt)
		}))
	}
	return methods, nil
}

// checkIdentity refuses a key file of the command line that cannot be used,
// before anything is connected.
func checkIdentity(path string) error {
	_, err := keys.Load(path, nil)
	var locked *keys.PassphraseError
	if err == nil || errors.As(err, &locked) {
		return nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	half := path
	if missing {
		half += ".pub"
	}
	if _, _, publicErr := keys.LoadPublic(half); publicErr == nil {
		return nil // the agent may have the other half
	}
	if missing {
		return &Error{
			Code: exitUsage, What: "there is no private key " + path, How: []string{err.Error()}, Err: err,
			Next: []string{"name another file with -i", "or make one: wirelark keygen -f " + path},
		}
	}
	return &fileError{path, err}
}

// publicOf is the public half of an identity file: it stands beside it, or is
// the file itself, when the private half is in an agent.
func publicOf(path string) (keys.PublicKey, error) {
	public, _, err := keys.LoadPublic(path + ".pub")
	if errors.Is(err, fs.ErrNotExist) {
		public, _, err = keys.LoadPublic(path)
	}
	return public, err
}

// findKeys returns the keys to log in with: those that are named, from the
// agent where it has them, then the agent's others, then the usual files. The
// certificates of a key stand in front of it.
func (a *app) findKeys(ctx context.Context, c *config.Config, p *prompter) []keys.Signer {
	inAgent := a.agentKeys(ctx, c.IdentityAgent)
	var files []keys.Signer
	for _, path := range c.IdentityFiles {
		s, err := identity(path, inAgent, p)
		if err != nil {
			a.debugf("identity %s: %v", path, err)
			continue
		}
		files = append(append(files, join.Certified(c, path, s)...), s)
	}
	var others []keys.Signer
	if !c.IdentitiesOnly {
		for _, s := range inAgent {
			others = append(append(others, join.Certified(c, "", s)...), s)
		}
	}
	found := slices.Concat(files, others)
	if !c.GivenIdentities {
		found = slices.Concat(others, files)
	}
	var list []keys.Signer
	for _, s := range found {
		public := s.PublicKey()
		if join.TooShort(c, public) {
			a.debugf("identity %s: %d bits are fewer than RequiredRSASize", keys.Fingerprint(public), keys.Bits(public))
			continue
		}
		if !slices.ContainsFunc(list, func(k keys.Signer) bool { return keys.Equal(k.PublicKey(), public) }) {
			list = append(list, s)
		}
	}
	return list
}

// identity is the key of a file: the agent signs when it has it, so that no
// passphrase is asked for.
func identity(path string, inAgent []keys.Signer, p *prompter) (keys.Signer, error) {
	if public, err := publicOf(path); err == nil {
		i := slices.IndexFunc(inAgent, func(s keys.Signer) bool { return keys.Equal(s.PublicKey(), public) })
		if i >= 0 {
			return inAgent[i], nil
		}
	}
	return loadIdentity(path, p)
}

// agentKeys lists the keys of the agent: that of the environment, or the one at
// the path. The connection to it lives as long as the process: it signs later.
func (a *app) agentKeys(ctx context.Context, path string) []keys.Signer {
	var client *agent.Client
	var err error
	switch path {
	case "none":
		return nil
	case "":
		client, err = agent.System(ctx)
	default:
		client, err = agent.Dial(ctx, path)
	}
	if err != nil {
		if !errors.Is(err, agent.ErrNoAgent) {
			a.debugf("agent: %v", err)
		}
		return nil
	}
	signers, err := client.Signers(ctx)
	if err != nil {
		a.infof("wirelark: warning: the agent does not answer: %v", err)
	}
	return signers
}

// loadIdentity loads a private key. One that needs a passphrase is loaded only
// when the server has said that it would take it.
func loadIdentity(path string, p *prompter) (keys.Signer, error) {
	s, err := keys.Load(path, nil)
	var locked *keys.PassphraseError
	if !errors.As(err, &locked) {
		return s, err
	}
	public := locked.Public
	if public == nil {
		if public, _, err = keys.LoadPublic(path + ".pub"); err != nil {
			return keys.Load(path, p.passphrase(context.Background(), path))
		}
	}
	return &lockedKey{path: path, public: public, prompter: p}, nil
}

func (p *prompter) passphrase(ctx context.Context, path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		s, err := p.secret(ctx, fmt.Sprintf("Passphrase of the key %s: ", path))
		return []byte(s), err
	}
}
