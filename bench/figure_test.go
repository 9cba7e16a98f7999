package main

import (
	"errors"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	higher := line{names: sshParties, figure: figure{unit: "MiB/s"}, values: [columns][]float64{ours: {100, 400, 90}, theirs: {50, 100, 45}}}
	lower := line{names: sshParties, figure: figure{unit: "s", lower: true}, values: [columns][]float64{ours: {2, 1}, theirs: {4, 4}, openSSH: {1, 1}}}
	failed := line{values: [columns][]float64{ours: {1}, theirs: {1}}, errs: [columns]error{theirs: errors.New("no")}}
	tests := []struct {
		name   string
		l      line
		column int
		ratio  float64
		ok     bool
		goal   goal
		says   string
	}{
		{"the median of the ratios", higher, theirs, 2, true, goal{theirs, 2}, "≥ 2 × x: met"},
		{"missed", higher, theirs, 2, true, goal{theirs, 2.5}, "≥ 2.5 × x: **missed**"},
		{"less is better", lower, theirs, 3, true, goal{theirs, 3}, "≥ 3 × x: met"},
		{"we are slower", lower, openSSH, 0.75, true, goal{openSSH, 1}, "≥ 1 × OpenSSH: **missed**"},
		{"a value", lower, theirs, 3, true, goal{ours, 1.5}, "≤ 1.50 s: met"},
		{"a rate", higher, theirs, 2, true, goal{ours, 101}, "≥ 101 MiB/s: **missed**"},
		{"nobody to compare with", higher, openSSH, 0, false, goal{openSSH, 1}, ""},
		{"one that failed", failed, theirs, 0, false, goal{theirs, 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.l.ratio(tt.column); got != tt.ratio || ok != tt.ok {
				t.Errorf("ratio = %v, %v, want %v, %v", got, ok, tt.ratio, tt.ok)
			}
			if got := tt.l.verdict(tt.goal); got != tt.says {
				t.Errorf("verdict = %q, want %q", got, tt.says)
			}
		})
	}
}

func TestAlign(t *testing.T) {
	var b strings.Builder
	align(&b, [][]string{
		{"", "unit", "ours", "x", "OpenSSH", "ours : x", "ours : OpenSSH", "goal"},
		{"answer", "µs", "21.0", "42.0", "", "2.00", "", "met"},
	})
	got := strings.Split(strings.TrimSpace(b.String()), "\n")
	want := "| answer | µs   | 21.0 | 42.0 |         |     2.00 |                | met  |"
	if len(got) != 3 || got[2] != want {
		t.Errorf("align wrote\n%s\nwant as its last line\n%s", b.String(), want)
	}
}
