package options

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// show writes options as my_print_defaults does.
func show(options []Option) []string {
	var list []string
	for _, o := range options {
		s := "--" + o.Name
		if o.Given {
			s += "=" + string(o.Value)
		}
		if o.Loose {
			s += " (loose)"
		}
		list = append(list, s)
	}
	return list
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func read(t *testing.T, f *Files) []Option {
	t.Helper()
	options, err := f.Read()
	if err != nil {
		t.Fatal(err)
	}
	return options
}

// The values are what my_print_defaults of MySQL 9.7 and MariaDB 10.11 print.
func TestFile(t *testing.T) {
	got := read(t, &Files{Only: "testdata/my.cnf", Groups: []string{"client", "mysql"}})
	equal(t, show(got), []string{
		"--user=app", "--password=se#cret \tx\\y", "--host=db.example", "--port=3307", "--ssl-mode=REQUIRED",
		"--whatever=1 (loose)", `--path=a"b`, "--esc=\\x\n.", `--q1="abc'`, "--q2=it's # here", "--noval", "--empty=",
		`--prompt=\u@\h`, "--semi=a ; b", "--skip-x (loose)", "--hash=a", "--spaced name=1",
		"--inc=1", "--a=1", "--b=1",
	})
	if o := got[1]; o.Group != "client" || o.File != "testdata/my.cnf" || o.Line != 4 {
		t.Errorf("place of the password: %+v", o)
	}
	if s := fmt.Sprintf("%v %+v %#v", got[1], got[1], got[1]); strings.Contains(s, "se#cret") {
		t.Errorf("printing an option shows %s", s)
	}
}

func TestGroups(t *testing.T) {
	got := read(t, &Files{Only: "testdata/my.cnf", Groups: []string{"other"}})
	equal(t, show(got), []string{"--a=b"})
	got = read(t, &Files{Only: "testdata/my.cnf", Groups: []string{"nobody", "client"}, Suffix: "_x"})
	if s := show(got); !slices.Contains(s, "--host=suffix") || !slices.Contains(s, "--host=db.example") {
		t.Errorf("with a suffix: %q", s)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOrder(t *testing.T) {
	home, etc := t.TempDir(), t.TempDir()
	system := write(t, etc, "my.cnf", "[client]\nhost=system\n")
	extra := write(t, etc, "extra.cnf", "[client]\nhost=extra\n!include ~/more.cnf")
	only := write(t, etc, "only.cnf", "[client]\nhost=only")
	write(t, home, "more.cnf", "[client]\nhost=more\n")
	write(t, home, ".my.cnf", "[client]\nhost=home\n")
	missing := filepath.Join(etc, "missing.cnf")
	for _, row := range []struct {
		name  string
		files Files
		want  []string
	}{
		{"usual", Files{}, []string{"--host=system", "--host=home"}},
		{"extra", Files{Extra: extra}, []string{"--host=system", "--host=extra", "--host=more", "--host=home"}},
		{"only", Files{Only: only, Extra: extra}, []string{"--host=only"}},
		{"none", Files{None: true}, nil},
		{"extra and none", Files{None: true, Extra: only}, []string{"--host=only"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.files.System = []string{missing, system}
			row.files.Home = home
			equal(t, show(read(t, &row.files)), row.want)
		})
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	for _, row := range []struct {
		name, text, want string
	}{
		{"group", "[client]\n[mysql\n", ":2: the name of the group has no closing bracket"},
		{"before", "\n\nuser=a\n", ":3: an option stands before the first group"},
		{"directive", "!inc x\n", ":1: behind ! there is neither include FILE nor includedir DIR"},
		{"line", "[client]\nx=" + strings.Repeat("x", maxLine), ":2: the line is longer than 65536 bytes"},
		{"directory", "!includedir " + filepath.Join(dir, "nothing"), ":1: no such file or directory"},
		{"outer", "\n!include " + write(t, dir, "inner.cnf", "\n\n\n["), "inner.cnf:4: the name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := write(t, dir, row.name+".cnf", row.text)
			_, err := (&Files{Only: path}).Read()
			var fe *FileError
			if !errors.As(err, &fe) || !strings.Contains(err.Error(), row.want) {
				if runtime.GOOS != "windows" || row.name != "directory" {
					t.Errorf("got %v, want …%s", err, row.want)
				}
			}
		})
	}
	for _, f := range []Files{{Only: filepath.Join(dir, "missing")}, {Extra: filepath.Join(dir, "missing"), System: []string{}}} {
		if _, err := f.Read(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: got %v, want fs.ErrNotExist", f, err)
		}
	}
}

func TestInclusionEnds(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "self.cnf")
	write(t, dir, "self.cnf", "[client]\nuser=a\n!include "+path+"\n")
	warned := 0
	got := read(t, &Files{Only: path, Warn: func(string) { warned++ }})
	if len(got) != maxDepth+1 || warned != 1 {
		t.Errorf("%d options, %d warnings", len(got), warned)
	}
	// Two of itself would be 2^10 files.
	write(t, dir, "self.cnf", "[client]\nuser=a\n!include "+path+"\n!include "+path+"\n")
	if _, err := (&Files{Only: path}).Read(); err == nil || !strings.Contains(err.Error(), "more than 1000 files") {
		t.Errorf("a file that includes itself twice: %v", err)
	}
}

func TestWritableByEverybody(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := t.TempDir()
	path := write(t, dir, "my.cnf", "[client]\nuser=a\n")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	warning := ""
	got := read(t, &Files{Only: path, Warn: func(s string) { warning = s }})
	if len(got) != 0 || warning != path+" may be written by everybody: it was left out" {
		t.Errorf("got %q and the warning %q", show(got), warning)
	}
}

func loginHome(t *testing.T, mode fs.FileMode) string {
	t.Helper()
	data, err := os.ReadFile("testdata/mylogin.cnf")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".mylogin.cnf"), data, mode); err != nil {
		t.Fatal(err)
	}
	return home
}

// The file is one that mysql_config_editor of MySQL 9.7 wrote.
func TestLogin(t *testing.T) {
	home := loginHome(t, 0o600)
	got := read(t, &Files{Home: home, None: true})
	equal(t, show(got), []string{"--user=general", "--socket=/run/db.sock"})
	got = read(t, &Files{Home: home, None: true, LoginPath: "remote"})
	equal(t, show(got), []string{
		"--user=app", "--password=pa#ss word", "--host=db.example", "--port=3307",
		"--user=general", "--socket=/run/db.sock",
	})
	equal(t, show(read(t, &Files{Home: home, None: true, NoLogin: true})), nil)
	equal(t, show(read(t, &Files{None: true, LoginFile: filepath.Join(home, ".mylogin.cnf"), Groups: []string{"remote"}}))[:1], []string{"--user=app"})
	equal(t, show(read(t, &Files{None: true, LoginFile: filepath.Join(home, "missing")})), nil)
}

func TestLoginReadByOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	warned := ""
	got := read(t, &Files{Home: loginHome(t, 0o640), None: true, Warn: func(s string) { warned = s }})
	if len(got) != 0 || !strings.Contains(warned, "may be read or written by others") {
		t.Errorf("got %q and the warning %q", show(got), warned)
	}
}

func TestLoginDamaged(t *testing.T) {
	data, err := os.ReadFile("testdata/mylogin.cnf")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := DecryptLogin(data)
	if err != nil {
		t.Fatal(err)
	}
	// Cut between lines it is a shorter file, everywhere else an error.
	good := 0
	for n := range data {
		text, err := DecryptLogin(data[:n])
		if err == nil {
			good++
			if !strings.HasPrefix(string(whole), string(text)) {
				t.Errorf("%d bytes decipher to other text", n)
			}
		}
	}
	if lines := strings.Count(string(whole), "\n"); good != lines+1 {
		t.Errorf("%d of the cuts are files, there are %d lines", good, lines)
	}
	data[0] = 1
	if _, err := DecryptLogin(data); err == nil {
		t.Error("a file with another version was read")
	}
}

func FuzzFile(f *testing.F) {
	data, err := os.ReadFile("testdata/my.cnf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("[client]\nskip-ssl\nport=x\nconnect_timeout=5\nmax_allowed_packet=16M"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &reader{Files: &Files{}, groups: []string{"client"}}
		if err := r.parse("fuzz", data, maxDepth); err != nil {
			return
		}
		c, p := &Config{}, &Place{Sockets: []string{}}
		rest, err := Apply(c, p, r.options)
		if err == nil && len(rest) > len(r.options) {
			t.Errorf("%d options became %d", len(r.options), len(rest))
		}
		p.Target()
	})
}

func FuzzLogin(f *testing.F) {
	data, err := os.ReadFile("testdata/mylogin.cnf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := DecryptLogin(data); err == nil && len(text) > len(data) {
			t.Errorf("%d bytes became %d", len(data), len(text))
		}
	})
}
