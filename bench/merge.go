package main

import (
	"fmt"
	"slices"
	"strings"
)

// merge puts the sections of a report into an older one, in the order of the
// program, and says there when they were measured. The head and the other
// sections stay as they were.
func merge(older, newer string, order []section) string {
	head, old := divide(older)
	newHead, fresh := divide(newer)
	if head == "" {
		head = newHead
	}
	when := ""
	for l := range strings.Lines(newHead) {
		l = strings.TrimSpace(l)
		if date := strings.TrimPrefix(l, "- "); strings.HasSuffix(l, " UTC") || strings.HasPrefix(date, "took ") || strings.HasPrefix(date, "go1.") {
			when += date + "; "
		}
	}
	var b strings.Builder
	b.WriteString(head)
	for _, s := range order {
		text, ok := fresh[s.title]
		if ok {
			text = fmt.Sprintf("\nMeasured apart from the rest: %s.\n%s", strings.TrimSuffix(when, "; "), text)
		} else if text, ok = old[s.title]; !ok {
			continue
		}
		b.WriteString("\n## " + s.title + "\n" + text)
	}
	return b.String()
}

// divide returns what stands before the first section of a report, and the texts
// below the titles.
func divide(text string) (head string, sections map[string]string) {
	parts := strings.Split(text, "\n## ")
	sections = map[string]string{}
	for _, p := range slices.Backward(parts[1:]) {
		title, body, _ := strings.Cut(p, "\n")
		if !strings.HasSuffix(body, "\n") {
			body += "\n"
		}
		sections[title] = body
	}
	return parts[0], sections
}
