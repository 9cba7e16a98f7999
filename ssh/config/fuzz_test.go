package config

import (
	"context"
	"slices"
	"testing"
	"time"
)

// FuzzLoad reads any text: no panic, and what is taken is taken again in the
// same way, within bounds.
func FuzzLoad(f *testing.F) {
	for _, c := range testCases(f) {
		f.Add(c.config, "foo")
	}
	f.Add("Include /a\nMatch final exec \"x\"\n  User %r\n", "a.b")
	f.Add("Match localnetwork ::/0,!10.0.0.0/8\nInclude ~root/x ~/y\n", "::1")
	f.Fuzz(func(t *testing.T, text, host string) {
		s := &Source{
			Files: []File{{Path: "file", Text: []byte(text), User: true}}, Local: local,
			Exec: func(context.Context, string) (bool, error) { return true, nil },
			disk: memory{"/a": "Include /b\nPort 1\n", "/b": "Include /a\n", "/c": text},
		}
		start := time.Now()
		c, err := s.Load(t.Context(), Query{Host: host})
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("reading took %v", took)
		}
		if err != nil {
			return
		}
		again, err := s.Load(t.Context(), Query{Host: host})
		if err != nil || !slices.Equal(again.Lines(), c.Lines()) {
			t.Errorf("the second time it is %q, %v; the first time %q", again.Lines(), err, c.Lines())
		}
		if c.Port < 1 || c.Port > 65535 || c.HostName == "" || c.ConnectionAttempts < 1 {
			t.Errorf("Config = %+v", c)
		}
	})
}

// FuzzJumps reads any list of hosts.
func FuzzJumps(f *testing.F) {
	f.Add("u@a:22,[::1]:3,ssh://x@y:5")
	f.Add("none")
	f.Fuzz(func(t *testing.T, s string) {
		jumps, err := ParseJumps(s)
		if err != nil {
			return
		}
		for _, j := range jumps {
			again, err := ParseJumps(j.String())
			if err != nil || len(again) != 1 || again[0] != j {
				t.Errorf("%q gives %+v, which reads as %+v, %v", s, j, again, err)
			}
		}
	})
}
