package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/auth"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// firstByte starts a client against a server that greets it and returns when the
// client first says something, in milliseconds.
func firstByte(ctx context.Context, name string, args ...string) (float64, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	var heard time.Time
	said := make(chan error, 1)
	go func() { // ends with the client's first byte, or when l is closed
		err := greet(l)
		heard = time.Now()
		said <- err
	}()
	cmd := exec.CommandContext(ctx, name, append(args[:len(args):len(args)], "--no-defaults", "-h", "127.0.0.1", "-P", port, "-u", "bench", "-pbench", "-e", "SELECT 1")...)
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); l.Close(); close(ended) }() // ends with the program, which loses its server
	err = <-said
	_ = cmd.Process.Kill()
	<-ended
	if err != nil {
		err = fmt.Errorf("%s says nothing: %w", name, err)
	}
	return float64(heard.Sub(begin).Microseconds()) / 1000, err
}

// greet takes one connection, greets it and waits for a byte.
func greet(l net.Listener) error {
	nc, err := l.Accept()
	if err != nil {
		return err
	}
	c := packet.New(nc, &packet.Config{Role: trace.Server})
	defer c.Close()
	caps := mysql.ClientProtocol41 | mysql.ClientSecureConnection | mysql.ClientPluginAuth | mysql.ClientPluginAuthLenencClientData
	hello := &mysql.HandshakeV10{ServerVersion: "8.4.0", ConnectionID: 1, AuthData: auth.NewNonce(), Capabilities: caps, Collation: 45, AuthPlugin: auth.Native}
	if err := c.Append(hello); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	_, err = bufio.NewReader(c.NetConn()).ReadByte()
	return err
}
