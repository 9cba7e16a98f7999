// Package join brings protocols together: it is the only library package that
// knows two of them.
//
// [SFTP] begins an SFTP session on an SSH connection, [SFTPSubsystem] serves
// one there. [MySQLDialer] carries a MySQL client through one, [Gateway] many
// of them through a connection that is made when it is needed. [Jump] goes
// through several SSH hosts, [Unattended] as the user's ssh_config says, and
// [OpenMySQL] makes a pool of database/sql from a URL that names such hosts.
// Traces learn which connection and channel carries
// what, so a recording shows the SFTP, the SQL and the other SSH inside the
// SSH.
//
//	conn, err := sshclient.Dial(ctx, "host.example:22", &cfg)
//	files, err := join.SFTP(ctx, conn, nil)
//
//	server := &sshserver.Server{
//		Subsystems: map[string]sshserver.Handler{"sftp": join.SFTPSubsystem(backend, nil)},
//	}
//
//	bastion, err := join.Jump(ctx, []join.Hop{{Addr: "gate:22", Config: &cfg}, {Addr: "inner:22", Config: &cfg}})
//	db, err := mysqlclient.Connect(ctx, &mysqlclient.Config{
//		Address: "db:3306", Dial: join.MySQLDialer(bastion), TraceInfo: join.MySQLTraceInfo(bastion),
//	})
//
// Package join has no state; a Gateway has one goroutine while it logs in.
package join
