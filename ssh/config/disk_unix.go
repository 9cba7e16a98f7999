//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

const systemDir = "/etc/ssh"

// SystemFile is the configuration for all users of the machine.
const SystemFile = "/etc/ssh/ssh_config"

// ownersOnly reports whether a file is root's or ours, and nobody else can
// write to it.
func ownersOnly(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return info.Mode().Perm()&0o022 == 0 && ok && (st.Uid == 0 || int(st.Uid) == os.Getuid())
}
