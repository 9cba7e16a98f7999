package value_test

import (
	"math"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/value"
)

func TestLiteral(t *testing.T) {
	at := time.Date(2024, 7, 1, 10, 0, 0, 5000, time.UTC)
	for _, row := range []struct {
		arg  any
		mode lexer.Mode
		want string
	}{
		{nil, 0, "NULL"},
		{-7, 0, "-7"},
		{uint64(math.MaxUint64), 0, "18446744073709551615"},
		{true, 0, "1"},
		{0.1, 0, "1e-01"},
		{float32(0.1), 0, "1e-01"},
		{0.0, 0, "0e+00"},
		{"it's", 0, `'it\'s'`},
		{"it's \\", lexer.NoBackslashEscapes, `'it''s \'`},
		{[]byte("a'b"), 0, `_binary'a\'b'`},
		{[]byte{}, 0, "_binary''"},
		{mysql.Bit([]byte{1, 0xff}), 0, "x'01ff'"},
		{mysql.Decimal([]byte("-12.50")), 0, "-12.50"},
		{mysql.Decimal([]byte("1; DROP")), 0, "'1; DROP'"},
		{mysql.Decimal([]byte(".")), 0, "'.'"},
		{at, 0, "'2024-07-01 12:00:00.000005'"},
		{mysql.DateTime{}, 0, "'0000-00-00 00:00:00'"},
		{-time.Hour, 0, "'-01:00:00'"},
	} {
		v, err := value.Of(row.arg, time.FixedZone("", 7200))
		if err != nil {
			t.Errorf("%v: %v", row.arg, err)
			continue
		}
		got, err := value.AppendLiteral([]byte("="), v, row.mode)
		if err != nil || string(got) != "="+row.want {
			t.Errorf("%v: got %s, %v, want %s", row.arg, got, err, row.want)
		}
	}
	for _, x := range []float64{math.Inf(1), math.Inf(-1), math.NaN()} {
		if got, err := value.AppendLiteral(nil, mysql.Double(x), 0); err == nil {
			t.Errorf("%v: got %s", x, got)
		}
	}
}

// FuzzLiteral: whatever is in a text, its literal is one token that stands for
// the text, for every session that reads it as it was told.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "a", `'`, `\`, `\'`, "'; DROP TABLE t -- ", "\x00\n\r\x1a\"%_", "ü🐦", "\xff\xbf'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, mode := range []lexer.Mode{0, lexer.NoBackslashEscapes, lexer.ANSIQuotes, lexer.ANSIQuotes | lexer.NoBackslashEscapes} {
			literal, err := value.AppendLiteral(nil, mysql.String(s), mode)
			if err != nil {
				t.Fatal(err)
			}
			tokens := 0
			for token := range lexer.Tokens(string(literal), lexer.Config{Mode: mode}) {
				if token.Kind != lexer.String {
					t.Fatalf("mode %d: %q has a token of kind %s", mode, literal, token.Kind)
				}
				tokens++
			}
			if got := lexer.Unquote(string(literal), mode); tokens != 1 || got != s {
				t.Errorf("mode %d: %q is %d tokens and stands for %q, want %q", mode, literal, tokens, got, s)
			}
		}
	})
}
