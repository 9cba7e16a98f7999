package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/sftp/transfer"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
)

func (o algorithms) transport() transport.Config {
	var c transport.Config
	if o.cipher != "" {
		c.Algorithms.Ciphers = []string{o.cipher}
	}
	if o.kex != "" {
		c.Algorithms.Kex = []string{o.kex}
	}
	return c
}

func serveOurs(o algorithms, root string) (*endpoint, error) {
	host, err := keys.Generate("ed25519", 0)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sshserver.Server{
		HostKeys: []keys.Signer{host}, Transport: o.transport(), Subsystems: map[string]sshserver.Handler{},
		None:   func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil },
		Limits: sshserver.Limits{Connections: 1 << 14, Unauthenticated: 1 << 14},
	}
	for name, work := range subsystems {
		s.Subsystems[name] = func(_ context.Context, s *sshserver.Session) error { return work(s) }
	}
	stop := func() { _ = s.Close() }
	if root != "" {
		files, err := backend.Rooted(root)
		if err != nil {
			return nil, err
		}
		s.Subsystems["sftp"] = join.SFTPSubsystem(func(context.Context, *sshserver.Session) (sftpserver.Backend, error) {
			return files, nil
		}, nil)
		stop = func() { _ = s.Close(); files.Close() }
	}
	go func() { _ = s.Serve(l) }() // stops when s is closed
	return &endpoint{addr: l.Addr().String(), user: "bench", host: host.PublicKey(), root: "/", stop: stop}, nil
}

type ourClient struct{ *sshclient.Client }

func dialOurs(ctx context.Context, p *endpoint, o algorithms) (client, error) {
	cfg := &sshclient.Config{User: p.user, HostKeys: sshclient.FixedHostKeys(p.host), Transport: o.transport()}
	if p.key != nil {
		cfg.Auth = []sshclient.AuthMethod{sshclient.PublicKeys(p.key)}
	}
	c, err := sshclient.Dial(ctx, p.addr, cfg)
	if err != nil {
		return nil, err
	}
	return ourClient{c}, nil
}

func (c ourClient) open(ctx context.Context, subsystem string) (stream, error) {
	ch, err := c.Subsystem(ctx, subsystem)
	if err != nil {
		return nil, err
	}
	return ch, nil
}

func (c ourClient) exec(ctx context.Context, line string, in io.Reader, out io.Writer) error {
	cmd := c.Command(line)
	cmd.Stdin, cmd.Stdout = in, out
	return cmd.Run(ctx)
}

func (c ourClient) sftp(ctx context.Context) (files, error) {
	s, err := join.SFTP(ctx, c.Client, nil)
	if err != nil {
		return nil, err
	}
	return ourFiles{s}, nil
}

type ourFiles struct{ *sftpclient.Client }

func (f ourFiles) get(ctx context.Context, remote []string, local string) error {
	r, err := transfer.Get(ctx, f.Client, remote, local, nil)
	return all(r, len(remote), err)
}

func (f ourFiles) put(ctx context.Context, local []string, remote string) error {
	r, err := transfer.Put(ctx, f.Client, local, remote, nil)
	return all(r, len(local), err)
}

func all(r transfer.Result, n int, err error) error {
	if err == nil && r.Files != int64(n) {
		return fmt.Errorf("%d files of %d were copied", r.Files, n)
	}
	return err
}

func (f ourFiles) list(ctx context.Context, dir string) (int, error) {
	entries, err := f.ReadDir(ctx, dir)
	return len(entries), err
}
