package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/wirelark/wirelark/ssh/keys"
)

// openssh is OpenSSH's programs on this machine, with keys of their own.
type openssh struct {
	sshd, ssh, sftp string // programs
	version         string
	dir             string // for their files
	user            string
	host, key       keys.Signer

	mu      sync.Mutex
	masters map[string]*master // by address and algorithms, guarded by mu
}

func findOpenSSH(dir string) (*openssh, error) {
	if runtime.GOOS == "windows" {
		return nil, errors.New("not on Windows")
	}
	o := &openssh{dir: dir, masters: map[string]*master{}}
	for _, p := range []struct {
		name string
		path *string
	}{{"sshd", &o.sshd}, {"ssh", &o.ssh}, {"sftp", &o.sftp}} {
		for _, where := range []string{"", "/usr/sbin/", "/usr/local/sbin/", "/sbin/"} {
			if path, err := exec.LookPath(where + p.name); err == nil {
				*p.path = path
				break
			}
		}
		if *p.path == "" {
			return nil, fmt.Errorf("%s is not installed", p.name)
		}
	}
	v, err := exec.Command(o.ssh, "-V").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ssh -V: %w", err)
	}
	o.version = strings.TrimSpace(string(v))
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	o.user = me.Username
	if o.host, err = o.newKey("host"); err != nil {
		return nil, err
	}
	o.key, err = o.newKey("user")
	return o, err
}

// newKey makes a key pair and its files name and name.pub.
func (o *openssh) newKey(name string) (keys.Signer, error) {
	k, err := keys.Generate("ed25519", 0)
	if err != nil {
		return nil, err
	}
	pem, err := keys.MarshalPrivate(k, "bench", nil)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(o.file(name), pem, 0o600); err != nil {
		return nil, err
	}
	return k, os.WriteFile(o.file(name+".pub"), []byte(keys.AuthorizedLine(k.PublicKey(), "")+"\n"), 0o600)
}

func (o *openssh) file(name string) string { return filepath.Join(o.dir, name) }

// serve starts sshd on a free port of the loopback interface, for the user
// who runs this.
func (o *openssh) serve(ctx context.Context) (*endpoint, error) {
	if os.Getuid() == 0 { // sshd keeps its helper processes there
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	for range 5 { // another process may take the port before sshd does
		var p *endpoint
		if p, err = o.tryServe(ctx); err == nil {
			return p, nil
		}
	}
	return nil, err
}

func (o *openssh) tryServe(ctx context.Context) (*endpoint, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := strings.Join([]string{
		"Port " + port, "ListenAddress 127.0.0.1", "HostKey " + o.file("host"), "AuthorizedKeysFile " + o.file("user.pub"),
		"PidFile none", "StrictModes no", "UsePAM no", "PermitRootLogin prohibit-password", "PasswordAuthentication no",
		"KbdInteractiveAuthentication no", "MaxStartups 100", "LogLevel ERROR", "Subsystem sftp internal-sftp",
	}, "\n") + "\n"
	if err := os.WriteFile(o.file("sshd_config"), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(o.sshd, "-D", "-f", o.file("sshd_config"), "-E", o.file("log"))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // stops when sshd has ended
	stop := func() { _ = cmd.Process.Kill(); <-ended }
	for begin := time.Now(); time.Since(begin) < 15*time.Second; {
		if answers(addr) {
			return &endpoint{addr: addr, user: o.user, host: o.host.PublicKey(), key: o.key, stop: stop}, nil
		}
		select {
		case <-ctx.Done():
			stop()
			return nil, context.Cause(ctx)
		case <-ended:
			return nil, fmt.Errorf("sshd ended: %s", read(o.file("log")))
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	return nil, errors.New("sshd does not answer")
}

func answers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "SSH-2.0-")
}

// command is a run of ssh or sftp that reads no configuration of this machine
// and asks nobody.
func (o *openssh) command(ctx context.Context, p *endpoint, program string, al algorithms, args ...string) (*exec.Cmd, error) {
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(o.dir, "known_hosts")
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(f, "[%s]:%s %s\n", host, port, keys.AuthorizedLine(p.host, ""))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	all := []string{
		"-F", "none", "-o", "Port=" + port, "-i", o.file("user"), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + f.Name(), "-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR",
	}
	if al.cipher != "" {
		all = append(all, "-o", "Ciphers="+al.cipher)
	}
	if al.kex != "" {
		all = append(all, "-o", "KexAlgorithms="+al.kex)
	}
	return exec.CommandContext(ctx, program, append(append(all, args...), p.user+"@"+host)...), nil
}

// run runs ssh with a command line for the server, over a login that exists,
// and returns how long that took. Its output goes to /dev/null.
func (o *openssh) run(ctx context.Context, p *endpoint, al algorithms, line string, in io.Reader) (time.Duration, error) {
	cmd, err := o.shared(ctx, p, o.ssh, al)
	if err != nil {
		return 0, err
	}
	cmd.Args = append(cmd.Args, line)
	cmd.Stdin = in
	return timed(cmd)
}

// batch runs sftp with commands, over a login that exists, and returns how
// long that took.
func (o *openssh) batch(ctx context.Context, p *endpoint, commands ...string) (time.Duration, error) {
	cmd, err := o.shared(ctx, p, o.sftp, algorithms{cipher: gcm}, "-q", "-b", "-")
	if err != nil {
		return 0, err
	}
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	return timed(cmd)
}

// master is an ssh process that has logged in and lends its connection: it
// does all the work for those who share it.
type master struct {
	cmd  *exec.Cmd
	path string // of its socket
	err  error  // why there is none
	once sync.Once
}

// shared is command over the connection of a master, which is started when
// there is none for this server yet.
func (o *openssh) shared(ctx context.Context, p *endpoint, program string, al algorithms, args ...string) (*exec.Cmd, error) {
	o.mu.Lock()
	name := fmt.Sprint(p.addr, al)
	m := o.masters[name]
	if m == nil {
		m = &master{path: o.file(fmt.Sprintf("master-%d", len(o.masters)))}
		o.masters[name] = m
	}
	o.mu.Unlock()
	m.once.Do(func() { m.err = o.start(ctx, m, p, al) })
	if m.err != nil {
		return nil, m.err
	}
	return o.command(ctx, p, program, al, append(args, "-o", "ControlPath="+m.path)...)
}

func (o *openssh) start(ctx context.Context, m *master, p *endpoint, al algorithms) error {
	cmd, err := o.command(context.WithoutCancel(ctx), p, o.ssh, al, "-M", "-N", "-o", "ControlPath="+m.path)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	m.cmd = cmd
	for begin := time.Now(); time.Since(begin) < 30*time.Second; {
		if c, err := net.Dial("unix", m.path); err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return errors.New("ssh does not log in")
}

// masterTime is the CPU time of all masters, where Linux tells it.
func (o *openssh) masterTime() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var sum time.Duration
	for _, m := range o.masters {
		if m.cmd == nil {
			continue
		}
		var ns int64
		if _, err := fmt.Sscan(read(fmt.Sprintf("/proc/%d/schedstat", m.cmd.Process.Pid)), &ns); err == nil {
			sum += time.Duration(ns)
		}
	}
	return sum
}

// endMasters ends all logins.
func (o *openssh) endMasters() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, m := range o.masters {
		if m.cmd != nil {
			_ = m.cmd.Process.Kill()
			_ = m.cmd.Wait()
		}
		os.Remove(m.path)
		delete(o.masters, name)
	}
}

func timed(cmd *exec.Cmd) (time.Duration, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return time.Since(began), nil
}

// without is how long work takes without the login: that of an empty run, which is
// made right before, is subtracted.
func without(empty, work func() (time.Duration, error)) (time.Duration, error) {
	e, err := empty()
	if err != nil {
		return 0, err
	}
	w, err := work()
	return max(w-e, time.Millisecond), err
}
