// Package session is one SFTP channel as a client sees it: the goroutine that
// reads answers and gives each to its request, the goroutine that writes, the
// table of requests in flight, and the budget of bytes in flight. What the
// requests mean is the business of package sftpclient.
//
// The reader never writes, never waits for anything but the stream, and never
// calls its user's code. Callers never write to the stream themselves, so
// their contexts can end whatever the stream does.
//
// A request goes like this: [Session.Open] gives it an id, [Session.Post]
// queues it, [Session.Take] waits for the answer; [Session.Ask] does all three.
// An id is not used again before its answer has come, wanted or not.
package session
