package mysql

// ErrorName returns the servers' name of an error number.
func ErrorName(code uint16) string { return "" }
