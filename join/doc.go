// Package join brings protocols together: it is the only library package that
// knows two of them.
//
// [SFTP] begins an SFTP session on an SSH connection, [SFTPSubsystem] serves
// one there. Traces learn which connection and channel carries what, so a
// recording shows the SFTP inside the SSH.
//
//	conn, err := sshclient.Dial(ctx, "host.example:22", &cfg)
//	files, err := join.SFTP(ctx, conn, nil)
//
//	server := &sshserver.Server{
//		Subsystems: map[string]sshserver.Handler{"sftp": join.SFTPSubsystem(backend, nil)},
//	}
//
// Package join has no state and starts no goroutines of its own.
package join
