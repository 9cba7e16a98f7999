package options

import (
	"bytes"
	"crypto/aes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// The login file that mysql_config_editor writes is an option file whose lines
// are enciphered with a key that stands in front of them, so that nobody reads
// a password over a shoulder. Its numbers are little-endian:
//
//	4 bytes   0
//	20 bytes  from which the key is folded
//	then for each line
//	4 bytes   length of what follows, a multiple of 16
//	n bytes   the line, padded as in PKCS #7, in AES-128-ECB
const (
	loginHead = 4
	loginSeed = 20
)

// login reads the login file, if there is one.
func (r *reader) login() error {
	name := r.LoginFile
	switch {
	case r.NoLogin:
		return nil
	case name == "" && r.Home == "":
		return nil
	case name == "":
		name = filepath.Join(r.Home, ".mylogin.cnf")
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &FileError{File: name, Err: plain(err)}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return &FileError{File: name, Err: plain(err)}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o177 != 0 {
		r.warn("%s may be read or written by others: it was left out", name)
		return nil
	}
	data, err := readAll(file)
	if err == nil {
		data, err = DecryptLogin(data)
	}
	if err != nil {
		return &FileError{File: name, Err: err}
	}
	inner := &reader{Files: r.Files, groups: r.groups}
	if r.LoginPath != "" {
		inner.groups = append(inner.groups, r.suffixed([]string{r.LoginPath})...)
	}
	if err := inner.parse(name, data, maxDepth); err != nil {
		return err
	}
	r.options = append(r.options, inner.options...)
	return nil
}

// DecryptLogin returns the text of a login file (.mylogin.cnf).
func DecryptLogin(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) < loginHead+loginSeed || !bytes.Equal(data[:loginHead], make([]byte, loginHead)) {
		return nil, errors.New("it is no login file")
	}
	block, err := aes.NewCipher(loginKey(data[loginHead : loginHead+loginSeed]))
	if err != nil {
		return nil, err
	}
	text := []byte{}
	for rest := data[loginHead+loginSeed:]; len(rest) > 0; {
		at := len(data) - len(rest)
		if len(rest) < 4 {
			return nil, fmt.Errorf("the length at byte %d is cut off", at)
		}
		n := uint64(binary.LittleEndian.Uint32(rest))
		rest = rest[4:]
		if n == 0 || n%aes.BlockSize != 0 || n > uint64(len(rest)) {
			return nil, fmt.Errorf("the length at byte %d is %d, and %d bytes follow", at, n, len(rest))
		}
		line := make([]byte, n)
		for i := 0; i < len(line); i += aes.BlockSize {
			block.Decrypt(line[i:], rest[i:])
		}
		rest = rest[n:]
		pad := int(line[n-1])
		if pad == 0 || pad > aes.BlockSize {
			return nil, fmt.Errorf("the line at byte %d does not decipher", at)
		}
		text = append(text, line[:int(n)-pad]...)
	}
	return text, nil
}

// loginKey folds the seed to a key of 16 bytes.
func loginKey(seed []byte) []byte {
	key := make([]byte, aes.BlockSize)
	for i, b := range seed {
		key[i%len(key)] ^= b
	}
	return key
}
