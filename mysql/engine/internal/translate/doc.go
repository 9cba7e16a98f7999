// Package translate turns statements of MySQL into SQLite's. It resolves every
// name and knows the type of every expression, since the two disagree about
// what "+", "=" and a text mean: what is exact is computed by functions of
// package function, what is compared is brought to one form first, and columns
// are announced with the types that MariaDB gives them.
//
// What cannot be translated is an error with MySQL's number, 1235 as a rule.
package translate
