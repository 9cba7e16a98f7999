// Package options reads what people write to say where their MySQL or MariaDB
// server is and how to speak with it: data source names, URLs, and the option
// files of the original clients. All of them end in one [Config].
//
//	cfg, err := options.ParseDSN("app:secret@tcp(db:3306)/shop?parseTime=true")
//	cfg, err := options.ParseURL("mysql://app:secret@db/shop?ssl-mode=VERIFY_IDENTITY")
//
// Data source names are those of github.com/go-sql-driver/mysql 1.10.1 with all
// of its parameters. Names that it would send to the server as system variables
// still are, but for those with a dash and a few others that cannot be
// variables; they mean what they mean in a URL.
//
// URLs have the shape and the parameters of MySQL's URI-like strings. A server
// behind a bastion is written in either of two ways that mean the same:
//
//	mysql+ssh://me@bastion:22,me@inner/app:secret@db:3306/shop
//	mysql://app:secret@db:3306/shop?ssh=me@bastion:22,me@inner
//
// [Files] are my.cnf and its relatives, with groups, quoting, !include and
// !includedir, and the login file that mysql_config_editor writes. Options that
// do not concern a connection (prompt, pager) are returned to the caller.
//
// The package opens no connection and does not read the environment: callers
// pass the home directory and whatever variables they honour. It reads files only
// when it is told to: option files by [Files.Read], keys and certificates by
// [TLS.Load] and [Auth.LoadKey].
//
// Limits: an option file is read up to 16 MiB, a line up to 64 KiB, includes
// nest 10 deep and there are 1,000 files at most.
package options
