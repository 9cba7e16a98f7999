package shell

import (
	"slices"
	"testing"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		line  string
		texts []string
		magic []bool
	}{
		{"", nil, nil},
		{"   # only a comment", nil, nil},
		{"ls -l /tmp", []string{"ls", "-l", "/tmp"}, []bool{false, false, false}},
		{`get "a b" 'c d' e\ f`, []string{"get", "a b", "c d", "e f"}, []bool{false, false, false, false}},
		{`rm *.txt "*.bak" \*`, []string{"rm", "*.txt", "*.bak", "*"}, []bool{false, true, false, false}},
		{`put ''`, []string{"put", ""}, []bool{false, false}},
		{`get a#b`, []string{"get", "a#b"}, []bool{false, false}},
		{`get "a\"b"`, []string{"get", `a"b`}, []bool{false, false}},
		{`get 'a\b'`, []string{"get", `a\b`}, []bool{false, false}},
	} {
		words, err := split(tt.line)
		if err != nil {
			t.Errorf("split(%q) error %v", tt.line, err)
			continue
		}
		var texts []string
		var magic []bool
		for _, w := range words {
			texts = append(texts, w.Text)
			magic = append(magic, w.magic())
		}
		if !slices.Equal(texts, tt.texts) || !slices.Equal(magic, tt.magic) {
			t.Errorf("split(%q) = %q %v, want %q %v", tt.line, texts, magic, tt.texts, tt.magic)
		}
	}
	for _, line := range []string{`get "a`, `get 'a`, `get a\`} {
		if _, err := split(line); err == nil {
			t.Errorf("split(%q) succeeded", line)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(`get "a b" 'c' d\ e # comment`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := split(line)
		for _, w := range words {
			if err == nil && len(w.Text) > len(line) {
				t.Errorf("split(%q) made %q longer than the line", line, w.Text)
			}
		}
	})
}
