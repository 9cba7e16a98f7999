package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
)

// captured is what a captured session did, for comparison with what others
// read from its capture.
type captured struct {
	file     string // pcapng
	messages string // text, one line for each message, from the live recorder
}

// captureSFTP runs do in an SFTP session with the sshd, while a capture and a
// list of messages are recorded.
func captureSFTP(t testing.TB, s *sshd, cipher string, rekey uint64, mode record.Mode, do func(c *sftpclient.Client)) captured {
	t.Helper()
	c := captured{file: filepath.Join(t.TempDir(), "session.pcapng")}
	capture, err := record.Create(c.file, &record.Options{Mode: mode, OnError: func(err error) { t.Errorf("recording: %v", err) }})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	list := record.Text(&text)
	both := record.Multi(capture, list)
	cfg := clientConfig(t, s, transport.Config{
		Algorithms: transport.Algorithms{Ciphers: []string{cipher}}, Rekey: transport.Rekey{Bytes: rekey}, Trace: both,
	})
	cfg.Limits.MaxPacket = 32000 // Wireshark gives up at packets of 32 KiB and more
	conn, err := sshclient.Dial(deadline(t), s.addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client, err := sftpclient.New(deadline(t), func(ctx context.Context) (io.ReadWriteCloser, error) {
		return conn.Subsystem(ctx, "sftp")
	}, &sftpclient.Config{MaxChunk: 31 << 10, Trace: both, TraceInfo: func(rw io.ReadWriteCloser) trace.Info {
		return trace.Info{Parent: conn.Trace(), Channel: rw.(*sshclient.Channel).Number(), Label: "subsystem sftp"}
	}})
	if err != nil {
		t.Fatal(err)
	}
	do(client)
	for _, err := range []error{client.Close(), conn.Close(), capture.Close(), list.Close()} {
		if err != nil {
			t.Error("closing:", err)
		}
	}
	c.messages = text.String()
	return c
}

func upAndDown(t testing.TB, c *sftpclient.Client, name string, n int64) {
	t.Helper()
	f, err := c.OpenFile(deadline(t), name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bulk(n, 7)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	back := newMeter()
	if _, err := f.WriteTo(back); err != nil || back.String() != wantSum(t, n, 7) {
		t.Fatalf("%d bytes came back, %v", back.n, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// tshark reads a capture and returns a line for each frame.
func tshark(t testing.TB, file string, args ...string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := command(t, program(t, "WIRELARK_TSHARK", "tshark"), append([]string{"-r", "-"}, args...)...)
	cmd.Stdin = f
	out, status := output(t, cmd)
	if status != 0 {
		t.Errorf("tshark ends with status %d", status)
	}
	return lines(out)
}

// names counts the SFTP messages in lines of text by name.
func names(all []string) map[string]int {
	n := map[string]int{}
	for _, l := range all {
		for _, name := range sftpName.FindAllString(l, -1) {
			n[name]++
		}
	}
	return n
}

var sftpName = regexp.MustCompile(`\bSSH_FXP_[A-Z_]+\b`)

// codes counts the SSH messages by number, as a full dissection names them and
// as we do.
func codes(all []string) map[string]int {
	n := map[string]int{}
	for _, l := range all {
		if m := messageCode.FindStringSubmatch(l); m != nil {
			n[m[1]]++
		}
		for e := range ssh.Messages.All() {
			if strings.Contains(l, " "+e.Name+" ") || strings.HasSuffix(l, " "+e.Name) {
				n[strconv.Itoa(int(e.Number))]++
			}
		}
	}
	return n
}

var messageCode = regexp.MustCompile(`Message Code: .*\((\d+)\)`)

// version returns the first two numbers of tshark's version.
func version(t testing.TB) (major, minor int) {
	t.Helper()
	out, _ := output(t, command(t, program(t, "WIRELARK_TSHARK", "tshark"), "--version"))
	if _, err := fmt.Sscanf(regexp.MustCompile(`\d+\.\d+`).FindString(string(out)), "%d.%d", &major, &minor); err != nil {
		t.Fatalf("tshark has no version: %.100s", out)
	}
	return major, minor
}

// Every tshark shows the decrypted inner stream: as many messages of each
// kind as there were.
func TestCaptureInner(t *testing.T) {
	s := startSSHD(t)
	for _, cipher := range ciphers {
		for _, mode := range []record.Mode{record.Both, record.Inner} {
			t.Run(fmt.Sprintf("%s/mode %d", cipher, mode), func(t *testing.T) {
				c := captureSFTP(t, s, cipher, rekeyBytes, mode, func(c *sftpclient.Client) {
					upAndDown(t, c, path.Join(t.TempDir(), "uploaded"), 10<<20)
				})
				want := names(lines([]byte(c.messages)))
				got := names(tshark(t, c.file, "-Y", `frame.interface_name contains "inner:"`))
				if len(want) < 6 || want["SSH_FXP_WRITE"] < 300 || !maps.Equal(got, want) {
					t.Errorf("tshark shows %v\nwe spoke    %v", got, want)
				}
			})
		}
	}
}

// tshark 4.6 decrypts what was on the wire with the secrets in the file. It
// loses its way in large transfers and where keys are renewed under load, so
// this is a session of small messages.
func TestCaptureWire(t *testing.T) {
	if major, minor := version(t); major < 4 || major == 4 && minor < 6 {
		t.Skipf("tshark %d.%d cannot decrypt SSH", major, minor)
	}
	s := startSSHD(t)
	for _, cipher := range ciphers {
		t.Run(cipher, func(t *testing.T) {
			c := captureSFTP(t, s, cipher, 0, record.Wire, func(c *sftpclient.Client) {
				dir := t.TempDir()
				upAndDown(t, c, path.Join(dir, "small"), 100)
				if _, err := c.Stat(deadline(t), path.Join(dir, "small")); err != nil {
					t.Error(err)
				}
				if _, err := c.RealPath(deadline(t), "."); err != nil {
					t.Error(err)
				}
			})
			want, got := codes(lines([]byte(c.messages))), codes(tshark(t, c.file, "-V"))
			if len(want) < 10 || want["94"] < 10 || !maps.Equal(got, want) {
				t.Errorf("tshark shows %v\nwe spoke    %v", got, want)
			}
		})
	}
}

// A capture is a credential, and the file says so by its mode.
func TestCaptureMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	s := startSSHD(t)
	c := captureSFTP(t, s, ciphers[0], 0, record.Both, func(*sftpclient.Client) {})
	if info, err := os.Stat(c.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the capture has the mode %v, %v; want 0600", info.Mode(), err)
	}
}
