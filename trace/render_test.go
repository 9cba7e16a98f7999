package trace

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/wire"
)

type color uint32

func (c color) String() string { return map[color]string{1: "RED"}[c] }

// sample is a message with one of everything.
type sample struct {
	name    string
	evil    string
	latin   string
	secret  string
	kind    color
	big     uint64
	small   []byte
	long    []byte
	flags   []string
	entries []string
}

func (m *sample) Fields(c *wire.Coder) {
	c.Text("name", &m.name)
	c.Text("evil", &m.evil)
	c.Text("latin", &m.latin)
	c.Secret("secret", &m.secret)
	wire.Enum32(c, "kind", &m.kind)
	c.U64("big", &m.big)
	c.Bytes("small", &m.small)
	c.Bytes("long", &m.long)
	c.NameList("flags", &m.flags)
	c.Group("attrs", func() { c.Text("owner", &m.name) })
	wire.List(c, "entries", 4, &m.entries, func(s *string, c *wire.Coder) { c.Text("entry", s) })
	c.View("derived", "see, it is")
}

var messages = wire.NewRegistry("test", wire.Entry{Number: 7, Name: "TEST_SAMPLE", New: wire.New[sample]})

func sampleMessage(t testing.TB) *Message {
	t.Helper()
	in := &sample{
		name: "/etc/motd", evil: "a\x1b[2Jb\u202e \u009b", latin: "caf\xe9", secret: "hunter2", kind: 1, big: 1<<63 + 1,
		small: []byte{0, 1}, long: []byte(strings.Repeat("é", 200)), flags: []string{"a", "b"}, entries: []string{"x", "y"},
	}
	raw, err := messages.Append(nil, in, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	fields, err := messages.Describe(raw, new(sample), wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	return &Message{
		N: 9, Time: time.Date(2026, 11, 22, 15, 0, 0, 1500, time.FixedZone("x", 3600)), Conn: 2, Path: "ssh/0",
		Dir: wire.S2C, Proto: "test", Name: "TEST_SAMPLE", Raw: raw, Fields: fields, ReplyTo: 4, Latency: 1250 * time.Microsecond,
		Notes: []string{"a hole"}, Err: errors.New("bad \x1b thing"),
	}
}

func TestTextSummary(t *testing.T) {
	got := string(new(Text).Append(nil, sampleMessage(t)))
	want := `0.000000 ← test TEST_SAMPLE conn=2 in=ssh/0 name=/etc/motd evil="a\x1b[2Jb\u202e \u009b" latin="caf\xe9" secret=‹masked› kind=RED` +
		` big=9223372036854775809 small=0001 long="` + strings.Repeat("é", 32) + `…" long_len=400 flags=a,b attrs.owner=/etc/motd` +
		` entries=2 entries.0.entry=x entries.1.entry=y derived="see, it is" error="bad \x1b thing" note="a hole" [1.25 ms]` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestTextLevels(t *testing.T) {
	m := sampleMessage(t)
	tree := string((&Text{Level: Tree}).Append(nil, m))
	for _, want := range []string{"\n    kind: RED (1)\n", "\n    attrs:\n        owner: /etc/motd\n", "\n    secret: ‹masked›\n", "\n        1:\n            entry: y\n"} {
		if !strings.Contains(tree, want) {
			t.Errorf("the tree lacks %q:\n%s", want, tree)
		}
	}
	dump := string((&Text{Level: Hex}).Append(nil, m))
	if !strings.Contains(dump, "0000  07 00 00 00 09 2f 65 74 63 2f 6d 6f 74 64") || strings.Contains(dump, "68 75 6e 74 65 72") {
		t.Errorf("the dump lacks the bytes or shows the secret:\n%s", dump)
	}
	revealed := string((&Text{Level: Hex, Reveal: true}).Append(nil, m))
	if !strings.Contains(revealed, "secret: hunter2") {
		t.Errorf("nothing is revealed:\n%s", revealed)
	}
}

func TestHiddenMessage(t *testing.T) {
	m := sampleMessage(t)
	m.Hide = true
	for name, got := range map[string][]byte{
		"summary": new(Text).Append(nil, m), "hex": (&Text{Level: Hex}).Append(nil, m), "json": JSON{}.Append(nil, m),
	} {
		for _, secret := range []string{"motd", "2f 65 74", "hunter2", "2f657463"} {
			if strings.Contains(string(got), secret) {
				t.Errorf("%s shows %q of a hidden message:\n%s", name, secret, got)
			}
		}
		if !strings.Contains(string(got), "TEST_SAMPLE") {
			t.Errorf("%s does not name the message: %s", name, got)
		}
	}
}

func TestJSON(t *testing.T) {
	got := string(JSON{}.Append(nil, sampleMessage(t)))
	want := `{"n":9,"time":"2026-11-22T14:00:00.000001500Z","conn":2,"dir":"s2c","proto":"test","message":"TEST_SAMPLE","fields":{"number":7,` +
		`"name":"/etc/motd","evil":"a\u001b[2Jb\u202e \u009b","latin":"caf�","latin_hex":"636166e9","secret":null,"kind":1,"kind_name":"RED",` +
		`"big":"9223372036854775809","small":"0001","small_len":2,"long":"` + strings.Repeat("c3a9", 128) + `","long_len":400,"flags":["a","b"],` +
		`"attrs":{"owner":"/etc/motd"},"entries":[{"entry":"x"},{"entry":"y"}],"derived":"see, it is"},"latency":0.00125,"reply_to":4,` +
		`"error":"bad \u001b thing","notes":["a hole"]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var v any
	if err := json.Unmarshal([]byte(got), &v); err != nil {
		t.Errorf("not JSON: %v", err)
	}
	if got := string(JSON{Reveal: true}.Append(nil, sampleMessage(t))); !strings.Contains(got, `"secret":"hunter2"`) {
		t.Errorf("nothing is revealed: %s", got)
	}
}

// FuzzRender puts hostile text everywhere a peer can.
func FuzzRender(f *testing.F) {
	f.Add("plain", []byte("x"))
	f.Add("\x1b]0;title\a", []byte("\x1b[31m"))
	f.Add("\xff\U0010ffff\u2028", []byte{0xc3})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		m := &Message{Proto: s, Name: s, Path: s, Err: errors.New(s), Notes: []string{s}, Raw: b, Fields: []wire.Field{
			{Name: "a", Value: s}, {Name: "b", Value: b, Bits: len(b) * 8}, {Name: "c", Value: []string{s}},
		}}
		for name, out := range map[string][]byte{
			"text": (&Text{Level: Hex}).Append(nil, m), "summary": new(Text).Append(nil, m), "json": JSON{}.Append(nil, m),
		} {
			for _, r := range string(out) {
				if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 {
					t.Fatalf("%s lets %q through: %q", name, r, out)
				}
			}
			if name == "json" && !json.Valid(out) {
				t.Fatalf("not JSON: %q", out)
			}
		}
		if out := new(Text).Append(nil, m); strings.Count(string(out), "\n") != 1 {
			t.Fatalf("a summary of several lines: %q", out)
		}
	})
}

func TestFilter(t *testing.T) {
	tests := []struct {
		filter      string
		proto, name string
		want        bool
	}{
		{"sftp", "sftp", "SSH_FXP_OPEN", true},
		{"sftp", "ssh", "SSH_MSG_KEXINIT", false},
		{"ssh.userauth", "ssh", "SSH_MSG_USERAUTH_FAILURE", true},
		{"ssh.auth", "ssh", "SSH_MSG_USERAUTH_FAILURE", false},
		{"SFTP.Open", "sftp", "SSH_FXP_OPENDIR", true},
		{"ssh.SSH_MSG_KEXINIT", "ssh", "SSH_MSG_KEXINIT", true},
		{"!ssh.channel", "ssh", "SSH_MSG_CHANNEL_DATA", false},
		{"!ssh.channel", "sftp", "SSH_FXP_DATA", true},
		{"ssh,!ssh.channel", "sftp", "SSH_FXP_DATA", false},
		{"sftp, ssh.kexinit", "ssh", "SSH_MSG_KEXINIT", true},
	}
	for _, test := range tests {
		f, err := ParseFilter(test.filter)
		if err != nil {
			t.Errorf("ParseFilter(%q): %v", test.filter, err)
		}
		if got := f.Match(&Message{Proto: test.proto, Name: test.name}); got != test.want {
			t.Errorf("%q on %s %s = %v, want %v", test.filter, test.proto, test.name, got, test.want)
		}
	}
	if !(Filter{}).Match(&Message{Proto: "x"}) {
		t.Error("the zero filter drops something")
	}
	for _, bad := range []string{"", "sftp,", "a b", "ssh.", "!"} {
		if f, err := ParseFilter(bad); err == nil {
			t.Errorf("ParseFilter(%q) = %+v", bad, f)
		}
	}
}
