package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// drainTime is how long a server that was told to stop waits for the sessions
// it has.
const drainTime = 5 * time.Second

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve ssh|sftp|mysql",
		Short: "Serve SSH, a directory over SFTP, or a database over MySQL's protocol",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef(cmd, "there is no server for %q: choose ssh, sftp or mysql", args[0])
			}
			return usagef(cmd, "serve needs to know what: ssh, sftp or mysql")
		},
	}
	cmd.AddCommand(a.serveSSHCommand(), a.serveSFTPCommand(), a.serveMySQLCommand())
	return cmd
}

// listenFlags are the flags of every server.
type listenFlags struct {
	listen  string
	hostKey string
	see     seeingFlags
	ready   string // printed on stderr before the address, even when quiet
}

func (f *listenFlags) register(cmd *cobra.Command, addr string) {
	cmd.Flags().StringVar(&f.listen, "listen", addr, "`ADDR` to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&f.hostKey, "host-key", "", "private key `FILE` of the server; a missing one is made (default: kept in the user's data directory)")
	f.see.register(cmd)
}

// serve runs srv until the context ends, then lets its sessions finish.
func (a *app) serve(ctx context.Context, srv *sshserver.Server, f *listenFlags, s *seeing) error {
	file := f.hostKey
	if file == "" {
		var err error
		if file, err = a.defaultHostKey(); err != nil {
			return err
		}
	}
	signer, err := a.hostKey(file)
	if err != nil {
		return err
	}
	srv.HostKeys = []keys.Signer{signer}
	srv.Transport.Trace, srv.Transport.KeyLog = s.tracer, s.keyLog
	srv.Logger = a.serverLog()
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return err
	}
	a.infof("host key %s %s", signer.PublicKey().Type(), keys.Fingerprint(signer.PublicKey()))
	return a.serveUntil(ctx, srv, sshserver.ErrServerClosed, l, f.ready)
}

// serverLog is where a server tells what happens.
func (a *app) serverLog() *slog.Logger {
	level := slog.LevelInfo
	switch {
	case a.quiet:
		level = slog.LevelError
	case a.verbose > 0:
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.Stderr, &slog.HandlerOptions{Level: level}))
}

// service is a server of any protocol.
type service interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

// serveUntil tells that srv is ready, and how to log in if ready is not empty,
// serves until ctx ends, and lets the sessions finish. closed is what Serve
// returns then.
func (a *app) serveUntil(ctx context.Context, srv service, closed error, l net.Listener, ready string) error {
	if ready != "" {
		fmt.Fprintln(a.Stderr, ready)
	}
	fmt.Fprintf(a.Stdout, "listening %s\n", l.Addr())

	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }() // stops at Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := srv.Shutdown(drain)
	if served := <-served; !errors.Is(served, closed) {
		err = errors.Join(err, served)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		a.infof("cut the sessions that were still there after %v", drainTime)
		err = nil
	}
	return err
}

// defaultHostKey is where a server keeps its key when nobody says where.
func (a *app) defaultHostKey() (string, error) {
	dir := a.Getenv("XDG_DATA_HOME")
	if dir == "" {
		h, err := a.home()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(h, ".local", "share")
	}
	return filepath.Join(dir, "wirelark", "hostkey"), nil
}

// requireDir tells early and clearly that DIR is not one.
func requireDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &Error{Code: exitUsage, What: fmt.Sprintf("%s is not a directory", dir), How: []string{"its mode is " + info.Mode().String()}, Next: []string{"name a directory"}}
	}
	return nil
}
