package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestNamedTestsExist checks the tests that pages of docs name as PACKAGE.Test….
func TestNamedTestsExist(t *testing.T) {
	named := regexp.MustCompile("`((?:[a-z0-9]+/)*[a-z0-9]+)\\.((?:Test|Fuzz)[A-Za-z0-9]+)`")
	for _, page := range []string{"attacks.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		found := named.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Errorf("docs/%s names no test", page)
		}
		for _, m := range found {
			if !hasTest(t, filepath.Join("..", "..", m[1]), m[2]) {
				t.Errorf("docs/%s names %s.%s, which does not exist", page, m[1], m[2])
			}
		}
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + name + `\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}
