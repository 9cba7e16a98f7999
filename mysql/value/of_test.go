package value_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/value"
)

type (
	myInt   int16
	myUint  uint8
	myText  string
	myBytes []byte
	myFloat float32
	myBool  bool
)

type valuer struct {
	v   any
	err error
}

func (v *valuer) Value() (driver.Value, error) { return v.v, v.err }

func TestOf(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2024, 12, 31, 23, 30, 0, 123456789, time.UTC)
	n := 7
	var none *int
	var nobody *valuer
	tests := []struct {
		name string
		arg  any
		kind mysql.Kind
		text string
	}{
		{"nil", nil, mysql.KindNull, "NULL"},
		{"int", -5, mysql.KindInt, "-5"},
		{"named int", myInt(-5), mysql.KindInt, "-5"},
		{"uint64", uint64(1<<64 - 1), mysql.KindUint, "18446744073709551615"},
		{"named uint", myUint(200), mysql.KindUint, "200"},
		{"bool", true, mysql.KindInt, "1"},
		{"named bool", myBool(false), mysql.KindInt, "0"},
		{"float64", 0.1, mysql.KindDouble, "0.1"},
		{"named float", myFloat(1.5), mysql.KindFloat, "1.5"},
		{"string", "x", mysql.KindText, "x"},
		{"named string", myText("x"), mysql.KindText, "x"},
		{"bytes", []byte("x"), mysql.KindBytes, "x"},
		{"nil bytes", []byte(nil), mysql.KindNull, "NULL"},
		{"empty bytes", []byte{}, mysql.KindBytes, ""},
		{"named bytes", myBytes("x"), mysql.KindBytes, "x"},
		{"json", json.RawMessage(`{}`), mysql.KindText, "{}"},
		{"nil json", json.RawMessage(nil), mysql.KindNull, "NULL"},
		{"time", at, mysql.KindDateTime, "2025-01-01 01:30:00.123456"},
		{"duration", -90*time.Second - 1, mysql.KindTime, "-00:01:30"},
		{"zero date", mysql.DateTime{}, mysql.KindDateTime, "0000-00-00 00:00:00"},
		{"value", mysql.Decimal([]byte("1.50")), mysql.KindDecimal, "1.50"},
		{"pointer", &n, mysql.KindInt, "7"},
		{"nil pointer", none, mysql.KindNull, "NULL"},
		{"valuer", &valuer{v: "x"}, mysql.KindText, "x"},
		{"nil valuer", nobody, mysql.KindNull, "NULL"},
		{"null string", sql.NullString{}, mysql.KindNull, "NULL"},
	}
	for _, x := range tests {
		v, err := value.Of(x.arg, zone)
		if err != nil || v.Kind() != x.kind || v.String() != x.text {
			t.Errorf("%s: %v %q, %v; want %v %q", x.name, v.Kind(), v.String(), err, x.kind, x.text)
		}
	}
	refused := errors.New("no")
	for _, arg := range []any{make(chan int), []int{1}, struct{}{}, &valuer{err: refused}, &valuer{v: &valuer{}}} {
		if v, err := value.Of(arg, nil); err == nil {
			t.Errorf("Of(%T) = %v", arg, v)
		}
	}
}
