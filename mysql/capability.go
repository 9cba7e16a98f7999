package mysql

import "github.com/wirelark/wirelark/wire"

// Capabilities are what both ends of a connection can do: in the lower half
// the flags of the protocol, in the upper half those that MariaDB added. A
// server offers, a client chooses; what both have decides about later layouts.
type Capabilities uint64

// The flags of both servers.
const (
	ClientLongPassword               Capabilities = 1 << 0 // MariaDB: CLIENT_MYSQL; clear to speak MariaDB's extensions
	ClientFoundRows                  Capabilities = 1 << 1 // affected rows are matched rows
	ClientLongFlag                   Capabilities = 1 << 2
	ClientConnectWithDB              Capabilities = 1 << 3 // the handshake names a schema
	ClientNoSchema                   Capabilities = 1 << 4
	ClientCompress                   Capabilities = 1 << 5 // zlib
	ClientODBC                       Capabilities = 1 << 6
	ClientLocalFiles                 Capabilities = 1 << 7 // LOAD DATA LOCAL
	ClientIgnoreSpace                Capabilities = 1 << 8
	ClientProtocol41                 Capabilities = 1 << 9
	ClientInteractive                Capabilities = 1 << 10
	ClientSSL                        Capabilities = 1 << 11
	ClientIgnoreSigpipe              Capabilities = 1 << 12
	ClientTransactions               Capabilities = 1 << 13
	ClientReserved                   Capabilities = 1 << 14
	ClientSecureConnection           Capabilities = 1 << 15
	ClientMultiStatements            Capabilities = 1 << 16
	ClientMultiResults               Capabilities = 1 << 17
	ClientPSMultiResults             Capabilities = 1 << 18
	ClientPluginAuth                 Capabilities = 1 << 19
	ClientConnectAttrs               Capabilities = 1 << 20
	ClientPluginAuthLenencClientData Capabilities = 1 << 21
	ClientCanHandleExpiredPasswords  Capabilities = 1 << 22
	ClientSessionTrack               Capabilities = 1 << 23
	ClientDeprecateEOF               Capabilities = 1 << 24 // OK instead of EOF at the end of rows
	ClientOptionalResultsetMetadata  Capabilities = 1 << 25
	ClientZstdCompression            Capabilities = 1 << 26
	ClientQueryAttributes            Capabilities = 1 << 27
	ClientMultiFactorAuthentication  Capabilities = 1 << 28
	ClientCapabilityExtension        Capabilities = 1 << 29
	ClientSSLVerifyServerCert        Capabilities = 1 << 30
	ClientRememberOptions            Capabilities = 1 << 31
)

// MariaDB's own flags. They mean something only where ClientLongPassword is
// clear.
const (
	MariaDBProgress         Capabilities = 1 << 32 // progress reports, see [Progress]
	MariaDBComMulti         Capabilities = 1 << 33
	MariaDBBulkOperations   Capabilities = 1 << 34 // COM_STMT_BULK_EXECUTE
	MariaDBExtendedMetadata Capabilities = 1 << 35 // type names in column definitions
	MariaDBCacheMetadata    Capabilities = 1 << 36 // column definitions may be left out
	MariaDBBulkUnitResults  Capabilities = 1 << 37 // one result for each row of a bulk
)

const mariaDBMask Capabilities = 0xffffffff << 32

var capabilityNames = [...]string{
	"CLIENT_LONG_PASSWORD", "CLIENT_FOUND_ROWS", "CLIENT_LONG_FLAG", "CLIENT_CONNECT_WITH_DB",
	"CLIENT_NO_SCHEMA", "CLIENT_COMPRESS", "CLIENT_ODBC", "CLIENT_LOCAL_FILES",
	"CLIENT_IGNORE_SPACE", "CLIENT_PROTOCOL_41", "CLIENT_INTERACTIVE", "CLIENT_SSL",
	"CLIENT_IGNORE_SIGPIPE", "CLIENT_TRANSACTIONS", "CLIENT_RESERVED", "CLIENT_SECURE_CONNECTION",
	"CLIENT_MULTI_STATEMENTS", "CLIENT_MULTI_RESULTS", "CLIENT_PS_MULTI_RESULTS", "CLIENT_PLUGIN_AUTH",
	"CLIENT_CONNECT_ATTRS", "CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA", "CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS", "CLIENT_SESSION_TRACK",
	"CLIENT_DEPRECATE_EOF", "CLIENT_OPTIONAL_RESULTSET_METADATA", "CLIENT_ZSTD_COMPRESSION_ALGORITHM", "CLIENT_QUERY_ATTRIBUTES",
	"MULTI_FACTOR_AUTHENTICATION", "CLIENT_CAPABILITY_EXTENSION", "CLIENT_SSL_VERIFY_SERVER_CERT", "CLIENT_REMEMBER_OPTIONS",
	"MARIADB_CLIENT_PROGRESS", "MARIADB_CLIENT_COM_MULTI", "MARIADB_CLIENT_STMT_BULK_OPERATIONS", "MARIADB_CLIENT_EXTENDED_METADATA",
	"MARIADB_CLIENT_CACHE_METADATA", "MARIADB_CLIENT_BULK_UNIT_RESULTS",
}

// Has reports whether all of flags are set.
func (v Capabilities) Has(flags Capabilities) bool { return v&flags == flags }

// MariaDB reports whether the flags speak of a MariaDB server and of a client
// that knows it: bit 0 is clear.
func (v Capabilities) MariaDB() bool { return v&ClientLongPassword == 0 }

// String returns the names of the flags joined by "|", unknown bits as hex,
// "0" for none.
func (v Capabilities) String() string { return wire.FlagNames(uint64(v), capabilityNames[:]) }

// NewDialect returns the dialect of a connection on which both ends have the
// capabilities given. MariaDB's own count only where [Capabilities.MariaDB]
// says so.
func NewDialect(both Capabilities) wire.Dialect {
	if !both.MariaDB() {
		both &^= mariaDBMask
	}
	return wire.Dialect{uint64(both)}
}

// Caps returns the capabilities of a dialect.
func Caps(d wire.Dialect) Capabilities { return Capabilities(d[0]) }

// MetadataFlag reports whether a byte behind a column count says whether the
// definitions follow.
func (v Capabilities) MetadataFlag() bool {
	return v&(ClientOptionalResultsetMetadata|MariaDBCacheMetadata) != 0
}

func caps(c *wire.Coder) Capabilities { return Caps(c.Dialect()) }
