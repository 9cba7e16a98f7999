package cli

import "testing"

func TestParseDest(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want dest
	}{
		{"host", dest{host: "host"}},
		{"ann@host", dest{user: "ann", host: "host"}},
		{"ann@corp@host", dest{user: "ann@corp", host: "host"}},
		{"[::1]", dest{host: "::1"}},
		{"ann@[::1]:2222", dest{user: "ann", host: "::1", port: 2222}},
		{"ssh://ann@host:2222", dest{user: "ann", host: "host", port: 2222}},
		{"sftp://host/a/b", dest{host: "host", path: "a/b"}},
		{"sftp://host//etc/motd", dest{host: "host", path: "/etc/motd"}},
		{"ssh://[fe80::1]:22", dest{host: "fe80::1", port: 22}},
	} {
		if got, err := parseDest(tt.in); err != nil || got != tt.want {
			t.Errorf("parseDest(%q) = %+v, %v, want %+v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"", "ann@", "@host", "-oProxyCommand=x", "ann@-host", "ho st", "host\n", "[::1", "[::1]x", "[::1]:0",
		"http://host", "ssh://ann:secret@host", "ssh://host:99999", "-x@host",
	} {
		if got, err := parseDest(in); err == nil {
			t.Errorf("parseDest(%q) = %+v, want an error", in, got)
		}
	}
}

func TestParseFile(t *testing.T) {
	for _, tt := range []struct {
		in     string
		want   dest
		remote bool
	}{
		{"file", dest{path: "file"}, false},
		{"./a:b", dest{path: "./a:b"}, false},
		{"/a:b", dest{path: "/a:b"}, false},
		{":a", dest{path: ":a"}, false},
		{`C:\a`, dest{path: `C:\a`}, false},
		{"host:", dest{host: "host"}, true},
		{"host:a b", dest{host: "host", path: "a b"}, true},
		{"ann@host:/tmp/x:y", dest{user: "ann", host: "host", path: "/tmp/x:y"}, true},
		{"[::1]:/tmp", dest{host: "::1", path: "/tmp"}, true},
		{"ann@[::1]:/tmp", dest{user: "ann", host: "::1", path: "/tmp"}, true},
		{"sftp://host:2022/in/", dest{host: "host", port: 2022, path: "in/"}, true},
	} {
		got, remote, err := parseFile(tt.in)
		if err != nil || got != tt.want || remote != tt.remote {
			t.Errorf("parseFile(%q) = %+v, %v, %v, want %+v, %v", tt.in, got, remote, err, tt.want, tt.remote)
		}
	}
}

func TestEscapeReader(t *testing.T) {
	for _, tt := range []struct {
		char     byte
		in, want string
		hangup   bool
	}{
		{'~', "plain\n", "plain\n", false},
		{'~', "~~x", "~x", false},
		{'~', "a~.b", "a~.b", false},
		{'~', "ls\r~.rest", "ls\r", true},
		{'~', "~.", "", true},
		{'~', "~x", "~x", false},
		{'~', "~?\nok", "\nok", false},
		{'%', "~.\r%%\r%.", "~.\r%\r", true},
		{'\x02', "\x02\x02x\n\x02.", "\x02x\n", true},
	} {
		hung := false
		var help testWriter
		e := newEscapeReader(&slowReader{s: tt.in}, &help, tt.char, func() { hung = true })
		var got []byte
		buf := make([]byte, 2)
		for {
			n, err := e.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				break
			}
		}
		if string(got) != tt.want || hung != tt.hangup {
			t.Errorf("keys %q: sent %q, hangup %v; want %q, %v", tt.in, got, hung, tt.want, tt.hangup)
		}
	}
}
