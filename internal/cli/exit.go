package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every command but ssh, which returns the remote
// status and 255 for its own failures as OpenSSH does.
const (
	exitOK          = 0
	exitRemote      = 1   // the far side said no
	exitUsage       = 2   //
	exitUnreachable = 3   //
	exitHostKey     = 4   // host key or certificate refused
	exitLogin       = 5   // login refused
	exitProtocol    = 6   // protocol error, or nothing in common
	exitPartly      = 7   // partly done
	exitTimeout     = 8   //
	exitInterrupted = 130 //
	exitPipe        = 141 // nobody reads our output; what a shell reports for SIGPIPE
	exitSSH         = 255 // ssh: any failure of our own
)

// Error is what a person gets to read: what happened, how we know, and what
// to do next.
type Error struct {
	Code int
	What string
	How  []string // facts, each "label: text" or plain text
	Next []string // what to do, most promising first
	Err  error
}

func (e *Error) Error() string { return e.What }
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "wirelark: %s  [code %d]\n", harmless(e.What), e.Code)
	block := func(label string, lines []string) {
		for i, l := range lines {
			if i > 0 {
				label = ""
			}
			fmt.Fprintf(&b, "  %-6s %s\n", label, harmless(l))
		}
	}
	block("how:", e.How)
	block("next:", e.Next)
	return b.String()
}

// usagef is an error in the command line itself.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	next := "wirelark --help"
	if cmd != nil {
		next = cmd.CommandPath() + " --help"
	}
	return &Error{Code: exitUsage, What: fmt.Sprintf(format, args...), Next: []string{next}}
}

// harmless makes text from the other side safe for a terminal: control
// characters become visible.
func harmless(s string) string {
	clean := true
	for _, r := range s {
		if (r < ' ' && r != '\t') || (r >= 0x7f && r < 0xa0) || r == 0xfffd {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("\n         ")
		case (r < ' ' && r != '\t') || (r >= 0x7f && r < 0xa0):
			fmt.Fprintf(&b, "\\x%02x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
