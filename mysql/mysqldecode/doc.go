// Package mysqldecode reads conversations of MySQL and MariaDB that others
// speak: live packets from a tracer, or the two byte streams of a connection,
// with holes, compression and TLS.
//
// [Factory] makes decoders for the rest of the program. A decoder cuts the
// streams into packets, joins those that were cut at 16 MiB, names each by its
// place in the conversation, and adds what a single packet does not tell, as
// derived fields:
//
//   - query: the SQL of a prepared statement, in executions with its
//     parameters in the place of question marks;
//   - query_masked: the SQL without its passwords, where it has some;
//   - error_name: the name of an error's number;
//   - rows and row_bytes, where the rows of a result set end.
//
// The packet that ends the answer to a command is the reply to it, and its
// latency is that of the statement. A decoder follows the rules of package
// mysql/flow and puts what breaks them into the message's Err. Passwords and
// proofs are secrets, and so is SQL with passwords in it.
//
// Conversations are recognised by their greeting on any port, and in their
// middle by a command and its answer. What both ends agreed on is then a
// guess, which is corrected by what is seen. After a hole a decoder goes on
// with the next packet when the hole is inside of one, and else with the next
// command; packets in between are counted in a note.
//
// Where the client switches to TLS, the layer of trace.Options opens it;
// without one, or without its secrets, a message "TLS" says so once and
// nothing more is read. Compression with zlib and zstd is undone.
//
// Memory is bounded: at most [MaxPayload] bytes of a message are kept, tables
// are those of package mysql/flow, and a trace.Budget is obeyed.
package mysqldecode

import (
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/names"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// MaxPayload is how many bytes of one message are decoded. Of a longer one the
// beginning is shown, with an error.
const MaxPayload = 24 << 20

// Factory makes decoders for MySQL.
var Factory = trace.Factory{Proto: "mysql", Detect: detect, New: New}

// New returns a decoder of one connection.
func New(o trace.Options) trace.Decoder {
	d := &decoder{options: o, asked: make(map[uint64]asked)}
	for i := range d.dirs {
		d.dirs[i].split.Limit = MaxPayload
	}
	return d
}

// detect knows a connection by its greeting, or by a command and the beginning
// of its answer.
func detect(c2s, s2c []byte) trace.Verdict {
	v := greets(s2c)
	if v != trace.No {
		return v
	}
	command := commands(c2s)
	if len(s2c) == 0 || command != trace.Yes {
		if command == trace.Yes && certain(c2s) {
			return trace.Yes
		}
		return min(command, trace.Maybe)
	}
	if certain(c2s) || answers(s2c) {
		return trace.Yes
	}
	return trace.No
}

// greets judges whether b begins a greeting, or an error instead of one.
func greets(b []byte) trace.Verdict {
	const least, most = 30, 512
	if len(b) == 0 {
		return trace.No
	}
	head := header(b)
	switch {
	case len(b) >= packet.HeaderSize && (head.length < 3 || head.length > most || head.number != 0):
		return trace.No
	case len(b) < packet.HeaderSize+3:
		return trace.Maybe
	}
	body := b[packet.HeaderSize:min(len(b), packet.HeaderSize+head.length)]
	switch body[0] {
	case mysql.HeaderERR:
		return refusal(body, head.length)
	case mysql.HeaderHandshake:
		for i, x := range body[1:] {
			switch {
			case x == 0 && i > 0 && head.length >= least:
				return trace.Yes
			case x < ' ' || x > '~':
				return trace.No
			}
		}
		return trace.Maybe
	}
	return trace.No
}

// refusal judges an error in the place of a greeting.
func refusal(body []byte, length int) trace.Verdict {
	var m mysql.ERR
	if len(body) < length {
		return trace.Maybe
	}
	if mysql.Parse(body, &m, wire.Dialect{}) != nil || names.Error(m.Code) == "" || len(m.Message) < 4 {
		return trace.No
	}
	for _, x := range []byte(m.Message) {
		if x < ' ' {
			return trace.No
		}
	}
	return trace.Yes
}

// head is the header of a packet.
type head struct {
	length int
	number uint8
}

func header(b []byte) head {
	var h [packet.HeaderSize]byte
	copy(h[:], b)
	return head{int(h[0]) | int(h[1])<<8 | int(h[2])<<16, h[3]}
}

// commands judges whether b consists of commands, the last of which may be
// incomplete.
func commands(b []byte) trace.Verdict {
	if len(b) <= packet.HeaderSize {
		h := header(b)
		if len(b) == packet.HeaderSize && (h.length == 0 || h.number != 0) {
			return trace.No
		}
		return trace.Maybe
	}
	for len(b) > packet.HeaderSize {
		h := header(b)
		e := mysql.Messages.Find(mysql.ContextCommand, b[packet.HeaderSize])
		if h.length == 0 || h.number != 0 || e == nil || !fits(mysql.Command(e.Number), h.length) {
			return trace.No
		}
		if len(b) < packet.HeaderSize+h.length {
			return trace.Maybe
		}
		b = b[packet.HeaderSize+h.length:]
	}
	return trace.Yes
}

// fits reports whether a command may have that many bytes.
func fits(c mysql.Command, n int) bool {
	switch c {
	case mysql.ComQuit, mysql.ComStatistics, mysql.ComDebug, mysql.ComPing, mysql.ComResetConnection:
		return n == 1
	case mysql.ComStmtClose, mysql.ComStmtReset, mysql.ComProcessKill:
		return n == 5
	case mysql.ComStmtFetch:
		return n == 9
	case mysql.ComSetOption:
		return n == 3
	case mysql.ComStmtExecute:
		return n >= 10
	}
	return n > 1
}

// certain reports whether the first command is SQL, whatever is answered.
func certain(b []byte) bool {
	h := header(b)
	body := b[packet.HeaderSize:min(len(b), packet.HeaderSize+h.length)]
	if c := mysql.Command(body[0]); c != mysql.ComQuery && c != mysql.ComStmtPrepare {
		return false
	}
	sql := body[1:]
	if len(sql) > 2 && sql[0] == 0 && sql[1] == 1 { // no attributes
		sql = sql[2:]
	}
	if len(sql) < 4 {
		return false
	}
	for _, x := range sql {
		if x < ' ' && x != '\n' && x != '\r' && x != '\t' {
			return false
		}
	}
	return verb(sql) != ""
}

// answers reports whether b begins with the first packet of an answer.
func answers(b []byte) bool {
	h := header(b)
	if len(b) <= packet.HeaderSize || h.number != 1 || h.length == 0 {
		return false
	}
	if len(b) < packet.HeaderSize+h.length {
		return h.length < 1<<16
	}
	next := b[packet.HeaderSize+h.length:]
	return len(next) < packet.HeaderSize || next[3] == 2 || next[3] == 1
}
