package mysqlserver_test

import (
	"context"
	"io"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// benching sends rows while a benchmark runs.
type benching struct {
	session
	b *testing.B
}

func (s *benching) Query(_ context.Context, w *mysqlserver.Writer, _ *mysqlserver.Query) error {
	at := mysql.DateAndTime(mysql.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 12, Minute: 34, Second: 56, Microsecond: 789})
	columns := []mysql.Column{
		{Name: "id", Type: mysql.TypeLonglong},
		{Name: "n", Type: mysql.TypeLong},
		{Name: "u", Type: mysql.TypeLong, Flags: mysql.FlagUnsigned},
		{Name: "dec", Type: mysql.TypeNewDecimal},
		{Name: "d", Type: mysql.TypeDouble},
		{Name: "s", Type: mysql.TypeVarString},
		{Name: "at", Type: mysql.TypeDatetime, Decimals: 6},
		{Name: "null", Type: mysql.TypeVarString},
	}
	values := []mysql.Value{
		mysql.Int(1 << 40), mysql.Int(-7), mysql.Uint(7), mysql.String("12345.67"), mysql.Double(1.0 / 3),
		mysql.String("a text of thirty-two bytes......"), at, mysql.Null(),
	}
	if err := w.Columns(columns); err != nil {
		return err
	}
	for s.b.Loop() {
		if err := w.Row(values); err != nil {
			return err
		}
	}
	return nil
}

func (s *benching) Prepare(context.Context, string) (mysqlserver.Statement, error) {
	return &benchingStatement{s: s}, nil
}

type benchingStatement struct {
	statement
	s *benching
}

func (p *benchingStatement) Execute(ctx context.Context, w *mysqlserver.Writer, _ *mysqlserver.Execution) error {
	return p.s.Query(ctx, w, nil)
}

// BenchmarkRow sends rows of eight columns to a client that throws them away.
func BenchmarkRow(b *testing.B) {
	for _, form := range []string{"text", "binary"} {
		b.Run(form, func(b *testing.B) {
			b.ReportAllocs()
			s := newServer(b)
			s.Handler = mysqlserver.HandlerFunc(func(_ context.Context, c *mysqlserver.Conn) (mysqlserver.Session, error) {
				return &benching{session: session{c: c}, b: b}, nil
			})
			c := logIn(b, s, modern)
			c.rude = true
			if form == "text" {
				c.say(&mysql.Query{SQL: []byte("go")})
			} else {
				c.say(&mysql.StmtExecute{ID: c.prepare("go"), Iterations: 1})
			}
			c.say(&mysql.Quit{})
			if _, err := io.Copy(io.Discard, c.conn); err != nil {
				b.Fatal(err)
			}
			c.end()
		})
	}
}
