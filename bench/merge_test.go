package main

import "testing"

func TestMerge(t *testing.T) {
	order := []section{{title: "One"}, {title: "Two"}, {title: "Three"}}
	old := "# Head\n\n- 2026-01-01 00:00 UTC\n\n## One\n\nold one\n\n## Three\n\nold three\n"
	fresh := "# Head\n\n- machine: 9 cores\n- go1.99, x\n- 2026-02-02 00:00 UTC\n- took 1m\n\n## Two\n\nnew two\n\n## Three\n\nnew three\n"
	want := "# Head\n\n- 2026-01-01 00:00 UTC\n\n## One\n\nold one\n" +
		"\n## Two\n\nMeasured apart from the rest: go1.99, x; 2026-02-02 00:00 UTC; took 1m.\n\nnew two\n" +
		"\n## Three\n\nMeasured apart from the rest: go1.99, x; 2026-02-02 00:00 UTC; took 1m.\n\nnew three\n"
	if got := merge(old, fresh, order); got != want {
		t.Errorf("merged:\n%s\nwant:\n%s", got, want)
	}
	// What has been merged once can be merged again.
	if got := merge(want, fresh, order); got != want {
		t.Errorf("merged twice:\n%s\nwant:\n%s", got, want)
	}
}
