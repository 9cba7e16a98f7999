package mysqlshell

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
)

// The files hold what servers answered to EXPLAIN FORMAT=JSON of a join with a
// group: MySQL 9.7 in both versions of its format, MariaDB 10.11, and its
// ANALYZE FORMAT=JSON.
func TestPlan(t *testing.T) {
	files, err := filepath.Glob("testdata/plan/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			got, err := Plan(text)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Golden(t, "plan/"+name+".golden", []byte(got))
		})
	}
}

func TestPlanMarks(t *testing.T) {
	got, err := Plan([]byte(`{"query_block":{"select_id":1,"nested_loop":[
		{"table":{"table_name":"big","access_type":"ALL","rows":100000,"r_rows":5,"r_loops":1}},
		{"table":{"table_name":"small","access_type":"ALL","rows":5}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got, "\n")
	if !strings.Contains(lines[2], "<< estimate is off by 20000 times") || strings.Contains(lines[3], "<<") {
		t.Errorf("%s", got)
	}
	got, err = Plan([]byte(`{"query_plan":{"operation":"Table scan on big","access_type":"table","estimated_rows":2000}}`))
	if err != nil || !strings.Contains(got, "<< reads the whole table") {
		t.Errorf("%s (%v)", got, err)
	}
}

// What a server sends in place of a plan is an error, however deep it nests.
func TestPlanBadInput(t *testing.T) {
	for _, text := range []string{
		"", "1", "[]", `"x"`, "{", `{"a":`, `{"a":{}`, `{"query_plan":[1,{"inputs":[[[]]]}]`, "-> Table scan on t",
		strings.Repeat(`{"a":`, 100_000), strings.Repeat("[", 100_000),
	} {
		if got, err := Plan([]byte(text)); err == nil {
			t.Errorf("%.20q: %q", text, got)
		}
	}
	for _, text := range []string{`{}`, `{"query_plan":[]}`, `{"query_plan":1}`, `{"a":[[{"table":{}}]]}`, `{"query_block":{"table":[]}}`} {
		if _, err := Plan([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"query_block":{"select_id":1,"nested_loop":[{"table":{"table_name":"t","rows":1}}]}}`))
	f.Add([]byte(`{"query_plan":{"inputs":[{"operation":"x"}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := Plan(text)
		if err == nil && len(got) > 1000+2000*len(text) {
			t.Errorf("%d bytes of a plan of %d", len(got), len(text))
		}
	})
}
