package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

// jumping are the arguments with which the mysql command goes through the first
// two servers of a chain to the database, by TCP or by its socket.
func (c *chain) jumping(d *database, socket bool, more ...string) []string {
	args := []string{"mysql", "--no-defaults", "--ssh-config", c.config, "-J", "one,two", "-u", "app", "-p" + mysqlPassword}
	if socket {
		args = append(args, "-S", d.socket)
	} else {
		host, port, _ := net.SplitHostPort(d.client.Address)
		args = append(args, "-h", host, "-P", port)
	}
	return append(append(args, "-D", mysqlDatabase), more...)
}

// TestMySQLJump reaches a database through two sshds, and sees the statements
// inside the captured SSH.
func TestMySQLJump(t *testing.T) {
	c, d := startChain(t), startMariaDB(t)
	for _, socket := range []bool{false, true} {
		for _, tls := range []string{"DISABLED", "REQUIRED"} {
			name := fmt.Sprintf("socket %v, TLS %s", socket, tls)
			t.Run(name, func(t *testing.T) {
				capture := filepath.Join(t.TempDir(), "db.pcapng")
				cmd := wirelark(t, c.jumping(d, socket, "--ssl-mode="+tls, "--capture", capture, "-B", "-e", "SELECT 6 * 7 AS answer, CURRENT_USER() AS me")...)
				out, status := output(t, cmd)
				if string(out) != "answer\tme\n42\tapp@%\n" || status != 0 {
					t.Errorf("mysql says %q with status %d", out, status)
				}
				seen, status := output(t, wirelark(t, "see", "-r", capture))
				for _, want := range []string{"SELECT 6 * 7 AS answer", "OK_Packet"} {
					if !bytes.Contains(seen, []byte(want)) {
						t.Errorf("see of the capture (status %d) lacks %q:\n%s", status, want, tail(seen))
					}
				}
				if bytes.Contains(seen, []byte(mysqlPassword)) {
					t.Error("the password is shown")
				}
			})
		}
	}
}

// TestMySQLJumpOpensNoPort looks at what listens while a session is open.
func TestMySQLJumpOpensNoPort(t *testing.T) {
	c, d := startChain(t), startMariaDB(t)
	before := listeners(t)
	cmd := wirelark(t, c.jumping(d, true, "-B", "-N", "-n")...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "SELECT 'up';\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "up\n" {
		t.Errorf("the session says %q, %v", line, err)
	}
	if during := listeners(t); !slices.Equal(during, before) {
		t.Errorf("listening before: %q, during: %q", before, during)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("mysql ends with %v", err)
	}
}

// TestMySQLThroughClient uses a driver's connections over one SSH connection:
// they have deadlines, can be asked whether they live, and a statement that is
// given up is killed the same way.
func TestMySQLThroughClient(t *testing.T) {
	s, d := startSSHD(t), startMariaDB(t)
	ssh, err := sshclient.Dial(deadline(t), s.addr, clientConfig(t, s, transport.Config{}))
	if err != nil {
		t.Fatal(err)
	}
	defer ssh.Close()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			cfg := d.config("app")
			cfg.Dial = join.MySQLDialer(ssh)
			if network == "unix" {
				cfg.Network, cfg.Address = "unix", d.socket
			}
			c := mysqlConnect(t, cfg)
			watcher := d.connect(t)
			id := mysqlText(t, c, "SELECT CONNECTION_ID()")
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			if _, err := c.Exec(ctx, "SELECT SLEEP(60)"); err == nil {
				t.Error("60 s passed in 200 ms")
			}
			for begin := time.Now(); mysqlText(t, watcher, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = "+id) != "0"; time.Sleep(5 * time.Millisecond) {
				if time.Since(begin) > 20*time.Second {
					t.Fatal("the statement still runs")
				}
			}
			c = mysqlConnect(t, cfg)
			if err := c.Check(); err != nil {
				t.Errorf("an idle connection: %v", err)
			}
			mysqlExec(t, c, "SET SESSION wait_timeout = 1")
			for begin := time.Now(); c.Check() == nil; time.Sleep(20 * time.Millisecond) {
				if time.Since(begin) > 20*time.Second {
					t.Fatal("that the server hung up is not noticed")
				}
			}
		})
	}
	// All of it is one SSH connection, and it still works.
	if out, err := ssh.Command("echo well").Output(t.Context()); err != nil || strings.TrimSpace(string(out)) != "well" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := mysqlclient.Connect(t.Context(), &mysqlclient.Config{Address: freeAddr(t), Dial: join.MySQLDialer(ssh)}); err == nil {
		t.Error("a server that is not there answered")
	}
}
