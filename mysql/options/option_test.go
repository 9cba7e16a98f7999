package options

import (
	"net"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// line makes an option as a file would have it.
func line(s string) Option {
	o := parseOption(s)
	o.File, o.Line = "my.cnf", 1
	return o
}

func TestApply(t *testing.T) {
	for _, row := range []struct {
		lines string
		want  Config
		rest  string
	}{
		{"user=u;password=p;database=d", Config{User: "u", Passwords: secrets("p"), Database: "d"}, ""},
		{"password2=b;pass=a;password", Config{Passwords: secrets("a", "b")}, ""},
		{"prompt=x;loose_thing;no-auto-rehash;user=u", Config{User: "u"}, "prompt thing no-auto-rehash"},
		{"ssl-mode=verify_ca;ssl", Config{TLS: TLS{Mode: TLSVerifyCA}}, ""},
		{"ssl", Config{TLS: TLS{Mode: TLSRequired}}, ""},
		{"ssl=0", Config{TLS: TLS{Mode: TLSDisabled}}, ""},
		{"skip-ssl", Config{TLS: TLS{Mode: TLSDisabled}}, ""},
		{"ssl_verify_server_cert", Config{TLS: TLS{Mode: TLSVerifyIdentity}}, ""},
		{"ssl-verify-server-cert;disable-ssl-verify-server-cert", Config{TLS: TLS{Mode: TLSRequired}}, ""},
		{"ssl-ca=a;ssl-cert=b;ssl-key=c;ssl-capath=d;tls_version=TLSv1.3", Config{TLS: TLS{CA: "a", Cert: "b", Key: "c", CAPath: "d", Versions: "TLSv1.3"}}, ""},
		{"compress", Config{Compression: Compression{Algorithms: []string{"zlib", "uncompressed"}}}, ""},
		{"compress;skip-compress", Config{}, ""},
		{"compression-algorithms=ZSTD,uncompressed;zstd-compression-level=7", Config{Compression: Compression{Algorithms: []string{"zstd", "uncompressed"}, Level: 7}}, ""},
		{"enable-cleartext-plugin;default-auth=dialog;get_server_public_key;server-public-key-path=k", Config{Auth: Auth{Cleartext: true, Plugin: "dialog", FetchServerKey: true, ServerKey: "k"}}, ""},
		{"local-infile=ON", Config{LocalInfile: true}, ""},
		{"local-infile;enable-local-infile;local_infile=off", Config{}, ""},
		{"default-character-set=latin1", Config{Charsets: []string{"latin1"}}, ""},
		{"default-character-set=latin1;default-character-set=auto", Config{}, ""},
		{"init-command=a;init-command=b;init-command-add=c", Config{InitCommands: []string{"b", "c"}}, ""},
		{"connect-timeout=5;max-allowed-packet=16M", Config{ConnectTimeout: 5 * time.Second, MaxPacket: 16 << 20}, ""},
		{"max_allowed_packet=1G", Config{MaxPacket: 1 << 30}, ""},
		{"ssh=a,b@c", Config{SSH: []string{"a", "b@c"}}, ""},
	} {
		t.Run(row.lines, func(t *testing.T) {
			var options []Option
			for s := range strings.SplitSeq(row.lines, ";") {
				options = append(options, line(s))
			}
			c, p := Config{}, Place{}
			rest, err := Apply(&c, &p, options)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(c, row.want) {
				t.Errorf("got  %+v\nwant %+v", c, row.want)
			}
			var names []string
			for _, o := range rest {
				names = append(names, o.Name)
			}
			if got := strings.Join(names, " "); got != row.rest {
				t.Errorf("left over %q, want %q", got, row.rest)
			}
		})
	}
}

func TestBadOptions(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"port=x", `my.cnf:1: port cannot be "x": 1 to 65535 wanted`},
		{"port=65536", "1 to 65535"},
		{"ssl=maybe", "on or off"},
		{"ssl-mode=x", "VERIFY_IDENTITY"},
		{"max-allowed-packet=2G", "more than 1 GiB"},
		{"max-allowed-packet=99999999999", "at most 1G"},
		{"max-allowed-packet=4G", "more than 1 GiB"},
		{"max-allowed-packet=K", "at most 1G"},
		{"max-allowed-packet=", "at most 1G"},
		{"default-character-set=utf8; drop", "no character set"},
		{"ssh=", "[user@]host[:port]"},
	} {
		_, err := Apply(&Config{}, &Place{}, []Option{line(row.line)})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want an error with %q", row.line, err, row.want)
		}
	}
}

func TestAsked(t *testing.T) {
	got := Asked([]Option{line("password"), line("password2=x"), line("password3=y"), line("password3")})
	if !slices.Equal(got, []int{1, 3}) {
		t.Errorf("got %v", got)
	}
	if got := Asked([]Option{line("password"), line("password=x")}); got != nil {
		t.Errorf("got %v although the last one has a value", got)
	}
}

func TestTarget(t *testing.T) {
	usual := filepath.Join(t.TempDir(), "m.sock")
	if runtime.GOOS != "windows" {
		l, err := net.Listen("unix", usual)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	none := []string{filepath.Join(t.TempDir(), "none.sock")}
	for _, row := range []struct {
		name             string
		file, line       string // options, those of the command line behind
		sockets          []string
		remote           bool
		network, address string
	}{
		{"nothing", "", "", []string{usual}, false, "unix", usual},
		{"no socket", "", "", none, false, "tcp", "127.0.0.1:3306"},
		{"localhost", "host=localhost", "", []string{usual}, false, "unix", usual},
		{"address", "host=127.0.0.1", "", []string{usual}, false, "tcp", "127.0.0.1:3306"},
		{"v6", "host=::1;port=1", "", []string{usual}, false, "tcp", "[::1]:1"},
		{"port in a file", "port=3307", "", []string{usual}, false, "unix", usual},
		{"port on the line", "", "port=3307", []string{usual}, false, "tcp", "127.0.0.1:3307"},
		{"socket in a file, port on the line", "socket=/s", "port=3307", nil, false, "tcp", "127.0.0.1:3307"},
		{"both on the line", "", "port=1;socket=/s", nil, false, "unix", "/s"},
		{"named", "socket=/s;host=localhost", "", nil, false, "unix", "/s"},
		{"socket and another host", "socket=/s", "host=db", nil, false, "tcp", "db:3306"},
		{"protocol tcp", "socket=/s;protocol=TCP", "", nil, false, "tcp", "127.0.0.1:3306"},
		{"protocol socket", "host=db;protocol=socket", "", none, false, "unix", "/tmp/mysql.sock"},
		{"remote", "", "", []string{usual}, true, "tcp", "127.0.0.1:3306"},
		{"remote socket", "socket=/s", "", nil, true, "unix", "/s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && row.address == usual {
				t.Skip("no socket was made")
			}
			var options []Option
			for s := range strings.SplitSeq(row.file, ";") {
				options = append(options, line(s))
			}
			for s := range strings.SplitSeq(row.line, ";") {
				options = append(options, parseOption(s))
			}
			p := Place{Sockets: row.sockets, Remote: row.remote}
			if _, err := Apply(&Config{}, &p, options); err != nil {
				t.Fatal(err)
			}
			network, address, err := p.Target()
			if err != nil || network != row.network || address != row.address {
				t.Errorf("got %s %s %v, want %s %s", network, address, err, row.network, row.address)
			}
		})
	}
	if _, _, err := (&Place{Protocol: "memory"}).Target(); err == nil {
		t.Error("shared memory was accepted")
	}
}
