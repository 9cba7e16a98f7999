//go:build !darwin && !windows

package transfer

// foldsCase says that the system's usual file systems take names that differ
// only in case for one.
const foldsCase = false
