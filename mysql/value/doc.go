// Package value is where Go values meet MySQL's: arguments of statements become
// values ([Of]), values become literals of SQL ([AppendLiteral]), and the columns
// of a [Row] become Go values, the same whether the row came as text or in
// binary form.
//
// It knows no connection. Package mysqlclient reads rows and gives them their
// getters by embedding [Row].
//
// # Limits
//
// A Row aliases the packet that it was decoded from, so what its getters return
// as bytes is valid until the next row. Reading a row allocates nothing but the
// copies that a getter's name or result type promises.
package value
