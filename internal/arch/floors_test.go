package arch

// floors lists the packages of the module from the ground up. A package
// imports only what stands above it in this list (its tests may import what
// they like). A new package gets its place here first.
var floors = []string{
	// 0: how bytes become fields.
	"wire",
	"wire/wiretest",
	"internal/testkit",
	"internal/accept",
	// 1: streams, traces, captures; no protocol.
	"frame",
	"keylog",
	"trace",
	"capture",
	"capture/filter",
	// 2 and 3: vocabularies, and what stands around a single one.
	"link",
	"link/flow",
	"tlsdecode",
	"ssh",
	"sftp",
	"mysql",
	"mysql/names", // tables of errors and collations: apart for the same reason as flow
	"mysql/flow",  // Flow of the mysql vocabulary: apart, for both together are beyond 3,000 lines
	"ssh/keys",
	"ssh/packet",
	"ssh/internal/kex",
	"ssh/transport",
	"ssh/internal/mux",
	"ssh/knownhosts",
	"ssh/authkeys",
	"ssh/config",
	"ssh/agent",
	"mysql/lexer",
	"mysql/packet",
	"mysql/auth",
	"mysql/options",
	"mysql/value",     // Go values to and from MySQL values: arguments, literals, getters of rows; mysqlclient is beyond 3,000 lines with it
	"mysql/transport", // the connection phase in either role (greeting, TLS, authentication), as ssh/transport is: shared by mysqlclient and mysqlserver, each beyond 3,000 lines with its half
	// 4: speak, serve, see.
	"ssh/sshclient",
	"ssh/sshserver",
	"ssh/sshdecode",
	"sftp/internal/session",
	"sftp/sftpclient",
	"sftp/sftpserver",
	"sftp/backend",
	"sftp/sftpdecode",
	"mysql/mysqlclient",
	"mysql/mysqlserver",
	"mysql/mysqldecode",
	// 5: what is built of them.
	"ssh/forward",
	"ssh/hostshell",
	"ssh/sshtest",
	"sftp/transfer",
	"sftp/sftptest",
	"mysql/bulk", // InsertRows, LoadData, Collect, batches: on top of mysqlclient, which is beyond 3,000 lines with them
	"mysql/mysqltest",
	"mysql/engine/internal/ast",
	"mysql/engine/internal/parse",
	"mysql/engine/internal/catalog",
	"mysql/engine/internal/value", // what function is too large with: values, decimals, dates
	"mysql/engine/internal/store", // the same: conversions to a column's type
	"mysql/engine/internal/function",
	"mysql/engine/internal/scope", // what translate is too large with: names
	"mysql/engine/internal/translate",
	"mysql/engine/internal/session",
	"mysql/engine",
	"mysql/sqldriver",
	"mysql/sqldriver/drivertest",
	"mysql/compat",
	"record",
	"see",
	"join",
	// 6: the program.
	"internal/shell",
	"internal/mysqlshell/format",
	"internal/mysqlshell/transfer",
	"internal/mysqlshell",
	"internal/tui",
	"internal/report",
	"internal/cli",
	"cmd/wirelark",
	"internal/arch",
}

// protocols are the folders of which none knows another.
var protocols = []string{"ssh", "sftp", "mysql", "custom", "link", "tlsdecode"}

// vocabularies are the packages that state messages and nothing else.
var vocabularies = []string{"ssh", "sftp", "mysql", "custom", "link"}

// dependencies says which packages may import the modules that we did not
// write, outside tests. Each has a page in docs/adr.
var dependencies = map[string][]string{
	"golang.org/x/crypto/ssh":          {"ssh/keys", "ssh/agent"},
	"golang.org/x/crypto":              {"ssh", "tlsdecode"},
	"golang.org/x/sys":                 {"ssh/hostshell", "ssh/agent", "sftp/backend", "internal"},
	"golang.org/x/term":                {"ssh/hostshell", "internal"},
	"github.com/creack/pty":            {"ssh/hostshell", "internal"},
	"github.com/spf13/cobra":           {"internal/cli"},
	"github.com/spf13/pflag":           {"internal/cli"},
	"github.com/peterh/liner":          {"internal"},
	"github.com/schollz/progressbar":   {"internal"},
	"github.com/rogpeppe/go-internal":  {},
	"pgregory.net/rapid":               {},
	"golang.org/x/net":                 {},
	"github.com/klauspost/compress":    {"mysql/packet"},
	"filippo.io/edwards25519":          {"mysql/auth"},
	"modernc.org/sqlite":               {"mysql/engine"},
	"github.com/mattn/go-runewidth":    {"internal"},
	"github.com/gopacket/gopacket":     {},
	"github.com/inconshreveable":       {},
	"github.com/mitchellh/colorstring": {},
}

// An exception lets one function, or with an empty name a whole package, use
// the process that it runs in.
type exception struct{ pkg, function string }

// process lists who may read the environment, use the standard streams or end
// the process.
var process = []exception{
	{"cmd/wirelark", ""},
	{"internal/cli", ""},
	{"internal/shell", ""},     // the terminal of the commands
	{"ssh/agent", "System"},    // finds the user's agent in SSH_AUTH_SOCK
	{"ssh/hostshell", ""},      // gives a session the user's environment
	{"internal/testkit", ""},   // ends test processes
	{"ssh/config", "System"},   // reads the user's and the system's files
	{"ssh/hostshell", "Shell"}, // SHELL
}

// limits of size, in lines.
const (
	maxFile     = 500
	maxTestFile = 800
	maxPackage  = 3000 // without tests; the command line is no library and has no such limit
)
