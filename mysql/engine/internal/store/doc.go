// Package store converts values to the types of the columns that they are
// stored in, as strictly as sql_mode says, and keeps what a session's functions
// know about the statement that is running.
package store
