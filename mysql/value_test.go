package mysql_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// TestTexts: the right column is what all three servers answer.
func TestTexts(t *testing.T) {
	for _, row := range []struct {
		v    mysql.Value
		want string
	}{
		{mysql.Double(1e14), "100000000000000"},
		{mysql.Double(1e15), "1e15"},
		{mysql.Double(1.234567890123456e15), "1.234567890123456e15"},
		{mysql.Double(1.2345678901234567e15), "1234567890123456.8"},
		{mysql.Double(12345678901234567), "1.2345678901234568e16"},
		{mysql.Double(1e-4), "0.0001"},
		{mysql.Double(1e-15), "0.000000000000001"},
		{mysql.Double(1.5e-15), "0.0000000000000015"},
		{mysql.Double(1e-16), "1e-16"},
		{mysql.Double(-1.7976931348623157e308), "-1.7976931348623157e308"},
		{mysql.Double(0), "0"},
		{mysql.Double(math.Copysign(0, -1)), "-0"},
		{mysql.Float(3.14159274), "3.14159"},
		{mysql.Float(1234567), "1234570"},
		{mysql.Float(1e20), "1e20"},
		{mysql.Int(math.MinInt64), "-9223372036854775808"},
		{mysql.Uint(math.MaxUint64), "18446744073709551615"},
		{mysql.Time(-mysql.Duration(838*3600+59*60+59) * 1e6), "-838:59:59"},
		{mysql.Time(1), "00:00:00.000001"},
		{mysql.Date(mysql.DateTime{}), "0000-00-00"},
		{mysql.DateAndTime(mysql.DateTime{Year: 2024, Month: 2, Microsecond: 120000}), "2024-02-00 00:00:00.120000"},
		{mysql.Null(), "NULL"},
		{mysql.Bytes(nil), ""},
		{mysql.Bit([]byte{1, 2}), "\x01\x02"},
	} {
		if got := row.v.String(); got != row.want {
			t.Errorf("%v: %q, want %q", row.v.Kind(), got, row.want)
		}
	}
}

func TestAppendText(t *testing.T) {
	for _, row := range []struct {
		column mysql.Column
		v      mysql.Value
		want   string
	}{
		{mysql.Column{Type: mysql.TypeLong, Length: 6, Flags: mysql.FlagZerofill | mysql.FlagUnsigned}, mysql.Uint(42), "000042"},
		{mysql.Column{Type: mysql.TypeYear}, mysql.Uint(0), "0000"},
		{mysql.Column{Type: mysql.TypeLong}, mysql.Int(42), "42"},
		{mysql.Column{Type: mysql.TypeDouble, Flags: mysql.FlagZerofill, Length: 8, Decimals: 2}, mysql.Null(), ""},
	} {
		if got := row.column.AppendText([]byte("> "), &row.v); string(got) != "> "+row.want {
			t.Errorf("%v: %q, want %q", row.column.Type, got, row.want)
		}
	}
}

func TestParseText(t *testing.T) {
	for _, row := range []struct {
		typ   mysql.Type
		flags mysql.ColumnFlags
		text  string
		ok    bool
	}{
		{mysql.TypeLonglong, 0, "-9223372036854775808", true},
		{mysql.TypeLonglong, 0, "9223372036854775808", false},
		{mysql.TypeLonglong, mysql.FlagUnsigned, "18446744073709551615", true},
		{mysql.TypeLonglong, mysql.FlagUnsigned, "18446744073709551616", false},
		{mysql.TypeLonglong, mysql.FlagUnsigned, "-1", false},
		{mysql.TypeLong, 0, "", false},
		{mysql.TypeLong, 0, "12x", false},
		{mysql.TypeDouble, 0, "1e400", false},
		{mysql.TypeDate, 0, "2024-02-29", true},
		{mysql.TypeDate, 0, "2024-13-01", false},
		{mysql.TypeDate, 0, "2024-1-01", false},
		{mysql.TypeDatetime, 0, "2024-02-29 12:34:56", true},
		{mysql.TypeDatetime, 0, "2024-02-29 12:34:61", false},
		{mysql.TypeDatetime, 0, "2024-02-29 12:34:5", false},
		{mysql.TypeTime, 0, "-838:59:59", true},
		{mysql.TypeTime, 0, "1:60:00", false},
		{mysql.TypeTime, 0, "x", false},
	} {
		c := mysql.Column{Type: row.typ, Flags: row.flags, Decimals: 31}
		if row.typ == mysql.TypeDatetime || row.typ == mysql.TypeTime {
			c.Decimals = 0
		}
		v, err := c.ParseText([]byte(row.text))
		var te *mysql.TextError
		switch {
		case row.ok && (err != nil || v.String() != row.text):
			t.Errorf("%v %q is %q, %v", row.typ, row.text, v, err)
		case !row.ok && !errors.As(err, &te):
			t.Errorf("%v %q is %q, want an error", row.typ, row.text, v)
		}
	}
	var c mysql.Column
	if v, err := c.ParseText(nil); err != nil || !v.IsNull() {
		t.Errorf("no text is %v, %v, want NULL", v, err)
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 34, 56, 123456789, time.UTC)
	d := mysql.DateTimeOf(at)
	back, ok := d.Time(time.UTC)
	if want := at.Truncate(time.Microsecond); !ok || !back.Equal(want) {
		t.Errorf("there and back: %v, want %v", back, want)
	}
	if _, ok := (mysql.DateTime{Year: 2024}).Time(time.UTC); ok {
		t.Error("a date without a month became a time.Time")
	}
	if got := mysql.Duration(math.MaxInt64).Duration(); got < math.MaxInt64/1000*1000 {
		t.Errorf("the longest TIME is %v", got)
	}
	if got := mysql.DurationOf(-time.Hour); got.Duration() != -time.Hour {
		t.Errorf("an hour back is %v", got)
	}
	if v := mysql.DateAndTime(d); v.DateTime() != d {
		t.Errorf("%v became %v in a value", d, v.DateTime())
	}
}

// TestValuesOfTheWrongType: what does not fit its column is refused and not
// cut.
func TestValuesOfTheWrongType(t *testing.T) {
	for _, row := range []struct {
		typ   mysql.Type
		flags mysql.ColumnFlags
		v     mysql.Value
	}{
		{mysql.TypeTiny, 0, mysql.Int(128)},
		{mysql.TypeTiny, mysql.FlagUnsigned, mysql.Int(-1)},
		{mysql.TypeLonglong, 0, mysql.Uint(math.MaxUint64)},
		{mysql.TypeLong, 0, mysql.String("1")},
		{mysql.TypeVarString, 0, mysql.Int(1)},
		{mysql.TypeDouble, 0, mysql.Float(1)},
		{mysql.TypeTime, 0, mysql.Date(mysql.DateTime{})},
		{mysql.TypeDate, 0, mysql.Time(1)},
		{mysql.TypeTime, 0, mysql.Time(math.MaxInt64)},
	} {
		m := mysql.NewBinaryRow([]mysql.Column{{Type: row.typ, Flags: row.flags}})
		m.Values = []mysql.Value{row.v}
		var we *wire.Error
		if b, err := mysql.Append(nil, m, wire.Dialect{}); !errors.As(err, &we) {
			t.Errorf("%v %v as %v: %x, %v, want an error", row.v.Kind(), row.v, row.typ, b, err)
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		(mysql.ClientProtocol41 | mysql.MariaDBProgress | 1<<60).String(): "CLIENT_PROTOCOL_41|MARIADB_CLIENT_PROGRESS|0x1000000000000000",
		(mysql.StatusAutocommit | mysql.StatusANSIQuotes).String():        "SERVER_STATUS_AUTOCOMMIT|SERVER_STATUS_ANSI_QUOTES",
		mysql.ComStmtBulkExecute.String():                                 "COM_STMT_BULK_EXECUTE",
		mysql.ComResetConnection.String():                                 "COM_RESET_CONNECTION",
		mysql.Command(200).String():                                       "command 200",
		mysql.TypeGeometry.String():                                       "MYSQL_TYPE_GEOMETRY",
		mysql.TypeTypedArray.String():                                     "MYSQL_TYPE_TYPED_ARRAY",
		mysql.Type(99).String():                                           "type 99",
		mysql.ColumnFlags(0).String():                                     "0",
		mysql.TrackGTIDs.String():                                         "SESSION_TRACK_GTIDS",
		mysql.BulkSendTypes.String():                                      "SEND_TYPES_TO_SERVER",
		mysql.IndicatorIgnoreRow.String():                                 "STMT_INDICATOR_IGNORE_ROW",
		mysql.CursorReadOnly.String():                                     "CURSOR_TYPE_READ_ONLY",
		mysql.OptionMultiStatementsOff.String():                           "MYSQL_OPTION_MULTI_STATEMENTS_OFF",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
