package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestInclude(t *testing.T) {
	disk := memory{
		"/home/tester/.ssh/more":      "User more\n",
		"/home/tester/.ssh/d/b.conf":  "Port 2\n",
		"/home/tester/.ssh/d/a.conf":  "Port 1\nHost bar\n  User nobody\n",
		"/etc/ssh/more":               "HostKeyAlias system\n",
		"/abs":                        "Include ~/.ssh/deeper\n",
		"/home/tester/.ssh/deeper":    "Compression yes\n",
		"/wrong":                      "Frob yes\n",
		"/x.open":                     "User evil\n",
		"/self":                       "Include /self\n",
		"/final":                      "Match final all\n  User final\n",
		"/dir/env-foo":                "User env\n",
		"/home/tester/.ssh/with name": "User blank\n",
	}
	for _, tt := range []struct {
		name, config string
		system       bool
		want         []string
		err          string
	}{
		{name: "relative to the user's folder", config: "Include more\nUser later", want: []string{"user more"}},
		{name: "relative to the system's folder", config: "Include more", system: true, want: []string{"hostkeyalias system"}},
		{name: "in the order of names, and Host ends with the file", config: "Include d/*.conf\nUser x", want: []string{"port 1", "user x"}},
		{name: "under a Host that applies", config: "Host foo\n  Include more\n  Port 5", want: []string{"user more", "port 5"}},
		{name: "under a Host that does not", config: "Host bar\n  Include more d/b.conf\nHost *\nUser x", want: []string{"user x", "port 22"}},
		{name: "mistakes are found there too", config: "Host bar\n  Include /wrong", err: `/wrong:1: there is no option "frob"`},
		{name: "several words, absolute, deeper", config: "Include /abs more", want: []string{"compression yes", "user more"}},
		{name: "what does not exist", config: "Include /nowhere no*where\nUser x", want: []string{"user x"}},
		{name: "~ in the system's file", config: "Include ~/x", system: true, err: "~ means nothing in the system's file"},
		{name: "open to others", config: "Include /x.open", err: "others can write to it"},
		{name: "without end", config: "Include /self", err: "more than 16 deep"},
		{name: "Match final in it", config: "Include /final", want: []string{"user final"}},
		{name: "variables and tokens", config: "Include ${DIR}/env-%h", want: []string{"user env"}},
		{name: "quotes", config: `Include "with name"`, want: []string{"user blank"}},
		{name: "a broken pattern", config: "Include [", err: "Include ["},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Source{Files: []File{{Path: "file", Text: []byte(tt.config), User: !tt.system}}, Local: local, disk: disk}
			c, err := s.Load(t.Context(), Query{Host: "foo"})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Load = %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			compare(t, c.Lines(), tt.want)
		})
	}
}

// A file that includes many others many times is bounded.
func TestIncludeBound(t *testing.T) {
	disk := memory{"/a": strings.Repeat("Include /b /b /b /b /b /b /b /b\n", 40), "/b": strings.Repeat("Include /c /c /c /c\n", 40), "/c": "Port 1\n"}
	s := &Source{Files: []File{{Path: "file", Text: []byte("Include /a\n")}}, Local: local, disk: disk}
	_, err := s.Load(t.Context(), Query{Host: "foo"})
	if err == nil || !strings.Contains(err.Error(), "more than 1024 files") {
		t.Errorf("Load = %.200v, want a bound", err)
	}
}

// The files of the disk: missing ones, and the modes that OpenSSH refuses.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write(".ssh/config", "User first\nInclude part-*\n", 0o600)
	write(".ssh/part-1", "Port 11\n", 0o644)
	system := write("ssh_config", "User second\nHostKeyAlias alias\n", 0o666)
	here := local
	here.Home = dir
	s := &Source{Files: []File{UserFile(dir), {Path: system}, {Path: filepath.Join(dir, "missing"), Optional: true}}, Local: here}
	c, err := s.Load(t.Context(), Query{Host: "foo"})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, c.Lines(), []string{"user first", "port 11", "hostkeyalias alias"})

	s.Files = append(s.Files, File{Path: filepath.Join(dir, "missing")})
	if _, err := s.Load(t.Context(), Query{Host: "foo"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, name := range []string{"config", "part-1"} {
		path := filepath.Join(dir, ".ssh", name)
		if err := os.Chmod(path, 0o622); err != nil {
			t.Fatal(err)
		}
		s.Files = []File{UserFile(dir)}
		var e *Error
		if _, err := s.Load(t.Context(), Query{Host: "foo"}); !errors.Is(err, ErrPermissions) || !errors.As(err, &e) || e.File != path {
			t.Errorf("%s, open to others: %v", name, err)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	large := write("large", strings.Repeat("#\n", maxFile/2+1), 0o600)
	s.Files = []File{{Path: large}}
	if _, err := s.Load(t.Context(), Query{Host: "foo"}); err == nil {
		t.Error("a file beyond the limit is read")
	}
}

// System finds files and facts; what the files of this machine say is not
// tested.
func TestSystem(t *testing.T) {
	s, err := System()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 2 || s.Local.User == "" || s.Local.Home == "" || s.Exec != nil || !s.Files[0].Private || s.Files[1].Path != SystemFile {
		t.Errorf("System = %+v", s)
	}
	t.Setenv("CHIRP", "yes")
	if v, ok := s.Local.Lookup("CHIRP"); !ok || v != "yes" {
		t.Errorf("Lookup = %q, %v", v, ok)
	}
}

func TestParseJumps(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []Jump
	}{
		{"a", []Jump{{Host: "a"}}},
		{"u@a:22,b", []Jump{{"u", "a", 22}, {Host: "b"}}},
		{"ssh://u@a:22", []Jump{{"u", "a", 22}}},
		{"a@b@c", []Jump{{User: "a@b", Host: "c"}}},
		{"[::1]", []Jump{{Host: "::1"}}},
		{"None", nil},
	} {
		got, err := ParseJumps(tt.in)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("ParseJumps(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
		for _, j := range got {
			if again, err := ParseJumps(j.String()); err != nil || again[0] != j {
				t.Errorf("ParseJumps(%q) = %v, %v, want %v", j, again, err, j)
			}
		}
	}
	for _, in := range []string{
		"", ",", "a,", "@a", "a:", "a:0", "a:65536", "-oProxyCommand=x", "u@-x", "a b", "a;b", "$(x)", "::1", "[a", "[a]", "[::1]x",
		"ssh://u:p@a", "ssh://a/x", "ssh://", "a`b`", "none,a:x", strings.Repeat("a,", maxJumps) + "a",
	} {
		if got, err := ParseJumps(in); err == nil {
			t.Errorf("ParseJumps(%q) = %v", in, got)
		}
	}
}
