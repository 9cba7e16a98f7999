package trace_test

import (
	"testing"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// What waits to be recognised counts in the budget until it is decided.
func TestDetectBudget(t *testing.T) {
	fs := trace.Factories{{Proto: "p", Detect: func(_, _ []byte) trace.Verdict { return trace.Maybe }}}
	b := &trace.Budget{Bytes: 3000}
	decided := 0
	open := func() trace.Decoder {
		return fs.Detect(trace.Options{Budget: b}, func(string) { decided++ })
	}
	first, second := open(), open()
	chunk := trace.Chunk{Dir: wire.C2S, Data: make([]byte, 1000)}
	first.Feed(chunk)
	if decided != 0 || b.Refused != 0 {
		t.Errorf("the first: decided %d, refused %d", decided, b.Refused)
	}
	second.Feed(chunk)
	if decided != 1 || b.Refused != 1 {
		t.Errorf("the second: decided %d, refused %d", decided, b.Refused)
	}
	first.Close()
	second.Close()
	if b.Bytes != 3000 {
		t.Errorf("%d of 3000 bytes are given back", b.Bytes)
	}
}
