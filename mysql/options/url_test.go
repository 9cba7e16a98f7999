package options

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	for _, row := range []struct {
		url  string
		want Config
	}{
		{"mysql://", Config{}},
		{"mysql:///shop", Config{Database: "shop"}},
		{"MySQL://db", Config{Address: "db:3306"}},
		{"mysql://db:1/a%2Fb", Config{Address: "db:1", Database: "a/b"}},
		{"mariadb://[::1]:1", Config{Address: "[::1]:1"}},
		{"mysql://u@db", Config{User: "u", Address: "db:3306"}},
		{"mysql://u:@db", Config{User: "u", Passwords: secrets(""), Address: "db:3306"}},
		{"mysql://u%3Av:p%40%2F%3a@db#x", Config{User: "u:v", Passwords: secrets("p@/:"), Address: "db:3306"}},
		{"mysql://u:p@ss@db", Config{User: "u", Passwords: secrets("p@ss"), Address: "db:3306"}},
		{"mysql://u@%2Frun%2Fm.sock/d", Config{User: "u", Network: "unix", Address: "/run/m.sock", Database: "d"}},
		{"mysql://u@(/run/m@(1.sock)/d", Config{User: "u", Network: "unix", Address: "/run/m@(1.sock", Database: "d"}},
		{"mysql://(/run/m.sock)", Config{Network: "unix", Address: "/run/m.sock"}},
		{"mysql://u@db/d?socket=%2Fm.sock", Config{User: "u", Network: "unix", Address: "/m.sock", Database: "d"}},
		{
			"mysql://db?ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca&ssl-capath=/cas&ssl-cert=/cert&ssl-key=/key&ssl-crl=/crl&ssl-server-name=n&tls-versions=TLSv1.3",
			Config{Address: "db:3306", TLS: TLS{Mode: TLSVerifyIdentity, CA: "/ca", CAPath: "/cas", Cert: "/cert", Key: "/key", CRL: "/crl", ServerName: "n", Versions: "TLSv1.3"}},
		},
		{"mysql://db?connect-timeout=5&compression=required", Config{Address: "db:3306", ConnectTimeout: 5 * time.Second, Compression: Compression{Algorithms: []string{"zstd", "zlib"}}}},
		{"mysql://db?connect-timeout=5ms&compression=preferred", Config{Address: "db:3306", ConnectTimeout: 5 * time.Millisecond, Compression: Compression{Algorithms: []string{"zstd", "zlib", "uncompressed"}}}},
		{
			"mysql://db?connection-attributes=[a=b,c=]&auth-method=parsec&allowPublicKeyRetrieval=true&server-public-key-path=k.pem&local-infile=1",
			Config{Address: "db:3306", Attributes: map[string]string{"a": "b", "c": ""}, Auth: Auth{Plugin: "parsec", FetchServerKey: true, ServerKey: "k.pem"}, LocalInfile: true},
		},
		{"mysql://db?charset=utf8mb4%2Clatin1&parseTime=true&sql_mode=%27%27&", Config{Address: "db:3306", Charsets: []string{"utf8mb4", "latin1"}, ParseTime: true, Vars: map[string]string{"sql_mode": "''"}}},
		{"mysql+ssh://me@b:22/u:p@db:1/d?ssl-mode=disabled", Config{SSH: []string{"me@b:22"}, User: "u", Passwords: secrets("p"), Address: "db:1", Database: "d", TLS: TLS{Mode: TLSDisabled}}},
		{"mysql+ssh://a,b@c/", Config{SSH: []string{"a", "b@c"}}},
		{"mysql+ssh://a/u@(/run/m.sock)/d", Config{SSH: []string{"a"}, User: "u", Network: "unix", Address: "/run/m.sock", Database: "d"}},
		{"mysql://u@db/d?ssh=me@b:22", Config{SSH: []string{"me@b:22"}, User: "u", Address: "db:3306", Database: "d"}},
	} {
		t.Run(row.url, func(t *testing.T) {
			got, err := Parse(row.url)
			if err != nil {
				t.Fatal(err)
			}
			want := row.want
			want.Network, want.Address = want.Target()
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got  %+v\nwant %+v", *got, want)
			}
		})
	}
}

func TestBadURL(t *testing.T) {
	for _, row := range []struct{ url, want string }{
		{"db", "does not begin with mysql://"},
		{"http://db", "the scheme is neither"},
		{"mysql+ssh://bastion", "there is no server"},
		{"mysql+ssh:///u@db", "[user@]host[:port]"},
		{"mysql://u:%zzpass@db", "the password is not escaped"},
		{"mysql://%zz@db", "user cannot be"},
		{"mysql://db:x", `host cannot be "db:x"`},
		{"mysql://db:70000", "host cannot be"},
		{"mysql://a b", "host cannot be"},
		{"mysql://(/a", "no closing parenthesis"},
		{"mysql://(/a)b", "something follows"},
		{"mysql://db?flag", "it has no value"},
		{"mysql://db?parseTime=%zz", "parseTime cannot be"},
	} {
		_, err := ParseURL(row.url)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want an error with %q", row.url, err, row.want)
		} else if strings.Contains(err.Error(), "pass@") {
			t.Errorf("%s: the error shows the password: %v", row.url, err)
		}
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("mysql://u:p@h:1/d?ssl-mode=REQUIRED")
	f.Add("mysql+ssh://a@b:1,c/u:p%40@(/x)/d?ssh=a&socket=%2F")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseURL(s)
		if err != nil {
			return
		}
		if network, address := c.Target(); network != c.Network || address != c.Address {
			t.Errorf("%q: the target of %s %s is %s %s", s, c.Network, c.Address, network, address)
		}
	})
}
