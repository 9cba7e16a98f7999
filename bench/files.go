package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// session is an SFTP session and the endpoint that it runs with.
type session struct {
	files
	at *endpoint
}

// newSession logs in and begins an SFTP session, until the end of the section.
func newSession(ctx context.Context, e *env, column int, p *endpoint) (session, error) {
	c, err := libraries[column].dial(ctx, p, algorithms{cipher: gcm})
	if err != nil {
		return session{}, err
	}
	f, err := c.sftp(ctx)
	if err != nil {
		_ = c.Close()
		return session{}, err
	}
	e.later(func() { _ = f.Close(); _ = c.Close() })
	return session{f, p}, nil
}

// newFile makes a file of n bytes that are not zero.
func newFile(name string, n int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for i := range buf {
		buf[i] = byte(i*7 + i>>8)
	}
	if err := feed(f, n, buf); err != nil {
		return err
	}
	return f.Close()
}

// copied checks that a copy has the right size and removes it.
func copied(name string, n int64, err error) error {
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if err := complete(info.Size(), n, nil); err != nil {
		return err
	}
	return os.Remove(name)
}

// quote is a path as OpenSSH's sftp takes it.
func quote(name string) string { return `"` + name + `"` }

// localFiles measures SFTP without a distance.
func localFiles(ctx context.Context, e *env) ([]figure, error) {
	n := e.amount(1 << 30)
	big, err := filepath.Abs(filepath.Join(e.dir, "big"))
	if err != nil {
		return nil, err
	}
	if err := newFile(big, n); err != nil {
		return nil, err
	}
	e.later(func() { os.Remove(big) })
	e.mention("A file of %d MiB, both copies in %s, aes128-gcm for the libraries and for OpenSSH. The login is not counted. Own server: each library with itself in this process, OpenSSH with sshd. OpenSSH's client: the same sftp program with our server, with pkg/sftp's and with sshd.", n>>20, filepath.Dir(e.dir))
	size := fmt.Sprintf("%d MiB", n>>20)
	figures := []figure{
		{name: "get " + size + ", sshd", goals: []goal{{openSSH, 1}}},
		{name: "put " + size + ", sshd", goals: []goal{{openSSH, 1}}},
		{name: "get " + size + ", own server", goals: []goal{{openSSH, 1}}},
		{name: "put " + size + ", own server", goals: []goal{{openSSH, 1}}},
		{name: "get " + size + ", OpenSSH's client", goals: []goal{{openSSH, 1}}},
		{name: "put " + size + ", OpenSSH's client", goals: []goal{{openSSH, 1}}},
	}
	for i := range figures {
		figures[i].unit = "MiB/s"
		if i < 2 {
			figures[i].cpu = perGiB("client", n)
		}
	}
	sshd, err := startSSHD(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, column := range []int{ours, theirs} {
		own, err := libraries[column].serve(algorithms{cipher: gcm}, e.dir)
		if err != nil {
			return nil, err
		}
		e.later(own.stop)
		s, err := newSession(ctx, e, column, own)
		if err != nil {
			return nil, err
		}
		figures[2].run[column], figures[3].run[column] = getAndPut(s, big, n)
		if sshd == nil {
			continue
		}
		figures[4].run[column], figures[5].run[column] = e.ssh.getAndPut(own, big, n)
		if s, err = newSession(ctx, e, column, sshd); err != nil {
			return nil, err
		}
		figures[0].run[column], figures[1].run[column] = getAndPut(s, big, n)
	}
	if sshd == nil {
		return figures[2:4], nil
	}
	for i := range 3 {
		figures[2*i].run[openSSH], figures[2*i+1].run[openSSH] = e.ssh.getAndPut(sshd, big, n)
	}
	return figures, nil
}

// remote is how the endpoint's SFTP server names a file.
func (p *endpoint) remote(name string) string {
	if p.root == "/" {
		return "/" + filepath.Base(name)
	}
	return name
}

type task = func(ctx context.Context) (float64, error)

// getAndPut are runs that copy the file big of n bytes.
func getAndPut(s session, big string, n int64) (get, put task) {
	there, here := big+".there", big+".here"
	get = rate(n, func(ctx context.Context) error { return s.get(ctx, []string{s.at.remote(big)}, here) })
	put = rate(n, func(ctx context.Context) error { return s.put(ctx, []string{big}, s.at.remote(there)) })
	return checked(get, here, n), checked(put, there, n)
}

func checked(work task, name string, n int64) task {
	return func(ctx context.Context) (float64, error) {
		os.Remove(name)
		v, err := work(ctx)
		return v, copied(name, n, err)
	}
}

func (o *openssh) getAndPut(p *endpoint, big string, n int64) (get, put task) {
	there, here := big+".there", big+".here"
	work := func(words ...string) task {
		return func(ctx context.Context) (float64, error) {
			d, err := o.batched(ctx, p, strings.Join(words, " "))
			return mib(n, d), err
		}
	}
	return checked(work("get", quote(p.remote(big)), quote(here)), here, n), checked(work("put", quote(big), quote(p.remote(there))), there, n)
}

// batched is how long the commands take in an sftp process, without what a
// process takes that does nothing; both over a login that exists.
func (o *openssh) batched(ctx context.Context, p *endpoint, commands ...string) (time.Duration, error) {
	return without(
		func() (time.Duration, error) { return o.batch(ctx, p, "pwd") },
		func() (time.Duration, error) { return o.batch(ctx, p, commands...) },
	)
}
