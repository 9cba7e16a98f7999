package sqldriver

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql"
)

// TestAssign stores OUT parameters, whose Go types are those of
// mysqlclient.Rows.Value.
func TestAssign(t *testing.T) {
	type id int16
	at := mysql.DateTime{Year: 2024, Month: 2, Day: 3, Hour: 4}
	for _, row := range []struct {
		dest any
		v    any
		want string // of what dest points to
	}{
		{new(int), int64(5), "5"},
		{new(id), "12", "12"},
		{new(int8), int64(200), "error: 200 does not fit into a int8"},
		{new(int), nil, "error: converting NULL to int64 is unsupported"},
		{new(uint8), int64(255), "255"},
		{new(uint8), uint64(256), "error: 256 does not fit into a uint8"},
		{new(uint64), uint64(1<<64 - 1), "18446744073709551615"},
		{new(float32), 1.5, "1.5"},
		{new(bool), int64(1), "true"},
		{new(string), int64(7), "7"},
		{new(string), "text", "text"},
		{new(string), at, "2024-02-03 04:00:00"},
		{new(string), mysql.Duration(-90 * 1e6), "-00:01:30"},
		{new([]byte), []byte{1, 2}, "[1 2]"},
		{new(time.Time), at, "2024-02-03 04:00:00 +0000 UTC"},
		{new(sql.NullTime), at, "{2024-02-03 04:00:00 +0000 UTC true}"},
		{new(sql.NullString), nil, "{ false}"},
		{new(sql.NullInt64), int64(3), "{3 true}"},
		{new(any), "as it is", "as it is"},
		{new(*string), nil, "<nil>"},
		{new(struct{}), int64(1), "error: nothing becomes a struct {}"},
	} {
		err := assign(row.dest, row.v)
		got := fmt.Sprint(reflect.ValueOf(row.dest).Elem().Interface())
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != row.want {
			t.Errorf("%T from %v: got %s, want %s", row.dest, row.v, got, row.want)
		}
	}
	var p *int
	if err := assign(&p, int64(4)); err != nil || p == nil || *p != 4 {
		t.Errorf("a pointer: %v, %v", p, err)
	}
}

func TestMayLoad(t *testing.T) {
	for text, want := range map[string]bool{"LOAD DATA LOCAL": true, "/* x */ load data": true, "SELECT 1": false, "": false} {
		if got := mayLoad(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if n := testing.AllocsPerRun(10, func() { mayLoad("LOAD " + strings.Repeat("x", 8)) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
