package mysqlshell

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
)

// plan shows how the server would run a statement, or with analyze how it ran
// it, as a tree.
func (s *Shell) plan(ctx context.Context, arg string) error {
	verb, analyze := "EXPLAIN FORMAT=JSON ", false
	if word, rest, ok := strings.Cut(arg, " "); ok && strings.EqualFold(word, "analyze") {
		arg, analyze = rest, true
	}
	if strings.TrimSpace(arg) == "" {
		return &UsageError{"plan needs a statement, as in: plan select 1"}
	}
	if err := s.Connect(ctx); err != nil {
		return err
	}
	switch {
	case analyze && s.conn.Server().MariaDB:
		verb = "ANALYZE FORMAT=JSON "
	case analyze:
		verb = "EXPLAIN ANALYZE FORMAT=JSON "
	}
	text, err := s.cell(ctx, verb+arg)
	if code, _, _ := serverError(err); analyze && code != 0 && !s.conn.Server().MariaDB {
		text, err = s.cell(ctx, "EXPLAIN ANALYZE "+arg) // servers before 8.3 have it as text alone
	}
	if err != nil {
		return err
	}
	tree, err := Plan([]byte(text))
	if err != nil { // what it is in its own words
		tree = strings.TrimRight(text, "\n") + "\n"
	}
	_, err = s.out.Write(format.AppendHarmless(nil, []byte(tree), true))
	return err
}

// cell asks for one cell.
func (s *Shell) cell(ctx context.Context, sql string) (string, error) {
	all, err := column(ctx, s.conn, sql, 1)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

// planNode is a value of the server's JSON, with its members in their order.
type planNode struct {
	key      string
	value    string // of what is no object and no array
	children []*planNode
	leaf     bool
	list     bool
}

// maxPlanDepth bounds how deep the server's JSON may nest.
const maxPlanDepth = 200

// Plan renders the JSON of EXPLAIN FORMAT=JSON, in either version of MySQL's
// and in MariaDB's shape, as a tree: an operation per line with what it costs,
// and a mark where a whole table is read or an estimate was far off.
func Plan(text []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	root, err := readPlan(dec, "", 0)
	if err != nil {
		return "", err
	}
	if root.leaf || root.list {
		return "", errors.New("the plan is no JSON object")
	}
	var b strings.Builder
	if p := root.get("query_plan"); p != nil {
		drawPlan(&b, operations(p), "", "")
		return b.String(), nil
	}
	for _, c := range root.children {
		if !c.leaf && c.key != "query_optimization" {
			drawPlan(&b, blocks(c), "", "")
		}
	}
	return b.String(), nil
}

func readPlan(dec *json.Decoder, key string, depth int) (*planNode, error) {
	if depth > maxPlanDepth {
		return nil, errors.New("the plan nests too deep")
	}
	t, err := dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := &planNode{key: key}
	d, nested := t.(json.Delim)
	if !nested {
		n.leaf, n.value = true, fmt.Sprint(t)
		if t == nil {
			n.value = "null"
		}
		return n, nil
	}
	n.list = d == '['
	for dec.More() {
		name := ""
		if !n.list {
			t, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ = t.(string)
		}
		c, err := readPlan(dec, name, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
	}
	_, err = dec.Token()
	return n, err
}

func (n *planNode) get(keys ...string) *planNode {
	for _, key := range keys {
		for _, c := range n.children {
			if c.key == key {
				return c
			}
		}
	}
	return nil
}

// text returns the member with the first of the keys that there is.
func (n *planNode) text(keys ...string) string {
	if c := n.get(keys...); c != nil && c.leaf {
		return c.value
	}
	return ""
}

// step is a line of the tree.
type step struct {
	title string
	notes []string // below it
	below []*step
}

// operations reads MySQL's second version: operations with their inputs.
func operations(n *planNode) *step {
	s := &step{title: n.text("operation", "access_type")}
	s.title += numbers(n)
	if n.text("access_type") == "table" && n.text("index_name") == "" {
		s.title += scanMark(n)
	}
	for _, c := range n.children {
		if c.list && strings.HasPrefix(c.key, "inputs") {
			for _, in := range c.children {
				s.below = append(s.below, operations(in))
			}
		}
	}
	return s
}

// blocks reads MySQL's first version and MariaDB's: blocks in blocks.
func blocks(n *planNode) *step {
	if n.key == "table" {
		return tableStep(n)
	}
	s := &step{title: strings.ReplaceAll(n.key, "_", " ")}
	if id := n.text("select_id"); id != "" {
		s.title += " " + id
	}
	for _, flag := range []string{"using_filesort", "using_temporary_table", "dependent", "cacheable"} {
		if n.text(flag) == "true" && flag != "cacheable" {
			s.title += ", " + strings.ReplaceAll(flag, "_", " ")
		}
	}
	for _, key := range []string{"operation", "union_result", "sort_key", "message", "join_type"} {
		if v := n.text(key); v != "" {
			s.title += " " + v
		}
	}
	s.title += numbers(n)
	s.below = inside(n)
	return s
}

// inside returns the steps of what stands in n.
func inside(n *planNode) []*step {
	var all []*step
	for _, c := range n.children {
		switch {
		case c.leaf, c.key == "cost_info", c.key == "used_columns", c.key == "possible_keys", c.key == "used_key_parts", c.key == "key_parts", c.key == "ref", c.key == "r_engine_stats":
		case c.list && c.key == "": // an array in an array
			all = append(all, inside(c)...)
		case c.list && allLeaves(c):
		case c.key == "": // an object in an array: its members count
			if len(c.children) == 1 {
				all = append(all, inside(c)...)
			} else {
				c.key = "block"
				all = append(all, blocks(c))
			}
		default:
			all = append(all, blocks(c))
		}
	}
	return all
}

func allLeaves(n *planNode) bool {
	for _, c := range n.children {
		if !c.leaf {
			return false
		}
	}
	return true
}

func tableStep(n *planNode) *step {
	s := &step{title: "table " + orElse(n.text("table_name"), "?")}
	if m := n.text("message"); m != "" {
		s.title += " " + m
	}
	if a := n.text("access_type"); a != "" {
		s.title += "  " + a
	}
	if k := n.text("key"); k != "" {
		s.title += " by " + k
	}
	s.title += numbers(n)
	if n.text("access_type") == "ALL" {
		s.title += scanMark(n)
	}
	for _, key := range []string{"attached_condition", "index_condition"} {
		if v := n.text(key); v != "" {
			s.notes = append(s.notes, strings.ReplaceAll(key, "_", " ")+": "+v)
		}
	}
	s.below = inside(n)
	return s
}

// numbers are the rows and costs of a step: as estimated, and as they were.
func numbers(n *planNode) string {
	estimate := n.text("estimated_rows", "rows_examined_per_scan", "rows")
	actual := n.text("actual_rows", "r_rows")
	cost := n.text("estimated_total_cost", "cost")
	if info := n.get("cost_info"); info != nil {
		cost = info.text("prefix_cost", "query_cost", "sort_cost")
	}
	took := n.text("actual_last_row_ms", "r_total_time_ms", "r_table_time_ms")
	var parts []string
	if estimate != "" {
		parts = append(parts, "rows="+short(estimate))
	}
	if v := n.text("filtered"); v != "" && v != "100" && v != "100.00" {
		parts = append(parts, "filtered="+v+"%")
	}
	if cost != "" {
		parts = append(parts, "cost="+short(cost))
	}
	if actual != "" {
		parts = append(parts, "actual="+short(actual))
	}
	if loops := n.text("actual_loops", "r_loops"); loops != "" && loops != "1" {
		parts = append(parts, "loops="+loops)
	}
	if took != "" {
		parts = append(parts, "ms="+short(took))
	}
	if len(parts) == 0 {
		return ""
	}
	return "  (" + strings.Join(parts, " ") + ")" + estimateMark(estimate, actual)
}

// Where to look first.
const (
	scanRows    = 1000 // a whole table of these many rows is worth a mark
	estimateOff = 10   // and so is an estimate that was wrong by this factor
)

func scanMark(n *planNode) string {
	rows, err := strconv.ParseFloat(n.text("actual_rows", "r_rows", "estimated_rows", "rows_examined_per_scan", "rows"), 64)
	if err == nil && rows >= scanRows {
		return "  << reads the whole table"
	}
	return ""
}

func estimateMark(estimate, actual string) string {
	e, err1 := strconv.ParseFloat(estimate, 64)
	a, err2 := strconv.ParseFloat(actual, 64)
	if err1 != nil || err2 != nil || max(e, a) < 100 {
		return ""
	}
	factor := max(e, a) / max(1, min(e, a))
	if factor < estimateOff {
		return ""
	}
	return fmt.Sprintf("  << estimate is off by %.0f times", factor)
}

// short rounds a number for people.
func short(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// drawPlan writes a step and what is below it.
func drawPlan(b *strings.Builder, s *step, first, rest string) {
	fmt.Fprintf(b, "%s%s\n", first, s.title)
	for _, n := range s.notes {
		bar := "   "
		if len(s.below) > 0 {
			bar = "│  "
		}
		fmt.Fprintf(b, "%s%s%s\n", rest, bar, n)
	}
	for i, c := range s.below {
		if i == len(s.below)-1 {
			drawPlan(b, c, rest+"└─ ", rest+"   ")
		} else {
			drawPlan(b, c, rest+"├─ ", rest+"│  ")
		}
	}
}
