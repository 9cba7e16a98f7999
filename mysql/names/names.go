// Package names has the tables of MySQL and MariaDB that say what numbers mean:
// the names and SQLSTATEs of errors, collations and their character sets. They
// are those of MySQL 9.7 and MariaDB 11.8.
//
// It is a part of the vocabulary of package mysql, with a package of its own.
// Nothing is parsed or held: a name is looked up in an embedded text.
package names

import (
	_ "embed"
	"sort"
	"strconv"
	"strings"
)

// The tables are lines of words, sorted by the number in front.
var (
	//go:embed errors_mysql.txt
	mysql string
	//go:embed errors_mariadb.txt
	mariaDB string
	//go:embed collations.txt
	collations string
)

// GeneralState is the SQLSTATE of errors that have none of their own.
const GeneralState = "HY000"

// Error returns MySQL's name of an error number, as "ER_DUP_ENTRY", or, where
// MySQL has none, MariaDB's, or "". The numbers of the two part from 1900 on:
// see [MariaDBError].
func Error(code uint16) string {
	if w := row(mysql, code); w != nil {
		return w[0]
	}
	return MariaDBError(code)
}

// MariaDBError is Error for a server that is a MariaDB.
func MariaDBError(code uint16) string {
	w := row(mariaDB, code)
	if w == nil {
		w = row(mysql, code)
	}
	if w == nil {
		return ""
	}
	return w[0]
}

// State returns the SQLSTATE that belongs to an error number.
func State(code uint16) string {
	if w := row(mysql, code); w != nil {
		return w[1]
	}
	return GeneralState
}

// Collation is an order of characters, which belongs to a character set.
type Collation struct {
	ID      uint16
	Charset string
	Name    string // MySQL's, where the two servers have different ones
}

// CollationByID returns the collation with a number of one of the servers.
func CollationByID(id uint16) (Collation, bool) {
	w := row(collations, id)
	if w == nil {
		return Collation{}, false
	}
	return Collation{id, w[0], w[1]}, true
}

// CollationByName returns the collation with a name of one of the servers.
func CollationByName(name string) (Collation, bool) {
	for line := range strings.Lines(collations) {
		w := strings.Fields(line)
		if line[0] == '#' || w[2] != name && (len(w) < 4 || w[3] != name) {
			continue
		}
		id, _ := strconv.ParseUint(w[0], 10, 16)
		return Collation{uint16(id), w[1], w[2]}, true
	}
	return Collation{}, false
}

// row returns the words behind the number key in a table, or nil.
func row(table string, key uint16) []string {
	// Search for the end of the last line before the one with key.
	at := sort.Search(len(table), func(i int) bool { return number(line(table, i)) >= int(key) })
	if at == len(table) {
		return nil
	}
	l := line(table, at)
	if number(l) != int(key) {
		return nil
	}
	return strings.Fields(l)[1:]
}

// line returns the line of table that has the byte at i.
func line(table string, i int) string {
	from := strings.LastIndexByte(table[:i], '\n') + 1
	n := strings.IndexByte(table[from:], '\n')
	return table[from : from+n]
}

// number returns the number in front of a line, -1 for a comment.
func number(line string) int {
	digits, _, _ := strings.Cut(line, " ")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n
}
