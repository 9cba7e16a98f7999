package wire

import (
	"strconv"
	"strings"
)

// FlagNames returns the set bits of v in words, with | between them: names has
// the name of bit 0 first, and "" for bits without one. What has no name stands
// at the end in hexadecimal; nothing at all is "0". It serves String methods of
// flag sets.
func FlagNames(v uint64, names []string) string {
	if v == 0 {
		return "0"
	}
	var parts []string
	for i, name := range names {
		if name != "" && v&(1<<i) != 0 {
			parts = append(parts, name)
			v &^= 1 << i
		}
	}
	if v != 0 {
		parts = append(parts, "0x"+strconv.FormatUint(v, 16))
	}
	return strings.Join(parts, "|")
}
