// Package mysqltest has servers for the tests of programs that use MySQL. They
// live in the test's process and need no port: clients reach them with the
// Dial function of their configuration.
//
// [NewServer] answers as a script says, and fails the test for statements that
// nobody expected and for expectations that nobody met:
//
//	s := mysqltest.NewServer(t)
//	s.Expect("SELECT name FROM users WHERE id = ?").Args(7).
//		Rows(mysqltest.Columns("name"), "Ada")
//	s.Expect("INSERT INTO log").Exec(1, 0)
//	cfg.Dial = s.Dial
//
// [NewEvil] is a server for the tests of clients: it says whatever its steps
// say, message by message, right or wrong, and can break off at any byte.
//
// [Flow] follows conversations and fails the test when one of the two parties
// breaks the rules of the protocol.
//
// What it is not: a database. For SQL that is really executed use package
// engine.
//
// Limits: scripted statements are matched by their text, without looking at
// what they mean.
package mysqltest
