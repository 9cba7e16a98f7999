package arch

import (
	"bytes"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	r := load(t)
	if len(r.files) < 20 {
		t.Fatalf("only %d files found: the rules would prove nothing", len(r.files))
	}
	for _, rule := range rules {
		t.Run(strings.ReplaceAll(rule.name, " ", "-"), func(t *testing.T) {
			for _, v := range rule.check(r) {
				t.Error(v)
			}
			if t.Failed() {
				t.Logf("rule: %s\nwhy: %s", rule.name, rule.why)
			}
		})
	}
}

// Each row is a small repository that breaks one rule.
func TestRulesFindViolations(t *testing.T) {
	const doc = "// Package p is here.\npackage p\n"
	imports := func(paths ...string) string {
		s := doc
		for _, p := range paths {
			s += "import _ \"" + strings.Replace(p, "~", module, 1) + "\"\n"
		}
		return s
	}
	long := func(n int) string { return doc + strings.Repeat("\n", n-2) }
	tests := []struct {
		name  string
		check func(*repo) []string
		files map[string]string
		want  string // "" : nothing is wrong
	}{
		{"order", checkFloors, map[string]string{"wire/a.go": imports("~/trace")}, "wire imports trace"},
		{"order kept", checkFloors, map[string]string{"trace/a.go": imports("~/wire")}, ""},
		{"order in tests", checkFloors, map[string]string{"wire/a_test.go": imports("~/trace")}, ""},
		{"itself", checkFloors, map[string]string{"wire/a.go": imports("~/wire")}, "wire imports wire"},
		{"stranger", checkFloors, map[string]string{"else/a.go": doc}, "not in the list"},
		{"unlisted import", checkFloors, map[string]string{"see/a.go": imports("~/else")}, "imports else"},
		{"socket", checkVocabularies, map[string]string{"ssh/a.go": imports("net")}, "imports net"},
		{"address", checkVocabularies, map[string]string{"ssh/a.go": imports("net/netip", "io/fs", "~/wire")}, ""},
		{"logger", checkVocabularies, map[string]string{"sftp/a.go": imports("log/slog")}, "log/slog"},
		{"foreign module", checkVocabularies, map[string]string{"sftp/a.go": imports("golang.org/x/crypto/ssh")}, "x/crypto"},
		{"trace in a vocabulary", checkVocabularies, map[string]string{"link/a.go": imports("~/trace")}, "/trace"},
		{"not a vocabulary", checkVocabularies, map[string]string{"ssh/transport/a.go": imports("net")}, ""},
		{"goroutine", checkVocabularies, map[string]string{"ssh/a.go": doc + "func f() { go f() }"}, "a goroutine"},
		{"clock", checkVocabularies, map[string]string{"ssh/a.go": doc + "import \"time\"\nvar t = time.Now()"}, "time.Now"},
		{"parties", checkParties, map[string]string{"ssh/sshclient/a.go": imports("~/ssh/sshserver")}, "imports ssh/sshserver"},
		{"parties at a distance", checkParties, map[string]string{"ssh/sshclient/a.go": imports("~/record"), "record/a.go": imports("~/ssh/sshdecode")}, "ssh/sshdecode (through record)"},
		{"parties in tests", checkParties, map[string]string{"ssh/sshclient/a_test.go": imports("~/ssh/sshserver")}, ""},
		{"protocols", checkProtocols, map[string]string{"sftp/sftpclient/a.go": imports("~/ssh")}, "sftp/sftpclient imports ssh"},
		{"own protocol", checkProtocols, map[string]string{"sftp/sftpclient/a.go": imports("~/sftp", "~/wire")}, ""},
		{"exit", checkProcess, map[string]string{"see/a.go": doc + "import \"os\"\nfunc f() { os.Exit(1) }"}, "os.Exit"},
		{"print", checkProcess, map[string]string{"see/a.go": doc + "import \"fmt\"\nfunc f() { fmt.Println() }"}, "fmt.Println"},
		{"environment by name", checkProcess, map[string]string{"ssh/agent/a.go": doc + "import \"os\"\nfunc System() { os.Getenv(\"\") }"}, ""},
		{"environment beside it", checkProcess, map[string]string{"ssh/agent/a.go": doc + "import \"os\"\nfunc other() { os.Getenv(\"\") }"}, "os.Getenv"},
		{"command line", checkProcess, map[string]string{"internal/cli/a.go": doc + "import \"os\"\nfunc f() { os.Exit(1) }"}, ""},
		{"x/crypto/ssh", checkDependencies, map[string]string{"ssh/transport/a.go": imports("golang.org/x/crypto/ssh")}, "allowed in: ssh/keys"},
		{"x/crypto", checkDependencies, map[string]string{"ssh/packet/a.go": imports("golang.org/x/crypto/chacha20", "crypto/aes")}, ""},
		{"unknown module", checkDependencies, map[string]string{"see/a.go": imports("example.com/m")}, "example.com/m"},
		{"test module", checkDependencies, map[string]string{"see/a_test.go": imports("pgregory.net/rapid")}, ""},
		{"testkit", checkTestHelpers, map[string]string{"see/a.go": imports("~/internal/testkit")}, "internal/testkit"},
		{"testkit in a test", checkTestHelpers, map[string]string{"see/a_test.go": imports("~/internal/testkit", "testing")}, ""},
		{"test package", checkTestHelpers, map[string]string{"ssh/sshtest/a.go": imports("testing")}, ""},
		{"vague name", checkNames, map[string]string{"see/util.go": doc}, "see/util.go"},
		{"vague test", checkNames, map[string]string{"see/helpers_test.go": doc}, "helpers_test.go"},
		{"vague folder", checkNames, map[string]string{"see/common/a.go": doc}, "see/common"},
		{"long file", checkSizes, map[string]string{"see/a.go": long(501)}, "501 lines, 500"},
		{"full file", checkSizes, map[string]string{"see/a.go": long(500), "see/a_test.go": long(800)}, ""},
		{"long test", checkSizes, map[string]string{"see/a_test.go": long(801)}, "801 lines, 800"},
		{"long package", checkSizes, map[string]string{
			"see/a.go": long(500), "see/b.go": long(500), "see/c.go": long(500), "see/d.go": long(500),
			"see/e.go": long(500), "see/f.go": long(500), "see/g.go": long(2),
		}, "3002 lines"},
		{"comment", checkComments, map[string]string{"see/a.go": "package p\n", "see/b.go": doc}, ""},
		{"no comment", checkComments, map[string]string{"see/a.go": "// Something.\npackage p\n"}, "package see"},
		{"command", checkComments, map[string]string{"cmd/wirelark/a.go": "// Command x does it.\npackage main\n"}, ""},
		{"goroutine without end", checkGoStatements, map[string]string{"see/a.go": doc + "func f() {\n\tgo f()\n}\n"}, "see/a.go:4"},
		{"goroutine with end", checkGoStatements, map[string]string{"see/a.go": doc + "func f() {\n\tgo f() // stops when f returns\n\t// g stops when\n\t// it is closed.\n\tgo g()\n}\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &repo{fset: token.NewFileSet()}
			for name, src := range tt.files {
				r.add(t, name, src)
			}
			got := strings.Join(tt.check(r), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("the rule says %q, want %q", got, tt.want)
			}
		})
	}
}

// A list entry is a promise that the package exists or will; what is listed
// twice or out of its parent's protocol is a slip.
func TestFloorsAreASet(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range floors {
		if seen[p] {
			t.Errorf("%s is listed twice", p)
		}
		seen[p] = true
	}
}

// Nothing in the repository names places of the machine on which it was made.
func TestNoMachinePaths(t *testing.T) {
	var places [][]byte
	for _, p := range []string{"/wo" + "rk/", "/tmp/" + "w/", "../" + "shared", "/root" + "/.", "/home" + "/runner"} {
		places = append(places, []byte(p))
	}
	n := 0
	walkRepo(t, true, func(name string) {
		if strings.HasPrefix(filepath.Base(name), "wirelark") && !strings.Contains(name, ".") {
			return // a program that somebody built here
		}
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, p := range places {
			if i := bytes.Index(b, p); i >= 0 {
				t.Errorf("%s, line %d: %q means nothing to a reader elsewhere", name, 1+bytes.Count(b[:i], []byte("\n")), p)
			}
		}
	})
	if n < 20 {
		t.Errorf("only %d files were read", n)
	}
}
