//go:build unix && !linux && !darwin

package hostshell

import "os"

// setModes leaves a new terminal as the system made it.
func setModes(*os.File, []byte) error { return nil }
