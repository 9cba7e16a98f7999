package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/wirelark/wirelark"

// repo is the parsed module.
type repo struct {
	fset  *token.FileSet
	files []*file
}

// file is one Go file.
type file struct {
	path string // from the root, with slashes
	pkg  string // folder, from the root
	test bool
	ast  *ast.File
	src  string
}

func (f *file) lines() int { return strings.Count(f.src, "\n") }

// imports yields the import paths of f.
func (f *file) imports() []string {
	var out []string
	for _, i := range f.ast.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		out = append(out, p)
	}
	return out
}

// ours returns the folder of an import path inside the module.
func ours(importPath string) (pkg string, ok bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// within reports whether pkg is the folder dir or below it.
func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func (r *repo) add(t *testing.T, name, src string) {
	t.Helper()
	f, err := parser.ParseFile(r.fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	r.files = append(r.files, &file{path: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), ast: f, src: src})
}

func (r *repo) position(n ast.Node) string {
	p := r.fset.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// root is the module's folder, seen from this package.
var root = filepath.Join("..", "..")

// walkRepo calls f for every file of the module: no hidden folders and, with
// nested false, no nested modules.
func walkRepo(t *testing.T, nested bool, f func(name string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && strings.HasPrefix(d.Name(), ".") && rel != ".ci" {
				return fs.SkipDir
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil && rel != "." && !nested {
				return fs.SkipDir
			}
			return nil
		}
		if rel == ".git" { // a file in a linked worktree
			return nil
		}
		f(filepath.ToSlash(rel))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T) *repo {
	t.Helper()
	r := &repo{fset: token.NewFileSet()}
	walkRepo(t, false, func(name string) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			return
		}
		src, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		r.add(t, name, strings.ReplaceAll(string(src), "\r\n", "\n"))
	})
	return r
}
