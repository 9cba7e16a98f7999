package sshserver_test

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/wire"
)

// watching is a policy that lets one key in and writes down what it is asked.
type watching struct {
	let keys.PublicKey

	mu   sync.Mutex
	said []string
}

func (w *watching) note(what string, k keys.PublicKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, what+" "+keys.Fingerprint(k))
}

func (w *watching) Acceptable(_ context.Context, _ sshserver.Attempt, k keys.PublicKey) bool {
	w.note("acceptable", k)
	return true
}

func (w *watching) Authorize(_ context.Context, _ sshserver.Attempt, k sshserver.VerifiedKey) (*sshserver.Grant, error) {
	w.note("authorize", k.Key())
	if keys.Equal(k.Key(), w.let) {
		return &sshserver.Grant{Value: keys.Fingerprint(k.Key())}, nil
	}
	return nil, nil
}

func newKey(t *testing.T) keys.Signer {
	t.Helper()
	s, err := keys.Generate("ed25519", 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// request makes a publickey request for the key of s; with sign it is signed
// by that signer.
func request(t *testing.T, p *sshtest.Peer, s, sign keys.Signer) *ssh.UserAuthRequest {
	t.Helper()
	r := &ssh.UserAuthRequest{
		User: sshtest.User, Service: ssh.ServiceConnection, Method: ssh.MethodPublicKey,
		Algorithm: "ssh-ed25519", Key: s.PublicKey().Marshal(),
	}
	if sign == nil {
		return r
	}
	data, err := r.SignedData(p.SessionID())
	if err != nil {
		t.Fatal(err)
	}
	r.HasSignature = true
	if r.Signature, err = keys.Sign(nil, sign, "ssh-ed25519", data); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOnlyVerifiedKeysCount asks about keys in confusing order: what is
// decided is always about the key that has just signed.
func TestOnlyVerifiedKeysCount(t *testing.T) {
	good, bad := newKey(t), newKey(t)
	g, b := keys.Fingerprint(good.PublicKey()), keys.Fingerprint(bad.PublicKey())
	type step struct {
		key, sign keys.Signer
		answer    wire.Message
	}
	ok, no, in := &ssh.UserAuthPKOK{}, &ssh.UserAuthFailure{}, &ssh.UserAuthSuccess{}
	tests := []struct {
		name  string
		steps []step
		want  []string
	}{
		{"signed at once", []step{{good, good, in}}, []string{"authorize " + g}},
		{"asked, then signed", []step{{good, nil, ok}, {good, good, in}}, []string{"acceptable " + g, "authorize " + g}},
		{"asked for the good one, signed with the bad one", []step{{good, nil, ok}, {bad, bad, no}}, []string{"acceptable " + g, "authorize " + b}},
		{"bad, good, bad", []step{{bad, nil, ok}, {good, nil, ok}, {bad, bad, no}}, []string{"acceptable " + b, "acceptable " + g, "authorize " + b}},
		{"signed by another key", []step{{good, bad, no}}, nil},
		{"asked, and never signed", []step{{good, nil, ok}, {good, nil, ok}}, []string{"acceptable " + g, "acceptable " + g}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			policy := &watching{let: good.PublicKey()}
			s := sshtest.NewServer(t, func(s *sshserver.Server) { s.PublicKey = policy })
			p := sshtest.Dial(t, s.Addr)
			p.Reach(sshtest.Served)
			for i, st := range tt.steps {
				p.Send(request(t, p, st.key, st.sign))
				answer := reflect.New(reflect.TypeOf(st.answer).Elem()).Interface().(wire.Message)
				if err := p.Receive(answer); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			policy.mu.Lock()
			defer policy.mu.Unlock()
			if !reflect.DeepEqual(policy.said, tt.want) {
				t.Errorf("the policy was asked %q, want %q", policy.said, tt.want)
			}
		})
	}
}

// TestBadSignatures are requests whose signature must not count.
func TestBadSignatures(t *testing.T) {
	good := newKey(t)
	rsa, err := keys.Generate("rsa", 2048)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		spoil  func(r *ssh.UserAuthRequest)
		signer keys.Signer
	}{
		{"another user's", func(r *ssh.UserAuthRequest) { r.User = "root" }, good},
		{"changed", func(r *ssh.UserAuthRequest) { r.Signature[len(r.Signature)-1] ^= 1 }, good},
		{"empty", func(r *ssh.UserAuthRequest) { r.Signature = nil }, good},
		{"key is garbage", func(r *ssh.UserAuthRequest) { r.Key = []byte("garbage") }, good},
		{"key is huge", func(r *ssh.UserAuthRequest) { r.Key = make([]byte, 200_000) }, good},
		{"other algorithm", func(r *ssh.UserAuthRequest) { r.Algorithm = "rsa-sha2-256" }, good},
		{"SHA-1", func(r *ssh.UserAuthRequest) { r.Key = rsa.PublicKey().Marshal(); r.Algorithm = "ssh-rsa" }, good},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sshtest.NewServer(t, func(s *sshserver.Server) { s.PublicKey = granting{} })
			p := sshtest.Dial(t, s.Addr)
			p.Reach(sshtest.Served)
			r := request(t, p, tt.signer, tt.signer)
			tt.spoil(r)
			p.Send(r)
			if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSignatureOfAnotherConnection replays a signed request.
func TestSignatureOfAnotherConnection(t *testing.T) {
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.PublicKey = granting{} })
	first, second := sshtest.Dial(t, s.Addr), sshtest.Dial(t, s.Addr)
	first.Reach(sshtest.Served)
	second.Reach(sshtest.Served)
	key := newKey(t)
	r := request(t, first, key, key)
	second.Send(r)
	if err := second.Receive(&ssh.UserAuthFailure{}); err != nil {
		t.Error(err)
	}
	first.Send(r)
	if err := first.Receive(&ssh.UserAuthSuccess{}); err != nil {
		t.Error(err)
	}
}

// TestUnknownUsersLookLikeOthers compares what is said to a user that exists
// and to one that does not.
func TestUnknownUsersLookLikeOthers(t *testing.T) {
	s := sshtest.NewServer(t, nil)
	key := newKey(t)
	talk := func(user string) (answers []any) {
		p := sshtest.Dial(t, s.Addr)
		p.Reach(sshtest.Served)
		asked, signed := request(t, p, key, nil), request(t, p, key, key)
		guess := &ssh.UserAuthRequest{Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: "guess"}
		none := &ssh.UserAuthRequest{Service: ssh.ServiceConnection, Method: ssh.MethodNone}
		for _, r := range []*ssh.UserAuthRequest{none, asked, signed, guess} {
			r.User = user
			p.Send(r)
			var f ssh.UserAuthFailure
			if err := p.Receive(&f); err != nil {
				t.Fatal(err)
			}
			answers = append(answers, f)
		}
		return answers
	}
	if known, unknown := talk(sshtest.User), talk("mallory"); !reflect.DeepEqual(known, unknown) {
		t.Errorf("a known user gets %v, an unknown one %v", known, unknown)
	}
}

func TestRefusalsTakeTheirTime(t *testing.T) {
	const delay = 30 * time.Millisecond
	s := sshtest.NewServer(t, func(s *sshserver.Server) { s.Limits.FailureDelay = delay })
	p := sshtest.Dial(t, s.Addr)
	p.Reach(sshtest.Served)
	start := time.Now()
	p.Send(&ssh.UserAuthRequest{User: "x", Service: ssh.ServiceConnection, Method: "telepathy"})
	if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < delay {
		t.Errorf("a refusal took %v, want at least %v", took, delay)
	}
}

// TestPoliciesThatFail has callbacks panic or return errors: nobody is let in,
// and the connection goes on.
func TestPoliciesThatFail(t *testing.T) {
	tests := map[string]func(context.Context, sshserver.Attempt, string) (*sshserver.Grant, error){
		"panic": func(context.Context, sshserver.Attempt, string) (*sshserver.Grant, error) { panic("on request") },
		"error": func(context.Context, sshserver.Attempt, string) (*sshserver.Grant, error) {
			return &sshserver.Grant{}, errors.New("the database is gone")
		},
	}
	for name, password := range tests {
		s := sshtest.NewServer(t, func(s *sshserver.Server) { s.Password = password })
		p := sshtest.Dial(t, s.Addr)
		p.Reach(sshtest.Served)
		for range 2 {
			p.Send(&ssh.UserAuthRequest{User: sshtest.User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: sshtest.Password})
			if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
