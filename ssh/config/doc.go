// Package config reads OpenSSH's client configuration, ssh_config(5), and says
// what it means for one destination.
//
// A [Source] names the files, in the order in which they are asked: for each
// keyword the first value wins, for those that add up all of them. [System] is
// the source that ssh(1) has. [Source.Load] evaluates it for a [Query], which
// is a host and what the command line said, into a [Config]: typed fields for
// what a client acts on, and the rest as it was written, so that a caller can
// say what it ignores and refuse what must not be ignored.
//
// Quoting, comments, Host and Match with negation, Include with patterns and a
// bound on its depth, the second pass that "Match final" asks for, tokens as %h,
// ${VARIABLES} and ~ mean what they mean to OpenSSH 10.6 ([Version]); where older
// versions differ, the newest wins. All mistakes are reported, each with its
// file and line, also those in sections that do not apply.
//
// "Match exec" runs a program while a configuration is read. It does so only
// through [Source.Exec]; without it such a line is a mistake.
//
// Not here: resolving names. CanonicalizeHostname is among [Config.Others], and
// marked as unsafe to ignore. The package opens no connection, and reads the
// environment only in System.
//
// Limits: a file is read up to 4 MiB, a line up to 128 KiB; files include each
// other at most 16 deep and 1024 in all; 32 mistakes are reported.
package config
