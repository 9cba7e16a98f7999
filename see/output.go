package see

import (
	"bufio"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/trace"
)

// Format is a way to write messages.
type Format uint8

const (
	Text   Format = iota // a line for each message, see [trace.Text]
	Fields               // a line for each message and one for each of its fields
	Hex                  // the same and the bytes
	JSON                 // one array of the objects of [trace.JSON]
	JSONL                // such an object a line
)

// ParseFormat returns the format of a name: "text", "fields", "hex", "json" or
// "jsonl".
func ParseFormat(name string) (Format, error) {
	for i, n := range []string{"text", "fields", "hex", "json", "jsonl"} {
		if n == name {
			return Format(i), nil
		}
	}
	return 0, fmt.Errorf("unknown format %q: use text, fields, hex, json or jsonl", name)
}

// Output writes messages in a format. It is not safe for concurrent use.
type Output struct {
	w      *bufio.Writer
	format Format
	text   trace.Text
	json   trace.JSON
	filter trace.Filter
	line   []byte
	n      int64
	err    error
}

// NewOutput returns an Output to w for the messages that filter chooses.
// Without reveal, secrets are masked. Close flushes it.
func NewOutput(w io.Writer, f Format, filter trace.Filter, reveal bool) *Output {
	o := &Output{w: bufio.NewWriterSize(w, 64<<10), format: f, filter: filter, json: trace.JSON{Reveal: reveal}}
	o.text = trace.Text{Reveal: reveal, Level: map[Format]trace.Level{Fields: trace.Tree, Hex: trace.Hex}[f]}
	return o
}

// Emit writes a message; it serves as Options.Emit. The first error is kept
// for Close.
func (o *Output) Emit(m *trace.Message) {
	if o.err != nil || !o.filter.Match(m) {
		return
	}
	b := o.line[:0]
	switch o.format {
	case JSON:
		b = append(b, [...]string{"[\n", ",\n"}[min(o.n, 1)]...)
		b = o.json.Append(b, m)
	case JSONL:
		b = append(o.json.Append(b, m), '\n')
	default:
		b = o.text.Append(b, m)
	}
	o.n++
	o.line = b
	_, o.err = o.w.Write(b)
}

// Err returns the first error so far.
func (o *Output) Err() error { return o.err }

// Close ends the output, flushes it and returns the first error.
func (o *Output) Close() error {
	if o.format == JSON && o.err == nil {
		end := "\n]\n"
		if o.n == 0 {
			end = "[]\n"
		}
		_, o.err = o.w.WriteString(end)
	}
	if err := o.w.Flush(); o.err == nil {
		o.err = err
	}
	return o.err
}
