package lexer

import "strings"

// Secret is what [MaskSecrets] writes in place of a password, in quotes.
const Secret = "<secret>"

// MaskSecrets returns sql with the passwords in it replaced: those of
// IDENTIFIED BY, AS and USING, of SET PASSWORD, of the functions PASSWORD and
// OLD_PASSWORD, and every string that is given to something whose name ends in
// PASSWORD, as in CHANGE MASTER TO and CREATE SERVER, or is CONNECTION, as for
// federated tables. The rest is kept byte by byte. A text without secrets is returned as it is, and a string in such a
// place that never ends is masked to the end.
//
// It knows statements, not meaning: a password that is stored in a table of
// the application's is data like any other.
func MaskSecrets(sql string, cfg Config) string {
	if !mayHaveSecret(sql) {
		return sql
	}
	var out []byte
	kept := 0
	var m masker
	for t := range Tokens(sql, cfg) {
		if !t.Code() || !m.secret(t, cfg.Mode) {
			continue
		}
		out = append(out, sql[kept:t.Pos]...)
		out = append(out, '\'')
		out = append(out, Secret...)
		out = append(out, '\'')
		kept = t.Pos + len(t.Text)
	}
	if kept == 0 {
		return sql
	}
	return string(append(out, sql[kept:]...))
}

// HasSecret reports whether [MaskSecrets] would change sql.
func HasSecret(sql string, cfg Config) bool { return MaskSecrets(sql, cfg) != sql }

// mayHaveSecret is a quick look: it is true for every text with a secret.
func mayHaveSecret(sql string) bool {
	for _, word := range [...]string{"identified", "password", "connection"} {
		for i := 0; i+len(word) <= len(sql); i++ {
			if (sql[i]|0x20) == word[0] && strings.EqualFold(sql[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

// masker remembers what the tokens before this one make of a string.
type masker struct {
	next       bool // a string here is a secret
	identified bool // behind IDENTIFIED
	setting    bool // behind SET PASSWORD: the string behind "=" is the secret
	goes       bool // on: a string here is joined to the secret before it
	last       Token
}

// secret reports whether t is a secret.
func (m *masker) secret(t Token, mode Mode) bool {
	goes := m.goes
	m.goes = false
	defer func() { m.last = t }()
	switch t.Kind {
	case Word:
		m.word(t)
		return false
	case QuotedName:
		if m.next && t.Text[0] == '"' {
			return m.found()
		}
		m.next = strings.HasSuffix(strings.ToLower(t.Value(mode)), "password")
		return false
	case UserVar, SysVar:
		m.next = strings.HasSuffix(strings.TrimRight(strings.ToLower(t.Text), "`'\""), "password")
		return false
	case String, Hex, Bit:
		return (m.next || goes) && m.found()
	case Bad:
		return m.next && len(t.Text) > 1 && m.found()
	case Operator:
		switch t.Text {
		case "=", "(", ":=":
			if m.setting && t.Text == "=" {
				m.next = true
			}
			return false // between the word and its string
		case ";":
			*m = masker{}
		case ",":
			m.identified = m.identified && m.setting
		}
	}
	m.next = false
	return false
}

func (m *masker) found() bool {
	m.next, m.goes = false, true
	return true
}

func (m *masker) word(t Token) {
	lower := strings.ToLower(t.Text)
	switch {
	case strings.HasPrefix(lower, "_") && m.next, lower == "n" && m.next:
		// an introducer of the string's character set
	case lower == "identified":
		m.identified, m.next = true, false
	case m.identified && (lower == "by" || lower == "as" || lower == "using" || lower == "replace"):
		m.next = true
	case lower == "password" && m.last.Is("SET"):
		m.setting, m.next = true, true
	case m.setting && lower == "replace":
		m.next = true
	case m.setting && lower == "for":
		m.next = false // the account follows
	case strings.HasSuffix(lower, "password"), lower == "connection": // of a federated table: mysql://user:password@…
		m.next = true
	default:
		m.next = false
	}
}
