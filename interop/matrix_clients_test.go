package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/ssh/keys"
)

// visit is one connection of a peer to our server.
type visit struct {
	*place
	host  *host
	user  string // kind of the user's key
	rekey bool   // the peer is to renew keys every MiB
}

// clientPeer is a program that is a client of our server.
type clientPeer struct {
	name  string
	exec  func(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int // nil: runs no commands
	files func(t testing.TB, v visit, src, dst string)                                    // src to "/up" and that to dst; nil: no SFTP
	// answer runs a command behind a keyboard-interactive login; nil: it cannot be made to
	answer func(t testing.TB, v visit, line string, stdout io.Writer) int
	rekey  bool // it can renew keys by amount
	here   bool // only on this system
}

var clientPeers = []clientPeer{
	{name: "OpenSSH", exec: opensshExec, files: opensshFiles, answer: opensshAnswer, rekey: true},
	{name: "dropbear", exec: dropbearExec, answer: dropbearAnswer},
	{name: "PuTTY", exec: puttyExec, files: puttyFiles, answer: puttyAnswer},
	{name: "paramiko", exec: pythonExec("paramiko"), files: pythonFiles("paramiko"), answer: pythonAnswer("paramiko"), rekey: true},
	{name: "asyncssh", exec: pythonExec("asyncssh"), files: pythonFiles("asyncssh"), answer: pythonAnswer("asyncssh"), rekey: true},
	{name: "lftp", files: lftpFiles, here: true},
	{name: "x/crypto, pkg/sftp", exec: xExec, files: xFiles, answer: xAnswer, rekey: true, here: true},
}

func (v visit) opensshOptions(t testing.TB, portLetter string) []string {
	t.Helper()
	dir := v.folder(t)
	var known strings.Builder
	for _, l := range ringOf(t).hostLines() {
		fmt.Fprintf(&known, "[127.0.0.1]:%s %s\n", v.host.port, l)
	}
	args := options(v.write(t, dir, "known_hosts", known.String()), v.write(t, dir, "id", pem(t, ringOf(t).users[v.user])), v.host.port, portLetter)
	if v.rekey {
		args = append(args, "-o", "RekeyLimit=1M")
	}
	return args
}

func opensshExec(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int {
	t.Helper()
	return run(t, command(t, v.program(t, "ssh"), append(v.opensshOptions(t, "p"), "user@127.0.0.1", line)...), stdin, stdout)
}

func opensshFiles(t testing.TB, v visit, src, dst string) {
	t.Helper()
	cmd := command(t, v.program(t, "sftp"), append(v.opensshOptions(t, "P"), "-b", "-", "user@127.0.0.1")...)
	if status := run(t, cmd, strings.NewReader(fmt.Sprintf("put %s /up\nget /up %s\n", src, dst)), io.Discard); status != 0 {
		t.Errorf("sftp ends with status %d", status)
	}
}

func lftpFiles(t testing.TB, v visit, src, dst string) {
	t.Helper()
	ssh := strings.Join(append(v.program(t, "ssh"), v.opensshOptions(t, "p")...), " ")
	script := fmt.Sprintf("set sftp:connect-program \"%s -a -x\"; set net:max-retries 1; open -u user, sftp://127.0.0.1; put %s -o /up; get /up -o %s; bye", ssh, src, dst)
	if status := run(t, command(t, v.program(t, "lftp"), "--norc", "-c", script), nil, io.Discard); status != 0 {
		t.Errorf("lftp ends with status %d", status)
	}
}

func dropbearExec(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int {
	t.Helper()
	dir := v.folder(t)
	id := v.write(t, dir, "id", pem(t, ringOf(t).users[v.user]))
	if status := run(t, command(t, v.program(t, "dropbearconvert"), "openssh", "dropbear", id, id+".db"), nil, io.Discard); status != 0 {
		t.Fatalf("dropbearconvert ends with status %d", status)
	}
	// It finds known hosts only in the user's home, so it is told to trust any.
	cmd := command(t, v.program(t, "dbclient"), "-y", "-y", "-i", id+".db", "-p", v.host.port, "user@127.0.0.1", line)
	return run(t, cmd, stdin, stdout)
}

// puttyArgs are what plink and psftp have in common.
func (v visit) puttyArgs(t testing.TB) []string {
	t.Helper()
	dir := v.folder(t)
	id := v.write(t, dir, "id", pem(t, ringOf(t).users[v.user]))
	if status := run(t, command(t, v.program(t, "puttygen"), id, "-O", "private", "-o", id+".ppk"), nil, io.Discard); status != 0 {
		t.Fatalf("puttygen ends with status %d", status)
	}
	args := []string{"-batch", "-P", v.host.port, "-l", "user", "-i", id + ".ppk"}
	for _, key := range ringOf(t).hostKeys() {
		args = append(args, "-hostkey", keys.Fingerprint(key))
	}
	return args
}

func puttyExec(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int {
	t.Helper()
	return run(t, command(t, v.program(t, "plink"), append(v.puttyArgs(t), "127.0.0.1", line)...), stdin, stdout)
}

func puttyFiles(t testing.TB, v visit, src, dst string) {
	t.Helper()
	script := v.write(t, v.folder(t), "script", fmt.Sprintf("put %s /up\nget /up %s\nquit\n", src, dst))
	if status := run(t, command(t, v.program(t, "psftp"), append(v.puttyArgs(t), "-b", script, "127.0.0.1")...), nil, io.Discard); status != 0 {
		t.Errorf("psftp ends with status %d", status)
	}
}

// script returns the words that start a Python script of testdata in a place.
func (p *place) script(t testing.TB, name string, args map[string]any) (words, rest []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	return p.program(t, "python3"), []string{"-c", string(text), string(b)}
}

func (v visit) pythonArgs(t testing.TB) map[string]any {
	t.Helper()
	port, err := strconv.Atoi(v.host.port)
	if err != nil {
		t.Fatal(err)
	}
	ring := ringOf(t)
	args := map[string]any{
		"port": port, "user": "user", "key": pem(t, ring.users[v.user]), "rekey": 0,
		"host_keys": base64s(ring.hostLines()), "host_lines": ring.hostLines(),
	}
	if v.rekey {
		args["rekey"] = rekeyBytes
	}
	return args
}

func pythonExec(library string) func(testing.TB, visit, string, io.Reader, io.Writer) int {
	return func(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int {
		t.Helper()
		args := v.pythonArgs(t)
		args["command"] = line
		words, rest := v.script(t, library+"_client.py", args)
		return run(t, command(t, words, rest...), stdin, stdout)
	}
}

func pythonFiles(library string) func(testing.TB, visit, string, string) {
	return func(t testing.TB, v visit, src, dst string) {
		t.Helper()
		args := v.pythonArgs(t)
		args["src"], args["up"], args["dst"] = src, "/up", dst
		words, rest := v.script(t, library+"_client.py", args)
		if status := run(t, command(t, words, rest...), nil, io.Discard); status != 0 {
			t.Errorf("%s ends with status %d", library, status)
		}
	}
}

func xDial(t testing.TB, v visit) *xssh.Client {
	t.Helper()
	all := xssh.SupportedAlgorithms()
	cfg := &xssh.ClientConfig{
		Config: xssh.Config{KeyExchanges: all.KeyExchanges, Ciphers: all.Ciphers, MACs: all.MACs},
		User:   "user", Auth: []xssh.AuthMethod{xssh.PublicKeys(ringOf(t).users[v.user])}, Timeout: 30 * time.Second,
		HostKeyCallback: xssh.InsecureIgnoreHostKey(), HostKeyAlgorithms: all.HostKeys,
	}
	if v.rekey {
		cfg.RekeyThreshold = rekeyBytes
	}
	c, err := xssh.Dial("tcp", v.host.addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func xExec(t testing.TB, v visit, line string, stdin io.Reader, stdout io.Writer) int {
	t.Helper()
	c := xDial(t, v)
	defer c.Close()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	session.Stdin, session.Stdout = stdin, stdout
	var exit *xssh.ExitError
	if err := session.Run(line); errors.As(err, &exit) {
		return exit.ExitStatus()
	} else if err != nil {
		t.Fatal(err)
	}
	return 0
}

func xFiles(t testing.TB, v visit, src, dst string) {
	t.Helper()
	ssh := xDial(t, v)
	defer ssh.Close()
	c, err := sftp.NewClient(ssh)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	near, err := os.Open(src)
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := c.Create("/up")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.ReadFrom(near); err != nil {
		t.Error(err)
	}
	if _, err := far.Seek(0, io.SeekStart); err != nil {
		t.Error(err)
	}
	back, err := os.Create(dst)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.WriteTo(back); err != nil {
		t.Error(err)
	}
	if err := errors.Join(far.Close(), back.Close()); err != nil {
		t.Error(err)
	}
}
