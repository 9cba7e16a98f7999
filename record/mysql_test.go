package record_test

import (
	"bytes"
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// sqlPacket is a message and its number.
type sqlPacket struct {
	dir    wire.Dir
	number byte
	m      wire.Message
}

// recordMySQL records packets of a connection without its wire.
func recordMySQL(t *testing.T, o *record.Options, packets []sqlPacket) []byte {
	t.Helper()
	var file bytes.Buffer
	r := record.Pcapng(&file, o)
	c := r.Open(trace.Info{Proto: "mysql"})
	for _, p := range packets {
		b, err := mysql.Append(nil, p.m, mysql.NewDialect(sqlCaps))
		if err != nil {
			t.Fatal(err)
		}
		c.Packet(p.dir, append([]byte{byte(len(b)), byte(len(b) >> 8), 0, p.number}, b...))
	}
	c.Close(nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

const sqlCaps = mysql.ClientLongPassword | mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth | mysql.ClientDeprecateEOF

// TestMySQLInner: an inner stream is there when something hides the packets or
// when there is nothing else, and holds passwords only when it is to.
func TestMySQLInner(t *testing.T) {
	greeting := sqlPacket{wire.S2C, 0, &mysql.HandshakeV10{ServerVersion: "9.7", Capabilities: sqlCaps | mysql.ClientSSL, AuthData: make([]byte, mysql.NonceSize), AuthPlugin: "sha256_password"}}
	refusal := sqlPacket{wire.S2C, 0, &mysql.ERR{Code: 1040, Message: "Too many connections"}}
	request := sqlPacket{wire.C2S, 1, &mysql.SSLRequest{Capabilities: sqlCaps | mysql.ClientSSL}}
	login := func(caps mysql.Capabilities) []sqlPacket {
		return []sqlPacket{
			{wire.C2S, 2, &mysql.HandshakeResponse41{Capabilities: sqlCaps | caps, User: "app", AuthResponse: []byte("first secret")}},
			{wire.S2C, 3, &mysql.AuthSwitchRequest{Plugin: "mysql_clear_password"}},
			{wire.C2S, 4, &mysql.AuthResponse{Data: []byte("second secret\x00")}},
			{wire.S2C, 5, &mysql.OK{}},
			{wire.C2S, 0, &mysql.Query{SQL: []byte("SET PASSWORD = 'third secret'")}},
			{wire.S2C, 1, &mysql.OK{}},
			{wire.C2S, 0, &mysql.ChangeUser{User: "other", AuthResponse: []byte("fourth secret")}},
			{wire.S2C, 1, &mysql.OK{}},
		}
	}
	for _, row := range []struct {
		name    string
		o       record.Options
		packets []sqlPacket
		inner   bool
		secrets bool
	}{
		{"plain", record.Options{}, append([]sqlPacket{greeting}, login(0)...), false, false},
		{"plain, nothing else", record.Options{Mode: record.Inner}, append([]sqlPacket{greeting}, login(0)...), true, false},
		{"compressed", record.Options{}, append([]sqlPacket{greeting}, login(mysql.ClientCompress)...), true, false},
		{"TLS", record.Options{}, append([]sqlPacket{greeting, request}, login(mysql.ClientSSL)...), true, false},
		{"TLS, revealed", record.Options{Reveal: true}, append([]sqlPacket{greeting, request}, login(mysql.ClientSSL)...), true, true},
		{"TLS, the wire only", record.Options{Mode: record.Wire}, append([]sqlPacket{greeting, request}, login(mysql.ClientSSL)...), false, false},
		{"TLS that ends at once", record.Options{}, []sqlPacket{greeting, request}, true, false},
		{"refused", record.Options{Mode: record.Inner}, []sqlPacket{refusal}, true, false},
		{"refused on the wire", record.Options{}, []sqlPacket{refusal}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := recordMySQL(t, &row.o, row.packets)
			if got := bytes.Contains(file, []byte(record.InnerPrefix+"mysql")); got != row.inner {
				t.Errorf("inner stream: %v, want %v", got, row.inner)
			}
			for _, secret := range []string{"first secret", "second secret", "third secret", "fourth secret"} {
				if got := bytes.Contains(file, []byte(secret)); got != row.secrets {
					t.Errorf("%q is there: %v, want %v", secret, got, row.secrets)
				}
			}
			if row.inner && len(row.packets) > 2 && !bytes.Contains(file, []byte("other\x00")) {
				t.Error("the last command is not there")
			}
		})
	}
}
