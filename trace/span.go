package trace

// SpansOf returns where the first n bytes came from of those that spans cover.
// The result does not share memory with spans.
func SpansOf(spans []Span, n int) []Span {
	var list []Span
	for _, s := range spans {
		if n <= 0 {
			break
		}
		s.Len = min(s.Len, n)
		n -= s.Len
		list = append(list, s)
	}
	return list
}

// SpansBehind returns where the bytes came from behind the first n of those
// that spans cover. The result may alias spans, which stays as it is.
func SpansBehind(spans []Span, n int) []Span {
	for len(spans) > 0 && n >= spans[0].Len {
		n -= spans[0].Len
		spans = spans[1:]
	}
	if n > 0 && len(spans) > 0 {
		spans = append([]Span(nil), spans...)
		spans[0].Off += n
		spans[0].Len -= n
	}
	return spans
}
