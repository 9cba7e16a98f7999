package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strings"
)

// A rule returns what violates it, one sentence each with the place.
type rule struct {
	name  string
	why   string
	check func(*repo) []string
}

var rules = []rule{
	{"a package imports only what stands above it in the list of floors", "so that the layers stay layers and the lower ones can be read and tested alone", checkFloors},
	{"a vocabulary imports only wire, frame and plain parts of the standard library, and has no goroutines, locks or clock", "so that messages and flows are pure: the same bytes give the same result for client, server, decoder and fuzzer", checkVocabularies},
	{"client, server and decoder of a protocol do not import each other", "so that they can only meet in the vocabulary, and each can be used without the others", checkParties},
	{"no protocol imports another", "so that each can be read, used and replaced alone; join, see, record and the command line bring them together", checkProtocols},
	{"libraries do not use the standard streams or the environment and do not end the process", "because they run inside other people's programs", checkProcess},
	{"a dependency is imported only where its decision record says", "so that it can be replaced by changing one package", checkDependencies},
	{"test helpers are imported by tests only", "so that no test code is in the program", checkTestHelpers},
	{"no file or package is called util, common, helpers or types", "a name says what a reader finds there", checkNames},
	{"files and packages stay below their size limits", "what is longer has a part that wants a name", checkSizes},
	{"every package has a comment", "a reader begins there", checkComments},
	{"a go statement says when its goroutine stops", "every goroutine has an owner that ends it", checkGoStatements},
}

func checkFloors(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		at := slices.Index(floors, f.pkg)
		if at < 0 {
			bad = append(bad, fmt.Sprintf("%s: package %s is not in the list (internal/arch/floors_test.go): give it its place", f.path, f.pkg))
			continue
		}
		if f.test {
			continue
		}
		for _, i := range f.imports() {
			if p, ok := ours(i); ok && (slices.Index(floors, p) < 0 || slices.Index(floors, p) >= at) {
				bad = append(bad, fmt.Sprintf("%s: %s imports %s, which does not stand above it", f.path, f.pkg, p))
			}
		}
	}
	return bad
}

// pure says whether a vocabulary may import the standard library's package p.
func pure(p string) bool {
	switch {
	case p == "net/netip", p == "io/fs", p == "syscall": // addresses, file modes, error numbers
		return true
	case p == "net", strings.HasPrefix(p, "net/"), p == "os", strings.HasPrefix(p, "os/"), p == "log", strings.HasPrefix(p, "log/"),
		p == "sync", strings.HasPrefix(p, "sync/"), p == "context", p == "math/rand", p == "math/rand/v2", p == "unsafe":
		return false
	}
	return !strings.Contains(strings.Split(p, "/")[0], ".")
}

func checkVocabularies(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		if f.test || !slices.Contains(vocabularies, f.pkg) {
			continue
		}
		for _, i := range f.imports() {
			if p, ok := ours(i); ok && p != "wire" && p != "frame" || !ok && !pure(i) {
				bad = append(bad, fmt.Sprintf("%s imports %s", f.path, i))
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				bad = append(bad, r.position(n)+": a goroutine")
			case *ast.ChanType:
				bad = append(bad, r.position(n)+": a channel")
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}, n.Sel.Name) {
					bad = append(bad, fmt.Sprintf("%s: time.%s", r.position(n), n.Sel.Name))
				}
			}
			return true
		})
	}
	return bad
}

// reach returns for each package what it imports, directly or not, with the
// first step on the way there. Tests do not count.
func reach(r *repo) map[string]map[string]string {
	direct := map[string][]string{}
	for _, f := range r.files {
		if f.test {
			continue
		}
		for _, i := range f.imports() {
			if p, ok := ours(i); ok && !slices.Contains(direct[f.pkg], p) {
				direct[f.pkg] = append(direct[f.pkg], p)
			}
		}
	}
	all := map[string]map[string]string{}
	for pkg := range direct {
		seen := map[string]string{}
		var visit func(from, first string)
		visit = func(from, first string) {
			for _, p := range direct[from] {
				step := first
				if step == "" {
					step = p
				}
				if _, ok := seen[p]; !ok {
					seen[p] = step
					visit(p, step)
				}
			}
		}
		visit(pkg, "")
		all[pkg] = seen
	}
	return all
}

// party returns client, server or decode for the package of one, else "".
func party(pkg string) string {
	for _, p := range []string{"client", "server", "decode"} {
		if name := path.Base(pkg); strings.HasSuffix(name, p) && name != p {
			return p
		}
	}
	return ""
}

func checkParties(r *repo) []string {
	var bad []string
	for pkg, others := range reach(r) {
		mine := party(pkg)
		for other, step := range others {
			if p := party(other); mine != "" && p != "" && p != mine {
				bad = append(bad, fmt.Sprintf("%s imports %s (through %s)", pkg, other, step))
			}
		}
	}
	slices.Sort(bad)
	return bad
}

func protocol(pkg string) string {
	first, _, _ := strings.Cut(pkg, "/")
	if slices.Contains(protocols, first) {
		return first
	}
	return ""
}

func checkProtocols(r *repo) []string {
	var bad []string
	for pkg, others := range reach(r) {
		mine := protocol(pkg)
		for other, step := range others {
			if p := protocol(other); mine != "" && p != "" && p != mine {
				bad = append(bad, fmt.Sprintf("%s imports %s (through %s)", pkg, other, step))
			}
		}
	}
	slices.Sort(bad)
	return bad
}

// usesProcess are the names of the standard library that use the process.
var usesProcess = map[string][]string{
	"os":  {"Stdin", "Stdout", "Stderr", "Getenv", "LookupEnv", "Environ", "Setenv", "Unsetenv", "ExpandEnv", "Exit", "UserHomeDir", "UserConfigDir", "UserCacheDir", "Args", "Chdir"},
	"fmt": {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
	"log": {"Print", "Printf", "Println", "Fatal", "Fatalf", "Fatalln", "Default"},
}

func checkProcess(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		if f.test || slices.ContainsFunc(process, func(e exception) bool { return e.function == "" && within(f.pkg, e.pkg) }) {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && slices.Contains(process, exception{f.pkg, fn.Name.Name}) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && slices.Contains(usesProcess[x.Name], s.Sel.Name) {
					bad = append(bad, fmt.Sprintf("%s: %s.%s", r.position(s), x.Name, s.Sel.Name))
				}
				return true
			})
		}
	}
	return bad
}

func checkDependencies(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		if f.test {
			continue
		}
		for _, i := range f.imports() {
			if _, ok := ours(i); ok || !strings.Contains(strings.Split(i, "/")[0], ".") {
				continue
			}
			longest, known := "", false
			for dep := range dependencies {
				if within(i, dep) && len(dep) > len(longest) {
					longest, known = dep, true
				}
			}
			if !known || !slices.ContainsFunc(dependencies[longest], func(dir string) bool { return within(f.pkg, dir) }) {
				bad = append(bad, fmt.Sprintf("%s imports %s (allowed in: %s)", f.path, i, strings.Join(dependencies[longest], ", ")))
			}
		}
	}
	return bad
}

func checkTestHelpers(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		for _, i := range f.imports() {
			p, _ := ours(i)
			helper := p == "internal/testkit" || p == "wire/wiretest" || i == "testing" || i == "testing/synctest"
			owner := f.pkg == "internal/testkit" || f.pkg == "wire/wiretest" || strings.HasSuffix(f.pkg, "test")
			if helper && !f.test && !owner {
				bad = append(bad, fmt.Sprintf("%s imports %s", f.path, i))
			}
		}
	}
	return bad
}

func checkNames(r *repo) []string {
	var bad []string
	vague := []string{"util", "utils", "common", "helper", "helpers", "types", "misc"}
	for _, f := range r.files {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
		if slices.Contains(vague, name) || slices.Contains(vague, path.Base(f.pkg)) {
			bad = append(bad, f.path)
		}
	}
	return bad
}

func checkSizes(r *repo) []string {
	var bad []string
	packages := map[string]int{}
	for _, f := range r.files {
		limit := maxFile
		if f.test {
			limit = maxTestFile
		} else {
			packages[f.pkg] += f.lines()
		}
		if n := f.lines(); n > limit {
			bad = append(bad, fmt.Sprintf("%s has %d lines, %d are allowed", f.path, n, limit))
		}
	}
	for pkg, n := range packages {
		if n > maxPackage && pkg != "internal/cli" {
			bad = append(bad, fmt.Sprintf("package %s has %d lines, %d are allowed", pkg, n, maxPackage))
		}
	}
	slices.Sort(bad)
	return bad
}

func checkComments(r *repo) []string {
	comments := map[string]bool{}
	for _, f := range r.files {
		if f.test {
			continue
		}
		doc := f.ast.Doc.Text()
		good := strings.HasPrefix(doc, "Package "+f.ast.Name.Name+" ") || f.ast.Name.Name == "main" && strings.HasPrefix(doc, "Command ")
		comments[f.pkg] = comments[f.pkg] || good
	}
	var bad []string
	for pkg, ok := range comments {
		if !ok {
			bad = append(bad, fmt.Sprintf("no file of package %s has a comment that begins with \"Package %s\"", pkg, path.Base(pkg)))
		}
	}
	slices.Sort(bad)
	return bad
}

func checkGoStatements(r *repo) []string {
	var bad []string
	for _, f := range r.files {
		if f.test {
			continue
		}
		said := map[int]bool{}
		for _, g := range f.ast.Comments {
			if strings.Contains(g.Text(), "stops ") || strings.Contains(g.Text(), "ends ") {
				first, last := r.line(g.Pos()), r.line(g.End())
				said[first], said[last], said[last+1] = true, true, true
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok && !said[r.line(g.Pos())] {
				bad = append(bad, r.position(g)+": no comment \"stops when …\" beside or above it")
			}
			return true
		})
	}
	return bad
}

func (r *repo) line(p token.Pos) int { return r.fset.Position(p).Line }
