package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wirelark/wirelark/mysql/options"
)

// mysqlRun is what mysql was asked to do. All its options may stand in option
// files as well, so flags are kept as options, in their order.
type mysqlRun struct {
	jumpFlags
	see   seeingFlags
	given []options.Option
	help  bool
}

// mysqlFlag is an option of the mysql command line.
type mysqlFlag struct {
	name, letter, usage string
	kind                flagKind
}

// flagKind says what stands behind an option.
type flagKind uint8

const (
	flagSwitch   flagKind = iota // nothing, or =0 and =1
	flagValue                    // a value
	flagOptional                 // a value that is glued to it, or nothing
)

// connectionFlags say where the server is and how to log in.
var connectionFlags = []mysqlFlag{
	{"host", "h", "`HOST` of the server (default: this one, by its socket)", flagValue},
	{"port", "P", "`PORT` of the server (default 3306)", flagValue},
	{"user", "u", "`NAME` to log in with", flagValue},
	{"password", "p", "password, glued to the letter; without one it is asked for", flagOptional},
	{"password2", "", "second factor; without a value it is asked for", flagOptional},
	{"password3", "", "third factor", flagOptional},
	{"socket", "S", "`PATH` of the server's unix socket", flagValue},
	{"protocol", "", "TCP or SOCKET", flagValue},
	{"database", "D", "database to begin in", flagValue},
	{"ssl-mode", "", "how strict TLS is, a `MODE` of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY", flagValue},
	{"ssl", "", "MariaDB's switch for TLS", flagSwitch},
	{"skip-ssl", "", "no TLS", flagSwitch},
	{"ssl-verify-server-cert", "", "as --ssl-mode=VERIFY_IDENTITY", flagSwitch},
	{"ssl-ca", "", "`FILE` of the certificates to trust", flagValue},
	{"ssl-capath", "", "`DIR` of the certificates to trust", flagValue},
	{"ssl-cert", "", "`FILE` of our certificate", flagValue},
	{"ssl-key", "", "`FILE` of its key", flagValue},
	{"ssl-crl", "", "`FILE` of revoked certificates", flagValue},
	{"tls-version", "", "TLSv1.2, TLSv1.3 or both with a comma", flagValue},
	{"tls-sni-servername", "", "`NAME` that the certificate is for", flagValue},
	{"compress", "C", "compress with zlib", flagSwitch},
	{"compression-algorithms", "", "`LIST` of zlib, zstd and uncompressed", flagValue},
	{"zstd-compression-level", "", "1 to 22", flagValue},
	{"default-auth", "", "`PLUGIN` to log in with", flagValue},
	{"enable-cleartext-plugin", "", "allow the password as it is, inside TLS", flagSwitch},
	{"get-server-public-key", "", "take the RSA key of an unencrypted server from itself", flagSwitch},
	{"server-public-key-path", "", "`FILE` of the server's RSA key", flagValue},
	{"local-infile", "", "allow LOAD DATA LOCAL, for the file that the statement names", flagSwitch},
	{"default-character-set", "", "`NAME` of the session's character set", flagValue},
	{"init-command", "", "`SQL` to run after the login", flagValue},
	{"connect-timeout", "", "`SECONDS` for the login", flagValue},
	{"defaults-file", "", "read this option `FILE` only", flagValue},
	{"defaults-extra-file", "", "read this option `FILE` too", flagValue},
	{"defaults-group-suffix", "", "read the groups with this `SUFFIX` too", flagValue},
	{"no-defaults", "", "read no option files", flagSwitch},
	{"login-path", "", "`GROUP` of the login file", flagValue},
	{"no-login-paths", "", "do not read the login file", flagSwitch},
	{"wait", "w", "try again until the server can be reached", flagSwitch},
}

func (r *mysqlRun) register(a *app, cmd *cobra.Command, groups ...[]mysqlFlag) {
	flags := cmd.Flags()
	quiet := "q"
	for _, group := range groups {
		for _, f := range group {
			if f.letter == quiet {
				quiet = ""
			}
			v := &optionValue{run: r, name: f.name, kind: f.kind}
			flag := flags.VarPF(v, f.name, f.letter, f.usage)
			switch f.kind {
			case flagSwitch:
				flag.NoOptDefVal = "true"
			case flagOptional:
				flag.NoOptDefVal = noValue
			}
		}
	}
	// The letters h and q mean something else here.
	flags.BoolVar(&r.help, "help", false, "this help")
	flags.BoolVarP(&a.quiet, "quiet", quiet, false, "print errors only")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	r.jumpFlags.register(cmd)
	r.see.register(cmd)
}

// noValue is what a flag with an optional value gets that has none. The help
// shows it; no password is an ellipsis and a no-break space.
const noValue = "…\u00a0"

// optionValue adds an option to a run.
type optionValue struct {
	run  *mysqlRun
	name string
	kind flagKind
}

func (v *optionValue) String() string { return "" }

func (v *optionValue) Type() string {
	if v.kind == flagSwitch {
		return "bool" // it shows no value in the help
	}
	return "string"
}

// Set is called for each time the flag is given.
func (v *optionValue) Set(value string) error {
	o := options.Option{Name: v.name}
	if value != noValue && (v.kind != flagSwitch || value != "true") {
		o.Value, o.Given = options.Secret(value), true
	}
	v.run.given = append(v.run.given, o)
	return nil
}

func (a *app) mysqlCommand() *cobra.Command {
	r := &mysqlRun{}
	cmd := &cobra.Command{
		Use:   "mysql [flags] [DB | URL]",
		Short: "Query MySQL and MariaDB, also behind SSH hosts",
		Long: `Run SQL on a MySQL or MariaDB server, interactively or as a script, with the
letters of mysql(1). What ~/.my.cnf, ~/.mylogin.cnf and the environment say about
servers counts here too. Instead of a database, a URL or a data source name may
say everything: mysql://ann@db/shop.

With -J the server is reached through SSH hosts, and no port is opened here.

On a terminal results are tables; in a pipe they are what mysql -B writes, byte
for byte. A script runs no command that touches this machine.`,
		Example: `  wirelark mysql -u ann -p shop
  wirelark mysql -J ops@bastion -h db1 shop -e 'select * from orders limit 2'
  wirelark mysql --csv -e 'select * from shop.orders' > orders.csv
  wirelark mysql shop < dump.sql`,
		Args: rangeArgs(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runMySQL(cmd, args, r) },
	}
	r.register(a, cmd, connectionFlags, shellFlags)
	cmd.AddCommand(a.mysqlExportCommand(), a.mysqlImportCommand())
	return cmd
}

// mysqlArgs rewrites the arguments of mysql as pflag understands them: the
// letter p takes the rest of its argument as the password, and never the next.
func mysqlArgs(args []string) []string {
	at := -1
	for i, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			if arg == "mysql" {
				at = i
			}
			break
		}
	}
	if at < 0 {
		return args
	}
	takesValue := make(map[byte]bool)
	for _, group := range [][]mysqlFlag{connectionFlags, shellFlags} {
		for _, f := range group {
			if f.letter != "" && f.kind == flagValue {
				takesValue[f.letter[0]] = true
			}
		}
	}
	for _, letter := range []byte{'J', 'i', 'o'} {
		takesValue[letter] = true
	}
	out := append([]string(nil), args[:at+1]...)
	for i := at + 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return append(out, args[i:]...)
		case len(arg) < 2 || arg[0] != '-' || arg[1] == '-':
			out = append(out, arg)
			continue
		}
		rewritten, next := mysqlLetters(arg, takesValue)
		out = append(out, rewritten...)
		if next && i+1 < len(args) {
			i++
			out = append(out, args[i])
		}
	}
	return out
}

// mysqlLetters rewrites an argument of letters; next says that the value of the
// last one is the next argument.
func mysqlLetters(arg string, takesValue map[byte]bool) (out []string, next bool) {
	for i := 1; i < len(arg); i++ {
		switch {
		case arg[i] == 'p':
			if i > 1 {
				out = append(out, arg[:i])
			}
			if rest := arg[i+1:]; rest != "" {
				return append(out, "--password="+rest), false
			}
			return append(out, "--password"), false
		case takesValue[arg[i]]:
			return append(out, arg), i+1 == len(arg)
		}
	}
	return append(out, arg), false
}

// shellFlags say what the shell does and how it shows it.
var shellFlags = []mysqlFlag{
	{"execute", "e", "run `SQL` and end", flagValue},
	{"watch", "", "run it again every `SECONDS`, until Ctrl-C", flagValue},
	{"batch", "B", "a line per row, tabs between the cells", flagSwitch},
	{"table", "t", "aligned tables", flagSwitch},
	{"vertical", "E", "a line per cell", flagSwitch},
	{"html", "H", "HTML", flagSwitch},
	{"xml", "X", "XML", flagSwitch},
	{"csv", "", "CSV (RFC 4180)", flagSwitch},
	{"json", "", "an array of objects: bytes as hex, integers beyond 2^53 as strings", flagSwitch},
	{"ndjson", "", "an object per line", flagSwitch},
	{"markdown", "", "Markdown", flagSwitch},
	{"insert", "", "INSERT statements, for the `TABLE` that is named or the one that is read", flagOptional},
	{"skip-column-names", "N", "no line of names", flagSwitch},
	{"column-names", "", "a line of names", flagSwitch},
	{"raw", "r", "no escapes in batch output", flagSwitch},
	{"silent", "s", "print less: no tables, twice: no names", flagSwitch},
	{"force", "f", "go on after an error", flagSwitch},
	{"quick", "q", "do not wait for all rows before the first is shown; names also without rows", flagSwitch},
	{"unbuffered", "n", "write each result at once, as is always done", flagSwitch},
	{"auto-vertical-output", "", "vertical when a table is wider than the terminal", flagSwitch},
	{"binary-as-hex", "", "bytes that are no text as 0x… (default on a terminal)", flagSwitch},
	{"show-warnings", "", "show warnings after each statement", flagSwitch},
	{"safe-updates", "U", "refuse changes without a key or a limit", flagSwitch},
	{"i-am-a-dummy", "", "the same", flagSwitch},
	{"no-auto-rehash", "A", "look up no names for completion", flagSwitch},
	{"auto-rehash", "", "look them up", flagSwitch},
	{"skip-line-numbers", "L", "no line numbers in errors", flagSwitch},
	{"line-numbers", "", "line numbers in errors", flagSwitch},
	{"prompt", "", "the prompt; see help prompt", flagValue},
	{"pager", "", "show results with a `PROGRAM`", flagOptional},
	{"tee", "", "append a copy of everything to a `FILE`", flagValue},
	{"delimiter", "", "what ends a statement", flagValue},
	{"text-protocol", "", "never use the binary protocol for speed", flagSwitch},
	{"commands", "", "let a script use the commands that touch this machine", flagSwitch},
	{"named-commands", "G", "commands may have names, as they always may", flagSwitch},
	{"ignore-spaces", "i", "a function's name may have spaces behind it", flagSwitch},
	{"comments", "c", "send comments to the server, as is always done", flagSwitch},
}

// isSource reports whether an argument is a URL or a data source name and not
// the name of a database.
func isSource(s string) bool { return options.IsURL(s) || strings.ContainsAny(s, "@(/") }

// optionsError makes what is wrong with options a usage error.
func optionsError(cmd *cobra.Command, err error) error {
	var fe *options.FileError
	if errors.As(err, &fe) {
		return &Error{
			Code: exitUsage, What: err.Error(), Err: err,
			Next: []string{fmt.Sprintf("mend %s, or leave it out: --no-defaults", fe.File)},
		}
	}
	return usagef(cmd, "%v", err)
}
