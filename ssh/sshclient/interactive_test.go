package sshclient_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/trace"
)

// TestServerAsksOddly has the test be the server that a conversation is held
// with.
func TestServerAsksOddly(t *testing.T) {
	info := ssh.Messages.Entry(&ssh.UserAuthInfoRequest{}).Number
	once := func(m *ssh.UserAuthInfoRequest) func(p *sshtest.Peer) {
		return func(p *sshtest.Peer) {
			p.Send(m)
			if err := p.Receive(&ssh.UserAuthInfoResponse{}); err == nil {
				p.Send(&ssh.UserAuthFailure{Methods: []string{"publickey"}})
			}
		}
	}
	raw := func(b ...byte) func(p *sshtest.Peer) {
		return func(p *sshtest.Peer) { p.SendPacket(append([]byte{info}, b...)) }
	}
	tests := []struct {
		name   string
		answer func(p *sshtest.Peer)
		asked  int
		want   string
	}{
		{"one question", once(&ssh.UserAuthInfoRequest{Prompts: []ssh.Prompt{{Text: "?"}}}), 1, "tried keyboard-interactive; the server takes publickey"},
		{"nothing at all", once(&ssh.UserAuthInfoRequest{}), 0, "the server takes publickey"},
		{"something to read", once(&ssh.UserAuthInfoRequest{Instruction: "Go away."}), 1, "the server takes publickey"},
		{"64 questions", once(&ssh.UserAuthInfoRequest{Prompts: make([]ssh.Prompt, 64)}), 1, "the server takes publickey"},
		{"65 questions", once(&ssh.UserAuthInfoRequest{Prompts: make([]ssh.Prompt, 65)}), 0, "asks without an end"},
		{"questions without an end", func(p *sshtest.Peer) {
			for p.Send(&ssh.UserAuthInfoRequest{Prompts: make([]ssh.Prompt, 1)}) == nil {
				if p.Receive(&ssh.UserAuthInfoResponse{}) != nil {
					return
				}
			}
		}, 32, "asks without an end"},
		{"silence without an end", func(p *sshtest.Peer) {
			for p.Send(&ssh.UserAuthInfoRequest{}) == nil {
				if p.Receive(&ssh.UserAuthInfoResponse{}) != nil {
					return
				}
			}
		}, 0, "asks without an end"},
		{"always refused, always allowed", func(p *sshtest.Peer) {
			for p.Send(&ssh.UserAuthInfoRequest{Prompts: make([]ssh.Prompt, 1)}) == nil {
				if p.Receive(&ssh.UserAuthInfoResponse{}) != nil {
					return
				}
				p.Send(&ssh.UserAuthFailure{Methods: []string{"keyboard-interactive"}})
				if p.Receive(&ssh.UserAuthRequest{}) != nil {
					return
				}
			}
		}, 3, "tried keyboard-interactive, keyboard-interactive, keyboard-interactive;"},
		{"cut short", raw(0, 0), 0, "malformed"},
		{"a huge number of questions", raw(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), 0, "malformed"},
		{"success without a question", func(p *sshtest.Peer) { p.Send(&ssh.ServiceAccept{}) }, 0, "in place of an answer"},
	}
	host := newKey(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			near, far := testkit.Pipe()
			p := sshtest.NewPeer(t, trace.Server, far)
			p.HostKey = host
			asked := 0
			ended := make(chan error)
			go func() { // stops when the peer has answered
				_, err := sshclient.New(context.Background(), near, "h:22", &sshclient.Config{
					User: "ada", HostKeys: sshclient.FixedHostKeys(host.PublicKey()),
					Auth: []sshclient.AuthMethod{sshclient.KeyboardInteractive(func(_ context.Context, _, _ string, prompts []ssh.Prompt) ([]string, error) {
						asked++
						return make([]string, len(prompts)), nil
					})},
				})
				ended <- err
			}()
			p.Reach(sshtest.Served)
			var r ssh.UserAuthRequest
			if err := p.Receive(&r); err != nil || r.Method != ssh.MethodKbdInt {
				t.Fatal(r.Method, err)
			}
			go func() { tt.answer(p); p.Disconnected(); p.Close() }() // stops when the client hangs up
			if err := <-ended; err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New = %v, want %q", err, tt.want)
			}
			if asked != tt.asked {
				t.Errorf("asked %d times, want %d", asked, tt.asked)
			}
		})
	}
}

// TestNobodyAnswers gives up in the middle of a conversation, and goes on with
// the next method.
func TestNobodyAnswers(t *testing.T) {
	away := errors.New("nobody is there")
	var heard [][]string
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.KeyboardInteractive = func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
			for range 2 {
				answers, err := ask("", "", make([]ssh.Prompt, 2)...)
				if err != nil {
					return nil, err
				}
				heard = append(heard, answers)
			}
			return nil, nil
		}
	})
	for name, answer := range map[string]sshclient.Answer{
		"error":       func(context.Context, string, string, []ssh.Prompt) ([]string, error) { return []string{"secret"}, away },
		"one missing": func(context.Context, string, string, []ssh.Prompt) ([]string, error) { return []string{"secret"}, nil },
	} {
		heard = nil
		cfg := s.ClientConfig()
		var asked int
		cfg.Auth = []sshclient.AuthMethod{sshclient.KeyboardInteractive(answer), answering(&asked, "wrong")}
		_, err := sshclient.Dial(t.Context(), s.Addr, cfg)
		var refused *sshclient.AuthError
		if !errors.As(err, &refused) || asked != 3 || name == "error" && !errors.Is(err, away) || name != "error" && !strings.Contains(err.Error(), "1 answers to 2 questions") {
			t.Errorf("%s: Dial = %v; the password was asked for %d times", name, err, asked)
		}
		if want := [][]string{{"", ""}, {"", ""}}; !reflect.DeepEqual(heard, want) {
			t.Errorf("%s: the server heard %q", name, heard)
		}
	}
}

func TestConversationIsCancelled(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.KeyboardInteractive = sshserver.AskPassword(s.Password)
	})
	ctx, cancel := context.WithCancel(t.Context())
	cfg := s.ClientConfig()
	cfg.Auth = []sshclient.AuthMethod{sshclient.KeyboardInteractive(func(ctx context.Context, _, _ string, _ []ssh.Prompt) ([]string, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})}
	if _, err := sshclient.Dial(ctx, s.Addr, cfg); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial = %v, want canceled", err)
	}
}
