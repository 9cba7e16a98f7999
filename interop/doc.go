// Package interop tests Wirelark against programs that others wrote: OpenSSH's
// sshd, ssh, sftp and scp, dropbear, PuTTY, paramiko, asyncssh, lftp, tshark,
// golang.org/x/crypto/ssh and github.com/pkg/sftp; MariaDB's server and client,
// MySQL, PyMySQL, mycli and github.com/go-sql-driver/mysql. It is a module of
// its own, so that these peers are no dependencies of Wirelark.
//
// A test whose peer is not installed is skipped and says so;
// WIRELARK_INTEROP_REQUIRE=1 makes that a failure. Other versions of a peer
// come in by environment variables:
//
//	WIRELARK_SSHD                 the program, as /opt/openssh/sbin/sshd
//	WIRELARK_SSH, _SFTP, _SCP     the programs
//	WIRELARK_LFTP, _TSHARK        the programs
//	WIRELARK_SSHD_ADDR            a running sshd to use beside our own
//	WIRELARK_SSHD_USER            its user; empty: root
//	WIRELARK_SSHD_KEY             a private key that it accepts
//	WIRELARK_SSHD_KNOWN_HOSTS     a known_hosts file that knows it
//
//	WIRELARK_MARIADBD, _MARIADB_INSTALL_DB  the programs of MariaDB's server
//	WIRELARK_MARIADB, _MYCLI      the programs
//	WIRELARK_MYSQL                further servers for the tests of the MySQL
//	                              client, as NAME=DSN with spaces between; their
//	                              user may do everything; none: MariaDB alone
//
// TestMatrix runs every peer in every role, demands that all algorithms that we
// offer have been used in both roles, prints a matrix, and writes docs/interop.md
// when it is told to:
//
//	go -C interop test -count=1 -v -run '^TestMatrix$' . -matrix ../docs/interop.md
//
// It takes other peers from these variables:
//
//	WIRELARK_DBCLIENT, _DROPBEAR, _DROPBEARCONVERT  the programs
//	WIRELARK_PLINK, _PSFTP, _PUTTYGEN, _PYTHON3     the programs
//	WIRELARK_INTEROP_ROOT         the root folder of another system, for chroot,
//	                              with all these peers: more rows; needs root
//
// A program may be several words; it must see the files of this machine, but
// for tshark, which reads its capture from standard input.
package interop
