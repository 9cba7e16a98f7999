package mysql

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/mysql/options"
)

func parse(t *testing.T, dsn string) *Config {
	t.Helper()
	cfg, err := ParseDSN(dsn)
	if err != nil {
		t.Fatalf("%s: %v", dsn, err)
	}
	return cfg
}

func TestDefaults(t *testing.T) {
	cfg := parse(t, "/")
	want := NewConfig()
	want.Net, want.Addr = "tcp", "127.0.0.1:3306"
	if got := cfg.Clone(); got.Net != want.Net || got.Addr != want.Addr || !got.AllowNativePasswords || !got.CheckConnLiveness ||
		got.MaxAllowedPacket != 64<<20 || got.Loc != time.UTC || got.Logger == nil || got.TLS != nil || got.User != "" {
		t.Errorf("got %+v", got)
	}
}

func TestFields(t *testing.T) {
	RegisterServerPubKey("k", &rsa.PublicKey{})
	defer DeregisterServerPubKey("k")
	got := parse(t, "u:p@tcp(h)/d?allowAllFiles=1&allowCleartextPasswords=1&allowFallbackToPlaintext=1&allowNativePasswords=0&allowOldPasswords=1"+
		"&checkConnLiveness=0&clientFoundRows=1&charset=utf8mb4,utf8&collation=utf8mb4_bin&columnsWithAlias=1&connectionAttributes=a:b,c:d&compress=1"+
		"&interpolateParams=1&loc=Europe%2FParis&multiStatements=1&parseTime=1&timeTruncate=1s&readTimeout=2s&rejectReadOnly=1&serverPubKey=k"+
		"&timeout=3s&tls=skip-verify&writeTimeout=4s&maxAllowedPacket=0&sql_mode=%27%27")
	want := &Config{
		User: "u", Passwd: "p", Net: "tcp", Addr: "h:3306", DBName: "d", Params: map[string]string{"sql_mode": "''"},
		ConnectionAttributes: "a:b,c:d", Collation: "utf8mb4_bin", ServerPubKey: "k", TLSConfig: "skip-verify",
		Timeout: 3 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 4 * time.Second, Logger: &NopLogger{},
		AllowAllFiles: true, AllowCleartextPasswords: true, AllowFallbackToPlaintext: true, AllowOldPasswords: true, ClientFoundRows: true,
		ColumnsWithAlias: true, InterpolateParams: true, MultiStatements: true, ParseTime: true, RejectReadOnly: true,
		compress: true, timeTruncate: time.Second, charsets: []string{"utf8mb4", "utf8"}, pubKey: got.pubKey,
		Loc: got.Loc, TLS: got.TLS, more: got.more,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got.Loc.String() != "Europe/Paris" || got.pubKey == nil || !got.TLS.InsecureSkipVerify {
		t.Errorf("location %s, key %v, TLS %+v", got.Loc, got.pubKey, got.TLS)
	}
	again := parse(t, got.FormatDSN())
	again.TLS, got.TLS = nil, nil
	if !reflect.DeepEqual(again.Clone(), again) || again.FormatDSN() != got.FormatDSN() {
		t.Errorf("written %q and then %q", got.FormatDSN(), again.FormatDSN())
	}
}

// TestChanged: what a program changes in the fields is what counts, and what
// there is no field for stays.
func TestChanged(t *testing.T) {
	cfg := parse(t, "u:p@tcp(h:1)/d?tls=true&compress=true&timezone=UTC&ssl-ca=ca.pem&reset-policy=always")
	cfg.User, cfg.Passwd, cfg.DBName, cfg.TLSConfig, cfg.ParseTime, cfg.MaxAllowedPacket = "v", "q", "e", "preferred", true, 1<<20
	if err := cfg.Apply(EnableCompression(false), Charset("latin1", "latin1_bin"), TimeTruncate(time.Minute)); err != nil {
		t.Fatal(err)
	}
	const want = "v:q@tcp(h:1)/e?charset=latin1&collation=latin1_bin&parseTime=true&timeTruncate=1m0s&tls=preferred&maxAllowedPacket=1048576&ssl-ca=ca.pem&timezone=UTC&reset-policy=always"
	if got := cfg.FormatDSN(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTLS(t *testing.T) {
	if err := RegisterTLSConfig("own", &tls.Config{MinVersion: tls.VersionTLS13}); err != nil {
		t.Fatal(err)
	}
	defer DeregisterTLSConfig("own")
	for _, row := range []struct {
		dsn    string
		server string // name in the certificate
		skip   bool
		mode   options.TLSMode
		none   bool
	}{
		{"tcp(db:1)/", "", false, options.TLSDefault, true},
		{"tcp(db:1)/?tls=false", "", false, options.TLSDisabled, true},
		{"tcp(db:1)/?tls=true", "db", false, options.TLSVerifyIdentity, false},
		{"tcp(db:1)/?tls=skip-verify", "", true, options.TLSRequired, false},
		{"tcp(db:1)/?tls=preferred", "", true, options.TLSPreferred, false},
		{"tcp(db:1)/?tls=skip-verify&allowFallbackToPlaintext=1", "", true, options.TLSPreferred, false},
		{"tcp(db:1)/?tls=own", "db", false, options.TLSVerifyIdentity, false},
	} {
		cfg := parse(t, row.dsn)
		c, err := sqldriverConfig(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if (cfg.TLS == nil) != row.none || c.Client.TLSMode != row.mode {
			t.Errorf("%s: TLS %v, mode %v", row.dsn, cfg.TLS, c.Client.TLSMode)
		}
		if cfg.TLS != nil && (cfg.TLS.ServerName != row.server || cfg.TLS.InsecureSkipVerify != row.skip) {
			t.Errorf("%s: name %q, skip %v", row.dsn, cfg.TLS.ServerName, cfg.TLS.InsecureSkipVerify)
		}
	}
	if cfg, _ := tlsConfigs.get("own"); cfg.ServerName != "" {
		t.Errorf("the registered configuration was changed: %q", cfg.ServerName)
	}
	for _, name := range []string{"", "true", "Preferred", "0"} {
		if err := RegisterTLSConfig(name, &tls.Config{}); err == nil {
			t.Errorf("%q was registered", name)
		}
	}
}

func TestBadDSN(t *testing.T) {
	for dsn, want := range map[string]string{
		"/?tls=unknown":         "invalid value / unknown config name: unknown",
		"/?serverPubKey=no":     "unknown server pub key name: no",
		"net()/":                "has no address",
		"/?parseTime=perhaps":   "parseTime cannot be",
		"u@tcp(h:1)/d?strict=1": "does not exist any more",
	} {
		if _, err := ParseDSN(dsn); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", dsn, err, want)
		}
	}
	if _, err := NewConnector(&Config{Net: "net"}); err == nil || err.Error() != "default addr for network 'net' unknown" {
		t.Errorf("got %v", err)
	}
}

func TestClone(t *testing.T) {
	cfg := parse(t, "/?a=1&charset=x&tls=true")
	c := cfg.Clone()
	c.Params["a"], c.charsets[0], c.TLS.ServerName = "2", "y", "z"
	if !maps.Equal(cfg.Params, map[string]string{"a": "1"}) || !slices.Equal(cfg.charsets, []string{"x"}) || cfg.TLS.ServerName != "127.0.0.1" {
		t.Errorf("changing the clone changed %+v", cfg)
	}
}

func TestNullTime(t *testing.T) {
	for _, row := range []struct {
		v    any
		want time.Time
		ok   bool
	}{
		{nil, time.Time{}, false},
		{time.Unix(5, 0), time.Unix(5, 0), true},
		{"2024-02-03", time.Date(2024, 2, 3, 0, 0, 0, 0, time.UTC), true},
		{[]byte("2024-02-03 04:05:06.5"), time.Date(2024, 2, 3, 4, 5, 6, 5e8, time.UTC), true},
		{"0000-00-00 00:00:00", time.Time{}, true},
		{"2024", time.Time{}, false},
		{7, time.Time{}, false},
	} {
		var nt NullTime
		err := nt.Scan(row.v)
		if nt.Valid != row.ok || !nt.Time.Equal(row.want) || (err == nil) != (row.ok || row.v == nil) {
			t.Errorf("%v: got %+v, %v", row.v, nt, err)
		}
		if v, err := nt.Value(); err != nil || (v == nil) == nt.Valid {
			t.Errorf("%v: its value is %v, %v", row.v, v, err)
		}
	}
}

type recorder struct{ lines int }

func (r *recorder) Print(...any) { r.lines++ }

func TestLogger(t *testing.T) {
	if err := SetLogger(nil); err == nil {
		t.Error("nil was taken for a logger")
	}
	r := &recorder{}
	if err := SetLogger(r); err != nil {
		t.Fatal(err)
	}
	defer loggers.remove("")
	if got := NewConfig().Logger; got != r {
		t.Errorf("got %T", got)
	}
	c, err := sqldriverConfig(parse(t, "/"))
	if err != nil {
		t.Fatal(err)
	}
	c.Client.Logger.WarnContext(context.Background(), "something", "key", 1)
	if r.lines != 1 {
		t.Errorf("%d lines were logged", r.lines)
	}
}
