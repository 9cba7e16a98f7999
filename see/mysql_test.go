package see_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/mysqltest"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/see"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

// certificate returns one that nobody has signed.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"db"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// mysqlSession is how a MySQL session is to travel.
type mysqlSession struct {
	name        string
	tls         uint16 // version; 0: none
	compression string
	ssh         int  // hosts on the way
	server      bool // recorded at the server
	mode        record.Mode
}

// run runs a session and records it at one end.
func (x mysqlSession) run(t *testing.T) recorded {
	t.Helper()
	db := mysqltest.NewServer(t)
	db.Server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MaxVersion: x.tls}
	db.Expect("SELECT name FROM birds").Rows(mysqltest.Columns("name"), mysqltest.Row{"lark"}, mysqltest.Row{strings.Repeat("long ", 1000)}, mysqltest.Row{nil})
	db.Expect("SELECT ? + ?").Rows([]mysql.Column{{Name: "sum", Type: mysql.TypeLonglong}}, mysqltest.Row{3})
	db.Expect("DELETE FROM birds").Error(1142, "you must not")
	db.Expect("ALTER USER app IDENTIFIED BY ...").Exec(0, 0)

	var file, live bytes.Buffer
	recorder := record.Multi(record.Pcapng(&file, &record.Options{Mode: x.mode}), record.JSON(&live))
	cfg := &mysqlclient.Config{
		Address: "db:3306", User: "app", Passwords: []string{"hunter2"}, Dial: db.Dial, Trace: recorder,
		TLSMode: mysqlclient.TLSDisabled, TLS: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // nobody has signed the server's
	}
	var serving sync.WaitGroup
	if x.server {
		cfg.Trace, db.Server.Trace = nil, recorder
		cfg.Dial = func(context.Context, string, string) (net.Conn, error) {
			near, far := testkit.Pipe()
			serving.Go(func() { _ = db.Server.ServeConn(context.Background(), far) }) // stops when the client has left
			return near, nil
		}
	}
	if x.tls != 0 {
		cfg.TLSMode = mysqlclient.TLSRequired
	}
	if x.compression != "" {
		cfg.Compression = []string{x.compression}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var carrier *sshclient.Client
	if x.ssh > 0 {
		var err error
		if carrier, err = join.Jump(ctx, hosts(t, x.ssh, db.Dial, recorder)); err != nil {
			t.Fatal(err)
		}
		cfg.Dial, cfg.TraceInfo = join.MySQLDialer(carrier), join.MySQLTraceInfo(carrier)
	}
	sqlWork(ctx, t, cfg)
	if carrier != nil {
		if err := carrier.Close(); err != nil {
			t.Error(err)
		}
	}
	serving.Wait()
	if err := recorder.Close(); err != nil {
		t.Error(err)
	}
	return recorded{file.Bytes(), live.Bytes()}
}

// hosts are n SSH servers, each reached through the one before, from the last
// of which connections are made with dial.
func hosts(t *testing.T, n int, dial func(ctx context.Context, network, addr string) (net.Conn, error), recorder *record.Recorder) []join.Hop {
	t.Helper()
	var hops []join.Hop
	for range n { // from the last to the first
		next := dial
		s := sshtest.NewServer(t, func(s *sshserver.Server) {
			s.DirectTCPIP = func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
				return next(ctx, f.Network, f.Addr())
			}
		})
		c := s.ClientConfig()
		c.Transport.Trace = recorder
		hops = append([]join.Hop{{Addr: s.Addr, Config: c}}, hops...)
		dial = new(net.Dialer).DialContext
	}
	return hops
}

func sqlWork(ctx context.Context, t *testing.T, cfg *mysqlclient.Config) {
	t.Helper()
	c, err := mysqlclient.Connect(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.Query(ctx, "SELECT name FROM birds")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	rows, err = c.Query(ctx, "SELECT ? + ?", 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !rows.Next() || rows.Int64(0) != 3 {
		t.Errorf("1 + 2 = %v, %v", rows.Int64(0), rows.Err())
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if _, err := c.Exec(ctx, "DELETE FROM birds"); err == nil {
		t.Error("no error")
	}
	if _, err := c.Exec(ctx, "ALTER USER app IDENTIFIED BY 'sesame'"); err != nil {
		t.Error(err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// What a MySQL session said is what is read back, plain and compressed, inside
// TLS, inside SSH, and inside TLS inside SSH.
func TestReadsWhatMySQLSaid(t *testing.T) {
	for _, x := range []mysqlSession{
		{name: "plain"},
		{name: "zlib", compression: "zlib"},
		{name: "zstd", compression: "zstd"},
		{name: "TLS 1.3", tls: tls.VersionTLS13},
		{name: "TLS 1.2", tls: tls.VersionTLS12},
		{name: "zlib in TLS", tls: tls.VersionTLS13, compression: "zlib"},
		{name: "at the server", server: true},
		{name: "zstd in TLS at the server", server: true, compression: "zstd", tls: tls.VersionTLS13},
		{name: "TLS 1.2 at the server", server: true, tls: tls.VersionTLS12},
		{name: "in SSH", ssh: 1},
		{name: "zstd in SSH", compression: "zstd", ssh: 1},
		{name: "TLS 1.3 in SSH", tls: tls.VersionTLS13, ssh: 1},
		{name: "TLS 1.3 behind two hosts", tls: tls.VersionTLS13, ssh: 2},
		{name: "zlib in TLS 1.2 in SSH", tls: tls.VersionTLS12, compression: "zlib", ssh: 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			r := x.run(t)
			live := sequences(t, r.live, "mysql")
			text := strings.Join(append(live["mysql c2s"], live["mysql s2c"]...), "\n")
			for _, want := range []string{
				"HandshakeV10 ", "HandshakeResponse41 ", "COM_QUERY ", "SELECT name FROM birds", "TextResultsetRow ", `"lark"`,
				"COM_STMT_PREPARE ", "COM_STMT_EXECUTE ", "SELECT 1 + 2", "BinaryResultsetRow ", `"rows":3`, "ER_TABLEACCESS_DENIED_ERROR", "COM_PING ",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("no %q was shown in\n%s", want, text)
				}
			}
			if strings.Contains(text, "hunter2") || bytes.Contains(r.live, []byte("sesame")) || (x.tls != 0) != strings.Contains(text, "SSLRequest") {
				t.Errorf("TLS %v, shown was\n%s", x.tls, text)
			}
			wire, summary := read(t, r.capture, see.Options{})
			compare(t, "wire", sequences(t, wire, "mysql"), live)
			if summary.Conversations != 1 || summary.Unknown != 0 || len(summary.Remarks) > 0 {
				t.Errorf("summary %+v", summary)
			}
			inner, _ := read(t, r.capture, see.Options{Inner: true})
			switch {
			case x.ssh > 0:
				compare(t, "inner", sequences(t, inner, "mysql"), live)
			case x.tls != 0 || x.compression != "":
				compare(t, "inner", loggedIn(t, inner), loggedIn(t, r.live))
				without, _ := read(t, withoutSecrets(t, r.capture), see.Options{})
				if x.tls != 0 { // else the wire tells it all
					compare(t, "inner because there are no secrets", loggedInOf(lastOf(t, without)), loggedIn(t, r.live))
				}
			case len(inner) > 0:
				t.Errorf("an inner stream of what is not hidden: %s", inner)
			}
			if bytes.Contains(r.capture, []byte("hunter2")) {
				t.Error("the password is in the capture")
			}
		})
	}
}

// loggedIn is sequences from the end of the login on: an inner stream has not
// what hid it on the wire.
func loggedIn(t *testing.T, lines []byte) map[string][]string {
	t.Helper()
	return loggedInOf(sequences(t, lines, "mysql"))
}

func loggedInOf(all map[string][]string) map[string][]string {
	out := make(map[string][]string)
	blank := func(s string) string { // a password may have been blanked there, or masked here
		if strings.Contains(s, "IDENTIFIED") {
			return "COM_QUERY with a password"
		}
		return s
	}
	for k, list := range all {
		first := map[string]string{"mysql c2s": "COM_QUERY", "mysql s2c": "ColumnCount"}[k]
		i := max(0, slices.IndexFunc(list, func(s string) bool { return strings.HasPrefix(s, first) }))
		for _, s := range list[i:] {
			s, _, _ := strings.Cut(s, " answers ") // places are counted from the login
			out[k] = append(out[k], blank(s))
		}
	}
	return out
}

// lastOf is sequences of the last connection in lines.
func lastOf(t *testing.T, lines []byte) map[string][]string {
	t.Helper()
	at := bytes.LastIndex(lines, []byte(`"message":"HandshakeV10"`))
	at = bytes.LastIndexByte(lines[:max(at, 0)], '\n') + 1
	return sequences(t, lines[at:], "mysql")
}

// TestMySQLInnerOnly: with inner streams alone, all of it is in one of them,
// whatever hid it, and no password.
func TestMySQLInnerOnly(t *testing.T) {
	for _, x := range []mysqlSession{{name: "plain", mode: record.Inner}, {name: "TLS", tls: tls.VersionTLS13, mode: record.Inner}} {
		t.Run(x.name, func(t *testing.T) {
			r := x.run(t)
			lines, _ := read(t, r.capture, see.Options{})
			compare(t, "inner", loggedIn(t, lines), loggedIn(t, r.live))
			var names []string
			each(t, r.capture, func(i capture.Item) bool {
				if d, ok := i.(*capture.Interface); ok {
					names = append(names, d.Name)
				}
				return false
			})
			if !slices.Equal(names, []string{record.InnerPrefix + "mysql"}) {
				t.Errorf("interfaces %q", names)
			}
			if bytes.Contains(r.capture, []byte("sesame")) || bytes.Contains(r.capture, []byte("hunter2")) {
				t.Error("a password is in the capture")
			}
			for line := range bytes.Lines(lines) {
				var m struct {
					Message string
					Fields  map[string]any
				}
				if err := json.Unmarshal(line, &m); err != nil {
					t.Fatal(err)
				}
				if caps, ok := m.Fields["client_flag"].(float64); ok && uint64(caps)&uint64(mysql.ClientSSL|mysql.ClientCompress) != 0 {
					t.Errorf("the client has %x", uint64(caps))
				}
			}
		})
	}
}
