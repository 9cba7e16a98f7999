//go:build !unix

package main

import "time"

// cpuTime and childTime are unknown here.
func cpuTime() time.Duration   { return 0 }
func childTime() time.Duration { return 0 }
