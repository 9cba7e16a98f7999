package trace_test

import (
	"reflect"
	"testing"

	"github.com/wirelark/wirelark/trace"
)

func TestSpans(t *testing.T) {
	spans := []trace.Span{{Frame: 1, Off: 54, Len: 10}, {Frame: 2, Off: 66, Len: 5}}
	for _, v := range []struct {
		n          int
		of, behind []trace.Span
	}{
		{0, nil, spans},
		{4, []trace.Span{{Frame: 1, Off: 54, Len: 4}}, []trace.Span{{Frame: 1, Off: 58, Len: 6}, {Frame: 2, Off: 66, Len: 5}}},
		{10, spans[:1], spans[1:]},
		{12, []trace.Span{{Frame: 1, Off: 54, Len: 10}, {Frame: 2, Off: 66, Len: 2}}, []trace.Span{{Frame: 2, Off: 68, Len: 3}}},
		{15, spans, nil},
		{99, spans, nil},
	} {
		if got := trace.SpansOf(spans, v.n); !same(got, v.of) {
			t.Errorf("SpansOf %d = %v, want %v", v.n, got, v.of)
		}
		if got := trace.SpansBehind(spans, v.n); !same(got, v.behind) {
			t.Errorf("SpansBehind %d = %v, want %v", v.n, got, v.behind)
		}
	}
	if want := (trace.Span{Frame: 1, Off: 54, Len: 10}); spans[0] != want {
		t.Errorf("the spans were changed: %v", spans)
	}
}

func same(a, b []trace.Span) bool { return len(a)+len(b) == 0 || reflect.DeepEqual(a, b) }
