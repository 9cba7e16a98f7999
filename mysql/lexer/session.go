package lexer

import (
	"strconv"
	"strings"
)

// ChangesSession reports whether sql may leave something behind in its session:
// it is none of the statements known not to, or has a user variable or takes a
// lock on the way. It errs on the side of true, but does not look into stored
// programs. An open transaction does not count: the server's status tells it.
func ChangesSession(sql string, cfg Config) bool {
	first, over := true, false
	for t := range Tokens(sql, cfg) {
		switch {
		case !t.Code():
		case over: // another statement
			return true
		case first && t.Kind == Operator: // parentheses
		case first:
			if !leavesSession(t.Text) {
				return true
			}
			first = false
		case t.Kind == Operator && t.Text == ";":
			over = true
		case t.Kind == UserVar, t.Is("GET_LOCK"):
			return true
		}
	}
	return false
}

// leavesSession reports whether statements that begin with word leave the
// session as it is.
func leavesSession(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "TRUNCATE",
		"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "ANALYZE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "KILL":
		return true
	}
	return false
}

// VersionNumber returns a server's version as version comments count it: 80036
// for "8.0.36-log", 101106 for "10.11.6-MariaDB". Parts that are no number count
// as 0.
func VersionNumber(version string) int {
	n := 0
	parts := strings.SplitN(version, ".", 3)
	for i := range 3 {
		v := 0
		if i < len(parts) {
			digits := parts[i]
			if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
				digits = digits[:end]
			}
			v, _ = strconv.Atoi(digits)
		}
		n = n*100 + min(v, 99)
	}
	return n
}

// ModeOf returns the mode that the value of the variable sql_mode means.
func ModeOf(sqlMode string) Mode {
	var m Mode
	for name := range strings.SplitSeq(strings.ToUpper(sqlMode), ",") {
		switch name {
		case "ANSI", "ANSI_QUOTES":
			m |= ANSIQuotes
		case "NO_BACKSLASH_ESCAPES":
			m |= NoBackslashEscapes
		}
	}
	return m
}
