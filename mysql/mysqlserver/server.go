package mysqlserver

import (
	"crypto/rsa"
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/trace"
)

// Server is a MySQL server. Its fields must not be changed once it serves. The
// zero value lets nobody in.
type Server struct {
	// Handler makes the sessions; nil: they refuse everything.
	Handler Handler

	// Auth decides who may log in; nil: nobody.
	Auth Authenticator

	// TLS is used with the clients that ask for it; nil: it is not offered.
	TLS *tls.Config

	// RequireTLS refuses clients that use neither TLS nor a unix socket, with
	// error 3159, before they have sent a password.
	RequireTLS bool

	// MariaDB makes the server introduce itself as MariaDB, and speak that
	// server's extensions with clients that know them.
	MariaDB bool

	// Version is what the server calls itself; "": see [DefaultVersion] and
	// [DefaultMariaDBVersion].
	Version string

	// Plugin is the authentication method that the greeting names, and that
	// unknown users are asked for; "": caching_sha2_password, as MariaDB
	// mysql_native_password. Clients whose account needs another one are asked
	// to switch.
	Plugin string

	// Key is for the SHA-256 methods without TLS, whose clients send their
	// password encrypted for it; nil: they must use TLS or a unix socket then.
	Key *rsa.PrivateKey

	// Secure says that nobody can listen to the connections, as if they were
	// unix sockets: they stay in this process, or travel in a tunnel.
	Secure bool

	// Collation is the number of the default collation; 0: 255
	// (utf8mb4_0900_ai_ci), as MariaDB 45 (utf8mb4_general_ci).
	Collation uint8

	// Withhold lists capabilities that are not offered, although the server has
	// them.
	Withhold mysql.Capabilities

	// RawQueries hands the text of COM_QUERY to sessions as it came, which may
	// be several statements. Without it the server divides it, and refuses
	// several statements when the client has not said that it may send them.
	RawQueries bool

	// Limits bound what clients can make the server do and hold.
	Limits Limits

	// Trace, when set, sees every packet. Carrier tells what the connections
	// run in: its Parent, Channel and Label. Proto, Role and, without a
	// Parent, the addresses are filled in.
	Trace   trace.Tracer
	Carrier trace.Info

	// Logger is told about connections and logins; nil: nobody.
	Logger *slog.Logger

	serving serving
}

// What a server calls itself unless it is told otherwise. Clients decide by
// the number what the server can do.
const (
	DefaultVersion        = "8.4.0-wirelark"
	DefaultMariaDBVersion = "11.4.0-MariaDB-wirelark"
)

// Limits bound what clients can make a server do and hold. Zero fields mean
// the defaults.
type Limits struct {
	Connections      int           // at the same time; default 1024
	Unauthenticated  int           // connections that have not logged in, at the same time; default 100
	HandshakeTimeout time.Duration // from the connection to the end of the login; default 10 seconds
	IdleTimeout      time.Duration // between two commands (wait_timeout); default 8 hours
	ReadTimeout      time.Duration // between two pieces of one command (net_read_timeout); default 30 seconds
	WriteTimeout     time.Duration // until the client has taken what is to be sent (net_write_timeout); default 60 seconds
	FailureDelay     time.Duration // the shortest time that a refused login takes; default 5 ms, less than 0: none
	MaxPacket        int           // bytes of a command (max_allowed_packet); default 64 MiB. Before the login it is 64 KiB
	Statements       int           // prepared statements of one connection; default 1024
	Parameters       int           // placeholders of all of these together; default 262,144
	LongData         int           // bytes sent ahead for parameters and held, of one connection; default MaxPacket
	CursorBytes      int           // bytes of rows held for open cursors, of one connection; default 16 MiB. A larger result has no cursor
	Trackers         int           // bytes of session state to be told with one answer; default 64 KiB
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Connections, 1024)
	set(&l.Unauthenticated, 100)
	set(&l.MaxPacket, 64<<20) // MySQL's max_allowed_packet
	set(&l.Statements, 1024)
	set(&l.Parameters, 1<<18)
	set(&l.LongData, l.MaxPacket)
	set(&l.CursorBytes, 16<<20)
	set(&l.Trackers, 64<<10)
	span(&l.HandshakeTimeout, 10*time.Second) // MySQL's connect_timeout
	span(&l.IdleTimeout, 8*time.Hour)         // MySQL's wait_timeout
	span(&l.ReadTimeout, 30*time.Second)      // MySQL's net_read_timeout
	span(&l.WriteTimeout, 60*time.Second)     // MySQL's net_write_timeout
	if l.FailureDelay == 0 {
		l.FailureDelay = 5 * time.Millisecond
	}
	return l
}
