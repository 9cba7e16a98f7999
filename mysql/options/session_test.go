package options_test

import (
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/options"
)

func TestSetNames(t *testing.T) {
	tests := []struct {
		charsets  []string
		collation string
		want      string
	}{
		{nil, "", ""},
		{[]string{"utf8", "latin1"}, "", "SET NAMES utf8"},
		{nil, "latin1_bin", "SET NAMES latin1 COLLATE latin1_bin"},
		{nil, "binary", "SET NAMES binary COLLATE binary"},
		{nil, "uca1400_ai_ci", "SET NAMES utf8mb4 COLLATE uca1400_ai_ci"},
		{[]string{"utf8mb3"}, "uca1400_ai_ci", "SET NAMES utf8mb3 COLLATE uca1400_ai_ci"},
	}
	for _, x := range tests {
		if got := options.SetNames(x.charsets, x.collation); got != x.want {
			t.Errorf("SetNames(%q, %q) = %q, want %q", x.charsets, x.collation, got, x.want)
		}
	}
}

func TestZoneName(t *testing.T) {
	tests := []struct {
		zone *time.Location
		want string
	}{
		{nil, ""},
		{time.UTC, "+00:00"},
		{time.FixedZone("x", 5*3600+1800), "+05:30"},
		{time.FixedZone("x", -5400), "-01:30"},
	}
	for _, x := range tests {
		if got, err := options.ZoneName(x.zone); got != x.want || err != nil {
			t.Errorf("ZoneName(%v) = %q, %v, want %q", x.zone, got, err, x.want)
		}
	}
}
