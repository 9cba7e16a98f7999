package mysql_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
)

// TestSetsOfABulk decodes a bulk row by row and wants what decoding it at once
// gives, with the types in it and with those of the last execution.
func TestSetsOfABulk(t *testing.T) {
	types := []mysql.ParamType{{Type: mysql.TypeLonglong, Unsigned: true}, {Type: mysql.TypeVarString}}
	values := []mysql.BulkValue{
		mysql.BulkOf(mysql.Uint(1)), mysql.BulkOf(mysql.String("a")),
		{Indicator: mysql.IndicatorDefault},
		{Indicator: mysql.IndicatorNull},
		mysql.BulkOf(mysql.Uint(1 << 63)), mysql.BulkOf(mysql.String("bcd")),
	}
	d := mysql.NewDialect(mysql.ClientProtocol41 | mysql.MariaDBBulkOperations)
	for _, flags := range []mysql.BulkFlags{0, mysql.BulkSendTypes} {
		b, err := mysql.Append(nil, &mysql.StmtBulkExecute{ID: 7, Flags: flags, Types: types, Values: values}, d)
		if err != nil {
			t.Fatal(err)
		}
		last := types
		if flags != 0 {
			last = make([]mysql.ParamType, len(types))
		}
		decode := func(b []byte) (got []mysql.BulkValue, err error) {
			var m mysql.StmtBulkExecute
			if err := mysql.Parse(b, &m, d); err != nil {
				return nil, err
			}
			sent, sets, err := m.Sets(last, d)
			if err != nil {
				return nil, err
			}
			if !reflect.DeepEqual(sent, types) {
				t.Errorf("types are %v, want %v", sent, types)
			}
			for set, err := range sets {
				if err != nil {
					return got, err
				}
				got = append(got, set...)
			}
			return got, nil
		}
		got, err := decode(b)
		if err != nil || len(got) != len(values) {
			t.Fatalf("%d values, %v, want %d", len(got), err, len(values))
		}
		for i, v := range got {
			if v.Indicator != values[i].Indicator || v.Value.String() != values[i].Value.String() {
				t.Errorf("value %d is %v %v, want %v %v", i, v.Indicator, v.Value, values[i].Indicator, values[i].Value)
			}
		}
		var e *wire.Error
		if got, err := decode(b[:len(b)-1]); !errors.As(err, &e) || len(got) != 4 {
			t.Errorf("cut: %d values, %v, want 4 and an error", len(got), err)
		}
	}
}
