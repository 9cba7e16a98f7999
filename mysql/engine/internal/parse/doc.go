// Package parse reads the statements that the embedded engine answers into
// trees: queries, changes of data, definitions, and what sessions say about
// themselves. It is no full grammar of MySQL: what it does not know it refuses
// with an error that names the place, and never skips.
//
//	st, err := parse.Statement("select a+1 from t where b = ?", lexer.Config{})
package parse
