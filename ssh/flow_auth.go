package ssh

import "github.com/wirelark/wirelark/wire"

// authFlow follows user authentication. RFC 4252, RFC 4256.
type authFlow struct {
	requested bool          // the client asked for the service
	done      bool          // SUCCESS was seen
	queue     []authRequest // not decided yet, oldest first
	lost      bool          // there were more than it can hold
}

type authRequest struct {
	context string // of the numbers 60–79 while this one is the oldest
	last    uint64 // ordinal of its newest message
	asked   bool   // the server's INFO_REQUEST awaits its response
}

// context of the numbers 60–79 now.
func (a *authFlow) context() string {
	if len(a.queue) == 0 {
		return ""
	}
	return a.queue[0].context
}

func (f *Flow) authGate(n uint8) rule {
	a := &f.auth
	switch {
	case !a.requested:
		return broken("RFC 4253 §10", "the service ssh-userauth was not requested")
	case n == 50:
		return rule{} // ignored by the server once the user is in, RFC 4252 §5.1
	case a.done:
		return broken("RFC 4252 §5.1", "not after SSH_MSG_USERAUTH_SUCCESS")
	case n == 53 || a.lost:
		return rule{}
	case len(a.queue) == 0:
		return broken("RFC 4252 §5", "no authentication request awaits an answer")
	case n == 61 && a.context() == ContextKbdInt && !a.queue[0].asked:
		return broken("RFC 4256 §3.4", "nothing was asked")
	}
	return rule{}
}

func (f *Flow) sawAuth(m wire.Message, s *Seen) {
	a := &f.auth
	if r, ok := m.(*UserAuthRequest); ok {
		f.sawAuthRequest(r, s)
		return
	}
	if len(a.queue) == 0 {
		_, success := m.(*UserAuthSuccess)
		a.done = a.done || success
		return
	}
	oldest := &a.queue[0]
	s.Answers = oldest.last
	switch m.(type) {
	case *UserAuthInfoRequest, *UserAuthInfoResponse:
		s.Asks = true
		oldest.last = s.Ordinal
		_, oldest.asked = m.(*UserAuthInfoRequest)
	case *UserAuthSuccess:
		a.done = true
		a.queue = nil
	default:
		a.queue = a.queue[1:]
	}
}

func (f *Flow) sawAuthRequest(m *UserAuthRequest, s *Seen) {
	a := &f.auth
	if a.done {
		return
	}
	s.Asks = true
	if len(a.queue) > 0 && a.queue[0].asked { // the dialogue is given up, RFC 4252 §5.1
		a.queue = a.queue[1:]
	}
	if len(a.queue) >= maxPending {
		a.lost = true
		a.queue = nil
	}
	a.queue = append(a.queue, authRequest{context: AuthContext(m.Method), last: s.Ordinal})
}
