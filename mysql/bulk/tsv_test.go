package bulk_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/bulk"
)

func TestTSV(t *testing.T) {
	at := time.Date(2024, 7, 1, 10, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		v    any
		want string
	}{
		{nil, `\N`},
		{"", ""},
		{`\N`, `\\N`},
		{"a\tb\nc\rd\x00e\\f", `a\tb\nc\rd\0e\\f`},
		{"ü🐦'\"", "ü🐦'\""},
		{[]byte(nil), `\N`},
		{[]byte{0xff}, "\xff"},
		{-5, "-5"},
		{true, "1"},
		{0.1, "1e-01"},
		{float32(0.1), "1e-01"},
		{math.NaN(), `\N`},
		{at, "2024-07-01 12:00:00"},
		{90 * time.Second, "00:01:30"},
		{mysql.Decimal([]byte("1.50")), "1.50"},
	} {
		var b bytes.Buffer
		w := bulk.NewTSVWriter(&b, time.FixedZone("", 7200))
		if err := w.Write("first", row.v); err != nil {
			t.Errorf("%v: %v", row.v, err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got, want := b.String(), "first\t"+row.want+"\n"; got != want {
			t.Errorf("%v: got %q, want %q", row.v, got, want)
		}
	}
	var b bytes.Buffer
	w := bulk.NewTSVWriter(&b, nil)
	if err := w.Write(1, struct{}{}); err == nil {
		t.Error("a struct was written")
	}
	if err := w.Flush(); err != nil || b.Len() != 0 {
		t.Errorf("%q was written, %v", b.String(), err)
	}
}
