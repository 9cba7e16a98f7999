package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// disk is where files are read. Tests have one in memory.
type disk interface {
	// read returns a file; private refuses one that others could have written.
	read(path string, private bool) ([]byte, error)
	// glob returns the paths that match, sorted by name.
	glob(pattern string) ([]string, error)
}

// machine is the disk of this machine.
type machine struct{}

func (machine) read(path string, private bool) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if private {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if !ownersOnly(info) {
			return nil, fmt.Errorf("%w: its mode is %v", ErrPermissions, info.Mode().Perm())
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("longer than %d bytes", maxFile)
	}
	return text, nil
}

func (machine) glob(pattern string) ([]string, error) { return filepath.Glob(pattern) }
