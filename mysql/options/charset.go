package options

import "strings"

// SetNames returns the statement that sets the character set and the collation of
// a session; "": those of the login will do. Of several charsets it takes the
// first.
func SetNames(charsets []string, collation string) string {
	switch {
	case collation == "" && len(charsets) == 0:
		return ""
	case collation == "":
		return "SET NAMES " + charsets[0]
	case len(charsets) == 0:
		charsets = []string{CharsetOf(collation)}
	}
	return "SET NAMES " + charsets[0] + " COLLATE " + collation
}

// CharsetOf returns the character set that a collation belongs to: the first word
// of its name. MariaDB's newer ones leave it out, for they fit several.
func CharsetOf(collation string) string {
	charset, _, _ := strings.Cut(collation, "_")
	if strings.HasPrefix(charset, "uca") {
		return "utf8mb4"
	}
	return charset
}
