package options

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func secrets(s ...Secret) []Secret { return s }

// dsns are data source names, what they say, and how they are written again
// ("": the same).
var dsns = []struct {
	dsn, again string
	want       Config
}{
	{"", "tcp(127.0.0.1:3306)/", Config{}},
	{"/", "tcp(127.0.0.1:3306)/", Config{}},
	{"@/", "tcp(127.0.0.1:3306)/", Config{}},
	{"/shop", "tcp(127.0.0.1:3306)/shop", Config{Database: "shop"}},
	{"tcp(db)/", "tcp(db:3306)/", Config{Address: "db:3306"}},
	{"tcp(db:1)/", "", Config{Address: "db:1"}},
	{"tcp([::1]:1)/", "", Config{Address: "[::1]:1"}},
	{"tcp(fe80::1)/", "tcp([fe80::1]:3306)/", Config{Address: "[fe80::1]:3306"}},
	{"tcp([fe80::1])/", "tcp([fe80::1]:3306)/", Config{Address: "[fe80::1]:3306"}},
	{"unix/", "unix(/tmp/mysql.sock)/", Config{Network: "unix", Address: "/tmp/mysql.sock"}},
	{"u@unix(/run/a b.sock)/x", "", Config{User: "u", Network: "unix", Address: "/run/a b.sock", Database: "x"}},
	{"bastion(db)/", "", Config{Network: "bastion", Address: "db"}},
	{"u:p@tcp(h:1)/d", "", Config{User: "u", Passwords: secrets("p"), Address: "h:1", Database: "d"}},
	{"u:@tcp(h:1)/", "u@tcp(h:1)/", Config{User: "u", Passwords: secrets(""), Address: "h:1"}},
	{"u:a:b@c/d(e)@tcp(h:1)/", "", Config{User: "u", Passwords: secrets("a:b@c/d(e)"), Address: "h:1"}},
	{"/a%2Fb%3Fc", "tcp(127.0.0.1:3306)/a%2Fb%3Fc", Config{Database: "a/b?c"}},
	{"tcp(h:1)/?parseTime=true&loc=Europe%2FParis", "tcp(h:1)/?loc=Europe%2FParis&parseTime=true", Config{Address: "h:1", ParseTime: true, Location: zone("Europe/Paris")}},
	{"tcp(h:1)/?loc=UTC", "tcp(h:1)/", Config{Address: "h:1", Location: time.UTC}},
	{"tcp(h:1)/?sql_mode=%27ANSI%27&autocommit=0", "tcp(h:1)/?autocommit=0&sql_mode=%27ANSI%27", Config{Address: "h:1", Vars: map[string]string{"sql_mode": "'ANSI'", "autocommit": "0"}}},
	{
		"tcp(h:1)/?timeout=1m30s&readTimeout=2s&writeTimeout=3ms&timeTruncate=1us", "tcp(h:1)/?timeTruncate=1µs&readTimeout=2s&timeout=1m30s&writeTimeout=3ms",
		Config{Address: "h:1", ConnectTimeout: 90 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 3 * time.Millisecond, TimeTruncate: time.Microsecond},
	},
	{"tcp(h:1)/?charset=utf8mb4,utf8&collation=utf8mb4_bin", "", Config{Address: "h:1", Charsets: []string{"utf8mb4", "utf8"}, Collation: "utf8mb4_bin"}},
	{
		"tcp(h:1)/?allowAllFiles=1&allowCleartextPasswords=TRUE&allowNativePasswords=False&allowOldPasswords=1&checkConnLiveness=0&clientFoundRows=1&columnsWithAlias=1&multiStatements=1&rejectReadOnly=1&allowFallbackToPlaintext=1&interpolateParams=1",
		"tcp(h:1)/?allowAllFiles=true&allowCleartextPasswords=true&allowFallbackToPlaintext=true&allowNativePasswords=false&allowOldPasswords=true&checkConnLiveness=false&clientFoundRows=true&columnsWithAlias=true&interpolateParams=true&multiStatements=true&rejectReadOnly=true",
		Config{
			Address: "h:1", LocalInfileAny: true, Auth: Auth{Cleartext: true, DenyNative: true, Old: true}, TLS: TLS{Fallback: true},
			SkipLiveness: true, FoundRows: true, ColumnsWithAlias: true, MultiStatements: true, RejectReadOnly: true, InterpolateParams: true,
		},
	},
	{"tcp(h:1)/?checkConnLiveness=true&allowNativePasswords=true&tls=&x", "tcp(h:1)/", Config{Address: "h:1"}},
	{"tcp(h:1)/?tls=true", "", Config{Address: "h:1", TLS: TLS{Mode: TLSVerifyIdentity}}},
	{"tcp(h:1)/?tls=0", "tcp(h:1)/?tls=false", Config{Address: "h:1", TLS: TLS{Mode: TLSDisabled}}},
	{"tcp(h:1)/?tls=Skip-Verify", "tcp(h:1)/?tls=skip-verify", Config{Address: "h:1", TLS: TLS{Mode: TLSRequired}}},
	{"tcp(h:1)/?tls=preferred", "", Config{Address: "h:1", TLS: TLS{Mode: TLSPreferred}}},
	{"tcp(h:1)/?tls=%26%25", "", Config{Address: "h:1", TLS: TLS{Name: "&%"}}},
	{"tcp(h:1)/?serverPubKey=my+key", "", Config{Address: "h:1", Auth: Auth{ServerKeyName: "my key"}}},
	{"tcp(h:1)/?maxAllowedPacket=0", "", Config{Address: "h:1", MaxPacket: -1}},
	{"tcp(h:1)/?maxAllowedPacket=1000", "", Config{Address: "h:1", MaxPacket: 1000}},
	{"tcp(h:1)/?compress=true", "", Config{Address: "h:1", Compression: Compression{Algorithms: []string{"zlib"}}}},
	{"tcp(h:1)/?connectionAttributes=program:a%2Fb,nothing,v:1:2", "tcp(h:1)/?connectionAttributes=program%3Aa%2Fb%2Cv%3A1%3A2", Config{Address: "h:1", Attributes: map[string]string{"program": "a/b", "v": "1:2"}}},
	{
		"tcp(h:1)/?ssl-mode=verify-ca&ssl-ca=%2Fca.pem&ssh=me@b:22,c&timezone=UTC&reset-policy=always&compression-algorithms=zstd,zlib&compression-level=3",
		"tcp(h:1)/?ssl-mode=VERIFY_CA&ssl-ca=%2Fca.pem&ssh=me%40b%3A22%2Cc&compression-algorithms=zstd%2Czlib&compression-level=3&timezone=UTC&reset-policy=always",
		Config{
			Address: "h:1", TLS: TLS{Mode: TLSVerifyCA, CA: "/ca.pem"}, SSH: []string{"me@b:22", "c"}, TimeZone: time.UTC, Reset: ResetAlways,
			Compression: Compression{Algorithms: []string{"zstd", "zlib"}, Level: 3},
		},
	},
}

func zone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

func TestParseDSN(t *testing.T) {
	for _, row := range dsns {
		t.Run(row.dsn, func(t *testing.T) {
			got, err := ParseDSN(row.dsn)
			if err != nil {
				t.Fatal(err)
			}
			want := row.want
			want.Network, want.Address = want.Target()
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
			again := row.again
			if again == "" {
				again = row.dsn
			}
			if s := got.FormatDSN(); s != again {
				t.Errorf("written again %q, want %q", s, again)
			}
			if c := got.Clone(); !reflect.DeepEqual(c, got) {
				t.Errorf("the clone is %+v", c)
			}
		})
	}
}

func TestFormatDSN(t *testing.T) {
	for _, row := range []struct {
		c    Config
		want string
	}{
		{Config{}, "/"},
		{Config{Network: "tcp"}, "/"},
		{Config{Network: "unix"}, "unix/"},
		{Config{Address: "h:1"}, "tcp(h:1)/"},
		{Config{Passwords: secrets("lost")}, "/"},
	} {
		if got := row.c.FormatDSN(); got != row.want {
			t.Errorf("%+v: got %q, want %q", row.c, got, row.want)
		}
	}
}

func TestBadDSN(t *testing.T) {
	for _, row := range []struct{ dsn, want string }{
		{"@net(addr/", "no closing parenthesis"},
		{"(/", "no closing parenthesis"},
		{"tcp(h)//", "a slash in a value"},
		{"u:pass@tcp(1.2.3.4:3306)", "a slash before the name"},
		{"net()/", "the network net has no address"},
		{"u:pass@tcp(h:1)/db/name", "a slash in a value"},
		{"/d%zz", `database cannot be "d%zz"`},
		{"/?parseTime=YES", `parseTime cannot be "YES": true or false wanted`},
		{"/?timeout=5", `timeout cannot be "5": a duration`},
		{"/?loc=Nowhere", `loc cannot be "Nowhere"`},
		{"/?maxAllowedPacket=1k", "a number of bytes"},
		{"/?strict=true", "does not exist any more"},
		{"/?sql_mode=%zz", "sql_mode cannot be"},
		{"/?tls=%zz", "tls cannot be"},
		{"/?no-such=1", "no parameter and no session variable has this name"},
		{"/?ssl-mode=maybe", "VERIFY_IDENTITY wanted"},
		{"/?ssh=a@", "[user@]host[:port]"},
		{"/?ssh=-oProxyCommand=x", "[user@]host[:port]"},
		{"/?collation=gbk_chinese_ci&interpolateParams=true", "may contain a backslash"},
		{"/?timezone=UTC&loc=Europe%2FParis", "loc says Europe/Paris"},
		{"/?timezone=UTC&time_zone=%27SYSTEM%27", "time_zone says 'SYSTEM'"},
		{"/?compression-level=23", "1 to 22"},
		{"/?reset-policy=often", "dirty, never, always"},
		{"/?compression=maybe", "REQUIRED, PREFERRED or DISABLED"},
		{"/?compression-algorithms=lz4", "some of zlib"},
		{"/?connect-timeout=soon", "a number of seconds"},
	} {
		c, err := ParseDSN(row.dsn)
		if err == nil || !strings.Contains(err.Error(), row.want) || c != nil {
			t.Errorf("%s: got %v, %v, want an error with %q", row.dsn, c, err, row.want)
			continue
		}
		if ve, se := (*ValueError)(nil), (*SyntaxError)(nil); !errors.As(err, &ve) && !errors.As(err, &se) {
			t.Errorf("%s: %T", row.dsn, err)
		}
		if strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: the error shows the password: %v", row.dsn, err)
		}
	}
}

func TestSafeCollations(t *testing.T) {
	for name, unsafe := range map[string]bool{
		"gbk_chinese_ci": true, "gbk_bin": true, "sjis_japanese_ci": true, "cp932_bin": true, "big5_bin": true, "gb18030_unicode_520_ci": true,
		"gb2312_bin": true, "utf8mb4_general_ci": false, "latin1_german1_ci": false, "ascii_bin": false, "": false,
	} {
		if got := unsafeCollation(name); got != unsafe {
			t.Errorf("%s: unsafe %v", name, got)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	c, err := ParseDSN("u:hidden@/")
	if err != nil {
		t.Fatal(err)
	}
	c.SetPassword(3, "hidden")
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%v", *c), string(text), fmt.Sprintf("%s %q", c.Passwords, c.Passwords), fmt.Sprintf("%x", c.Passwords)} {
		if strings.Contains(s, "hidden") || strings.Contains(s, "68696464") {
			t.Errorf("shown: %s", s)
		}
	}
	if c.Password() != "hidden" || len(c.Passwords) != 3 || c.Passwords[1] != "" {
		t.Errorf("passwords: %q", string(c.Passwords[0]))
	}
}

func FuzzParseDSN(f *testing.F) {
	for _, row := range dsns {
		f.Add(row.dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		c, err := ParseDSN(dsn)
		if err != nil {
			return
		}
		// What was read once is written so that it is read again as the same,
		// except for texts that this syntax cannot write.
		again, err := ParseDSN(c.FormatDSN())
		if err != nil {
			if strings.ContainsAny(c.User+c.Network, ":(@/") || strings.ContainsAny(c.Collation+strings.Join(c.Charsets, ""), "&/%") || c.User == "" {
				return
			}
			t.Fatalf("%q is written %q: %v", dsn, c.FormatDSN(), err)
		}
		if s := again.FormatDSN(); s != c.FormatDSN() && c.User != "" {
			t.Errorf("%q is written %q and then %q", dsn, c.FormatDSN(), s)
		}
	})
}
