package auth

import (
	"errors"
	"strings"
)

// The kinds of a question of the dialog method, its first byte.
const (
	dialogLast     = 1 // this bit: no question follows
	dialogOrdinary = 2 // what is typed may be seen
	dialogPassword = 4
)

var errNoAnswer = errors.New("the server asks a question, and there is nobody to answer it")

// dialog is MariaDB's questions and answers, for PAM. The first question for a
// password gets the configured one.
type dialog struct{ used bool }

// Start answers the question that comes with the switch, if there is one.
func (m *dialog) Start(s *State) ([]byte, error) {
	if len(s.Nonce) == 0 || !isQuestion(s.Nonce) {
		m.used = true
		return withNUL([]byte(s.Password)), nil
	}
	return m.Next(s, s.Nonce)
}

// Next answers a question.
func (m *dialog) Next(s *State, data []byte) ([]byte, error) {
	if !isQuestion(data) {
		return nil, unexpected(Dialog)
	}
	echo := data[0]&dialogPassword == 0
	if !echo && !m.used && s.Password != "" {
		m.used = true
		return withNUL([]byte(s.Password)), nil
	}
	if s.Answer == nil {
		return nil, errNoAnswer
	}
	answer, err := s.Answer(string(data[1:]), echo)
	switch {
	case err != nil:
		return nil, err
	case strings.Contains(answer, "\x00"):
		return nil, errors.New("an answer cannot contain a NUL")
	}
	return withNUL([]byte(answer)), nil
}

func isQuestion(b []byte) bool {
	return len(b) > 0 && (b[0]&^dialogLast == dialogOrdinary || b[0]&^dialogLast == dialogPassword)
}

// A Question is one of a dialog.
type Question struct {
	Prompt string
	Echo   bool // what is typed may be seen
}

// NewDialog returns the account of a user who has to answer questions over
// MariaDB's dialog method; check judges all answers together. There is at least
// one question.
func NewDialog(check func(answers []string) bool, questions ...Question) (Verifier, error) {
	if len(questions) == 0 || len(questions) > maxRounds/2 {
		return nil, errors.New("a dialog has between 1 and 16 questions")
	}
	return &dialogVerifier{check, questions}, nil
}

type dialogVerifier struct {
	check     func([]string) bool
	questions []Question
}

// Plugin returns the method's name.
func (v *dialogVerifier) Plugin() string { return Dialog }

// Session begins a login.
func (v *dialogVerifier) Session(l *Login) Session { return &dialogSession{v: v, secure: l.Secure} }

type dialogSession struct {
	v       *dialogVerifier
	secure  bool
	answers []string
}

// Bare marks the replies: questions travel as they are.
func (s *dialogSession) Bare() {}

// Challenge returns the first question.
func (s *dialogSession) Challenge() []byte { return s.question() }

func (s *dialogSession) question() []byte {
	q := s.v.questions[len(s.answers)]
	kind := byte(dialogPassword)
	if q.Echo {
		kind = dialogOrdinary
	}
	if len(s.answers) == len(s.v.questions)-1 {
		kind |= dialogLast
	}
	return append([]byte{kind}, q.Prompt...)
}

// Next takes an answer. Answers that came in the open are refused.
func (s *dialogSession) Next(data []byte) ([]byte, Verdict) {
	answer, ok := ended(data)
	if !ok || !s.secure {
		return nil, Refused
	}
	s.answers = append(s.answers, string(answer))
	if len(s.answers) < len(s.v.questions) {
		return s.question(), More
	}
	return nil, verdict(s.v.check(s.answers))
}
