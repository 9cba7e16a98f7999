package trace

import (
	"time"

	"github.com/wirelark/wirelark/wire"
)

// A Chunk is a piece of one direction of a conversation. It is either a piece
// of a byte stream, possibly behind a hole, or one whole plaintext packet.
type Chunk struct {
	Dir    wire.Dir
	Data   []byte // valid during the call it is passed to
	Gap    int64  // bytes known to be missing before Data; -1: an unknown number
	Time   time.Time
	Packet bool   // Data is one whole packet, not a piece of a stream
	Spans  []Span // where Data came from, in order; nil when unknown
}

// A Span says that Len bytes came from the frame numbered Frame (from 1),
// beginning at its byte Off.
type Span struct {
	Frame    int
	Off, Len int
}

// A Message is one decoded message. It and all its slices are valid during
// the Emit call only.
type Message struct {
	N       int64         // counted from 1 by the receiver of the messages
	Time    time.Time     // when its last byte was seen
	Conn    int           // counted from 1 by the receiver of the messages
	Path    string        // what it travels in, as "ssh/0": protocol and channel of each carrier
	Dir     wire.Dir      //
	Proto   string        // "ssh"
	Name    string        // the specification's full name, "SSH_MSG_KEXINIT"
	Raw     []byte        // the plaintext packet, its number first; what Fields point into
	Fields  []wire.Field  // with every bit of Raw in one leaf, and derived values behind them
	ReplyTo int64         // N of the message that this one answers; 0: none
	Latency time.Duration // from that message to this one
	Spans   []Span        // frames that carried it
	Hide    bool          // not shown without an explicit word: authentication, typed input
	Err     error         // why Fields are incomplete, or the rule this message breaks
	Notes   []string      // for people: a hole before it, a tag not verified
}

// Emit receives decoded messages in order. It sets N and Conn of m before it
// returns, so that a decoder can remember them for replies.
type Emit func(m *Message)

// A Decoder turns the two directions of one conversation into messages. It is
// not safe for concurrent use. Its memory is bounded whatever it is fed, and
// it never fails: what cannot be decoded is emitted with Err set or counted in
// a note.
type Decoder interface {
	// Feed takes the next chunk and emits the messages it completes.
	Feed(Chunk)
	// Close says that nothing more will come and emits what is left.
	Close()
}

// Inner opens the decoder for a stream inside another protocol: label says
// what it is, as "subsystem sftp" or "direct-tcpip db:3306". It returns nil
// when the stream is of no interest or known to nobody.
type Inner func(label, path string, emit Emit) Decoder

// Layer opens a security layer, such as "tls", that a protocol switches to in
// the middle of its stream: what is fed to the decoder is encrypted, what
// plain gets are the chunks of the stream inside. o are the options of the
// decoder that asks, of which Secret and Budget count. It returns nil when it
// does not know the layer.
type Layer func(name string, o Options, plain func(Chunk)) Decoder

// Options are what a decoder may be told when it is made.
type Options struct {
	Emit   Emit                                    // required
	Path   string                                  // Path of the messages
	Inner  Inner                                   // nil: inner streams are not decoded
	Layer  Layer                                   // nil: no layer can be opened
	Secret func(id []byte) (value []byte, ok bool) // looks up a session secret, by the ids of keylog.Secrets; nil: there are none
	Budget *Budget                                 // shared with other decoders; nil: this one's own limits are all
}

// A Factory makes decoders for one protocol.
type Factory struct {
	Proto string
	// Detect judges the first bytes that each side sent, either of which may
	// be empty.
	Detect func(c2s, s2c []byte) Verdict
	New    func(Options) Decoder
}

// Verdict is what a [Factory] makes of the first bytes of a conversation.
type Verdict uint8

const (
	No    Verdict = iota // certainly not
	Maybe                // more bytes are needed
	Yes
)
