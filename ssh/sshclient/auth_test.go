package sshclient_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// answering is a password callback that gives the answers in turn and counts
// the questions.
func answering(asked *int, answers ...string) sshclient.AuthMethod {
	return sshclient.Password(func(_ context.Context, prompt string) (string, error) {
		*asked++
		if prompt != "ada@127.0.0.1's password: " {
			return "", errors.New("strange prompt " + prompt)
		}
		return answers[min(*asked, len(answers))-1], nil
	})
}

func TestLogin(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	other := newKey(t)
	locked := errors.New("the agent is locked")
	var asked int
	tests := []struct {
		name     string
		auth     []sshclient.AuthMethod
		prefer   []string
		prompts  int
		asked    int
		attempts []string // nil: logged in
		err      error    // within the AuthError
	}{
		{name: "key", auth: []sshclient.AuthMethod{sshclient.PublicKeys(s.UserKey)}},
		{name: "second key", auth: []sshclient.AuthMethod{sshclient.PublicKeys(other, s.UserKey)}},
		{name: "password", auth: []sshclient.AuthMethod{answering(&asked, sshtest.Password)}, asked: 1},
		{name: "second password", auth: []sshclient.AuthMethod{answering(&asked, "x", sshtest.Password)}, asked: 2},
		{name: "key, then password", auth: []sshclient.AuthMethod{sshclient.PublicKeys(other), answering(&asked, sshtest.Password)}, asked: 1},
		{
			name: "password preferred", prefer: []string{"password", "publickey"}, asked: 1,
			auth: []sshclient.AuthMethod{sshclient.PublicKeys(s.UserKey), answering(&asked, sshtest.Password)},
		},
		{
			name: "key not preferred", prefer: []string{"password"}, asked: 3,
			auth:     []sshclient.AuthMethod{sshclient.PublicKeys(s.UserKey), answering(&asked, "wrong")},
			attempts: []string{"password", "password", "password"},
		},
		{
			name: "password asked for once", prompts: 1, asked: 1,
			auth: []sshclient.AuthMethod{answering(&asked, "wrong", sshtest.Password)}, attempts: []string{"password"},
		},
		{
			name: "password asked for five times", prompts: 5, asked: 5,
			auth: []sshclient.AuthMethod{answering(&asked, "1", "2", "3", "4", sshtest.Password)},
		},
		{name: "wrong key", auth: []sshclient.AuthMethod{sshclient.PublicKeys(other)}, attempts: []string{"publickey " + keys.Fingerprint(other.PublicKey())}},
		{name: "nothing", attempts: []string{"none"}},
		{
			name: "keys cannot be found", err: locked,
			auth: []sshclient.AuthMethod{sshclient.PublicKeysFunc(func(context.Context) ([]keys.Signer, error) { return nil, locked })},
		},
		{
			name: "nobody answers", err: locked,
			auth: []sshclient.AuthMethod{sshclient.Password(func(context.Context, string) (string, error) { return "", locked })},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked = 0
			cfg := s.ClientConfig()
			cfg.Auth, cfg.PreferredAuthentications, cfg.PasswordPrompts = tt.auth, tt.prefer, tt.prompts
			c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
			if err == nil {
				c.Close()
			}
			if asked != tt.asked {
				t.Errorf("asked %d times, want %d", asked, tt.asked)
			}
			if tt.attempts == nil && tt.err == nil {
				if err != nil {
					t.Errorf("Dial = %v", err)
				}
				return
			}
			var refused *sshclient.AuthError
			if !errors.As(err, &refused) {
				t.Fatalf("Dial = %v, want an AuthError", err)
			}
			var got []string
			for _, a := range refused.Attempts {
				got = append(got, a.String())
			}
			if !reflect.DeepEqual(got, tt.attempts) || refused.User != sshtest.User {
				t.Errorf("attempts = %q, want %q", got, tt.attempts)
			}
			if tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("Dial = %v, want %v in it", err, tt.err)
			}
			if tt.attempts != nil && !reflect.DeepEqual(refused.ServerMethods, []string{"publickey", "password"}) {
				t.Errorf("methods of the server = %q", refused.ServerMethods)
			}
		})
	}
}

// agentKey is a signer that asks somebody, and counts how often.
type agentKey struct {
	keys.Signer
	asked *int
	err   error
}

func (a agentKey) SignContext(_ context.Context, data []byte, _ string) (*keys.Signature, error) {
	*a.asked++
	if a.err != nil {
		return nil, a.err
	}
	return a.Sign(nil, data)
}

// TestSignersThatAskAreNotAskedInVain checks that a key of an agent signs only
// when the server wants it, and that one that refuses does not end the login.
func TestSignersThatAskAreNotAskedInVain(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	var unwanted, wanted, refusing int
	cfg := s.ClientConfig()
	cfg.Auth = []sshclient.AuthMethod{sshclient.PublicKeys(
		agentKey{newKey(t), &unwanted, nil},
		agentKey{s.UserKey, &refusing, errors.New("the user said no")},
		agentKey{s.UserKey, &wanted, nil},
	)}
	c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if unwanted != 0 || refusing != 1 || wanted != 1 {
		t.Errorf("asked %d, %d and %d times, want 0, 1 and 1", unwanted, refusing, wanted)
	}
}

func TestBanner(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.Banner = "be nice\r\n" })
	cfg := s.ClientConfig()
	var got string
	cfg.Banner = func(text string) { got += text }
	c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got != "be nice\r\n" {
		t.Errorf("banner = %q", got)
	}
}

func TestNoneLogsIn(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.None = func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil }
	})
	cfg := s.ClientConfig()
	cfg.Auth = nil
	c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestServerAnswersOddly has the test be the server that a login talks to.
func TestServerAnswersOddly(t *testing.T) {
	user, host := newKey(t), newKey(t)
	password := sshclient.Password(func(context.Context, string) (string, error) { return "secret", nil })
	public := sshclient.PublicKeys(user)
	asking := sshclient.PublicKeys(agentKey{user, new(int), nil})
	tests := []struct {
		name   string
		auth   sshclient.AuthMethod
		answer func(p *sshtest.Peer, r *ssh.UserAuthRequest)
		want   string
	}{
		{"password expired", password, func(p *sshtest.Peer, _ *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthPasswdChangeReq{Prompt: "new one?"})
		}, sshclient.ErrPasswordExpired.Error()},
		{"partial success", public, func(p *sshtest.Peer, _ *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthFailure{Methods: []string{"password"}, PartialSuccess: true})
		}, "(accepted, not enough); the server takes password"},
		{"partial success of nothing", sshclient.PublicKeys(), func(p *sshtest.Peer, _ *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthFailure{Methods: []string{"password"}, PartialSuccess: true})
		}, "the server takes password"},
		{"hangs up", public, func(p *sshtest.Peer, _ *ssh.UserAuthRequest) {
			p.Send(&ssh.Disconnect{Reason: ssh.NoMoreAuthMethodsAvailable, Description: "enough"})
		}, "the peer disconnected: NO_MORE_AUTH_METHODS_AVAILABLE: enough"},
		{"key of somebody else", asking, func(p *sshtest.Peer, r *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthPKOK{Algorithm: r.Algorithm, Key: host.PublicKey().Marshal()})
		}, "names another key"},
		{"success for a question", asking, func(p *sshtest.Peer, _ *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthSuccess{})
		}, "answered with success"},
		{"answer to another method", public, func(p *sshtest.Peer, r *ssh.UserAuthRequest) {
			p.Send(&ssh.UserAuthPKOK{Algorithm: r.Algorithm, Key: r.Key})
		}, "belongs to another method"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near, far := testkit.Pipe()
			p := sshtest.NewPeer(t, trace.Server, far)
			p.HostKey = host
			ended := make(chan error)
			go func() { // stops when the peer has answered
				_, err := sshclient.New(context.Background(), near, "h:22", &sshclient.Config{
					User: "ada", HostKeys: sshclient.FixedHostKeys(host.PublicKey()), Auth: []sshclient.AuthMethod{tt.auth},
				})
				ended <- err
			}()
			p.Reach(sshtest.Served)
			var r ssh.UserAuthRequest
			if err := p.Receive(&r); err != nil {
				t.Fatal(err)
			}
			tt.answer(p, &r)
			go func() { p.Disconnected(); p.Close() }() // stops when the client hangs up
			err := <-ended
			var refused *sshclient.AuthError
			var broken *transport.ProtocolError
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &refused) && !errors.As(err, &broken) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
		})
	}
}
