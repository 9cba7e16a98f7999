package main

import (
	"context"
	"io"
	"time"
)

// small measures what is made of many small pieces.
func small(ctx context.Context, e *env) ([]figure, error) {
	e.mention("Writes come from one goroutine, each by a Write call of its own, and the time ends when the other side has read them all. An answer is one byte that comes back, over a connection that does nothing else; half of them come faster than the figure says.")
	writes := e.amount(400_000)
	each := func(n int64) cpu { return cpu{whose: "both sides", unit: "µs each", amount: float64(n) / 1000} }
	figures := []figure{
		{name: "64-byte writes, aes128-gcm", unit: "1000/s", cpu: each(writes), goals: []goal{{theirs, 5}}},
		{name: "64-byte writes, chacha20-poly1305", unit: "1000/s", cpu: each(writes)},
		{name: "1 KiB writes, aes128-gcm", unit: "1000/s", cpu: each(writes / 4)},
		{name: "answer, own server", unit: "µs", lower: true, goals: []goal{{theirs, 1}}},
		{name: "answer, sshd running cat", unit: "µs", lower: true, goals: []goal{{theirs, 1}, {openSSH, 1}}},
	}
	sshd, err := startSSHD(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, column := range []int{ours, theirs} {
		p, err := newPair(ctx, e, column, algorithms{cipher: gcm})
		if err != nil {
			return nil, err
		}
		q, err := newPair(ctx, e, column, algorithms{cipher: chacha})
		if err != nil {
			return nil, err
		}
		figures[0].run[column] = writing(p, writes, 64)
		figures[1].run[column] = writing(q, writes, 64)
		figures[2].run[column] = writing(p, writes/4, 1<<10)
		figures[3].run[column] = func(ctx context.Context) (float64, error) {
			s, err := p.open(ctx, "echo")
			if err != nil {
				return 0, err
			}
			defer s.Close()
			return answerTime(s, s)
		}
		if sshd == nil {
			continue
		}
		c, err := libraries[column].dial(ctx, sshd, algorithms{cipher: gcm})
		if err != nil {
			return nil, err
		}
		e.later(func() { _ = c.Close() })
		figures[4].run[column] = func(ctx context.Context) (float64, error) {
			return catTime(func(in io.Reader, out io.Writer) error { return c.exec(ctx, "cat", in, out) })
		}
	}
	if sshd == nil {
		return figures[:4], nil
	}
	figures[4].run[openSSH] = func(ctx context.Context) (float64, error) {
		return e.ssh.catTime(ctx, sshd)
	}
	return figures, nil
}

// writing is a run of n writes of size bytes; the figure is thousands of them
// in a second.
func writing(c client, n int64, size int) func(ctx context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		began := time.Now()
		err := upload(ctx, c, n*int64(size), size)
		return float64(n) / 1000 / time.Since(began).Seconds(), err
	}
}

// answerTime is the median time, in microseconds, that a byte takes there and
// back.
func answerTime(w io.Writer, r io.Reader) (float64, error) {
	const warm, count = 200, 3000
	var b [1]byte
	times := make([]float64, 0, count)
	for i := range warm + count {
		b[0] = byte(i)
		began := time.Now()
		if _, err := w.Write(b[:]); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return 0, err
		}
		if i >= warm {
			times = append(times, float64(time.Since(began).Nanoseconds())/1000)
		}
	}
	return median(times), nil
}

// catTime is answerTime with a command that is run by exec.
func catTime(exec func(in io.Reader, out io.Writer) error) (float64, error) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ended := make(chan error, 1)
	go func() { // stops when its input ends
		err := exec(inR, outW)
		_ = outW.CloseWithError(io.ErrUnexpectedEOF)
		_ = inR.CloseWithError(io.ErrClosedPipe)
		ended <- err
	}()
	t, err := answerTime(inW, outR)
	inW.Close()
	if e := <-ended; err == nil {
		err = e
	}
	return t, err
}

// catTime is answerTime through the ssh program and its two pipes.
func (o *openssh) catTime(ctx context.Context, p *endpoint) (float64, error) {
	cmd, err := o.command(ctx, p, o.ssh, algorithms{cipher: gcm})
	if err != nil {
		return 0, err
	}
	cmd.Args = append(cmd.Args, "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	t, err := answerTime(in, out)
	in.Close()
	if e := cmd.Wait(); err == nil {
		err = e
	}
	return t, err
}
