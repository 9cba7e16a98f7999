// Package frame is about cutting a byte stream into frames. So far it holds
// the two optional interfaces with which a stream that is itself made of
// packets saves its user copies: an SSH channel implements them, SFTP looks
// for them. Everything works without them, over any io.ReadWriteCloser.
package frame

// An Appender lets its user build a piece of the stream in place, in the
// buffer that will be sent.
type Appender interface {
	// AppendFunc waits for room, as Write does, and calls fill once with the
	// room there is: len(room) is at least 1 and at most max. fill returns how
	// many bytes it put at the beginning of room; they are then part of the
	// stream. fill runs under the output lock: it copies bytes that it has and
	// does nothing else. An error is that of a Write of nothing.
	AppendFunc(max int, fill func(room []byte) int) (int, error)
}

// A Lender lends the bytes it has received instead of copying them.
type Lender interface {
	// Next waits for received bytes, as Read does, and returns some. They are
	// valid until release, which must be called exactly once, before the next
	// call of Next or Read. At the end of the stream err is io.EOF, and chunk
	// and release are nil.
	Next() (chunk []byte, release func(), err error)
}
