package transport

// DefaultVersion is the software version in our identification line.
const DefaultVersion = "Wirelark_0.1"

// Defaults returns the algorithms that are offered unless something else is
// asked for. The caller owns the lists.
func Defaults() Algorithms { panic("internal error: not yet") }

// Supported returns all algorithms that can be offered. The caller owns the
// lists.
func Supported() Algorithms { panic("internal error: not yet") }

// ParseList resolves a list in the manner of OpenSSH's configuration: names
// with commas, or behind "+" to be appended to the defaults, behind "-" to be
// removed from them, behind "^" to be put in front of them; "*" and "?" match
// in names. Names that are not in supported are an error.
func ParseList(list string, defaults, supported []string) ([]string, error) {
	panic("internal error: not yet")
}
