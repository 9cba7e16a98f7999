//go:build linux || darwin

package hostshell

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/wirelark/wirelark/wire"
)

// mode is one setting among a client's terminal modes (RFC 4254 §8).
type mode struct {
	opcode uint8
	value  uint32
}

func (m *mode) Fields(c *wire.Coder) {
	c.U8("opcode", &m.opcode)
	c.U32("value", &m.value)
}

const (
	modesEnd     = 0   // TTY_OP_END
	modesUnknown = 160 // from here on the values have an unknown size
	charDisabled = 255 // the value of a special character that there is not
)

// parseModes reads the settings up to the first one whose size is not known,
// as RFC 4254 §8 asks for.
func parseModes(b []byte) []mode {
	var list []mode
	for len(b) > 0 && b[0] != modesEnd && b[0] < modesUnknown {
		var m mode
		n, err := wire.ParsePrefix(b, &m, wire.Dialect{})
		if err != nil {
			return list
		}
		list, b = append(list, m), b[n:]
	}
	return list
}

// special maps opcodes to the places of special characters.
var special = map[uint8]int{
	1: unix.VINTR, 2: unix.VQUIT, 3: unix.VERASE, 4: unix.VKILL, 5: unix.VEOF, 6: unix.VEOL, 7: unix.VEOL2,
	8: unix.VSTART, 9: unix.VSTOP, 10: unix.VSUSP, 12: unix.VREPRINT, 13: unix.VWERASE, 14: unix.VLNEXT, 18: unix.VDISCARD,
}

// The flags by opcode.
var (
	inputFlags = map[uint8]uint64{
		30: unix.IGNPAR, 31: unix.PARMRK, 32: unix.INPCK, 33: unix.ISTRIP, 34: unix.INLCR, 35: unix.IGNCR, 36: unix.ICRNL,
		38: unix.IXON, 39: unix.IXANY, 40: unix.IXOFF, 41: unix.IMAXBEL, 42: unix.IUTF8,
	}
	localFlags = map[uint8]uint64{
		50: unix.ISIG, 51: unix.ICANON, 53: unix.ECHO, 54: unix.ECHOE, 55: unix.ECHOK, 56: unix.ECHONL, 57: unix.NOFLSH,
		58: unix.TOSTOP, 59: unix.IEXTEN, 60: unix.ECHOCTL, 61: unix.ECHOKE, 62: unix.PENDIN,
	}
	outputFlags = map[uint8]uint64{70: unix.OPOST, 72: unix.ONLCR, 73: unix.OCRNL, 74: unix.ONOCR, 75: unix.ONLRET}
	// 90 and 91 (CS7, CS8) are left out: a terminal that is no line has no
	// reason to lose a bit.
	controlFlags = map[uint8]uint64{92: unix.PARENB, 93: unix.PARODD}
)

// setModes gives a terminal the modes of the client's. Unknown ones are passed
// over.
func setModes(tty *os.File, modes []byte) error {
	list := parseModes(modes)
	if len(list) == 0 {
		return nil
	}
	t, err := unix.IoctlGetTermios(int(tty.Fd()), getTermios)
	if err != nil {
		return os.NewSyscallError("ioctl", err)
	}
	for _, m := range list {
		if at, ok := special[m.opcode]; ok {
			t.Cc[at] = uint8(m.value)
			if m.value == charDisabled {
				t.Cc[at] = posixDisabled
			}
		}
		setFlag(&t.Iflag, inputFlags[m.opcode], m.value != 0)
		setFlag(&t.Lflag, localFlags[m.opcode], m.value != 0)
		setFlag(&t.Oflag, outputFlags[m.opcode], m.value != 0)
		setFlag(&t.Cflag, controlFlags[m.opcode], m.value != 0)
	}
	return os.NewSyscallError("ioctl", unix.IoctlSetTermios(int(tty.Fd()), setTermios, t))
}

func setFlag[T uint32 | uint64](field *T, bit uint64, on bool) {
	if on {
		*field |= T(bit)
	} else {
		*field &^= T(bit)
	}
}
