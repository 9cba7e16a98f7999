package transfer

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/wirelark/wirelark/sftp/sftpclient"
)

// Glob returns the server's paths that match pattern, which is one of
// [path.Match], sorted within each directory. Names that begin with a dot are
// matched only by a pattern that does too. A pattern without special
// characters is returned as it is, whether such a file exists or not.
func Glob(ctx context.Context, c *sftpclient.Client, pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, &fs.PathError{Op: "glob", Path: pattern, Err: err}
	}
	if !special(pattern) {
		return []string{unescape(pattern)}, nil
	}
	dirs := []string{""}
	if strings.HasPrefix(pattern, "/") {
		dirs[0] = "/"
	}
	parts := strings.Split(strings.Trim(path.Clean(pattern), "/"), "/")
	for i, part := range parts {
		var next []string
		for _, dir := range dirs {
			found, err := globDir(ctx, c, dir, part, i < len(parts)-1)
			if err != nil {
				return nil, err
			}
			next = append(next, found...)
		}
		dirs = next
	}
	return dirs, nil
}

// globDir returns the entries of dir that match one component of a pattern.
func globDir(ctx context.Context, c *sftpclient.Client, dir, part string, more bool) ([]string, error) {
	if !special(part) {
		name := path.Join(dir, unescape(part))
		if more {
			return []string{name}, nil
		}
		if _, err := c.Lstat(ctx, name); err != nil {
			return nil, unlessMissing(err)
		}
		return []string{name}, nil
	}
	at := dir
	if at == "" {
		at = "."
	}
	list, err := c.ReadDir(ctx, at)
	if err != nil {
		return nil, unlessMissing(err)
	}
	var found []string
	for _, i := range list {
		if strings.HasPrefix(i.Name(), ".") && !strings.HasPrefix(part, ".") {
			continue
		}
		if ok, _ := path.Match(part, i.Name()); ok { // the pattern was checked
			found = append(found, path.Join(dir, i.Name()))
		}
	}
	return found, nil
}

// unlessMissing forgives what only means that nothing matches.
func unlessMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

func special(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// unescape takes the backslashes of a pattern without other special
// characters away.
func unescape(pattern string) string {
	if !strings.Contains(pattern, `\`) {
		return pattern
	}
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		b.WriteByte(pattern[i])
	}
	return b.String()
}
