// Package session has the sessions of the embedded engine: what they know,
// their transactions, the statements that read and change data, and the errors
// that clients are told. What defines tables, and what tells about them, stands
// above it and is asked through [Above].
package session
