package mysqlshell

import (
	"fmt"
	"strings"
	"time"

	"github.com/wirelark/wirelark/internal/mysqlshell/format"
)

// DefaultPrompt shows the database, a star inside a transaction, and an arrow.
const DefaultPrompt = `\d\x> `

// Prompt is what stands in front of the next line. Inside a statement it shows
// what the statement waits for.
func (s *Shell) Prompt() string {
	first := s.firstPrompt()
	wait := s.cut.Pending()
	if wait == 0 {
		return first
	}
	mark := "-> "
	switch wait {
	case '\'', '"', '`':
		mark = string(wait) + "> "
	case '*':
		mark = "/*> "
	}
	n := max(len(first), len(mark))
	return strings.Repeat(" ", n-len(mark)) + mark
}

// firstPrompt replaces the escapes of the original, and \x.
func (s *Shell) firstPrompt() string {
	var b strings.Builder
	now := time.Now()
	for i := 0; i < len(s.prompt); i++ {
		c := s.prompt[i]
		if c != '\\' || i+1 == len(s.prompt) {
			b.WriteByte(c)
			continue
		}
		i++
		b.WriteString(s.promptPart(s.prompt[i], now))
	}
	return string(format.AppendHarmless(nil, []byte(b.String()), false))
}

func (s *Shell) promptPart(c byte, now time.Time) string {
	f := &s.cfg.Facts
	switch c {
	case 'd':
		return orElse(s.schema, "(none)")
	case 'x':
		if s.inTransaction() {
			return "*"
		}
		return ""
	case 'u':
		return f.User
	case 'U':
		return f.User + "@" + f.Host
	case 'h':
		return orElse(f.Host, "localhost")
	case 'p':
		return orElse(f.Port, f.Socket)
	case 'v':
		if s.conn != nil {
			return s.conn.Server().Version
		}
		return ""
	case 'N':
		if s.conn != nil && s.conn.Server().MariaDB {
			return "MariaDB"
		}
		return "MySQL"
	case 'c':
		return fmt.Sprint(s.statement)
	case 'l':
		return s.cut.Delimiter()
	case 'D':
		return now.Format("Mon Jan _2 15:04:05 2006")
	case 'R':
		return now.Format("15")
	case 'r':
		return now.Format("03")
	case 'm':
		return now.Format("04")
	case 's':
		return now.Format("05")
	case 'P':
		return strings.ToLower(now.Format("PM"))
	case 'y':
		return now.Format("06")
	case 'Y':
		return now.Format("2006")
	case 'w':
		return now.Format("Mon")
	case 'o':
		return now.Format("1")
	case 'O':
		return now.Format("Jan")
	case '_', 'S':
		return map[byte]string{'_': " ", 'S': ";"}[c]
	case 'n':
		return " " // a prompt of one line
	case 't':
		return "\t"
	}
	return string(c)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
