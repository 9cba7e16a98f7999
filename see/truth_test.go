package see_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/see"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// recorded is a session as it was recorded while it ran.
type recorded struct {
	capture []byte
	live    []byte // lines of JSON
}

// session runs an SFTP session and a command, and records them at one end.
func session(t *testing.T, alg transport.Algorithms, role trace.Role, mode record.Mode) recorded {
	t.Helper()
	var file, live bytes.Buffer
	capture := record.Pcapng(&file, &record.Options{Mode: mode})
	recorder := record.Multi(capture, record.JSON(&live))
	files := backend.Memory(1 << 20)
	s := sshtest.NewServer(t, func(s *sshserver.Server) {
		s.Subsystems["sftp"] = func(ctx context.Context, x *sshserver.Session) error {
			return sftpserver.Serve(ctx, x, files, nil)
		}
		s.Transport.Algorithms = transport.Supported()
		if role == trace.Server {
			s.Transport.Trace = recorder
		}
	})
	cfg := s.ClientConfig()
	cfg.Transport.Algorithms = alg
	cfg.Transport.Rekey.Bytes = 32 << 10
	if role == trace.Client {
		cfg.Transport.Trace = recorder
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := sshclient.Dial(ctx, s.Addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	work(ctx, t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := recorder.Close(); err != nil {
		t.Error(err)
	}
	return recorded{file.Bytes(), live.Bytes()}
}

func work(ctx context.Context, t *testing.T, c *sshclient.Client) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	out, err := c.Command("echo hello").Output(ctx)
	if string(out) != "hello\n" || err != nil {
		t.Errorf("echo: %q, %v", out, err)
	}
	f, err := sftpclient.New(ctx, func(ctx context.Context) (io.ReadWriteCloser, error) { return c.Subsystem(ctx, "sftp") }, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(f.Mkdir(ctx, "/d", 0o755))
	data := bytes.Repeat([]byte("0123456789abcdef"), 10000)
	w, err := f.Create(ctx, "/d/file")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(data)
	check(err)
	check(w.Close())
	got, err := f.ReadFile(ctx, "/d/file")
	if !bytes.Equal(got, data) || err != nil {
		t.Errorf("%d of %d bytes read, %v", len(got), len(data), err)
	}
	if _, err := f.ReadDir(ctx, "/d"); err != nil {
		t.Error(err)
	}
	check(f.Rename(ctx, "/d/file", "/d/other"))
	check(f.Remove(ctx, "/d/other"))
	if _, err := f.Stat(ctx, "/d/other"); err == nil {
		t.Error("a removed file is still there")
	}
	check(f.Close())
}

// said is what one line of JSON says, apart from numbers and times.
type said struct {
	N       int64           `json:"n"`
	Dir     string          `json:"dir"`
	Proto   string          `json:"proto"`
	Message string          `json:"message"`
	Fields  json.RawMessage `json:"fields"`
	ReplyTo int64           `json:"reply_to"`
	Error   string          `json:"error"`
	Notes   []string        `json:"notes"`
}

// sequences returns, by protocol and direction, what was said in its order,
// each answer with the place of what it answers. The order of the directions
// relative to each other is left out: a packet and its bytes are reported at
// different moments.
func sequences(t *testing.T, lines []byte, protos ...string) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	places := make(map[int64]string)
	in := bufio.NewScanner(bytes.NewReader(lines))
	in.Buffer(nil, 1<<20)
	var all []said
	for in.Scan() {
		var s said
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			t.Fatalf("%v in %s", err, in.Bytes())
		}
		if s.Error != "" || len(s.Notes) > 0 {
			t.Errorf("complaint: %s", in.Bytes())
		}
		all = append(all, s)
	}
	index := make(map[string]int)
	for _, s := range all {
		k := s.Proto + " " + s.Dir
		places[s.N] = fmt.Sprintf("%s %d", k, index[k])
		index[k]++
	}
	for _, s := range all {
		if !slices.Contains(protos, s.Proto) {
			continue
		}
		k := s.Proto + " " + s.Dir
		fields, _, _ := strings.Cut(string(s.Fields), `"negotiated"`) // on whichever KEXINIT came later
		out[k] = append(out[k], fmt.Sprintf("%s %s answers %q", s.Message, strings.TrimRight(fields, ",}"), places[s.ReplyTo]))
	}
	return out
}

func read(t *testing.T, file []byte, o see.Options) (lines []byte, summary *see.Summary) {
	t.Helper()
	var b bytes.Buffer
	out := see.NewOutput(&b, see.JSONL, trace.Filter{}, false)
	o.Emit = out.Emit
	summary, err := see.Read(t.Context(), bytes.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), summary
}

func compare(t *testing.T, what string, got, want map[string][]string) {
	t.Helper()
	for k := range want {
		g, w := got[k], want[k]
		for i := range max(len(g), len(w)) {
			a, b := "(nothing)", "(nothing)"
			if i < len(g) {
				a = g[i]
			}
			if i < len(w) {
				b = w[i]
			}
			if a != b {
				t.Errorf("%s, %s, message %d of %d:\n got %.400s\nwant %.400s", what, k, i, len(w), a, b)
				break
			}
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: directions %d, want %d", what, len(got), len(want))
	}
}

// What was said is what is read back: from the wire, from the inner streams,
// and from the wire with a key log instead of embedded secrets.
func TestReadsWhatWasSaid(t *testing.T) {
	// Every cipher with some methods of key exchange and MACs, each of which
	// meets several ciphers.
	all := transport.Supported()
	for i := range 3 * len(all.Ciphers) {
		alg := transport.Algorithms{
			Kex:     []string{all.Kex[i%len(all.Kex)]},
			Ciphers: []string{all.Ciphers[(i+i/len(all.Kex))%len(all.Ciphers)]},
			MACs:    []string{all.MACs[i%len(all.MACs)]},
		}
		role := []trace.Role{trace.Client, trace.Server}[i%2]
		t.Run(fmt.Sprintf("%s/%s/%s/role %d", alg.Kex[0], alg.Ciphers[0], alg.MACs[0], role), func(t *testing.T) {
			t.Parallel()
			checkAll(t, session(t, alg, role, record.Both))
		})
	}
}

func checkAll(t *testing.T, r recorded) {
	live := sequences(t, r.live, "ssh", "sftp")
	if n := len(live["sftp c2s"]); n < 10 {
		t.Fatalf("only %d SFTP requests were recorded", n)
	}
	rekeys := strings.Count(strings.Join(live["ssh c2s"], "\n"), "SSH_MSG_KEXINIT") - 1
	if rekeys < 2 {
		t.Errorf("keys were renewed %d times", rekeys)
	}
	wire, summary := read(t, r.capture, see.Options{})
	compare(t, "wire", sequences(t, wire, "ssh", "sftp"), live)
	if summary.Conversations != 1 || summary.Unknown != 0 || summary.Truncated != nil || len(summary.Remarks) > 0 {
		t.Errorf("summary %+v", summary)
	}
	sftpOnly := sequences(t, r.live, "sftp")
	inner, _ := read(t, r.capture, see.Options{Inner: true})
	compare(t, "inner", sequences(t, inner, "sftp"), sftpOnly)

	var scrubbed bytes.Buffer
	left, err := see.Scrub(t.Context(), &scrubbed, bytes.NewReader(r.capture))
	if err != nil || left.Secrets != rekeys+1 || left.Streams != 1 || left.Frames < 20 {
		t.Errorf("Scrub = %+v, %v", left, err)
	}
	secrets := takeSecrets(t, r.capture)
	withKeys, _ := read(t, scrubbed.Bytes(), see.Options{Secrets: secrets})
	compare(t, "key log", sequences(t, withKeys, "ssh", "sftp"), live)
	// Long words: in so much ciphertext four given bytes turn up by chance.
	if bytes.Contains(scrubbed.Bytes(), []byte("SHARED_SECRET")) || bytes.Contains(scrubbed.Bytes(), []byte(record.InnerPrefix)) {
		t.Error("the copy holds secrets or names")
	}

	late := slices.Concat(withoutSecrets(t, r.capture), each(t, r.capture, func(i capture.Item) bool {
		_, secrets := i.(*capture.Secrets)
		return secrets
	})) // two sections, the secrets in the second
	foreseen, _ := read(t, late, see.Options{})
	compare(t, "secrets at the end", sequences(t, foreseen, "ssh", "sftp"), live)

	without, _ := read(t, withoutSecrets(t, r.capture), see.Options{})
	compare(t, "inner because there are no secrets", map[string][]string{
		"sftp c2s": sequencesOf(without, "sftp", "c2s"), "sftp s2c": sequencesOf(without, "sftp", "s2c"),
	}, map[string][]string{"sftp c2s": names(sftpOnly["sftp c2s"]), "sftp s2c": names(sftpOnly["sftp s2c"])})
}

func names(list []string) (out []string) {
	for _, s := range list {
		name, _, _ := strings.Cut(s, " ")
		out = append(out, name)
	}
	return out
}

// sequencesOf returns the names of messages; lines may hold notes.
func sequencesOf(lines []byte, proto, dir string) (out []string) {
	for line := range bytes.Lines(lines) {
		var s said
		if json.Unmarshal(line, &s) == nil && s.Proto == proto && s.Dir == dir {
			out = append(out, s.Message)
		}
	}
	return out
}

// takeSecrets returns the lines of all secrets blocks.
func takeSecrets(t *testing.T, file []byte) (lines []byte) {
	t.Helper()
	each(t, file, func(i capture.Item) bool {
		if s, ok := i.(*capture.Secrets); ok {
			lines = append(lines, s.Data...)
		}
		return false
	})
	return lines
}

// withoutSecrets returns a copy without its secrets blocks.
func withoutSecrets(t *testing.T, file []byte) []byte {
	t.Helper()
	return each(t, file, func(i capture.Item) bool { _, secrets := i.(*capture.Secrets); return !secrets })
}

// each calls keep for every item and returns a copy of those it wants.
func each(t *testing.T, file []byte, keep func(capture.Item) bool) []byte {
	t.Helper()
	r, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := capture.NewWriter(&b, nil)
	for {
		i, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if keep(i) {
			if err := w.WriteBlock(i.Raw()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
