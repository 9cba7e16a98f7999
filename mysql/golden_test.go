package mysql_test

import (
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

// TestLayouts writes down layouts that the conversations of package flow do
// not have; those marked as a server's are a real one's bytes.
func TestLayouts(t *testing.T) {
	plain := mysql.NewDialect(mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth)
	tracking := mysql.NewDialect(mysql.Caps(plain) | mysql.ClientSessionTrack)
	mariadb := mysql.NewDialect(mysql.ClientProtocol41 | mysql.MariaDBProgress | mysql.MariaDBExtendedMetadata)
	for _, row := range []struct {
		dialect wire.Dialect
		m       wire.Message
		layout  string
	}{
		{mariadb, &mysql.Progress{Strings: 1, Stage: 2, MaxStage: 3, Text: "Sorting"}, `
			ff ffff           # MariaDB 11.8
			01 02 03 000000   # strings, stage of stages, progress
			07 "Sorting"
		`},
		{wire.Dialect{}, &mysql.ERR{Code: 1040, Message: "Too many connections"}, `
			ff 1004 "Too many connections"
		`},
		{plain, &mysql.ERR{Code: 1045, State: "28000", Message: "no"}, `
			ff 1504 "#28000no"
		`},
		{plain, &mysql.SSLRequest{Capabilities: mysql.ClientProtocol41 | mysql.ClientSSL, MaxPacket: 1 << 24, Collation: 45}, `
			000a0000 00000001 2d
			00000000000000000000000000000000000000
			00000000
		`},
		{plain, &mysql.HandshakeResponse320{Capabilities: 1, MaxPacket: 1 << 16, User: "old", AuthResponse: []byte("hash")}, `
			0100 000001 "old" 00 "hash"
		`},
		{plain, &mysql.AuthSwitchRequest{Old: true}, `fe`},
		{plain, &mysql.AuthSwitchRequest{Plugin: "dialog", Data: []byte{4, 'P'}}, `
			fe "dialog" 00 04 "P"
		`},
		{plain, &mysql.AuthNextFactor{Plugin: "p", Data: []byte("x")}, `
			02 "p" 00 "x"
		`},
		{plain, &mysql.OK{AffectedRows: 300, LastInsertID: 1 << 24, Status: mysql.StatusAutocommit, Info: "done"}, `
			00 fc2c01 fe0000000100000000 0200 0000 04 "done"
		`},
		{tracking, &mysql.OK{Status: mysql.StatusSessionStateChanged, Track: []mysql.Track{
			{Kind: mysql.TrackSystemVariables, Variables: []mysql.Attribute{{Name: "autocommit", Value: "ON"}}},
			{Kind: mysql.TrackSchema, Value: "peer"},
			{Kind: mysql.TrackStateChange, Value: "1"},
			{Kind: mysql.TrackGTIDs, Value: "a-1"},
		}}, `
			00 00 00 0040 0000
			00                                  # info
			21                                  # all entries
			00 0e 0a "autocommit" 02 "ON"
			01 05 04 "peer"
			02 01 "1"
			03 05 00 03 "a-1"
		`},
		{plain, &mysql.ProcessKill{ID: 7}, `0c 07000000`},
		{plain, &mysql.StmtSendLongData{ID: 1, Param: 2, Data: []byte("abc")}, `18 01000000 0200 "abc"`},
		{plain, &mysql.StmtFetch{ID: 1, Rows: 100}, `1c 01000000 64000000`},
		{plain, &mysql.BinlogDumpGTID{Flags: mysql.BinlogThroughGTID, ServerID: 2, File: "log", Position: 4, GTIDs: make([]byte, 8)}, `
			1e 0400 02000000
			03000000 "log"
			0400000000000000
			08000000 0000000000000000
		`},
		{plain, &mysql.RegisterSlave{ServerID: 1, Host: []byte("h"), User: []byte("u"), Password: []byte("p"), Port: 3306}, `
			15 01000000 01 "h" 01 "u" 01 "p" ea0c 00000000 00000000
		`},
		{mariadb, &mysql.Column{Catalog: "def", Name: "u", Extended: []mysql.Metadata{{Kind: mysql.MetadataType, Value: "uuid"}}, Collation: 63, Length: 36, Type: mysql.TypeString}, `
			03 "def" 00 00 00 01 "u" 00
			06 00 04 "uuid"
			0c 3f00 24000000 fe 0000 00 0000
		`},
		{plain, &mysql.Column{Catalog: "def", Name: "c", Type: mysql.TypeLong, HasDefault: true}, `
			03 "def" 00 00 00 01 "c" 00
			0c 0000 00000000 03 0000 00 0000
			fb                                  # the default is NULL
		`},
	} {
		wiretest.Golden(t, mysql.Messages, row.dialect, row.m, row.layout)
	}
}

func TestNonce(t *testing.T) {
	nonce := []byte("12345678901234567890")
	for _, data := range [][]byte{nonce, append(nonce[:20:20], 0)} {
		if got := (&mysql.AuthSwitchRequest{Data: data}).Nonce(); string(got) != string(nonce) {
			t.Errorf("nonce %q, want %q", got, nonce)
		}
	}
	if got := (&mysql.HandshakeV10{ServerVersion: "5.5.5-10.11.19-MariaDB"}).Version(); got != "10.11.19-MariaDB" {
		t.Errorf("version %q", got)
	}
}
