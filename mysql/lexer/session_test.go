package lexer_test

import (
	"testing"

	"github.com/wirelark/wirelark/mysql/lexer"
)

func TestChangesSession(t *testing.T) {
	tests := []struct {
		sql  string
		want bool
	}{
		{"SELECT 1", false},
		{"(SELECT 1) UNION (SELECT 2);", false},
		{"/* x */ insert into t values ('@a; USE x')", false},
		{"SELECT 1; USE x", true},
		{"SET @a = 1", true},
		{"SELECT @a := 1", true},
		{"SELECT Get_Lock('x', 1)", true},
		{"CALL p()", true},
		{"", false},
	}
	for _, x := range tests {
		if got := lexer.ChangesSession(x.sql, lexer.Config{}); got != x.want {
			t.Errorf("ChangesSession(%q) = %v, want %v", x.sql, got, x.want)
		}
	}
}

func TestVersionNumber(t *testing.T) {
	for version, want := range map[string]int{"8.0.36-log": 80036, "10.11.6-MariaDB": 101106, "9": 90000, "x.y": 0, "": 0, "999.1.1": 990101} {
		if got := lexer.VersionNumber(version); got != want {
			t.Errorf("VersionNumber(%q) = %d, want %d", version, got, want)
		}
	}
}

func TestModeOf(t *testing.T) {
	for text, want := range map[string]lexer.Mode{
		"": 0, "STRICT_ALL_TABLES": 0, "ansi_quotes": lexer.ANSIQuotes,
		"REAL_AS_FLOAT,ANSI,NO_BACKSLASH_ESCAPES": lexer.ANSIQuotes | lexer.NoBackslashEscapes,
	} {
		if got := lexer.ModeOf(text); got != want {
			t.Errorf("ModeOf(%q) = %v, want %v", text, got, want)
		}
	}
}
