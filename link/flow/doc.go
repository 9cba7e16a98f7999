// Package flow sorts captured frames into TCP conversations and puts the bytes
// of each direction back in order.
//
//	table := flow.New(flow.Options{Open: func(c *flow.Conversation) flow.Sink {
//		return newDecoder(c.Client, c.Server)
//	}})
//	for each frame {
//		table.Feed(frame)
//	}
//	table.Close()
//
// A [Sink] receives the bytes as [trace.Chunk]s with the frames they came
// from. Bytes that are in order are passed on without a copy. Others wait, and
// when the wait is over, the chunk behind the hole says how many bytes are
// missing. A hole is given up when the receiver has acknowledged it, for then
// the capture has lost what it has not shown yet, when the bytes or segments
// waiting behind it exceed the limits of [Options], when the connection is
// reset, when the ports are used anew, and at the end. A hole before the end of
// the stream, behind which nothing waits, is given up a short while after the
// end was acknowledged.
//
// # Who is the client
//
// The sender of a SYN, the receiver of a SYN with ACK. Where neither was
// captured it is the one with the higher port, and with equal ports the one
// seen first; [Conversation.Guessed] tells so.
//
// # Which bytes win
//
// Of two segments that claim the same bytes, the one captured first wins. When
// they differ, the sink is told ([Conflict]), as far as the earlier bytes are
// still there: those that wait, and the last [Options.History] bytes delivered.
//
// Limits: IP fragments are counted and not put together, UDP is counted only.
// A conversation opens with a SYN or with data; data of a conversation whose
// beginning was not captured starts with the first segment seen. A segment
// more than 1 GiB away from its place is taken for noise until three of them
// follow each other.
package flow
