package flow_test

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/wire"
)

// A Flow names the packets of a connection in their context. Here the same
// first byte begins an answer without rows and a row.
func Example() {
	var f flow.Flow
	caps := mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientDeprecateEOF
	for _, say := range []struct {
		dir wire.Dir
		m   wire.Message
	}{
		{wire.S2C, &mysql.HandshakeV10{ServerVersion: "9.7.4", Capabilities: caps, AuthData: make([]byte, mysql.NonceSize)}},
		{wire.C2S, &mysql.HandshakeResponse41{Capabilities: caps, User: "app"}},
		{wire.S2C, &mysql.OK{}},
		{wire.C2S, &mysql.Query{SQL: []byte("SELECT ''")}},
		{wire.S2C, &mysql.ColumnCount{Count: 1}},
		{wire.S2C, &mysql.Column{Catalog: "def", Type: mysql.TypeVarString}},
		{wire.S2C, &mysql.TextRow{Cells: [][]byte{{}}}},
		{wire.S2C, &mysql.OK{End: true, Status: mysql.StatusAutocommit}},
	} {
		payload, err := mysql.Append(nil, say.m, f.Dialect())
		if err != nil {
			fmt.Println(err)
			return
		}
		m, entry, complaint := f.Next(say.dir, payload)
		if err := mysql.Parse(payload, m, f.Dialect()); err != nil {
			fmt.Println(err)
			return
		}
		seen, _ := f.Saw(say.dir, m)
		fmt.Println(say.dir, entry.Name, seen.Answers, complaint)
	}
	// Output:
	// s2c HandshakeV10 0 <nil>
	// c2s HandshakeResponse41 0 <nil>
	// s2c OK_Packet 2 <nil>
	// c2s COM_QUERY 0 <nil>
	// s2c ColumnCount 4 <nil>
	// s2c ColumnDefinition41 4 <nil>
	// s2c TextResultsetRow 4 <nil>
	// s2c OK_Packet 4 <nil>
}
