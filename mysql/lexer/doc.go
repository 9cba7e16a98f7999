// Package lexer reads SQL as MySQL and MariaDB write it, down to tokens and no
// further: it knows strings, comments, names, numbers, placeholders and where a
// statement ends, and nothing about grammar.
//
// [Scanner] yields tokens that cover every byte of the text, so that a caller
// may change some and keep the rest as it was written. [Cutter] and [Splitter]
// cut scripts into statements as the mysql command line does, with DELIMITER
// and with the bodies of stored programs recognised. [Quote] and [QuoteIdent]
// write values and names. [Verb], [ReadOnly], [AsksLocalFile] and [MaskSecrets]
// tell what a text is about without running it.
//
// What a byte means depends on the session's sql_mode: see [Mode]. The zero
// [Config] is a session of MySQL with the default mode in which every version
// comment is code.
//
// # Limits
//
// Text is taken to be in a character set whose bytes below 0x80 are ASCII and
// are never a part of other characters (utf8mb4, latin1; not sjis, gbk, big5).
// A Cutter holds one statement, at most [CutConfig.MaxBytes].
package lexer
