package backend

import (
	"path"
	"path/filepath"
	"strings"
)

// openNonblock is for FIFOs, which are not opened by path on Windows.
const openNonblock = 0

// toHost turns "/C:/Users" into `C:\Users`. Paths without a drive are those of
// the current one.
func toHost(name string) string {
	if len(name) >= 3 && name[2] == ':' && letter(name[1]) {
		name = name[1:]
		if len(name) == 2 {
			name += "/"
		}
	}
	return filepath.FromSlash(name)
}

// fromHost turns `C:\Users` into "/C:/Users".
func fromHost(p string) string {
	return path.Clean("/" + strings.TrimPrefix(filepath.ToSlash(p), "/"))
}

func targetToHost(target string) string {
	if strings.HasPrefix(target, "/") {
		return toHost(target)
	}
	return filepath.FromSlash(target)
}

func targetFromHost(target string) string {
	if filepath.IsAbs(target) {
		return fromHost(target)
	}
	return filepath.ToSlash(target)
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
