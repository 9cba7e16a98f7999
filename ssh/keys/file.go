package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// ErrPermissions is wrapped by the error about a private key file that others
// can read.
var ErrPermissions = errors.New("the private key file is open to others")

// Load reads a private key file. On Unix a file of this user that group or
// others can access is refused with [ErrPermissions], as OpenSSH does. Other
// errors are those of the file system and of [ParsePrivate].
func Load(path string, passphrase func() ([]byte, error)) (Signer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := CheckPermissions(info); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	text, err := readKey(f, info)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s, err := ParsePrivate(text, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// CheckPermissions tells whether a private key file with the given attributes
// is closed to others. The error wraps [ErrPermissions]. Files of other users
// are not judged, as with OpenSSH: root may keep a key that a group can read.
func CheckPermissions(info fs.FileInfo) error {
	if ownedByUs(info) && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%w: its mode is %#o, 0600 is enough", ErrPermissions, info.Mode().Perm())
	}
	return nil
}

// LoadPublic reads the first key of a public key file and its comment. path is
// that of the public key ("id_ed25519.pub").
func LoadPublic(path string) (key PublicKey, comment string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	text, err := readKey(f, info)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		keyType, rest := cutBlank(line)
		encoded, comment := cutBlank(rest)
		key, err := ParseText(keyType, encoded)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", path, err)
		}
		return key, comment, nil
	}
	return nil, "", fmt.Errorf("%s: %w: it has no public key", path, ErrMalformed)
}

// cutBlank cuts a line at its first run of blanks.
func cutBlank(line string) (before, after string) {
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return line, ""
	}
	return line[:i], strings.TrimLeft(line[i:], " \t")
}

func readKey(f *os.File, info fs.FileInfo) ([]byte, error) {
	if info.IsDir() {
		return nil, fmt.Errorf("%w: it is a folder", ErrNoKey)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrNoKey, maxKeyFile)
	}
	return text, nil
}

// Write writes a private key to a new file of mode 0600 in OpenSSH's format,
// protected if passphrase is not empty. An existing file is never touched: the
// error is an fs.ErrExist then.
func Write(path string, s Signer, comment string, passphrase []byte) error {
	text, err := MarshalPrivate(s, comment, passphrase)
	if err != nil {
		return err
	}
	return writeNew(path, text, 0o600)
}

// WritePublic writes a public key and its comment to a new file of mode 0644.
// An existing file is never touched: the error is an fs.ErrExist then.
func WritePublic(path string, key PublicKey, comment string) error {
	return writeNew(path, []byte(AuthorizedLine(key, comment)+"\n"), 0o644)
}

func writeNew(path string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(path) // it is ours, and half a key is none
	}
	return err
}
