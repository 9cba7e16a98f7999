package knownhosts

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wirelark/wirelark/ssh/keys"
)

// Line returns the line, with its newline, that says that key is the host's at
// addr. hashed hides the name, as OpenSSH's HashKnownHosts.
func Line(addr string, key keys.PublicKey, hashed bool) (string, error) {
	if err := CheckName(addr); err != nil {
		return "", err
	}
	if !keys.Known(key.Type()) || keys.IsCertificate(key.Type()) {
		return "", fmt.Errorf("a %s cannot stand in a known_hosts file", key.Type())
	}
	name := Normalize(addr)
	if hashed {
		name = Hash(addr)
	}
	return name + " " + keys.AuthorizedLine(key, "") + "\n", nil
}

// Append adds a line about the host at addr to the end of a file, by one write
// that other programs' appends cannot tear. A missing file is made with mode
// 0600, and missing folders with mode 0700.
func Append(path, addr string, key keys.PublicKey, hashed bool) error {
	return new(Store).Add(path, addr, key, hashed)
}

func appendLine(path, line string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	open, err := unended(f)
	if err != nil {
		return err
	}
	if open {
		line = "\n" + line
	}
	if _, err := f.WriteString(line); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// unended reports whether the last line of a file lacks its newline: what is
// appended would become part of it.
func unended(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// ErrBusy says that another program kept writing to a file that was to be
// rewritten.
var ErrBusy = errors.New("the file is being changed by another program")

// Remove deletes the lines about the host at addr from a file, and returns how
// many there were. As ssh-keygen -R it takes whole lines, also those that name
// other hosts too or reach this one through a pattern, keeps lines with a
// marker, and leaves the former file beside the new one as path + ".old". All
// other bytes stay as they are. The file is replaced in one step; if no line is
// deleted it is not touched.
func Remove(path, addr string) (int, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	const tries = 5 // a program that appends needs no more than one
	for range tries {
		removed, done, err := remove(path, Normalize(addr))
		if err != nil || done {
			return removed, err
		}
	}
	return 0, fmt.Errorf("%s: %w", path, ErrBusy)
}

func remove(path, name string) (removed int, done bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false, err
	}
	text, err := readFile(path)
	if err != nil {
		return 0, false, err
	}
	kept, removed := without(text, name)
	if removed == 0 {
		return 0, true, nil
	}
	temp, err := writeTemp(path, kept, info.Mode().Perm())
	if err != nil {
		return 0, false, err
	}
	defer os.Remove(temp) // gone already when all went well
	now, err := os.Stat(path)
	if err != nil {
		return 0, false, err
	}
	if now.Size() != info.Size() || now.Size() != int64(len(text)) || !now.ModTime().Equal(info.ModTime()) {
		return 0, false, nil
	}
	if err := backup(path, text, info.Mode().Perm()); err != nil {
		return 0, false, err
	}
	if err := os.Rename(temp, path); err != nil {
		return 0, false, err
	}
	return removed, true, nil
}

// without returns text without the lines about name.
func without(text []byte, name string) ([]byte, int) {
	var kept bytes.Buffer
	removed := 0
	for line := range strings.Lines(string(text)) {
		if e, ok, _ := parseLine(line); ok && e.Marker == "" && matches(e.Hosts, name) {
			removed++
			continue
		}
		kept.WriteString(line)
	}
	return kept.Bytes(), removed
}

func writeTemp(path string, text []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name()) // ours alone
		return "", err
	}
	return f.Name(), nil
}

func backup(path string, text []byte, mode fs.FileMode) error {
	temp, err := writeTemp(path+".old", text, mode)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path+".old"); err != nil {
		_ = os.Remove(temp) // ours alone
		return err
	}
	return nil
}
