package interop

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	xssh "golang.org/x/crypto/ssh"
)

// serverPeer is a program that is a server for our client.
type serverPeer struct {
	name  string
	start func(t testing.TB, p *place, rekey bool) (addr string)
	files bool // it has SFTP
	asks  bool // it can be made to ask (keyboard-interactive)
	rekey bool // it can renew keys by amount
	here  bool // only on this system
}

var serverPeers = []serverPeer{
	{name: "OpenSSH", start: opensshServer, files: true, rekey: true},
	{name: "dropbear", start: dropbearServer, files: true},
	{name: "paramiko", start: pythonServer("paramiko"), files: true, asks: true, rekey: true},
	{name: "asyncssh", start: pythonServer("asyncssh"), files: true, asks: true, rekey: true},
	{name: "x/crypto, pkg/sftp", start: xMatrixServer, files: true, asks: true, rekey: true, here: true},
}

// serverUser is whom peers let in that look users up.
func serverUser(t testing.TB) string {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return me.Username
}

// hostFiles writes the host keys and returns their names for the peer.
func (p *place) hostFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	for _, s := range ringOf(t).hosts {
		names = append(names, p.write(t, dir, "host_"+s.PublicKey().Type(), pem(t, s)))
	}
	return names
}

// daemon starts a server that is killed at the end of the test, and waits until
// it answers at addr.
func daemon(t testing.TB, cmd *exec.Cmd, addr string) {
	t.Helper()
	log := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { // stops when the server has ended
		_ = cmd.Wait()
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("%s says:\n%s", cmd.Path, tail([]byte(log.String())))
		}
	})
	for begin := time.Now(); time.Since(begin) < 30*time.Second; {
		if _, err := banner(addr); err == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended:\n%s", cmd.Path, tail([]byte(log.String())))
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	t.Fatalf("%s does not answer:\n%s", cmd.Path, tail([]byte(log.String())))
}

func opensshServer(t testing.TB, p *place, rekey bool) string {
	t.Helper()
	words, dir, addr := p.program(t, "sshd"), p.folder(t), freeAddr(t)
	if os.Getuid() == 0 { // sshd keeps its helper processes there
		if err := os.MkdirAll(filepath.Join(p.root, "run/sshd"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, port, _ := net.SplitHostPort(addr)
	conf := []string{
		"Port " + port, "ListenAddress 127.0.0.1", "PidFile none", "StrictModes no", "UsePAM no", "MaxStartups 100",
		"PermitRootLogin prohibit-password", "PasswordAuthentication no", "Subsystem sftp internal-sftp",
		"AuthorizedKeysFile " + p.write(t, dir, "authorized", strings.Join(ringOf(t).userLines(), "\n")+"\n"),
	}
	for _, name := range p.hostFiles(t, dir) {
		conf = append(conf, "HostKey "+name)
	}
	if rekey {
		conf = append(conf, "RekeyLimit 1M")
	}
	file := p.write(t, dir, "conf", strings.Join(conf, "\n")+"\n")
	daemon(t, command(t, words, "-D", "-e", "-f", file), addr)
	return addr
}

func dropbearServer(t testing.TB, p *place, _ bool) string {
	t.Helper()
	words, dir, addr := p.program(t, "dropbear"), p.folder(t), freeAddr(t)
	p.write(t, dir, "authorized_keys", strings.Join(ringOf(t).userLines(), "\n")+"\n")
	args := []string{"-F", "-E", "-p", addr, "-P", p.inside(filepath.Join(dir, "pid")), "-D", p.inside(dir)}
	for _, name := range p.hostFiles(t, dir) {
		if status := run(t, command(t, p.program(t, "dropbearconvert"), "openssh", "dropbear", name, name+".db"), nil, io.Discard); status != 0 {
			t.Fatalf("dropbearconvert ends with status %d", status)
		}
		args = append(args, "-r", name+".db")
	}
	daemon(t, command(t, words, args...), addr)
	return addr
}

// dropbearTakesFolder tells whether this dropbear can be given a folder of
// authorized keys. Dropbear 2022 knows only that in the home of the user, which a
// test must not touch.
func dropbearTakesFolder(t testing.TB, p *place) bool {
	t.Helper()
	out, _ := command(t, p.program(t, "dropbear"), "-h").CombinedOutput()
	return strings.Contains(string(out), "authorized_keys")
}

func pythonServer(library string) func(testing.TB, *place, bool) string {
	return func(t testing.TB, p *place, rekey bool) string {
		t.Helper()
		ring := ringOf(t)
		args := map[string]any{"users": base64s(ring.userLines()), "user_lines": ring.userLines(), "rekey": 0, "questions": questions, "answers": answers}
		if rekey {
			args["rekey"] = rekeyBytes
		}
		var hosts []string
		for _, s := range ring.hosts {
			hosts = append(hosts, pem(t, s))
		}
		args["host_keys"] = hosts
		words, rest := p.script(t, library+"_server.py", args)
		cmd := command(t, words, rest...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		port, err := bufio.NewReader(stdout).ReadString('\n')
		t.Cleanup(func() {
			stdin.Close()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			if t.Failed() {
				t.Logf("%s says:\n%s", library, tail([]byte(stderr.String())))
			}
		})
		if err != nil {
			t.Fatalf("%s does not start: %v", library, err)
		}
		return net.JoinHostPort("127.0.0.1", strings.TrimSpace(port))
	}
}

// xMatrixServer serves commands with x/crypto and files with pkg/sftp.
func xMatrixServer(t testing.TB, _ *place, rekey bool) string {
	t.Helper()
	ring, all := ringOf(t), xssh.SupportedAlgorithms()
	allowed := strings.Join(base64s(ring.userLines()), " ")
	cfg := &xssh.ServerConfig{
		Config: xssh.Config{KeyExchanges: all.KeyExchanges, Ciphers: all.Ciphers, MACs: all.MACs},
		PublicKeyCallback: func(_ xssh.ConnMetadata, key xssh.PublicKey) (*xssh.Permissions, error) {
			if !strings.Contains(allowed, strings.Fields(string(xssh.MarshalAuthorizedKey(key)))[1]) {
				return nil, errors.New("unknown key")
			}
			return nil, nil
		},
		KeyboardInteractiveCallback: xAsks,
	}
	if rekey {
		cfg.RekeyThreshold = rekeyBytes
	}
	for _, s := range ring.hosts {
		cfg.AddHostKey(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // stops when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go xMatrixServe(nc, cfg) // stops when the client closes nc
		}
	}()
	return l.Addr().String()
}

func xMatrixServe(nc net.Conn, cfg *xssh.ServerConfig) {
	defer nc.Close()
	_, channels, requests, err := xssh.NewServerConn(nc, cfg)
	if err != nil {
		return
	}
	go xssh.DiscardRequests(requests) // stops when the connection ends
	for in := range channels {
		ch, requests, err := in.Accept()
		if err != nil {
			continue
		}
		go func() { // stops when the channel ends
			for r := range requests {
				var m struct{ Text string }
				known := xssh.Unmarshal(r.Payload, &m) == nil && (r.Type == "exec" || r.Type == "subsystem" && m.Text == "sftp")
				_ = r.Reply(known, nil)
				if known {
					go xSession(ch, r.Type, m.Text) // stops when the command or SFTP ends
				}
			}
		}()
	}
}

func xSession(ch xssh.Channel, kind, line string) {
	defer ch.Close()
	var status struct{ Status uint32 }
	if kind == "subsystem" {
		if s, err := sftp.NewServer(ch); err == nil {
			_ = s.Serve()
		}
	} else {
		cmd := exec.Command("/bin/sh", "-c", line)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			return
		}
		go func() { // stops when the client's input ends or the channel does
			_, _ = io.Copy(stdin, ch)
			stdin.Close()
		}()
		cmd.Stdout = ch
		var exit *exec.ExitError
		if err := cmd.Run(); errors.As(err, &exit) {
			status.Status = uint32(exit.ExitCode())
		}
	}
	_, _ = ch.SendRequest("exit-status", false, xssh.Marshal(&status))
}
