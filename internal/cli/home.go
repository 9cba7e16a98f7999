package cli

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
)

// home returns the user's home directory.
func (a *app) home() (string, error) {
	if h := a.Getenv("HOME"); h != "" {
		return h, nil
	}
	return os.UserHomeDir()
}

// sshDir is where OpenSSH keeps a user's files.
func (a *app) sshDir() (string, error) {
	h, err := a.home()
	return filepath.Join(h, ".ssh"), err
}

// expand replaces a leading ~/ by the home directory.
func (a *app) expand(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok && path != "~" {
		return path, nil
	}
	h, err := a.home()
	if path == "~" {
		return h, err
	}
	return filepath.Join(h, rest), err
}

// localUser is the name to log in with where none was given.
func (a *app) localUser() string {
	if u, err := user.Current(); err == nil {
		name := u.Username
		if i := strings.LastIndexByte(name, '\\'); i >= 0 { // Windows: DOMAIN\name
			name = name[i+1:]
		}
		return name
	}
	for _, name := range []string{"LOGNAME", "USER", "USERNAME"} {
		if v := a.Getenv(name); v != "" {
			return v
		}
	}
	return "unknown"
}

func localHost() string {
	h, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return h
}
