package sshserver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

var converse = &ssh.UserAuthRequest{User: sshtest.User, Service: ssh.ServiceConnection, Method: ssh.MethodKbdInt}

// twoFactors asks for a password and then, whatever it was, for a code.
func twoFactors(_ context.Context, a sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
	first, err := ask("Login", "Two questions.", ssh.Prompt{Text: "Password: "})
	if err != nil {
		return nil, err
	}
	second, err := ask("", "", ssh.Prompt{Text: "Code: ", Echo: true}, ssh.Prompt{Text: "Again: ", Echo: true})
	if err != nil {
		return nil, err
	}
	if a.User != sshtest.User || first[0] != sshtest.Password || second[0] != "123456" || second[1] != "123456" {
		return nil, nil
	}
	if _, err := ask("Welcome", "Nothing to answer."); err != nil {
		return nil, err
	}
	return &sshserver.Grant{Value: "both"}, nil
}

// serveInteractive serves with a conversation; peers begin where they may log
// in.
func serveInteractive(t *testing.T, evil bool, f func(context.Context, sshserver.Attempt, sshserver.Ask) (*sshserver.Grant, error)) (*sshtest.Server, *sshtest.Peer) {
	t.Helper()
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.KeyboardInteractive = f
		if evil {
			s.Transport.Trace = nil // the Flow would complain about the peer
		}
	})
	p := sshtest.Dial(t, s.Addr)
	p.Reach(sshtest.Served)
	return s, p
}

func TestConversation(t *testing.T) {
	s, _ := serveInteractive(t, false, twoFactors)
	tests := []struct {
		name, password, code string
		in                   bool
	}{
		{"right", sshtest.Password, "123456", true},
		{"wrong password", "x", "123456", false},
		{"wrong code", sshtest.Password, "1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said []string
			cfg := s.ClientConfig()
			cfg.Auth = []sshclient.AuthMethod{sshclient.KeyboardInteractive(func(_ context.Context, name, instruction string, prompts []ssh.Prompt) (answers []string, err error) {
				said = append(said, fmt.Sprintf("%s|%s|%v", name, instruction, prompts))
				for _, p := range prompts {
					answers = append(answers, map[bool]string{false: tt.password, true: tt.code}[p.Echo])
				}
				return answers, nil
			})}
			c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
			if (err == nil) != tt.in {
				t.Fatalf("Dial = %v", err)
			}
			once := []string{"Login|Two questions.|[{Password:  false}]", "||[{Code:  true} {Again:  true}]"}
			want := append(append(append([]string{}, once...), once...), once...) // three attempts
			if tt.in {
				c.Close()
				want = append(once, "Welcome|Nothing to answer.|[]")
			}
			if !reflect.DeepEqual(said, want) {
				t.Errorf("asked %q, want %q", said, want)
			}
		})
	}
}

func TestAskPassword(t *testing.T) {
	s, _ := serveInteractive(t, false, sshserver.AskPassword(func(_ context.Context, a sshserver.Attempt, password string) (*sshserver.Grant, error) {
		if a.Method != ssh.MethodKbdInt || a.User != sshtest.User || password != sshtest.Password {
			return nil, nil
		}
		return &sshserver.Grant{}, nil
	}))
	cfg := s.ClientConfig()
	cfg.Auth = []sshclient.AuthMethod{sshclient.KeyboardInteractive(func(context.Context, string, string, []ssh.Prompt) ([]string, error) {
		return []string{sshtest.Password}, nil
	})}
	c, err := sshclient.Dial(t.Context(), s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// TestBadResponses are answers that end the connection, or the attempt.
func TestBadResponses(t *testing.T) {
	response := ssh.Messages.Entry(&ssh.UserAuthInfoResponse{}).Number
	tests := []struct {
		name    string
		packet  []byte
		refused bool // and the connection goes on
	}{
		{"no answer", []byte{response, 0, 0, 0, 0}, true},
		{"two answers", append([]byte{response, 0, 0, 0, 2}, make([]byte, 8)...), true},
		{"no count", []byte{response}, false},
		{"half a count", []byte{response, 0, 0}, false},
		{"a count and nothing", []byte{response, 0, 0, 0, 1}, false},
		{"a huge count", []byte{response, 0xff, 0xff, 0xff, 0xff}, false},
		{"a huge count and some", append([]byte{response, 0x7f, 0xff, 0xff, 0xff}, make([]byte, 40000)...), false},
		{"a huge answer", []byte{response, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1}, false},
		{"an answer cut short", []byte{response, 0, 0, 0, 1, 0, 0, 0, 9, 'x'}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// The handler says yes whatever it hears: the server must not.
			_, p := serveInteractive(t, true, func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
				if _, err := ask("", "", ssh.Prompt{Text: "? "}); err == nil {
					t.Error("no error for the handler")
				}
				return &sshserver.Grant{}, nil
			})
			p.Send(converse)
			if err := p.Receive(&ssh.UserAuthInfoRequest{}); err != nil {
				t.Fatal(err)
			}
			p.SendPacket(tt.packet)
			if tt.refused {
				if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
					t.Error(err)
				}
				return
			}
			if bye := p.Disconnected(); bye == nil || bye.Reason != ssh.ProtocolError {
				t.Errorf("ended with %+v", bye)
			}
		})
	}
}

// TestResponsesOutOfPlace answers what was not asked.
func TestResponsesOutOfPlace(t *testing.T) {
	for _, after := range []*ssh.UserAuthRequest{nil, converse} {
		_, p := serveInteractive(t, true, func(context.Context, sshserver.Attempt, sshserver.Ask) (*sshserver.Grant, error) { return nil, nil })
		if after != nil {
			p.Send(after)
			if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
				t.Fatal(err)
			}
		}
		p.Send(&ssh.UserAuthInfoResponse{Answers: []string{sshtest.Password}})
		if bye := p.Disconnected(); bye == nil || bye.Reason != ssh.ProtocolError {
			t.Errorf("ended with %+v", bye)
		}
	}
}

// TestAbandonedConversation begins another attempt in the middle of one, which
// gets no answer of its own, whatever the handler says.
func TestAbandonedConversation(t *testing.T) {
	var kept sshserver.Ask
	_, p := serveInteractive(t, false, func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
		kept = ask
		ask("", "", ssh.Prompt{Text: "? "})
		if _, err := ask("", "", ssh.Prompt{Text: "? "}); err == nil {
			t.Error("a conversation goes on that was given up")
		}
		return &sshserver.Grant{Command: "stolen"}, nil
	})
	for range 3 {
		p.Send(converse)
		if err := p.Receive(&ssh.UserAuthInfoRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	wrong := &ssh.UserAuthRequest{User: sshtest.User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: "x"}
	p.Send(wrong)
	if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
		t.Fatal(err)
	}
	if _, err := kept("", "", ssh.Prompt{Text: "? "}); err == nil {
		t.Error("an ask that was kept still asks")
	}
	right := *wrong
	right.Password = sshtest.Password
	p.Send(&right)
	if err := p.Receive(&ssh.UserAuthSuccess{}); err != nil {
		t.Error(err)
	}
}

// TestConversationsAreCounted gives up one after another.
func TestConversationsAreCounted(t *testing.T) {
	_, p := serveInteractive(t, false, twoFactors)
	for range 6 {
		p.Send(converse)
		if err := p.Receive(&ssh.UserAuthInfoRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	p.Send(converse)
	if bye := p.Disconnected(); bye == nil || bye.Reason != ssh.NoMoreAuthMethodsAvailable {
		t.Errorf("ended with %+v", bye)
	}
}

// TestConversationWithoutEnd has a handler that asks for ever.
func TestConversationWithoutEnd(t *testing.T) {
	_, p := serveInteractive(t, false, func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
		for {
			if _, err := ask("", "", ssh.Prompt{Text: "? "}); err != nil {
				return &sshserver.Grant{}, err
			}
		}
	})
	p.Send(converse)
	rounds := 0
	for {
		if err := p.Receive(&ssh.UserAuthInfoRequest{}); err != nil {
			break
		}
		rounds++
		p.Send(&ssh.UserAuthInfoResponse{Answers: []string{""}})
	}
	if rounds != 16 {
		t.Errorf("asked %d times, want 16", rounds)
	}
}

// TestConversationsThatFail refuses, and the connection goes on.
func TestConversationsThatFail(t *testing.T) {
	for name, f := range map[string]func(ask sshserver.Ask) (*sshserver.Grant, error){
		"panic": func(sshserver.Ask) (*sshserver.Grant, error) { panic("on request") },
		"error": func(sshserver.Ask) (*sshserver.Grant, error) { return &sshserver.Grant{}, errors.New("no database") },
		"too many questions": func(ask sshserver.Ask) (*sshserver.Grant, error) {
			ask("", "", make([]ssh.Prompt, 33)...)
			return &sshserver.Grant{}, nil
		},
	} {
		_, p := serveInteractive(t, false, func(_ context.Context, _ sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
			return f(ask)
		})
		for range 2 {
			p.Send(converse)
			if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestUnknownUsersAreAskedAlike compares the bytes of whole conversations, and
// that a refusal takes its time after the last answer.
func TestUnknownUsersAreAskedAlike(t *testing.T) {
	const delay = 20 * time.Millisecond
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.KeyboardInteractive = twoFactors
		s.Limits.FailureDelay = delay
	})
	talk := func(user string) (said [][]byte) {
		p := sshtest.Dial(t, s.Addr)
		p.Reach(sshtest.Served)
		r := *converse
		r.User = user
		p.Send(&r)
		for _, answers := range [][]string{{"x"}, {"1", "2"}} {
			b, err := p.Next()
			for err == nil && b[0] == 7 { // EXT_INFO
				b, err = p.Next()
			}
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, bytes.Clone(b))
			p.Send(&ssh.UserAuthInfoResponse{Answers: answers})
		}
		answered := time.Now()
		b, err := p.Next()
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(answered); took < delay {
			t.Errorf("refused %q after %v, want at least %v", user, took, delay)
		}
		return append(said, bytes.Clone(b))
	}
	if known, unknown := talk(sshtest.User), talk("mallory"); !reflect.DeepEqual(known, unknown) {
		t.Errorf("a known user is told %q, an unknown one %q", known, unknown)
	}
}
