// Package value has the values that SQLite does not know: exact decimals, dates
// and times with MySQL's range, integers beyond 63 bits, and the orders in
// which texts are compared.
package value
