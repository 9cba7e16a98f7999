package cli

import (
	"context"
	"net"

	"github.com/spf13/cobra"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/hostshell"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

func (a *app) serveSSHCommand() *cobra.Command {
	var f listenFlags
	var authorized string
	var noForward bool
	cmd := &cobra.Command{
		Use:   "ssh --authorized-keys FILE [--listen ADDR] [--host-key FILE]",
		Short: "Serve commands, shells, SFTP and forwarding as the invoking user",
		Long: `Serve SSH to whoever owns a key of FILE, in authorized_keys format with its
options. Sessions run as the user who started the server, whatever name the
client gives; that is why keys are required.`,
		Example: "  wirelark serve ssh --authorized-keys ~/.ssh/authorized_keys",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if authorized == "" {
				return usagef(cmd, "serve ssh needs --authorized-keys FILE: who may log in can do what you can")
			}
			policy, err := a.newAuthorizedKeys(authorized, "")
			if err != nil {
				return err
			}
			s, err := a.openSeeing(cmd, &f.see)
			if err != nil {
				return err
			}
			defer s.close(&err)
			home, err := a.home()
			if err != nil {
				return err
			}
			host := hostshell.New(&hostshell.Config{Dir: home, Env: []string{"HOME=" + home}})
			srv := &sshserver.Server{
				PublicKey: policy, Exec: host.Exec, Shell: host.Shell, Env: hostshell.AcceptEnv(),
				Subsystems: map[string]sshserver.Handler{
					"sftp": join.SFTPSubsystem(func(context.Context, *sshserver.Session) (sftpserver.Backend, error) { return backend.Host(home), nil },
						&sftpserver.Config{Trace: s.tracer}),
				},
			}
			if !noForward {
				srv.DirectTCPIP = func(ctx context.Context, f *sshserver.Forward) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "tcp", f.Addr())
				}
			}
			return a.serve(cmd.Context(), srv, &f, s)
		},
	}
	f.register(cmd, "127.0.0.1:2222")
	cmd.Flags().StringVar(&authorized, "authorized-keys", "", "`FILE` of the keys that may log in")
	cmd.Flags().BoolVar(&noForward, "no-forward", false, "refuse connections to elsewhere (direct-tcpip)")
	return cmd
}
