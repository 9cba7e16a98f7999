package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	gcm    = "aes128-gcm@openssh.com"
	chacha = "chacha20-poly1305@openssh.com"
)

// mib is a rate.
func mib(n int64, d time.Duration) float64 { return float64(n) / (1 << 20) / d.Seconds() }

// newPair is a client and a server of the same library in this process, until
// the end of the section.
func newPair(ctx context.Context, e *env, column int, al algorithms) (client, error) {
	s, err := libraries[column].serve(al, "")
	if err != nil {
		return nil, err
	}
	e.later(s.stop)
	c, err := libraries[column].dial(ctx, s, al)
	if err != nil {
		return nil, err
	}
	e.later(func() { _ = c.Close() })
	return c, nil
}

func bulk(ctx context.Context, e *env) ([]figure, error) {
	e.mention("Each library with itself in this process over loopback TCP; and all clients with OpenSSH's sshd, which runs `head -c N /dev/zero` or `cat >/dev/null`. The login is not counted. CPU time includes the kernel's work; it hardly depends on what else the machine does, as rates do.")
	n := e.amount(128 << 20)
	var all []figure
	for _, cipher := range []string{gcm, chacha} {
		al := algorithms{cipher: cipher}
		short, _, _ := strings.Cut(cipher, "@")
		own := []figure{{name: short + ", own server, down"}, {name: short + ", own server, up"}}
		beside := []figure{{name: short + ", sshd, down"}, {name: short + ", sshd, up"}}
		sshd, err := startSSHD(ctx, e)
		if err != nil {
			return nil, err
		}
		for _, column := range []int{ours, theirs} {
			p, err := newPair(ctx, e, column, al)
			if err != nil {
				return nil, err
			}
			own[0].run[column] = rate(n, func(ctx context.Context) error { return download(ctx, p, n) })
			own[1].run[column] = rate(n, func(ctx context.Context) error { return upload(ctx, p, n, chunk) })
			if sshd == nil {
				continue
			}
			c, err := libraries[column].dial(ctx, sshd, al)
			if err != nil {
				return nil, err
			}
			e.later(func() { _ = c.Close() })
			beside[0].run[column] = rate(n, func(ctx context.Context) error { return fromCommand(ctx, c, n) })
			beside[1].run[column] = rate(n, func(ctx context.Context) error { return toCommand(ctx, c, n) })
		}
		if sshd != nil {
			beside[0].run[openSSH] = func(ctx context.Context) (float64, error) {
				return e.ssh.bulk(ctx, sshd, al, n, fmt.Sprintf("head -c %d /dev/zero", n), nil)
			}
			beside[1].run[openSSH] = func(ctx context.Context) (float64, error) {
				return e.ssh.bulk(ctx, sshd, al, n, "cat >/dev/null", zeros(n))
			}
		}
		times := 2.0
		if cipher == chacha {
			times = 3
		}
		for i := range own {
			own[i].cpu, beside[i].cpu = perGiB("both sides", n), perGiB("client", n)
			own[i].unit, own[i].goals = "MiB/s", []goal{{theirs, times}}
			beside[i].unit, beside[i].goals = "MiB/s", []goal{{openSSH, 1}}
		}
		all = append(all, own...)
		if sshd != nil {
			all = append(all, beside...)
		}
	}
	return all, nil
}

// startSSHD starts sshd for the section, if there is one: else nil.
func startSSHD(ctx context.Context, e *env) (*endpoint, error) {
	if e.ssh == nil {
		return nil, nil
	}
	p, err := e.ssh.serve(ctx)
	if err == nil {
		e.later(p.stop)
	}
	return p, err
}

// rate is a run that moves n bytes.
func rate(n int64, work func(ctx context.Context) error) func(ctx context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		began := time.Now()
		err := work(ctx)
		return mib(n, time.Since(began)), err
	}
}

// zeros is n bytes that are not a file.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// counter counts and forgets.
type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

func fromCommand(ctx context.Context, c client, n int64) error {
	var out counter
	err := c.exec(ctx, fmt.Sprintf("head -c %d /dev/zero", n), bytes.NewReader(nil), &out)
	return complete(out.n, n, err)
}

func toCommand(ctx context.Context, c client, n int64) error {
	return c.exec(ctx, "cat >/dev/null", zeros(n), io.Discard)
}

func (o *openssh) bulk(ctx context.Context, p *endpoint, al algorithms, n int64, line string, in io.Reader) (float64, error) {
	d, err := o.run(ctx, p, al, line, in)
	return mib(n, d), err
}
