package sftpserver

import (
	"path"
	"strings"

	"github.com/wirelark/wirelark/sftp"
)

// clean returns the one form of a client's path that the rest of the server
// and every backend see: absolute, without ".", ".." and empty components.
// ".." is resolved by text, so it never leads above "/".
func (s *session) clean(p string) (string, error) {
	if err := s.checkText(p); err != nil {
		return "", err
	}
	if !strings.HasPrefix(p, "/") {
		p = s.home + "/" + p
	}
	return path.Clean("/" + p), nil
}

// checkText refuses what no path or link target may be. Servers differ in what
// they do at a NUL byte, from cutting the path to dying; it never names a file.
func (s *session) checkText(p string) error {
	switch {
	case len(p) > s.cfg.MaxPath:
		return &sftp.StatusError{Code: sftp.StatusInvalidFilename, Msg: "path too long"}
	case strings.IndexByte(p, 0) >= 0:
		return &sftp.StatusError{Code: sftp.StatusInvalidFilename, Msg: "NUL byte in a path"}
	}
	return nil
}
