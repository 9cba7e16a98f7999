package value_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
)

func TestFit(t *testing.T) {
	at := mysql.DateTime{Year: 2024, Month: 2, Day: 29, Hour: 1, Minute: 2, Second: 3, Microsecond: 456789}
	long, unsigned := mysql.Column{Type: mysql.TypeLonglong}, mysql.Column{Type: mysql.TypeLonglong, Flags: mysql.FlagUnsigned}
	tests := []struct {
		name   string
		v      mysql.Value
		column mysql.Column
		kind   mysql.Kind
		want   string
	}{
		{"NULL", mysql.Null(), long, mysql.KindNull, "NULL"},
		{"integer", mysql.Int(-5), long, mysql.KindInt, "-5"},
		{"text as integer", mysql.String(" 42 "), long, mysql.KindInt, "42"},
		{"large text as integer", mysql.String("18446744073709551615"), unsigned, mysql.KindUint, "18446744073709551615"},
		{"text with a fraction", mysql.String("2.5"), long, mysql.KindInt, "3"},
		{"no number", mysql.String("abc"), long, mysql.KindInt, "0"},
		{"double as integer", mysql.Double(-2.5), long, mysql.KindInt, "-3"},
		{"too large", mysql.Double(1e300), unsigned, mysql.KindUint, "18446744073709551615"},
		{"too small", mysql.Double(-1e300), long, mysql.KindInt, "-9223372036854775808"},
		{"negative as unsigned", mysql.Double(-3), unsigned, mysql.KindUint, "0"},
		{"not a number", mysql.Double(math.NaN()), long, mysql.KindInt, "0"},
		{"bits as integer", mysql.Bit([]byte{1, 2}), long, mysql.KindUint, "258"},
		{"date as integer", mysql.Date(at), long, mysql.KindInt, "0"},
		{"integer as double", mysql.Int(3), mysql.Column{Type: mysql.TypeDouble, Decimals: 31}, mysql.KindDouble, "3"},
		{"decimals of a double", mysql.Double(1.0 / 3), mysql.Column{Type: mysql.TypeDouble, Decimals: 2}, mysql.KindDouble, "0.33"},
		{"text as float", mysql.String("0.25"), mysql.Column{Type: mysql.TypeFloat, Decimals: 31}, mysql.KindFloat, "0.25"},
		{"unsigned as float", mysql.Uint(1 << 63), mysql.Column{Type: mysql.TypeDouble, Decimals: 31}, mysql.KindDouble, "9.223372036854776e18"},
		{"datetime as date", mysql.DateAndTime(at), mysql.Column{Type: mysql.TypeDate}, mysql.KindDate, "2024-02-29"},
		{"date as datetime", mysql.Date(at), mysql.Column{Type: mysql.TypeDatetime}, mysql.KindDateTime, "2024-02-29 00:00:00"},
		{"decimals of a datetime", mysql.DateAndTime(at), mysql.Column{Type: mysql.TypeDatetime, Decimals: 3}, mysql.KindDateTime, "2024-02-29 01:02:03.456"},
		{"text as timestamp", mysql.String("2024-02-29 01:02:03.4"), mysql.Column{Type: mysql.TypeTimestamp, Decimals: 6}, mysql.KindDateTime, "2024-02-29 01:02:03.400000"},
		{"decimals of a time", mysql.Time(-1_999_999), mysql.Column{Type: mysql.TypeTime}, mysql.KindTime, "-00:00:01"},
		{"text as time", mysql.String("838:59:59"), mysql.Column{Type: mysql.TypeTime, Decimals: 1}, mysql.KindTime, "838:59:59.0"},
		{"text", mysql.String("x"), mysql.Column{Type: mysql.TypeVarString}, mysql.KindText, "x"},
		{"integer as text", mysql.Int(5), mysql.Column{Type: mysql.TypeVarString}, mysql.KindInt, "5"},
	}
	for _, tt := range tests {
		got, err := value.Fit(&tt.v, &tt.column)
		if err != nil || got.Kind() != tt.kind || got.String() != tt.want {
			t.Errorf("%s: got %v %q, %v, want %v %q", tt.name, got.Kind(), got.String(), err, tt.kind, tt.want)
		}
	}
	for _, column := range []mysql.Column{{Name: "d", Type: mysql.TypeDate}, {Name: "d", Type: mysql.TypeDatetime}, {Name: "d", Type: mysql.TypeTime}} {
		for _, v := range []mysql.Value{mysql.Int(5), mysql.String("yesterday")} {
			var e *value.FitError
			if _, err := value.Fit(&v, &column); !errors.As(err, &e) || e.Column != "d" {
				t.Errorf("%v as %v: %v, want a FitError", v, column.Type, err)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	tests := []struct {
		in, want mysql.Column
	}{
		{mysql.Column{Type: mysql.TypeLong}, mysql.Column{Catalog: "def", Type: mysql.TypeLong, Collation: 63, Length: 11, Flags: mysql.FlagNum}},
		{mysql.Column{Type: mysql.TypeDouble}, mysql.Column{Catalog: "def", Type: mysql.TypeDouble, Collation: 63, Length: 22, Flags: mysql.FlagNum, Decimals: 31}},
		{mysql.Column{Type: mysql.TypeVarString}, mysql.Column{Catalog: "def", Type: mysql.TypeVarString, Collation: 45, Length: 1 << 16}},
		{mysql.Column{Type: mysql.TypeBlob}, mysql.Column{Catalog: "def", Type: mysql.TypeBlob, Collation: 63, Length: 1<<16 - 1, Flags: mysql.FlagBlob | mysql.FlagBinary}},
		{mysql.Column{Type: mysql.TypeBlob, Collation: 45}, mysql.Column{Catalog: "def", Type: mysql.TypeBlob, Collation: 45, Length: 1<<16 - 1, Flags: mysql.FlagBlob}},
		{mysql.Column{Type: mysql.TypeDate, Length: 5, Catalog: "c"}, mysql.Column{Catalog: "c", Type: mysql.TypeDate, Collation: 63, Length: 5, Flags: mysql.FlagBinary}},
	}
	for _, tt := range tests {
		if got := value.Complete(tt.in, 45); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Complete(%v) = %+v, want %+v", tt.in.Type, got, tt.want)
		}
	}
}
