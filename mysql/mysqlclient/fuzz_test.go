package mysqlclient_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// script returns what a server says, one turn after another: before a turn it
// has heard something from the client, but for the first. A turn has its length
// in two bytes in front. numbers are those of the turns' first packets.
func script(tb testing.TB, caps mysql.Capabilities, turns ...[]wire.Message) []byte {
	var out []byte
	for i, turn := range turns {
		var said bytes.Buffer
		pc := packet.New(discard{Buffer: &said}, &packet.Config{Role: trace.Server})
		first := 1 // a command has 0
		switch i {
		case 0:
			first = 0
		case 1: // behind the response to the greeting
			first = 2
		}
		for range first {
			pc.AppendPayload(nil)
		}
		if i > 0 {
			pc.SetDialect(mysql.NewDialect(caps))
		}
		for _, m := range turn {
			if err := pc.Append(m); err != nil {
				tb.Fatal(err)
			}
		}
		if err := pc.Flush(); err != nil {
			tb.Fatal(err)
		}
		b := said.Bytes()[first*packet.HeaderSize:]
		out = append(binary.LittleEndian.AppendUint16(out, uint16(len(b))), b...)
	}
	return out
}

// speak plays a script.
func speak(server *testkit.Conn, b []byte) {
	heard := make([]byte, 64<<10)
	for len(b) >= 2 {
		n := int(binary.LittleEndian.Uint16(b))
		b = b[2:]
		n = min(n, len(b))
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
		if b = b[n:]; len(b) == 0 {
			break
		}
		// A client that waits for more gets it.
		_ = server.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		if _, err := server.Read(heard); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
	_ = server.CloseWrite()
	_ = server.SetReadDeadline(time.Time{})
	_, _ = io.Copy(io.Discard, server)
}

// FuzzClient lets a server send any bytes. The client must end every operation,
// panic never, hold a bounded memory, and leave no goroutine.
func FuzzClient(f *testing.F) {
	for _, caps := range []mysql.Capabilities{mysqlCaps, mariaCaps, oldCaps} {
		caps &^= mysql.ClientQueryAttributes // which the client does not ask for
		a := column("a", mysql.TypeLonglong)
		end := ending(caps, mysql.StatusAutocommit)
		set := func(row wire.Message) []wire.Message { return append(resultHead(caps, a), row, end) }
		text := set(&mysql.TextRow{Cells: [][]byte{[]byte("5")}})
		bin := set(binaryRow([]*mysql.Column{a}, mysql.Int(5)))
		prepared := []wire.Message{&mysql.StmtPrepareOK{ID: 1, Params: 1}, a}
		unnamed := []wire.Message{&mysql.StmtPrepareOK{ID: 2, Columns: 1}, a}
		if !caps.Has(mysql.ClientDeprecateEOF) {
			prepared, unnamed = append(prepared, end), append(unnamed, end)
		}
		greeting, ok := []wire.Message{hello(caps)}, []wire.Message{okay()}
		if caps.MariaDB() { // prepares and executes at once
			prepared, bin = append(prepared, bin...), ok
		}
		infile := []wire.Message{&mysql.LocalInfileRequest{Filename: "x"}}
		cursor := append(resultHead(caps, a), ending(caps, mysql.StatusCursorExists))
		fetched := []wire.Message{binaryRow([]*mysql.Column{a}, mysql.Int(5)), ending(caps, mysql.StatusLastRowSent)}
		f.Add(script(f, caps, greeting, ok, ok))
		f.Add(script(f, caps, greeting, ok, text, prepared, bin, infile, ok, append(text[:len(text):len(text)], bin...), unnamed, cursor, fetched, []wire.Message{a, end}, ok, ok, ok))
		f.Add(script(f, caps, greeting, ok, ok, prepared, []wire.Message{oops(1243, "gone")}, prepared, bin, infile, []wire.Message{oops(1, "no")}))
		f.Add(script(f, caps, greeting, []wire.Message{&mysql.AuthSwitchRequest{Plugin: "caching_sha2_password", Data: []byte("abcdefghijklmnopqrst\x00")}}, []wire.Message{&mysql.AuthMoreData{Data: []byte{3}}, okay()}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		short, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		cfg := &mysqlclient.Config{
			User: "anna", Passwords: []string{"pw"}, LocalInfile: true, KillTimeout: -1, MaxPacket: 1 << 20,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				near, server := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
				go func() { // stops when the client closes its end
					speak(server, b)
				}()
				return near, nil
			},
		}
		c, err := mysqlclient.Connect(short, cfg)
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }() // it tells why the session ended, which is no finding
		use(short, c)
		if short.Err() != nil {
			t.Error("an operation did not end")
		}
	})
}

// use does a little of everything. What becomes of it does not matter.
func use(ctx context.Context, c *mysqlclient.Conn) {
	read := func(rows *mysqlclient.Rows, err error) {
		if err != nil {
			return
		}
		for more := true; more; more = rows.NextResult() {
			for rows.Next() {
				for i := range rows.Columns() {
					_, _, _ = rows.Value(i), rows.String(i), rows.IsNull(i)
				}
			}
		}
		_ = rows.Close()
	}
	read(c.Query(ctx, "SELECT 1"))
	read(c.Query(ctx, "SELECT ?", 1))
	_, _ = c.LoadData(ctx, loadSQL, strings.NewReader("1\n"), nil)
	p := c.Pipeline()
	p.Add("SELECT 2")
	p.Add("SELECT ?", 2)
	if answers, err := p.Flush(ctx); err == nil {
		_ = answers.Close()
	}
	if stmt, err := c.Prepare(ctx, "SELECT 3"); err == nil {
		read(stmt.Cursor(ctx, 2))
	}
	_, _ = c.FieldList(ctx, "t", "")
	_, _ = c.Statistics(ctx)
	_ = c.Reset(ctx)
	_ = c.ChangeUser(ctx, nil)
	_ = c.Check()
}
