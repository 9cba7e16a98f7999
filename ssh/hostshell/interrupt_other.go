//go:build unix && !linux

package hostshell

import "os"

// interruptible returns f: terminals cannot be polled here (golang.org/issue/22099).
// Reads end when the command and what it started have lost their terminal, which
// the system sees to when the command ends.
func interruptible(f *os.File) *os.File { return f }
