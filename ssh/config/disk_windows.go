package config

import "io/fs"

// systemDir is where Microsoft's port keeps the system's file.
const systemDir = `C:\ProgramData\ssh`

// SystemFile is the configuration for all users of the machine.
const SystemFile = `C:\ProgramData\ssh\ssh_config`

// ownersOnly does not judge access lists: the profile of a user is closed to
// others unless somebody opened it.
func ownersOnly(fs.FileInfo) bool { return true }
