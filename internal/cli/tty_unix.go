//go:build unix

package cli

import "os"

// openTTY opens the terminal that controls the process for reading and
// writing, whatever the process's streams are.
func openTTY() (in, out *os.File, err error) {
	f, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	return f, f, err
}
