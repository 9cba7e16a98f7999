package mysqlserver_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// FuzzClient plays a client: the first byte says whether it has logged in and
// as what, the rest are packets behind a byte with their length, or, before the
// login, bytes as they are. Whatever it says, the server answers with whole
// packets and comes to an end when the client has.
func FuzzClient(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 1<<14 {
			return
		}
		s := newServer(t)
		s.Limits.MaxPacket, s.Limits.LongData, s.Limits.CursorBytes, s.Limits.Statements = 1<<16, 1<<12, 1<<10, 8
		s.Handler = mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
			return &session{c: c, most: 50}, nil
		})
		c := begin(t, s, data[0])
		_ = c.conn.SetDeadline(time.Now().Add(10 * time.Second))
		said := make(chan []byte)
		go func() { // stops when the server has ended, or at the deadline
			b, err := io.ReadAll(c.conn)
			if err != nil {
				t.Errorf("the server did not come to an end: %v", err)
			}
			said <- b
		}()
		if data[0]&0x80 == 0 {
			for rest := data[1:]; len(rest) > 0; {
				n := min(int(rest[0]), len(rest)-1)
				_, _ = c.conn.Write(packetOf(0, rest[1:1+n])) // the server may have left
				rest = rest[1+n:]
			}
		} else {
			_, _ = c.conn.Write(data[1:])
		}
		c.conn.CloseWrite()
		for answer := <-said; len(answer) > 0; {
			n := 4
			if len(answer) >= 4 {
				n += int(answer[0]) | int(answer[1])<<8 | int(answer[2])<<16
			}
			if len(answer) < n {
				t.Fatalf("the server ended within a packet: %x", answer[:min(len(answer), 32)])
			}
			answer = answer[n:]
		}
		c.end()
	})
}

func begin(t *testing.T, s *mysqlserver.Server, mode byte) *client {
	if mode&0x80 != 0 {
		c := connect(t, s)
		c.greeted()
		return c
	}
	switch mode & 3 {
	case 0:
		return logIn(t, s, oldest)
	case 1:
		s.MariaDB = true
		return logIn(t, s, mariaDB)
	}
	return logIn(t, s, modern)
}

// seeds are conversations that get somewhere.
func seeds() [][]byte {
	script := func(mode byte, list ...command) []byte {
		b := []byte{mode}
		for _, p := range list {
			b = append(append(b, byte(len(p))), p...)
		}
		return b
	}
	query := func(sql string) command { return command(append([]byte{3}, sql...)) }
	return [][]byte{
		script(0, query("rows 3"), command{14}, command{1}),
		script(0, command("\x16echo ? ?"), command("\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x08\x00\xfd\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02ab"), command("\x19\x01\x00\x00\x00")),
		script(0, command("\x16rows ?"), command("\x17\x01\x00\x00\x00\x01\x01\x00\x00\x00\x00\x01\x01\x00\x05"), command("\x1c\x01\x00\x00\x00\x02\x00\x00\x00"), command("\x1a\x01\x00\x00\x00")),
		script(1, command("\x16ok ?"), command("\xfa\xff\xff\xff\xff\x80\x00\x01\x00\x00\x05\x01")),
		script(2, command("\x03\x00\x01ok 1; results 2; out"), command("\x03\x00\x01file x"), command("abc"), command{}),
		script(2, command("\x03\x02\x01\x00\x01\xfd\x00\x01a\x08\x00\x01b\x01c\x01\x02\x03\x04\x05\x06\x07\x08attributes")),
		script(2, command("\x16echo ?"), command("\x18\x01\x00\x00\x00\x00\x00long"), command("\x17\x01\x00\x00\x00\x08\x01\x00\x00\x00\x02\x00\x01\xfc\x00\x00\x08\x00\x01n\x01\x02\x03\x04\x05\x06\x07\x08")),
		script(2, command("\x11app\x00\x00db\x00\x2d\x00mysql_native_password\x00"), command("aaaaaaaaaaaaaaaaaaaa")),
		script(2, command("\x02db"), command("\x04t\x00%"), command{9}, command("\x1b\x01\x00"), command{0x1f}, command("\x0c\x01\x00\x00\x00")),
		append([]byte{0x80}, packetOf(1, append([]byte{0x05, 0x82, 0x08, 0, 0, 0, 0, 1, 45}, make([]byte, 30)...))...),
	}
}

type command []byte
