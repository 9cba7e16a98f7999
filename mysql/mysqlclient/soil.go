package mysqlclient

import (
	"strings"

	"github.com/wirelark/wirelark/mysql/lexer"
)

// ansiQuotes reports whether an sql_mode has ANSI_QUOTES.
func ansiQuotes(mode string) bool { return strings.Contains(mode, "ANSI") }

// soils reports whether sql may leave something behind in the session: it is
// none of the statements known not to, or sets a user variable or takes a lock
// on the way. Stored programs are not looked into.
func soils(sql string, cfg lexer.Config) bool {
	first, over := true, false
	for t := range lexer.Tokens(sql, cfg) {
		switch {
		case !t.Code():
		case over: // another statement
			return true
		case first && t.Kind == lexer.Operator: // parentheses
		case first:
			if !harmless(t.Text) {
				return true
			}
			first = false
		case t.Kind == lexer.Operator && t.Text == ";":
			over = true
		case t.Kind == lexer.UserVar:
			return true
		case t.Kind == lexer.Word && len(t.Text) == len("GET_LOCK") && strings.EqualFold(t.Text, "GET_LOCK"):
			return true
		}
	}
	return false
}

// harmless reports whether statements that begin with word leave the session
// as it is, but for the transaction, which the server's status tells.
func harmless(word string) bool {
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "TRUNCATE",
		"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "ANALYZE", "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "KILL":
		return true
	}
	return false
}
