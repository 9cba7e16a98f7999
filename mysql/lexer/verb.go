package lexer

import "strings"

// verbWords lists verbs of several words: after the first word any of the
// optional ones may be skipped, then the next must follow for it to count.
var verbWords = map[string][]string{
	"START":    {"TRANSACTION", "SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL"},
	"STOP":     {"SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL"},
	"ROLLBACK": {"TO"},
	"RELEASE":  {"SAVEPOINT"},
	"LOCK":     {"TABLES", "TABLE"},
	"UNLOCK":   {"TABLES", "TABLE"},
	"CHANGE":   {"MASTER", "REPLICATION"},
	"XA":       {"START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK", "RECOVER"},
	"LOAD":     {"DATA", "XML"},
	"CREATE":   objects,
	"ALTER":    objects,
	"DROP":     objects,
	"SET":      {"PASSWORD", "NAMES", "TRANSACTION", "ROLE", "STATEMENT"},
}

var objects = []string{
	"TABLE", "DATABASE", "SCHEMA", "INDEX", "VIEW", "USER", "ROLE", "PROCEDURE", "FUNCTION", "TRIGGER", "EVENT",
	"SERVER", "SEQUENCE", "PACKAGE", "TABLESPACE",
}

// Verb returns the keywords that say what the first statement of sql does, in
// capitals: SELECT, COMMIT, START TRANSACTION, LOAD DATA LOCAL, CREATE TABLE.
// The verb of a statement in parentheses is that of what stands in them; of one
// that begins with WITH, that of its main part. It is empty when sql begins
// with no keyword.
func Verb(sql string, cfg Config) string {
	s := NewScanner(sql, cfg)
	return verb(s.nextCode)
}

// nextCode returns the next token that counts.
func (s *Scanner) nextCode() Token {
	for {
		if t := s.Next(); t.Code() {
			return t
		}
	}
}

// verb reads tokens until the verb is known.
func verb(next func() Token) string {
	t := next()
	for t.Is("(") || t.Is(";") {
		t = next()
	}
	if t.Kind != Word {
		return ""
	}
	first := strings.ToUpper(t.Text)
	switch first {
	case "WITH":
		return afterWith(next)
	case "LOAD":
		return loadVerb(next)
	case "CREATE", "ALTER", "DROP":
		// Between the verb and its object stand OR REPLACE, TEMPORARY,
		// DEFINER = name@host, UNIQUE, ALGORITHM = x and the like.
		for range 24 {
			t = next()
			if t.Kind == Word && contains(objects, t.Text) {
				return first + " " + strings.ToUpper(t.Text)
			}
			if t.Kind == End || t.Is(";") || t.Is("(") {
				break
			}
		}
		return first
	}
	if follow := verbWords[first]; follow != nil {
		t = next()
		if first == "ROLLBACK" && t.Is("WORK") {
			t = next()
		}
		if t.Kind == Word && contains(follow, t.Text) {
			return first + " " + strings.ToUpper(t.Text)
		}
	}
	return first
}

// afterWith returns the verb behind the common table expressions.
func afterWith(next func() Token) string {
	depth := 0
	for {
		t := next()
		switch {
		case t.Kind == End:
			return "WITH"
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case depth == 0 && t.Kind == Word:
			switch w := strings.ToUpper(t.Text); w {
			case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "TABLE", "VALUES":
				return w
			}
		}
	}
}

// loadVerb returns the verb of LOAD DATA and LOAD XML, with LOCAL if the file
// is the client's.
func loadVerb(next func() Token) string {
	t := next()
	if !t.Is("DATA") && !t.Is("XML") {
		return "LOAD"
	}
	v := "LOAD " + strings.ToUpper(t.Text)
	t = next()
	if t.Is("LOW_PRIORITY") || t.Is("CONCURRENT") {
		t = next()
	}
	if t.Is("LOCAL") {
		v += " LOCAL"
	}
	return v
}

// contains reports whether word is in list, which is in capitals.
func contains(list []string, word string) bool {
	for _, w := range list {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// statements calls each with the tokens that count of every statement of sql.
func statements(sql string, cfg Config, each func([]Token) bool) bool {
	var list []Token
	for t := range Tokens(sql, cfg) {
		switch {
		case t.Is(";"):
			if len(list) > 0 && !each(list) {
				return false
			}
			list = list[:0]
		case t.Code():
			list = append(list, t)
		}
	}
	return len(list) == 0 || each(list)
}

// verbOf returns the verb of a statement's tokens.
func verbOf(list []Token) string {
	i := 0
	return verb(func() Token {
		if i == len(list) {
			return Token{Kind: End}
		}
		i++
		return list[i-1]
	})
}

// AsksLocalFile reports whether a statement of sql is one that a server may
// answer with a request for a file of the client: LOAD DATA LOCAL or LOAD XML
// LOCAL. A request after any other statement is an attack.
func AsksLocalFile(sql string, cfg Config) bool {
	return !statements(sql, cfg, func(list []Token) bool {
		return !strings.HasSuffix(verbOf(list), " LOCAL")
	})
}

// ReadOnly reports whether no statement of sql changes anything but the
// session: SELECT without INTO OUTFILE, DUMPFILE and locks, SHOW, DESCRIBE,
// EXPLAIN of what does not run, VALUES, TABLE, HELP. It errs on the side of
// false. A function that is called may still write: this is a hint for retries
// and routing and no protection.
func ReadOnly(sql string, cfg Config) bool {
	return statements(sql, cfg, readOnly)
}

func readOnly(list []Token) bool {
	switch verbOf(list) {
	case "SELECT", "TABLE", "VALUES":
		for i, t := range list {
			next := Token{}
			if i+1 < len(list) {
				next = list[i+1]
			}
			switch {
			case t.Is("INTO"), t.Is("LOCK"), t.Kind == Operator && t.Text == ":=":
				return false
			case t.Is("FOR") && (next.Is("UPDATE") || next.Is("SHARE")):
				return false
			}
		}
		return true
	case "SHOW", "HELP":
		return true
	case "DESCRIBE", "DESC", "EXPLAIN":
		for _, t := range list {
			if t.Is("ANALYZE") {
				return false
			}
		}
		return true
	}
	return false
}
