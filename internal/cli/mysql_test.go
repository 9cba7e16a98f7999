package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
)

// The letter p takes the rest of its argument and never the next; everything
// that is not of mysql stays as it is.
func TestMySQLArgs(t *testing.T) {
	for _, r := range []struct{ in, want string }{
		{"mysql -psecret", "mysql --password=secret"},
		{"mysql -p secret", "mysql --password secret"},
		{"mysql -p", "mysql --password"},
		{"mysql -p=x", "mysql --password==x"},
		{"mysql -uroot -psecret db", "mysql -uroot --password=secret db"},
		{"mysql -u -psecret db", "mysql -u -psecret db"}, // the user has this name
		{"mysql -NBpsecret", "mysql -NB --password=secret"},
		{"mysql -NBe psecret", "mysql -NBe psecret"},
		{"mysql -e -p", "mysql -e -p"},
		{"mysql -hp", "mysql -hp"},
		{"mysql -P3307 -pp", "mysql -P3307 --password=p"},
		{"mysql --password=x -- -p", "mysql --password=x -- -p"},
		{"mysql -J bastion -px db", "mysql -J bastion --password=x db"},
		{"-v mysql -px", "-v mysql --password=x"},
		{"mysql export -px db", "mysql export --password=x db"},
		{"ssh -p 22 mysql", "ssh -p 22 mysql"},
		{"cp -p mysql there", "cp -p mysql there"},
	} {
		if got := mysqlArgs(strings.Fields(r.in)); !slices.Equal(got, strings.Fields(r.want)) {
			t.Errorf("%q: %q, want %q", r.in, got, r.want)
		}
	}
}

// The command has no letter twice, and every option that a flag sets is one
// that somebody knows.
func TestMySQLFlags(t *testing.T) {
	a := &app{Env: System()}
	letters := map[string]string{}
	for _, group := range [][]mysqlFlag{connectionFlags, shellFlags} {
		for _, f := range group {
			if other, taken := letters[f.letter]; taken && f.letter != "" {
				t.Errorf("%s and %s have the letter %s", other, f.name, f.letter)
			}
			letters[f.letter] = f.name
		}
	}
	a.mysqlCommand().InitDefaultHelpFlag() // panics when a flag is defined twice
	files := []string{"defaults-file", "defaults-extra-file", "defaults-group-suffix", "no-defaults", "login-path", "no-login-paths", "wait"}
	values := map[string]options.Secret{"port": "1", "ssl-mode": "REQUIRED", "compression-algorithms": "zlib", "zstd-compression-level": "3", "connect-timeout": "1", "default-character-set": "utf8mb4", "protocol": "tcp"}
	for _, f := range slices.Concat(connectionFlags, shellFlags) {
		if slices.Contains(files, f.name) {
			continue
		}
		o := options.Option{Name: f.name, Value: values[f.name], Given: f.kind == flagValue}
		rest, err := options.Apply(&options.Config{}, &options.Place{}, []options.Option{o})
		if err != nil {
			t.Errorf("--%s: %v", f.name, err)
		}
		if len(rest) > 0 && !(&mysqlSettings{}).apply(o) {
			t.Errorf("nobody knows --%s", f.name)
		}
	}
}

func TestWatchPause(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "2": 2 * time.Second, "0.5": 500 * time.Millisecond, "150ms": 150 * time.Millisecond} {
		if got, err := watchPause(text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "0", "-1", "1 h"} {
		if got, err := watchPause(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Wrong scripts are refused with the line.
func TestCannedScripts(t *testing.T) {
	for _, text := range []string{
		"", "# nothing\n", "x\n", "> select 1\na\tb\n1\n", "> a\nTYPES int\na\tb\n1\t2\n", "> a\nTYPES color\na\n1\n",
		"> a\nERROR 1\n", "> a\nERROR 99999: x\n", "> a\nWAIT soon\n", "> a\nOK x\n", "> a\nOK 1 2 3\n",
	} {
		if s, err := parseScript(text); err == nil {
			t.Errorf("%q: %+v", text, s.blocks[0])
		}
	}
	s, err := parseScript("> select *\nn\n1\n\n> insert\n> into t\nOK 3 7\n> other\n")
	if err != nil {
		t.Fatal(err)
	}
	for sql, want := range map[string]bool{"SELECT 1 from t": true, "select": true, "insert  INTO t ;": true, "insert": false, "other": true, "selector": false} {
		if got := s.find(sql) != nil; got != want {
			t.Errorf("%q: %v, want %v", sql, got, want)
		}
	}
}

func FuzzCannedScript(f *testing.F) {
	f.Add("> select 1\n1\n1\n\n> x\nERROR 1 (HY000): x\n")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := parseScript(text); err == nil {
			s.find("select 1")
		}
	})
}

// TestQuestionsOfServers: what a server asks says whose question it is, and
// holds no terminal escapes.
func TestQuestionsOfServers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no shell to write SSH_ASKPASS in")
	}
	program := filepath.Join(t.TempDir(), "askpass")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := &app{Env: &Env{Getenv: func(name string) string {
		return map[string]string{"SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"}[name]
	}}}
	c := &mysqlclient.Config{User: "ada", Address: "db:3306"}
	a.complete(c, &options.Config{}, &seeing{})
	got, err := c.Answer(t.Context(), "Code\x1b[31m: ", true)
	if want := `(ada@db:3306) Code\x1b[31m: `; got != want || err != nil {
		t.Errorf("the question is %q, %v, want %q", got, err, want)
	}
}
