package mysqldecode_test

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqldecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// A decoder is fed with what both sides send, here from the middle of a
// conversation on.
func Example() {
	var text trace.Text
	n := int64(0)
	d := mysqldecode.New(trace.Options{Emit: func(m *trace.Message) {
		n++
		m.N, m.Conn = n, 1
		fmt.Print(string(text.Append(nil, m)))
	}})
	packet := func(dir wire.Dir, number byte, m wire.Message) {
		b, err := mysql.Append(nil, m, wire.Dialect{})
		if err != nil {
			fmt.Println(err)
			return
		}
		d.Feed(trace.Chunk{Dir: dir, Data: append([]byte{byte(len(b)), 0, 0, number}, b...)})
	}
	packet(wire.C2S, 0, &mysql.Query{SQL: []byte("DELETE FROM birds")})
	packet(wire.S2C, 1, &mysql.OK{AffectedRows: 3})
	d.Close()
	// Output:
	// 0.000000 → mysql COM_QUERY query="DELETE FROM birds"
	// 0.000000 ← mysql OK_Packet header=0 affected_rows=3 last_insert_id=0 status_flags=0 warnings=0 [0 ns]
}
