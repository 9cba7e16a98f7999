// Package catalog remembers what SQLite does not: the databases, and the
// tables with the types, keys and defaults that were declared in MySQL's words.
// A [Catalog] is never changed once it is in use; definitions make a new one.
package catalog
