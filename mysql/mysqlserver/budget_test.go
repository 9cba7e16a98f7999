package mysqlserver_test

import (
	"context"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// TestRowsAllocateNothing counts what rows of every kind cost, in both forms.
func TestRowsAllocateNothing(t *testing.T) {
	columns := []mysql.Column{
		{Name: "i", Type: mysql.TypeLonglong},
		{Name: "u", Type: mysql.TypeLong, Flags: mysql.FlagUnsigned},
		{Name: "d", Type: mysql.TypeDouble},
		{Name: "f", Type: mysql.TypeFloat},
		{Name: "s", Type: mysql.TypeVarString},
		{Name: "b", Type: mysql.TypeBlob},
		{Name: "n", Type: mysql.TypeVarString},
		{Name: "dt", Type: mysql.TypeDatetime, Decimals: 6},
		{Name: "da", Type: mysql.TypeDate},
		{Name: "t", Type: mysql.TypeTime},
		{Name: "dec", Type: mysql.TypeNewDecimal},
	}
	at := mysql.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56, Microsecond: 789}
	values := []mysql.Value{
		mysql.Int(-1 << 40), mysql.Uint(7), mysql.Double(1.0 / 3), mysql.Float(0.25), mysql.String("a text of some length"), mysql.Bytes([]byte{1, 2, 3}), mysql.Null(),
		mysql.DateAndTime(at), mysql.Date(at), mysql.Time(12345e6), mysql.String("12.50"),
	}
	var text, binary float64
	s := newServer(t)
	s.Handler = mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
		return &counting{session: session{c: c}, columns: columns, values: values, text: &text, binary: &binary}, nil
	})
	c := logIn(t, s, modern)
	c.query("count")
	c.execute(c.prepare("count"), 0)
	c.done()
	if text > 0 || binary > 0 {
		t.Errorf("a text row allocates %v times, a binary one %v times, want 0", text, binary)
	}
}

type counting struct {
	session
	columns      []mysql.Column
	values       []mysql.Value
	text, binary *float64
}

func (s *counting) Query(_ context.Context, w *mysqlserver.Writer, _ *mysqlserver.Query) error {
	if err := w.Columns(s.columns); err != nil {
		return err
	}
	n := s.text
	if w.Binary() {
		n = s.binary
	}
	var failed error
	*n = testing.AllocsPerRun(500, func() {
		if err := w.Row(s.values); err != nil {
			failed = err
		}
	})
	return failed
}

func (s *counting) Prepare(context.Context, string) (mysqlserver.Statement, error) {
	return &countingStatement{s}, nil
}

type countingStatement struct{ s *counting }

func (*countingStatement) NumParams() int          { return 0 }
func (*countingStatement) Columns() []mysql.Column { return nil }
func (*countingStatement) Close()                  {}
func (p *countingStatement) Execute(ctx context.Context, w *mysqlserver.Writer, _ *mysqlserver.Execution) error {
	return p.s.Query(ctx, w, nil)
}
