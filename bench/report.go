package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// report writes everything as Markdown and returns how many figures failed.
func report(w io.Writer, m machine, began time.Time, tables []table) (failed int) {
	fmt.Fprintf(w, "# Wirelark beside others\n\nWritten by `go -C bench run .`; [its README](../bench/README.md) tells what the lines mean.\n")
	fmt.Fprintf(w, "Figures are medians of rounds in which the parties took turns; a ratio is the median of\nthe ratios of the rounds and, in brackets, that of the best rounds. Above 1 we are better.\n\n")
	for _, l := range m.lines() {
		fmt.Fprintf(w, "- %s\n", l)
	}
	fmt.Fprintf(w, "- took %v; load when it began %s, when it ended %s\n", time.Since(began).Round(time.Second), m.load, load())
	for _, t := range tables {
		fmt.Fprintf(w, "\n## %s\n\n", t.title)
		if t.err != nil {
			fmt.Fprintf(w, "Not measured: %v.\n", t.err)
			failed++
			continue
		}
		n := t.parties
		rows := [][]string{{"", "unit", n.full[ours], n.full[theirs], n.full[openSSH], "ours : " + n.short[theirs], "ours : " + n.short[openSSH], "goal"}}
		var errs []string
		for _, l := range t.lines {
			rows = append(rows, l.row())
			for i, err := range l.errs {
				if err != nil {
					failed++
					errs = append(errs, fmt.Sprintf("%s, %s: %v", l.name, n.full[i], err))
				}
			}
		}
		align(w, rows)
		for _, note := range append(t.notes, errs...) {
			fmt.Fprintf(w, "\n%s\n", note)
		}
	}
	return failed
}

// row returns the cells of a line.
func (l *line) row() []string {
	cells := []string{l.name, l.unit}
	for i := range columns {
		v, ok := l.median(i)
		switch {
		case l.errs[i] != nil:
			cells = append(cells, "failed")
		case ok:
			cells = append(cells, number(v))
		default:
			cells = append(cells, "")
		}
	}
	for _, i := range []int{theirs, openSSH} {
		if r, ok := l.ratio(i); ok {
			cells = append(cells, fmt.Sprintf("%.2f (%.2f)", r, l.best(i)))
		} else {
			cells = append(cells, "")
		}
	}
	var goals []string
	for _, g := range l.goals {
		if s := l.verdict(g); s != "" {
			goals = append(goals, s)
		}
	}
	return append(cells, strings.Join(goals, "; "))
}

// verdict says whether a goal is met; "" when the other party is not here.
func (l *line) verdict(g goal) string {
	var met, ok bool
	var text string
	if g.column == ours {
		var v float64
		v, ok = l.median(ours)
		sign := "≥"
		met = v >= g.value
		if l.lower {
			sign, met = "≤", v <= g.value
		}
		text = fmt.Sprintf("%s %s %s", sign, number(g.value), l.unit)
	} else {
		var r float64
		r, ok = l.ratio(g.column)
		met = math.Round(r*100)/100 >= g.value
		text = fmt.Sprintf("≥ %g × %s", g.value, l.names.short[g.column])
	}
	switch {
	case !ok:
		return ""
	case met:
		return text + ": met"
	}
	return text + ": **missed**"
}

func (l *line) summary() string {
	cells := l.row()
	return fmt.Sprintf("%s %s (%s); %s", strings.Join(cells[2:5], ", "), l.unit, strings.Join(l.names.short[:], ", "), cells[7])
}

// number writes three significant digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a == 0:
		return "0"
	case a < 0.01:
		return strconv.FormatFloat(v, 'g', 2, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// align writes a table that can be read without being rendered.
func align(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c), 3)
		}
	}
	right := func(i int) bool { return i >= 2 && i <= 6 }
	for n, r := range rows {
		var b strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if right(i) {
				b.WriteString("| " + pad + c + " ")
			} else {
				b.WriteString("| " + c + pad + " ")
			}
		}
		fmt.Fprintln(w, b.String()+"|")
		if n > 0 {
			continue
		}
		b.Reset()
		for i := range r {
			dashes := strings.Repeat("-", widths[i])
			if right(i) {
				b.WriteString("| " + dashes[1:] + ": ")
			} else {
				b.WriteString("| " + dashes + " ")
			}
		}
		fmt.Fprintln(w, b.String()+"|")
	}
}
