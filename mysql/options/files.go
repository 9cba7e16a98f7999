package options

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Files says which option files to read. Its zero value reads the system's, for
// the group client alone.
type Files struct {
	// Groups are the groups to read, without brackets; nil: client. See
	// [ShellGroups].
	Groups []string
	// Suffix reads each group also with this behind its name
	// (--defaults-group-suffix, MYSQL_GROUP_SUFFIX).
	Suffix string

	// Only is read instead of the usual files (--defaults-file), and None reads
	// none (--no-defaults). The login file is read all the same.
	Only string
	None bool
	// Extra is read between the system's files and the user's
	// (--defaults-extra-file).
	Extra string
	// System are the system's files; nil: the usual ones.
	System []string
	// Home is the user's home directory, for .my.cnf, .mylogin.cnf and names
	// that begin with ~/. "": there is none.
	Home string

	// LoginFile is read instead of .mylogin.cnf in Home (MYSQL_TEST_LOGIN_FILE),
	// and NoLogin reads neither (--no-login-paths).
	LoginFile string
	NoLogin   bool
	// LoginPath is one more group of the login file (--login-path).
	LoginPath string

	// Warn, if set, is told of what was left out, a sentence at a time.
	Warn func(message string)
}

// ShellGroups are the groups that the command-line clients of MySQL and MariaDB
// read, and ours.
func ShellGroups() []string {
	return []string{"client", "client-server", "client-mariadb", "mysql", "mariadb-client", "wirelark"}
}

const (
	maxFileSize = 16 << 20
	maxLine     = 64 << 10
	maxDepth    = 10
	maxFiles    = 1000
)

// Read returns the options of the groups, in the order in which they stand:
// the last one about something counts. Usual files that do not exist are no
// error, named ones are. A file that everybody may write is left out, and so is
// a login file that others may read.
//
// Errors are *[FileError].
func (f *Files) Read() ([]Option, error) {
	r := &reader{Files: f, groups: f.groups()}
	for _, file := range f.list() {
		if err := r.file(file.name, 0, file.must); err != nil {
			return nil, err
		}
	}
	if err := r.login(); err != nil {
		return nil, err
	}
	return r.options, nil
}

type listed struct {
	name string
	must bool
}

func (f *Files) list() []listed {
	if f.Only != "" {
		return []listed{{f.Only, true}}
	}
	var list []listed
	if !f.None {
		system := f.System
		if system == nil {
			system = usualFiles()
		}
		for _, name := range system {
			list = append(list, listed{name, false})
		}
	}
	if f.Extra != "" {
		list = append(list, listed{f.Extra, true})
	}
	if !f.None && f.Home != "" {
		list = append(list, listed{filepath.Join(f.Home, ".my.cnf"), false})
	}
	return list
}

func usualFiles() []string {
	if runtime.GOOS == "windows" {
		return []string{`C:\Windows\my.ini`, `C:\Windows\my.cnf`, `C:\my.ini`, `C:\my.cnf`}
	}
	return []string{"/etc/my.cnf", "/etc/mysql/my.cnf"}
}

func (f *Files) groups() []string {
	groups := slices.Clone(f.Groups)
	if groups == nil {
		groups = []string{"client"}
	}
	return f.suffixed(groups)
}

func (f *Files) suffixed(groups []string) []string {
	if f.Suffix != "" {
		for _, g := range groups {
			groups = append(groups, g+f.Suffix)
		}
	}
	return groups
}

func (f *Files) warn(format string, args ...any) {
	if f.Warn != nil {
		f.Warn(fmt.Sprintf(format, args...))
	}
}

// reader collects the options of several files.
type reader struct {
	*Files
	groups  []string
	options []Option
	files   int // read so far
}

// file reads a file and what it includes.
func (r *reader) file(name string, depth int, must bool) error {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && r.Home != "" {
		name = filepath.Join(r.Home, rest)
	}
	if r.files++; r.files > maxFiles {
		return &FileError{File: name, Err: fmt.Errorf("it is one of more than %d files", maxFiles)}
	}
	data, err := r.load(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !must:
		return nil
	case errors.Is(err, fs.ErrPermission) && !must:
		r.warn("%s is not readable: it was left out", name)
		return nil
	case err != nil:
		return &FileError{File: name, Err: err}
	}
	return r.parse(name, data, depth)
}

// load reads a whole file, unless everybody may write it.
func (r *reader) load(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, plain(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, plain(err)
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory")
	}
	if runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode().Perm()&0o002 != 0 {
		r.warn("%s may be written by everybody: it was left out", name)
		return nil, nil
	}
	return readAll(file)
}

func readAll(file io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err == nil && len(data) > maxFileSize {
		err = fmt.Errorf("it is larger than %d MiB", maxFileSize>>20)
	}
	return data, err
}

// plain leaves the name of the file to FileError.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// dir reads the files of a directory that are option files by their name, in
// the order of their names.
func (r *reader) dir(name string, depth int) error {
	entries, err := os.ReadDir(name)
	if err != nil {
		return plain(err)
	}
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext == ".cnf" || ext == ".ini" && runtime.GOOS == "windows" {
			if err := r.file(filepath.Join(name, e.Name()), depth, false); err != nil {
				return err
			}
		}
	}
	return nil
}
