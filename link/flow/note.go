package flow

import (
	"fmt"
	"time"

	"github.com/wirelark/wirelark/wire"
)

// A Note is a remark about a direction of a conversation.
type Note struct {
	Kind  Kind
	Dir   wire.Dir
	Time  time.Time
	Frame int   // the frame that gave rise to it; 0: none
	Pos   int64 // where in the direction's stream, counted from its beginning with missing bytes
	Len   int64 // bytes concerned
}

// Kind is the kind of a [Note].
type Kind uint8

const (
	// Midstream says that the beginning of the stream was not captured.
	Midstream Kind = iota
	// Conflict says that a retransmission differs from the bytes captured
	// first, which were kept.
	Conflict
	// Far says that a segment was ignored because it is too far away.
	Far
	// Reset says that the sender of this direction reset the connection.
	Reset
	// Evicted says that the conversation was closed because there were too
	// many.
	Evicted
	// Reused says that the conversation was closed because its ports began
	// another.
	Reused
)

// String says what the kind means.
func (k Kind) String() string {
	switch k {
	case Midstream:
		return "the beginning of the stream was not captured"
	case Conflict:
		return "a retransmission differs from what was captured first"
	case Far:
		return "a segment far away from its place was ignored"
	case Reset:
		return "connection reset"
	case Evicted:
		return "closed to make room for other conversations"
	case Reused:
		return "the ports were used for another conversation"
	}
	return fmt.Sprintf("note %d", uint8(k))
}

// String returns the note for people.
func (n Note) String() string {
	s := fmt.Sprintf("%s at byte %d: %s", n.Dir, n.Pos, n.Kind)
	if n.Len > 0 {
		s += fmt.Sprintf(" (%d bytes)", n.Len)
	}
	if n.Frame > 0 {
		s += fmt.Sprintf(", frame %d", n.Frame)
	}
	return s
}
