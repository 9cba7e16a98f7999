// Package mysql is the vocabulary of the protocol between clients and servers
// of MySQL and MariaDB: every message, every number and its name, and the
// order in which they may come. Clients, servers and decoders use it, so they
// cannot disagree.
//
//   - A message is a Go type with a Fields method, which states its layout
//     once: [Query], [OK], [Column], [BinaryRow].
//   - [Messages] is the registry of all messages. A server's packets carry no
//     sign of what they are: their context names them.
//   - Package mysql/flow follows a connection and knows that context: its Flow
//     names each packet of both directions, and complains of what the protocol
//     forbids.
//   - [Capabilities], [Status], [Command], [Type], [ColumnFlags] are the flags
//     and numbers, with their names; package mysql/names knows those of errors
//     and collations.
//   - [Value] is a value of any type in its binary and its text form, with
//     [DateTime] and [Duration] for what Go's own types cannot hold.
//
// A message is encoded and decoded by [Append] and [Parse]:
//
//	payload, err := mysql.Append(nil, &mysql.Query{SQL: []byte("SELECT 1")}, flow.Dialect())
//	err = mysql.Parse(payload, &ok, flow.Dialect())
//
// What both ends agreed on, which changes layouts, is the dialect: see
// [NewDialect]. A payload is a packet without its four-byte headers, joined
// where it was cut; cutting, compression and TLS are the business of package
// mysql/packet, passwords of mysql/auth, connections of mysql/mysqlclient and
// mysql/mysqlserver. This package does no I/O and holds no connection.
//
// # Limits
//
// Servers before version 4.1 are not spoken to; their handshake is known far
// enough to refuse it. Events of binary logs are not decoded behind their
// header. Byte slices of decoded messages alias the payload.
package mysql
