package auth

// mysql_clear_password: the password and a NUL. The policy keeps it from
// connections that can be listened to.
type clearPassword struct{}

// Start returns the password.
func (clearPassword) Start(s *State) ([]byte, error) { return withNUL([]byte(s.Password)), nil }

// Next refuses: the method has one round.
func (clearPassword) Next(*State, []byte) ([]byte, error) { return nil, unexpected(Clear) }

// clearVerifier is an account of mysql_clear_password or of dialog with one
// question.
type clearVerifier struct {
	plugin string
	check  func(password []byte) bool
}

// Plugin returns the method's name.
func (v clearVerifier) Plugin() string { return v.plugin }

// Session begins a login.
func (v clearVerifier) Session(l *Login) Session { return &clearSession{v, l.Secure} }

type clearSession struct {
	clearVerifier
	secure bool
}

// Challenge returns the question of dialog.
func (s *clearSession) Challenge() []byte {
	if s.plugin == Dialog {
		return append([]byte{dialogPassword | dialogLast}, "Password: "...)
	}
	return []byte{}
}

// Next takes the password. One that came in the open is not looked at: who
// sends it so must not get used to it.
func (s *clearSession) Next(data []byte) ([]byte, Verdict) {
	password, ok := ended(data)
	if !ok || !s.secure {
		return nil, Refused
	}
	return nil, verdict(s.check(password))
}
