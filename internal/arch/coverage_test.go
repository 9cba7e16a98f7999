package arch

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/wire"
)

var update = flag.Bool("update", false, "write docs/coverage instead of comparing with it")

// A table is the coverage page of a protocol: which message is spoken, served
// and seen by which package, and by which tests it is tried.
type table struct {
	registry *wire.Registry
	pkg      string // the vocabulary
	title    string
	seats    [3][]string // packages that speak, serve, see
}

var tables = []table{
	{ssh.Messages, "ssh", "SSH", [3][]string{
		{"ssh/transport", "ssh/internal/kex", "ssh/internal/mux", "ssh/sshclient", "ssh/forward"},
		{"ssh/transport", "ssh/internal/kex", "ssh/internal/mux", "ssh/sshserver", "ssh/forward", "ssh/hostshell"},
		{"ssh", "ssh/sshdecode"},
	}},
	{sftp.Messages, "sftp", "SFTP", [3][]string{
		{"sftp/internal/session", "sftp/sftpclient", "sftp/transfer"},
		{"sftp/sftpserver"},
		{"sftp", "sftp/sftpdecode"},
	}},
	{mysql.Messages, "mysql", "MySQL", [3][]string{
		{"mysql/transport", "mysql/mysqlclient", "mysql/bulk"},
		{"mysql/transport", "mysql/mysqlserver"},
		{"mysql", "mysql/flow", "mysql/mysqldecode"},
	}},
}

// TestCoverage checks docs/coverage: every registered message has its row, no
// other has one, a seat that is claimed is taken and one that is taken is
// claimed, and the tests exist. With -update it writes the pages.
func TestCoverage(t *testing.T) {
	r := load(t)
	for _, tab := range tables {
		t.Run(tab.pkg, func(t *testing.T) {
			name := filepath.Join(root, "docs", "coverage", tab.pkg+".md")
			rows := tab.rows(r)
			if *update {
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, tab.page(rows), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			page, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range compare(parseRows(page), rows, testNames(r)) {
				t.Errorf("docs/coverage/%s.md: %s (go test ./internal/arch -update writes the page)", tab.pkg, e)
			}
		})
	}
}

// row is one message: number and name, three seats, tests; cells hold
// comma-separated names, or a dash.
type row struct {
	number, name string
	seats        [3][]string
	tests        []string
}

func (tab *table) rows(r *repo) []row {
	users := tab.users(r, false)
	testers := tab.users(r, true)
	var rows []row
	for e := range tab.registry.All() {
		typ := reflect.TypeOf(e.New()).Elem().Name()
		out := row{number: fmt.Sprint(e.Number), name: e.Name}
		if e.Bare {
			out.number = "none"
		} else if e.Context != "" {
			out.name += " (" + e.Context + ")"
		}
		for i, packages := range tab.seats {
			for _, pkg := range packages {
				if i == 2 && pkg == tab.pkg { // every registered message is decoded; who looks into it?
					continue
				}
				if users[typ][pkg] != nil {
					out.seats[i] = append(out.seats[i], pkg)
				}
			}
		}
		if len(out.seats[2]) == 0 {
			out.seats[2] = []string{"registry"}
		}
		for pkg, tests := range testers[typ] {
			for _, test := range tests {
				out.tests = append(out.tests, pkg+"."+test)
			}
		}
		slices.Sort(out.tests)
		out.tests = append([]string{tab.pkg + ".TestMessages"}, pick(out.tests, tab.pkg, 3)...)
		rows = append(rows, out)
	}
	return rows
}

// pick takes at most n of tests, those of other packages than pkg first, and
// one of each package before a second one.
func pick(tests []string, pkg string, n int) []string {
	var out []string
	taken := map[string]bool{}
	for _, again := range []bool{false, true} {
		for _, own := range []bool{false, true} {
			for _, test := range tests {
				p, _, _ := strings.Cut(test, ".")
				if len(out) < n && (p == pkg) == own && taken[p] == again && !slices.Contains(out, test) {
					out, taken[p] = append(out, test), true
				}
			}
		}
	}
	return out
}

// users returns which packages use which type of the vocabulary, and in which
// functions.
func (tab *table) users(r *repo, tests bool) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	use := func(typ, pkg, function string) {
		if out[typ] == nil {
			out[typ] = map[string][]string{}
		}
		if !slices.Contains(out[typ][pkg], function) {
			out[typ][pkg] = append(out[typ][pkg], function)
		}
	}
	for _, f := range r.files {
		if f.test != tests {
			continue
		}
		for _, d := range f.ast.Decls {
			function := ""
			if fn, ok := d.(*ast.FuncDecl); ok {
				function = fn.Name.Name
			}
			if tests && !strings.HasPrefix(function, "Test") {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == tab.pkg {
						// NewSymlink makes a Symlink, AppendWriteHeader builds a Write in place.
						name := strings.TrimPrefix(strings.TrimPrefix(n.Sel.Name, "New"), "Append")
						use(strings.TrimSuffix(name, "Header"), f.pkg, function)
					}
				case *ast.CompositeLit:
					if x, ok := n.Type.(*ast.Ident); ok && f.pkg == tab.pkg {
						use(x.Name, f.pkg, function)
					}
				}
				return true
			})
		}
	}
	return out
}

func (tab *table) page(rows []row) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s: messages, seats and tests\n\n", tab.title)
	fmt.Fprintf(&b, "For every message of the registry: the packages that speak, serve and look into it, and tests that try it. "+
		"*registry* means that the decoder shows its fields, as it does for all, and does nothing else with it. "+
		"`internal/arch` checks this page against the code; `go test ./internal/arch -update` writes it.\n\n")
	b.WriteString("| number | message | speak | serve | see | tests |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.number, r.name, cell(r.seats[0]), cell(r.seats[1]), cell(r.seats[2]), cell(r.tests))
	}
	return b.Bytes()
}

func cell(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names, ", ")
}

func parseRows(page []byte) []row {
	var rows []row
	for line := range strings.Lines(string(page)) {
		c := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(c) != 6 || strings.HasPrefix(c[0], "---") || strings.TrimSpace(c[0]) == "number" {
			continue
		}
		names := func(s string) []string {
			if s = strings.TrimSpace(s); s == "–" {
				return nil
			}
			return strings.Split(s, ", ")
		}
		rows = append(rows, row{strings.TrimSpace(c[0]), strings.TrimSpace(c[1]), [3][]string{names(c[2]), names(c[3]), names(c[4])}, names(c[5])})
	}
	return rows
}

// compare returns what is untrue in the page.
func compare(page, code []row, tests map[string]bool) []string {
	var bad []string
	byName := map[string]row{}
	for _, r := range code {
		byName[r.name] = r
	}
	seen := map[string]bool{}
	for _, p := range page {
		c, ok := byName[p.name]
		switch {
		case !ok:
			bad = append(bad, p.name+" is in no registry")
			continue
		case seen[p.name]:
			bad = append(bad, p.name+" has two rows")
		case p.number != c.number:
			bad = append(bad, fmt.Sprintf("%s has the number %s, not %s", p.name, c.number, p.number))
		}
		seen[p.name] = true
		for i, seat := range []string{"speak", "serve", "see"} {
			for _, pkg := range p.seats[i] {
				if !slices.Contains(c.seats[i], pkg) {
					bad = append(bad, fmt.Sprintf("%s: %s does not %s it", p.name, pkg, seat))
				}
			}
			if len(p.seats[i]) == 0 && len(c.seats[i]) > 0 {
				bad = append(bad, fmt.Sprintf("%s: %s is not mentioned, it can %s it", p.name, c.seats[i][0], seat))
			}
		}
		if len(p.tests) == 0 {
			bad = append(bad, p.name+" has no test")
		}
		for _, test := range p.tests {
			if !tests[test] {
				bad = append(bad, fmt.Sprintf("%s: there is no test %s", p.name, test))
			}
		}
	}
	for _, c := range code {
		if !seen[c.name] {
			bad = append(bad, c.name+" has no row")
		}
	}
	return bad
}

// testNames returns all tests as package.Test.
func testNames(r *repo) map[string]bool {
	out := map[string]bool{}
	for _, f := range r.files {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Test") {
				out[f.pkg+"."+fn.Name.Name] = true
			}
		}
	}
	return out
}

func TestCompare(t *testing.T) {
	code := []row{{"1", "ONE", [3][]string{{"a"}, nil, {"d"}}, nil}, {"2", "TWO", [3][]string{}, nil}}
	page := string((&table{title: "X"}).page([]row{
		{"1", "ONE", [3][]string{nil, {"b"}, {"d"}}, []string{"p.TestOne"}},
		{"1", "ONE", [3][]string{{"a"}, nil, {"d"}}, []string{"p.TestGone"}},
		{"9", "NINE", [3][]string{}, nil},
	}))
	got := strings.Join(compare(parseRows([]byte(page)), code, map[string]bool{"p.TestOne": true}), "\n")
	want := `ONE: a is not mentioned, it can speak it
ONE: b does not serve it
ONE has two rows
ONE: there is no test p.TestGone
NINE is in no registry
TWO has no row`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
