package backend

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// maxLinks is how many symbolic links one path may lead through, as on Linux.
const maxLinks = 40

// linkReader is what resolve asks about paths that lead through no link.
type linkReader interface {
	lstat(name string) (fs.FileInfo, error)
	readlink(name string) (string, error)
}

// resolve returns the path without symbolic links that name, absolute and
// clean, leads to. An absolute target begins at "/", and ".." of "/" is "/".
// Without follow the last component is left as it is. Whether the last
// component exists does not matter; the others must.
func resolve(fsys linkReader, name string, follow bool) (string, error) {
	rest := strings.Split(strings.TrimPrefix(name, "/"), "/")
	at := "/"
	for links := 0; len(rest) > 0; {
		c := rest[0]
		rest = rest[1:]
		switch c {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, c)
		if len(rest) == 0 && !follow {
			return next, nil
		}
		fi, err := fsys.lstat(next)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && len(rest) == 0 {
				return next, nil
			}
			return "", err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			if len(rest) > 0 && !fi.IsDir() {
				return "", &fs.PathError{Op: "resolve", Path: next, Err: syscall.ENOTDIR}
			}
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "resolve", Path: name, Err: syscall.ELOOP}
		}
		target, err := fsys.readlink(next)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(target, "/") {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}
