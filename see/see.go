// Package see reads capture files and shows the messages in them: frames are
// put together to TCP streams, each conversation is recognised by what its
// sides say and not by its ports, decrypted with the secrets that the file or
// a key log has, and decoded; every message has a number, and every answer
// knows what it answers and how long that took.
//
//	_, err := see.Read(ctx, file, see.Options{Emit: func(m *trace.Message) {
//		fmt.Println(m.Time, m.Name)
//	}})
//
// A file written by package record may hold decrypted inner streams beside the
// wire. They are used where the wire cannot be decrypted, or instead of it with
// Options.Inner.
//
// Secrets may stand anywhere in a file that can be read twice: an [io.Seeker].
// In a pipe they count for what stands behind them, which is where package
// record puts them and other tools sometimes do not.
//
// [Output] renders the messages as text or JSON, [Scrub] makes a copy of a
// capture that can be given away.
//
// It is for files. It knows the protocols of its decoders, [Decoders], and
// takes others.
package see

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/keylog"
	"github.com/wirelark/wirelark/link/flow"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/trace"
)

// Options say what to do with a capture. The zero value decodes and shows
// nothing.
type Options struct {
	// Emit is told of every message, in the order in which they are complete.
	Emit func(*trace.Message)

	Secrets  []byte          // text of key logs, beside what the capture itself holds
	Inner    bool            // read decrypted inner streams and not the wire
	Decoders trace.Factories // nil: [Decoders]
	Flow     flow.Options    // limits of reassembly; Open is ignored

	// MaxHeld is how many bytes all conversations together may keep of what is
	// not complete, beside what Flow allows: one that exceeds it is given up,
	// with a note. 0: 32 MiB.
	MaxHeld int64
	// MaxTries is how many places all searches behind holes may try, of some
	// 100 ns each; 0: 64 Mi.
	MaxTries int64
}

// Decoders returns the decoders of all protocols.
func Decoders() trace.Factories { return record.Decoders() }

// Summary is what there was in a capture.
type Summary struct {
	Frames        int64
	Messages      int64
	Conversations int64          // on the wire and recognised
	Unknown       int64          // TCP conversations with data that no decoder recognises
	Secrets       int            // of key logs and the capture
	Flow          flow.Stats     // of the wire
	Remarks       map[string]int // about conversations, such as holes, with how often
	Truncated     error          // the capture ends inside a block: a *capture.TruncatedError
}

// Read decodes the capture r. Its error is that of r, of the capture format,
// or the cause of ctx; Summary then says what was read before. A capture that
// ends too early is no error, see Summary.Truncated.
func Read(ctx context.Context, r io.Reader, o Options) (*Summary, error) {
	x := newReader(o)
	err := x.foresee(ctx, r)
	if err == nil {
		x.file, err = capture.NewReader(r)
	}
	if err != nil {
		return &Summary{}, fmt.Errorf("reading the capture: %w", err)
	}
	err = x.run(ctx)
	x.close()
	x.summary.Secrets = x.secrets.Len()
	if t, ok := errors.AsType[*capture.TruncatedError](err); ok {
		x.summary.Truncated, err = t, nil
	}
	if err != nil {
		err = fmt.Errorf("reading the capture: %w", err)
	}
	return &x.summary, err
}

// reader reads one capture.
type reader struct {
	file    *capture.Reader
	options Options
	secrets keylog.Secrets
	wire    *flow.Table
	inner   map[int]*innerInterface // by number of the interface
	streams *flow.Table             // of inner streams as TCP; nil before the first
	current *innerInterface         // that streams is fed from
	convs   map[ends]*conversation  // newest of the wire with these ends
	conns   int                     // numbers given away
	last    time.Time               // of the newest frame
	budget  *trace.Budget           // of all decoders
	summary Summary
}

func newReader(o Options) *reader {
	if o.Decoders == nil {
		o.Decoders = Decoders()
	}
	if o.Emit == nil {
		o.Emit = func(*trace.Message) {}
	}
	x := &reader{
		options: o, inner: make(map[int]*innerInterface), convs: make(map[ends]*conversation),
		summary: Summary{Remarks: make(map[string]int)},
	}
	if o.MaxHeld <= 0 {
		o.MaxHeld = 32 << 20
	}
	if o.MaxTries <= 0 {
		o.MaxTries = 64 << 20
	}
	x.budget = &trace.Budget{Bytes: o.MaxHeld, Tries: o.MaxTries}
	if bad := x.secrets.Add(o.Secrets); bad > 0 {
		x.summary.Remarks["lines of the key log are no secrets"] = bad
	}
	f := o.Flow
	f.Open = x.open
	x.wire = flow.New(f)
	return x
}

// foresee reads the secrets of r, if it can be read twice. What is wrong with
// the file the second reading tells.
func (x *reader) foresee(ctx context.Context, r io.Reader) error {
	again, ok := r.(io.Seeker)
	if !ok {
		return nil
	}
	start, err := again.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil //nolint:nilerr // a pipe
	}
	file, err := capture.NewReader(r)
	for n := 0; err == nil && file.Format() == capture.FormatPcapng; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var item capture.Item
		item, err = file.Next()
		if s, ok := item.(*capture.Secrets); ok {
			x.secrets.Add(s.Data)
		}
	}
	_, err = again.Seek(start, io.SeekStart)
	return err
}

// checkEvery is how many frames are read between two looks at the context.
const checkEvery = 256

func (x *reader) run(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		item, err := x.file.Next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch item := item.(type) {
		case *capture.Frame:
			x.frame(item)
		case *capture.Secrets:
			if bad := x.secrets.Add(item.Data); bad > 0 {
				x.summary.Remarks["lines of embedded secrets are none"] += bad
			}
		}
	}
}

func (x *reader) frame(f *capture.Frame) {
	x.summary.Frames++
	x.last = f.Time
	i := x.file.Interfaces()[f.Interface]
	if strings.HasPrefix(i.Name, record.InnerPrefix) || f.Link == capture.LinkUpperPDU {
		x.innerFrame(i, f)
		return
	}
	if !x.options.Inner {
		x.wire.Feed(f)
	}
}

func (x *reader) close() {
	x.wire.Close()
	for _, i := range x.file.Interfaces() {
		if in := x.inner[i.Index]; in != nil {
			in.close()
		}
	}
	if x.streams != nil {
		x.streams.Close()
	}
	x.summary.Flow = x.wire.Stats()
	if n := x.budget.Refused; n > 0 {
		x.summary.Remarks["directions are given up: all together hold or search too much"] = n
	}
}

// emitter returns the function that gives messages of one conversation their
// numbers. number is 0 until the first of them.
func (x *reader) emitter(number *int) trace.Emit {
	return func(m *trace.Message) {
		if *number == 0 {
			x.conns++
			*number = x.conns
		}
		if m.Time.IsZero() {
			m.Time = x.last
		}
		x.summary.Messages++
		m.N, m.Conn = x.summary.Messages, *number
		x.options.Emit(m)
	}
}
