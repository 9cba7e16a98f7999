package main

import (
	"context"
	"io"
	"net"
	"os"
	"path"
	"path/filepath"

	"github.com/pkg/sftp"
	xssh "golang.org/x/crypto/ssh"

	"github.com/wirelark/wirelark/ssh/keys"
)

func (o algorithms) config() xssh.Config {
	var c xssh.Config
	if o.cipher != "" {
		c.Ciphers = []string{o.cipher}
	}
	if o.kex != "" {
		c.KeyExchanges = []string{o.kex}
	}
	return c
}

func serveTheirs(o algorithms, root string) (*endpoint, error) {
	host, err := keys.Generate("ed25519", 0)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	cfg := &xssh.ServerConfig{Config: o.config(), NoClientAuth: true}
	cfg.AddHostKey(host)
	go func() { // stops when l is closed
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go serveConn(nc, cfg, root) // stops when the client closes nc
		}
	}()
	return &endpoint{addr: l.Addr().String(), user: "bench", host: host.PublicKey(), root: root, stop: func() { l.Close() }}, nil
}

func serveConn(nc net.Conn, cfg *xssh.ServerConfig, root string) {
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
				var name struct{ Name string }
				known := r.Type == "subsystem" && xssh.Unmarshal(r.Payload, &name) == nil
				_ = r.Reply(known, nil)
				if known {
					go serveSubsystem(name.Name, ch, root) // stops when the channel ends
				}
			}
		}()
	}
}

func serveSubsystem(name string, ch xssh.Channel, root string) {
	defer ch.Close()
	status := byte(0)
	switch work := subsystems[name]; {
	case work != nil:
		if work(ch) != nil {
			status = 1
		}
	case name == "sftp" && root != "":
		s, err := sftp.NewServer(ch, sftp.WithServerWorkingDirectory(root))
		if err != nil || s.Serve() != nil {
			status = 1
		}
	default:
		status = 1
	}
	_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, status})
}

type theirClient struct{ *xssh.Client }

func dialTheirs(ctx context.Context, p *endpoint, o algorithms) (client, error) {
	cfg := &xssh.ClientConfig{Config: o.config(), User: p.user, HostKeyCallback: xssh.FixedHostKey(p.host)}
	if p.key != nil {
		cfg.Auth = []xssh.AuthMethod{xssh.PublicKeys(p.key)}
	}
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, err
	}
	conn, channels, requests, err := xssh.NewClientConn(nc, p.addr, cfg)
	if err != nil {
		nc.Close()
		return nil, err
	}
	return theirClient{xssh.NewClient(conn, channels, requests)}, nil
}

func (c theirClient) open(_ context.Context, subsystem string) (stream, error) {
	ch, requests, err := c.OpenChannel("session", nil)
	if err != nil {
		return nil, err
	}
	go xssh.DiscardRequests(requests) // stops when the channel ends
	ok, err := ch.SendRequest("subsystem", true, xssh.Marshal(struct{ Name string }{subsystem}))
	if err == nil && !ok {
		err = os.ErrNotExist
	}
	if err != nil {
		ch.Close()
		return nil, err
	}
	return ch, nil
}

func (c theirClient) exec(_ context.Context, line string, in io.Reader, out io.Writer) error {
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	defer s.Close()
	s.Stdin, s.Stdout = in, out
	return s.Run(line)
}

func (c theirClient) sftp(context.Context) (files, error) {
	s, err := sftp.NewClient(c.Client, sftp.UseConcurrentWrites(true)) // the default takes 50 times as long at a distance
	if err != nil {
		return nil, err
	}
	return theirFiles{s}, nil
}

// theirFiles copies one file after another, as the library has nothing for
// several.
type theirFiles struct{ *sftp.Client }

func (f theirFiles) get(_ context.Context, remote []string, local string) error {
	for _, name := range remote {
		if err := f.getOne(name, target(local, path.Base(name), len(remote))); err != nil {
			return err
		}
	}
	return nil
}

// target is where a file goes: several go into a directory.
func target(name, base string, n int) string {
	if n == 1 {
		return name
	}
	return path.Join(name, base)
}

func (f theirFiles) getOne(remote, local string) error {
	r, err := f.Open(remote)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.Create(local)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := r.WriteTo(w); err != nil {
		return err
	}
	return r.Close()
}

func (f theirFiles) put(_ context.Context, local []string, remote string) error {
	for _, name := range local {
		if err := f.putOne(name, target(remote, filepath.Base(name), len(local))); err != nil {
			return err
		}
	}
	return nil
}

func (f theirFiles) putOne(local, remote string) error {
	r, err := os.Open(local)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := f.OpenFile(remote, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := w.ReadFrom(r); err != nil {
		w.Close()
		return err
	}
	return w.Close()
}

func (f theirFiles) list(_ context.Context, dir string) (int, error) {
	entries, err := f.ReadDir(dir)
	return len(entries), err
}
