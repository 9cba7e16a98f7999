package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/sftp/transfer"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/trace"
)

const demoUser = "demo"

func (a *app) demoCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what wirelark does, without network, root or configuration",
		Long: `Start an SSH and SFTP server on loopback, run a command on it, move a directory
tree there and back, compare it, query a database behind it, show the decoded
packets, and save everything in a file that Wireshark opens. The servers, their
keys and files are gone afterwards.`,
		Args: exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), out) },
	}
	cmd.Flags().StringVar(&out, "out", "wirelark-demo.pcapng", "`FILE` that the capture is saved in")
	return cmd
}

// demonstration is what the steps of the demo share.
type demonstration struct {
	*app
	dir      string // everything the demo makes, removed at its end
	addr     string
	host     keys.PublicKey
	login    keys.Signer
	password string // of the database
	capture  *record.Recorder
}

func (a *app) demo(ctx context.Context, out string) (err error) {
	start := time.Now()
	dir, err := os.MkdirTemp("", "wirelark-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demonstration{app: a, dir: dir}
	stop, err := d.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	d.capture, err = record.Create(out, &record.Options{Application: "wirelark " + Version})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "Wirelark starts a server on loopback, talks to it, and shows you every packet.\n"+
		"  ssh and sftp  %s\n  host key      %s (this run only)\n  mysql         %s, reachable only through the SSH server\n",
		d.addr, keys.Fingerprint(d.host), demoDatabase)
	for i, step := range []struct {
		title string
		show  string // which packets, as --trace-filter
		run   func(context.Context, *sshclient.Client, trace.Tracer) error
	}{
		{"run a command", "ssh", d.runCommand},
		{"upload a directory tree", "sftp", d.upload},
		{"download it again and compare", "sftp", d.download},
		{"query a database that only the SSH server reaches", "mysql,!mysql.ColumnDefinition41", d.query},
	} {
		fmt.Fprintf(a.Stdout, "\n%d. %s\n", i+1, step.title)
		if err := d.step(ctx, step.show, step.run); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", step.title, err), d.capture.Close())
		}
	}
	if err := d.capture.Close(); err != nil {
		return fmt.Errorf("saving %s: %w", out, err)
	}
	fmt.Fprintf(a.Stdout, `
Done in %v. Saved %s: encrypted packets, their secrets, and the decrypted SFTP
and SQL inside. It is a credential of this demo's sessions, and shows how yours would look.
Try:  wirelark see -r %s
      wireshark %s
      wirelark ssh --trace YOURHOST uname -s
`, time.Since(start).Round(time.Millisecond), out, out, out)
	return nil
}

// serve starts the demo's server: an in-process command handler, SFTP in a
// directory of its own, and a database behind it. stop ends it.
func (d *demonstration) serve(ctx context.Context) (stop func() error, err error) {
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		return nil, err
	}
	if d.login, err = keys.Generate("ed25519", 0); err != nil {
		return nil, err
	}
	d.host = hostKey.PublicKey()
	served := filepath.Join(d.dir, "served")
	if err := os.Mkdir(served, 0o700); err != nil {
		return nil, err
	}
	root, err := backend.Rooted(served)
	if err != nil {
		return nil, err
	}
	dial, closeDatabase, err := d.database(ctx)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	srv := &sshserver.Server{
		DirectTCPIP: dial,
		HostKeys:    []keys.Signer{hostKey},
		PublicKey:   oneKey{d.login.PublicKey()},
		Exec:        demoExec,
		Subsystems: map[string]sshserver.Handler{
			"sftp": join.SFTPSubsystem(func(context.Context, *sshserver.Session) (sftpserver.Backend, error) { return root, nil }, nil),
		},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, closeDatabase(), root.Close())
	}
	d.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }() // stops at Close
	return func() error {
		err := srv.Close()
		if e := <-done; !errors.Is(e, sshserver.ErrServerClosed) {
			err = errors.Join(err, e)
		}
		return errors.Join(err, closeDatabase(), root.Close())
	}, nil
}

// oneKey lets in who owns the key.
type oneKey struct{ key keys.PublicKey }

func (k oneKey) Acceptable(_ context.Context, _ sshserver.Attempt, key keys.PublicKey) bool {
	return keys.Equal(k.key, key)
}

func (k oneKey) Authorize(_ context.Context, _ sshserver.Attempt, key sshserver.VerifiedKey) (*sshserver.Grant, error) {
	if keys.Equal(k.key, key.Key()) {
		return &sshserver.Grant{}, nil
	}
	return nil, nil
}

// demoExec answers the few commands of the demo without any shell.
func demoExec(_ context.Context, s *sshserver.Session) error {
	switch s.Command() {
	case "uname -sm":
		_, err := fmt.Fprintf(s, "%s %s (answered inside wirelark, no shell was asked)\n", runtime.GOOS, runtime.GOARCH)
		return err
	}
	s.Exit(127)
	_, err := fmt.Fprintf(s.Stderr(), "%s: the demo does not know this command\n", s.Command())
	return err
}

// step logs in, runs one step and shows the packets that it took.
func (d *demonstration) step(ctx context.Context, show string, run func(context.Context, *sshclient.Client, trace.Tracer) error) error {
	filter, err := trace.ParseFilter(show)
	if err != nil {
		return err
	}
	var packets bytes.Buffer
	text := record.NewText(&packets, &record.Options{Filter: filter})
	tracer := record.Multi(text, d.capture)
	cfg := &sshclient.Config{
		User: demoUser, HostKeys: sshclient.FixedHostKeys(d.host),
		Auth: []sshclient.AuthMethod{sshclient.PublicKeys(d.login)},
	}
	cfg.Transport.Trace = tracer
	client, err := sshclient.Dial(ctx, d.addr, cfg)
	if err != nil {
		return errors.Join(err, text.Close())
	}
	err = run(ctx, client, tracer)
	err = errors.Join(err, client.Close(), text.Close())
	d.show(packets.String())
	return err
}

// show prints the first packets of a step; the capture has all.
func (d *demonstration) show(text string) {
	const most = 24
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, l := range lines {
		if i == most {
			fmt.Fprintf(d.Stdout, "   … and %d more\n", len(lines)-most)
			return
		}
		if r := []rune(l); len(r) > 150 {
			l = string(r[:149]) + "…"
		}
		fmt.Fprintf(d.Stdout, "   %s\n", l)
	}
}

func (d *demonstration) runCommand(ctx context.Context, c *sshclient.Client, _ trace.Tracer) error {
	out, err := c.Command("uname -sm").Output(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Stdout, "   %s", out)
	return nil
}

func (d *demonstration) upload(ctx context.Context, c *sshclient.Client, t trace.Tracer) error {
	tree := filepath.Join(d.dir, "tree")
	n, size, err := makeTree(tree)
	if err != nil {
		return err
	}
	return d.move(ctx, c, t, func(client *sftpclient.Client) error {
		_, err := transfer.Put(ctx, client, []string{tree}, "/", &transfer.Options{Recursive: true, Preserve: true})
		return err
	}, fmt.Sprintf("sent %d files, %d bytes", n, size))
}

func (d *demonstration) download(ctx context.Context, c *sshclient.Client, t trace.Tracer) error {
	back := filepath.Join(d.dir, "back")
	err := d.move(ctx, c, t, func(client *sftpclient.Client) error {
		_, err := transfer.Get(ctx, client, []string{"/tree"}, back, &transfer.Options{Recursive: true, Preserve: true})
		return err
	}, "fetched the tree")
	if err != nil {
		return err
	}
	want, err := hashTree(filepath.Join(d.dir, "tree"))
	if err != nil {
		return err
	}
	got, err := hashTree(back)
	if err != nil {
		return err
	}
	for name, sum := range want {
		if got[name] != sum {
			return fmt.Errorf("%s came back different", name)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d files came back, %d were sent", len(got), len(want))
	}
	fmt.Fprintf(d.Stdout, "   all %d files have the same SHA-256\n", len(want))
	return nil
}

func (d *demonstration) move(ctx context.Context, c *sshclient.Client, t trace.Tracer, do func(*sftpclient.Client) error, what string) error {
	start := time.Now()
	client, err := join.SFTP(ctx, c, &sftpclient.Config{Trace: t})
	if err != nil {
		return err
	}
	if err := errors.Join(do(client), client.Close()); err != nil {
		return err
	}
	fmt.Fprintf(d.Stdout, "   %s in %v\n", what, time.Since(start).Round(time.Millisecond))
	return nil
}

// makeTree makes files of many sizes in nested directories.
func makeTree(root string) (files int, size int64, err error) {
	for i, n := range []int{0, 1, 100, 4096, 32768, 100_000, 1 << 20} {
		for _, sub := range []string{"", "a", filepath.Join("a", "b")} {
			dir := filepath.Join(root, sub)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return 0, 0, err
			}
			content := make([]byte, n)
			for j := range content {
				content[j] = byte(j*7 + i + len(sub))
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%d", n)), content, 0o600); err != nil {
				return 0, 0, err
			}
			files++
			size += int64(n)
		}
	}
	return files, size, nil
}

// hashTree returns the SHA-256 of every file below root.
func hashTree(root string) (map[string][sha256.Size]byte, error) {
	sums := make(map[string][sha256.Size]byte)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		sums[rel] = sha256.Sum256(content)
		return err
	})
	return sums, err
}
