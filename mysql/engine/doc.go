// Package engine answers SQL in MySQL's dialect from an embedded database, as
// a [mysqlserver.Handler]: what serves a program that speaks MySQL where no
// server is installed.
//
//	e, err := engine.Open(ctx, engine.Config{File: "shop.db"})
//	srv := &mysqlserver.Server{Handler: e, MariaDB: true, Auth: users}
//	err = srv.Serve(listener)
//
// Data lives in one SQLite file (modernc.org/sqlite), or without a file in a
// temporary directory that [Engine.Close] removes. Statements are parsed,
// translated and run there; a catalogue beside the data remembers what was
// declared in MySQL's words. Rows, types, error numbers and the counts of
// changed rows are those of MariaDB 10.11, which a corpus of statements in
// testdata compares.
//
// # Limits
//
// It is not MySQL: there are no stored programs, triggers, users, privileges,
// partitions, full text and spatial searches, or replication. What it cannot
// translate it refuses with error 1235. There is one writer at a time: another
// one waits, and gets error 1205 after innodb_lock_wait_timeout seconds; a
// transaction that has read and then writes what has changed meanwhile gets
// 1213. A transaction reads one state of the data at every isolation level, and
// LOCK TABLES and FLUSH have nothing to do. SET GLOBAL lasts as long as the
// Engine, and is for sessions that begin after it. A TIMESTAMP is kept as the
// session wrote it: sessions in other time zones read the same digits. Texts
// are compared by utf8mb4_general_ci, by a binary collation, or by one of these
// with another name. DECIMALs have at most 38 digits behind the point. A file is
// for one Engine at a time.
package engine
