package see

import (
	"strings"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// innerInterface is an interface with a decrypted stream, or with upper PDU
// records that somebody else wrote.
type innerInterface struct {
	reader  *reader
	skip    bool // the wire tells the same
	carrier *conversation
	path    string
	number  *int // of the messages

	decoders map[string]trace.Decoder // of upper PDU records, by dissector
}

// maxDissectors is the most protocols on one interface.
const maxDissectors = 16

// innerFrame takes a frame of an interface with inner streams. Whether they
// are wanted is decided with the first of them: by then it is known whether
// the wire can be decrypted.
func (x *reader) innerFrame(i *capture.Interface, f *capture.Frame) {
	in := x.inner[i.Index]
	if in == nil {
		in = x.openInner(i)
		x.inner[i.Index] = in
	}
	switch {
	case in.skip:
	case f.Link == capture.LinkUpperPDU:
		in.record(f)
	default:
		in.tcp(f)
	}
}

func (x *reader) openInner(i *capture.Interface) *innerInterface {
	in := &innerInterface{reader: x, number: new(int)}
	name, ours := strings.CutPrefix(i.Name, record.InnerPrefix)
	if !ours {
		return in
	}
	if path, _, ok := strings.Cut(name, " "); ok {
		in.path = path
	}
	client, server, ok := record.ParseCarrier(i.Description)
	if !ok {
		return in
	}
	in.carrier = x.convs[ends{client, server}]
	if in.carrier == nil { // one number for all that a connection carried
		in.carrier = &conversation{reader: x}
		x.remember(ends{client, server}, in.carrier)
	}
	in.number = &in.carrier.number
	in.skip = !x.options.Inner && in.carrier.proto != "" && !in.carrier.blind()
	return in
}

// record takes an upper PDU record: a piece of the stream of its protocol.
func (in *innerInterface) record(f *capture.Frame) {
	var pdu link.UpperPDU
	if err := wire.Parse(f.Data, &pdu, wire.Dialect{}); err != nil {
		in.reader.summary.Remarks["upper PDU records are broken"]++
		return
	}
	d := in.decoder(pdu.Dissector())
	if d == nil {
		in.reader.summary.Remarks["upper PDU records are of no known protocol"]++
		return
	}
	dir := wire.S2C
	src, dst := pdu.Addrs()
	if client, _, ok := record.ParseCarrier(in.description(f)); ok {
		if src == client {
			dir = wire.C2S
		}
	} else if src.Port() > dst.Port() { // a guess, as for TCP without its beginning
		dir = wire.C2S
	}
	d.Feed(trace.Chunk{
		Dir: dir, Data: pdu.Data, Time: f.Time,
		Spans: []trace.Span{{Frame: f.N, Off: len(f.Data) - len(pdu.Data), Len: len(pdu.Data)}},
	})
}

func (in *innerInterface) description(f *capture.Frame) string {
	return in.reader.file.Interfaces()[f.Interface].Description
}

func (in *innerInterface) decoder(dissector string) trace.Decoder {
	if d, ok := in.decoders[dissector]; ok || len(in.decoders) >= maxDissectors {
		return d
	}
	if in.decoders == nil {
		in.decoders = make(map[string]trace.Decoder)
	}
	x := in.reader
	var d trace.Decoder
	if f, ok := x.options.Decoders.Find(dissector); ok {
		d = f.New(x.decoding(in.path, x.emitter(in.number)))
	}
	in.decoders[dissector] = d
	return d
}

// tcp takes a frame of a stream that was written as TCP.
func (in *innerInterface) tcp(f *capture.Frame) {
	x := in.reader
	if x.streams == nil {
		o := x.options.Flow
		o.Open = func(*flow.Conversation) flow.Sink { return x.conversation(x.current.path) }
		x.streams = flow.New(o)
	}
	x.current = in
	x.streams.Feed(f)
}

func (in *innerInterface) close() {
	for _, d := range in.decoders {
		if d != nil {
			d.Close()
		}
	}
}
