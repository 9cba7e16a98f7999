package mysql_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

var everyType = []mysql.Column{
	{Type: mysql.TypeTiny},
	{Type: mysql.TypeTiny, Flags: mysql.FlagUnsigned},
	{Type: mysql.TypeShort},
	{Type: mysql.TypeYear},
	{Type: mysql.TypeLong},
	{Type: mysql.TypeInt24, Flags: mysql.FlagUnsigned},
	{Type: mysql.TypeLonglong},
	{Type: mysql.TypeLonglong, Flags: mysql.FlagUnsigned},
	{Type: mysql.TypeFloat, Decimals: 31},
	{Type: mysql.TypeDouble, Decimals: 31},
	{Type: mysql.TypeNewDecimal},
	{Type: mysql.TypeNull},
	{Type: mysql.TypeDate},
	{Type: mysql.TypeDatetime, Decimals: 6},
	{Type: mysql.TypeTimestamp},
	{Type: mysql.TypeTime, Decimals: 3},
	{Type: mysql.TypeVarString, Collation: 45},
	{Type: mysql.TypeBlob, Collation: mysql.CollationBinary},
	{Type: mysql.TypeBit},
	{Type: mysql.TypeJSON, Collation: mysql.CollationBinary},
	{Type: mysql.TypeGeometry},
	{Type: mysql.TypeVector},
}

// TestRows proves the rules of package wire for messages whose layout their
// context decides.
func TestRows(t *testing.T) {
	entry := func(name string, number uint8, context string, bare bool, like func() wire.Message) wire.Entry {
		return wire.Entry{Number: number, Context: context, Bare: bare, Name: name, Section: "test", New: like}
	}
	params := make([]mysql.Param, 3)
	params[1].Type.Type, params[2].Long = mysql.TypeLong, true
	wiretest.Check(t, wiretest.Suite{
		Rounds:   10,
		Dialects: mysql.Dialects,
		Registry: wire.NewRegistry("mysql",
			entry("binary", 0, "", false, func() wire.Message { return mysql.NewBinaryRow(everyType) }),
			entry("text", 0, "text", true, func() wire.Message { return mysql.NewTextRow(3) }),
			entry("execute", uint8(mysql.ComStmtExecute), "", false, func() wire.Message { return mysql.NewStmtExecute(params) }),
			entry("bulk", uint8(mysql.ComStmtBulkExecute), "", false, func() wire.Message {
				return mysql.NewStmtBulkExecute([]mysql.ParamType{{Type: mysql.TypeLonglong}, {Type: mysql.TypeVarString}})
			}),
		),
	})
}

// rows returns a binary and a text row of 8 columns with their packets.
func rows(t testing.TB) (binary *mysql.BinaryRow, b []byte, text *mysql.TextRow, x []byte) {
	columns := []mysql.Column{
		{Type: mysql.TypeLong},
		{Type: mysql.TypeLonglong},
		{Type: mysql.TypeVarString, Collation: 45},
		{Type: mysql.TypeDatetime},
		{Type: mysql.TypeDouble, Decimals: 31},
		{Type: mysql.TypeNewDecimal},
		{Type: mysql.TypeVarString, Collation: 45},
		{Type: mysql.TypeTiny},
	}
	binary, text = mysql.NewBinaryRow(columns), mysql.NewTextRow(len(columns))
	binary.Values = []mysql.Value{
		mysql.Int(7), mysql.Int(1 << 40), mysql.String("some text"), mysql.DateAndTime(mysql.DateTimeOf(time.Unix(1e9, 0))),
		mysql.Double(1.5), mysql.Decimal([]byte("12.50")), mysql.Null(), mysql.Bool(true),
	}
	var err error
	if b, err = wire.Append(nil, binary, wire.Dialect{}); err != nil {
		t.Fatal(err)
	}
	text.Cells = make([][]byte, len(columns))
	for i := range binary.Values {
		if v := &binary.Values[i]; !v.IsNull() {
			text.Cells[i] = v.AppendText([]byte{})
		}
	}
	if x, err = wire.Append(nil, text, wire.Dialect{}); err != nil {
		t.Fatal(err)
	}
	return binary, b, text, x
}

func TestRowsAllocateNothing(t *testing.T) {
	binary, b, text, x := rows(t)
	var c wire.Coder
	out := make([]byte, 0, 256)
	for _, row := range []struct {
		name string
		f    func() error
	}{
		{"binary, decode", func() error { return c.Parse(b, binary, wire.Dialect{}) }},
		{"text, decode", func() error { return c.Parse(x, text, wire.Dialect{}) }},
		{"binary, encode", func() error { _, err := c.Append(out, binary, wire.Dialect{}); return err }},
		{"text, encode", func() error { _, err := c.Append(out, text, wire.Dialect{}); return err }},
		{"texts of values", func() error {
			for i := range binary.Values {
				out = binary.Values[i].AppendText(out[:0])
			}
			return nil
		}},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := row.f(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for a row", row.name, n)
		}
	}
}

// TestCommandsAllocateNothing: what is said for each statement costs no
// garbage, with buffers and messages that are used again.
func TestCommandsAllocateNothing(t *testing.T) {
	d := mysql.Dialects[2]
	execute := &mysql.StmtExecute{ID: 1, Iterations: 1, NewTypes: true, Params: []mysql.Param{
		mysql.NewParam(mysql.Int(5)), mysql.NewParam(mysql.Text([]byte("text"))), mysql.NewParam(mysql.Null()), mysql.NewParam(mysql.Double(1.5)),
	}}
	query := &mysql.Query{SQL: []byte("SELECT 1")}
	end := &mysql.OK{End: true, Status: mysql.StatusAutocommit}
	ok, err := wire.Append(nil, end, d)
	if err != nil {
		t.Fatal(err)
	}
	var c wire.Coder
	out := make([]byte, 0, 256)
	for _, row := range []struct {
		name string
		f    func() error
	}{
		{"execute", func() error { _, err := c.Append(out, execute, d); return err }},
		{"query", func() error { _, err := c.Append(out, query, d); return err }},
		{"OK, encode", func() error { _, err := c.Append(out, end, d); return err }},
		{"OK, decode", func() error { return c.Parse(ok, end, d) }},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := row.f(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", row.name, n)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	binary, p, text, x := rows(b)
	var c wire.Coder
	for _, row := range []struct {
		name   string
		packet []byte
		m      wire.Message
	}{{"binary", p, binary}, {"text", x, text}} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Parse(row.packet, row.m, wire.Dialect{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*8/b.Elapsed().Seconds()/1e6, "Mcells/s")
		})
	}
}

// TestRowsOfUnknownColumns: what cannot be decoded is kept as it is.
func TestRowsOfUnknownColumns(t *testing.T) {
	for _, m := range []wire.Message{new(mysql.BinaryRow), new(mysql.TextRow), new(mysql.StmtExecute), new(mysql.StmtBulkExecute)} {
		packet := append([]byte{mysql.Messages.Entry(m).Number}, "0123456789 anything"...)
		if mysql.Messages.Entry(m).Bare {
			packet = packet[1:]
		}
		if err := mysql.Parse(packet, m, wire.Dialect{}); err != nil {
			t.Errorf("%T: %v", m, err)
		}
		if out, err := mysql.Append(nil, m, wire.Dialect{}); err != nil || !bytes.Equal(out, packet) {
			t.Errorf("%T is encoded as %q, %v, want %q", m, out, err, packet)
		}
	}
}
