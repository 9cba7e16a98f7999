package mysqlclient

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/lexer"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
)

// Connect makes a connection and logs in. ctx and cfg.HandshakeTimeout bound all
// of it; afterwards ctx has no effect on the connection. A failure is a
// [*ConnError] that says how far it came; with a [*ServerError] in it where the
// server refused.
func Connect(ctx context.Context, cfg *Config) (*Conn, error) {
	c := &Conn{cfg: cfg.withDefaults()}
	c.cache = newCache(c.cfg.StatementCache)
	c.busy = "the login"
	if t := c.cfg.HandshakeTimeout; t > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, t, fmt.Errorf("no login within %v: %w", t, os.ErrDeadlineExceeded))
		defer stop()
	}
	var phase Phase
	if err := c.connect(ctx, &phase); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		e := &ConnError{Phase: phase, Address: c.cfg.Address, Err: err}
		c.hangUp(e)
		return nil, e
	}
	c.end()
	return c, nil
}

// connect goes through the phases of a login, as the manual's "Connection
// Phase" draws them.
func (c *Conn) connect(ctx context.Context, phase *Phase) error {
	var err error
	if c.zone, err = zoneName(c.cfg.TimeZone); err != nil {
		return err
	}
	raw, err := c.cfg.Dial(ctx, c.cfg.Network, c.cfg.Address)
	if err != nil {
		return err
	}
	c.raw = raw
	c.openTrace()
	c.pc = packet.New(raw, &packet.Config{Role: trace.Client, Trace: c.trace, Limit: greetingLimit})
	stop := context.AfterFunc(ctx, func() { c.pc.Cut(context.Cause(ctx)) })
	defer stop()

	*phase = PhaseGreeting
	hello, err := c.greeting()
	if err != nil {
		return err
	}
	c.pc.SetLimit(loginLimit)
	c.negotiate(hello)
	*phase = PhaseTLS
	if err := c.startTLS(ctx); err != nil {
		return err
	}
	*phase = PhaseAuth
	if err := c.login(ctx, hello); err != nil {
		return err
	}
	c.pc.SetLimit(int64(c.cfg.MaxPacket))
	if err := c.compress(); err != nil {
		return err
	}
	c.born = time.Now()
	*phase = PhaseSetup
	return c.setup(c.setupSQL())
}

const (
	// greetingLimit bounds the first packet, loginLimit those up to the end of
	// the login: servers send a few hundred bytes, and a certificate at most.
	greetingLimit = 4 << 10
	loginLimit    = 64 << 10

	// maxPacket is what we say that we take: the protocol's limit for a value.
	maxPacket = 1 << 30
)

func (c *Conn) openTrace() {
	if c.cfg.Trace == nil {
		return
	}
	var info trace.Info
	if c.cfg.TraceInfo != nil {
		info = c.cfg.TraceInfo(c.raw)
	}
	info.Proto, info.Role = mysql.Messages.Proto(), trace.Client
	if info.Parent == nil {
		info.Local, info.Remote = c.raw.LocalAddr(), c.raw.RemoteAddr()
	}
	c.trace = c.cfg.Trace.Open(info)
}

// greeting reads the server's first packet. A server that refuses at once sends
// an ERR without SQLSTATE instead.
func (c *Conn) greeting() (*mysql.HandshakeV10, error) {
	p, err := c.pc.ReadPacket()
	if err != nil {
		return nil, err
	}
	switch {
	case len(p) == 0:
		return nil, &ProtocolError{What: "an empty greeting"}
	case p[0] == mysql.HeaderERR:
		return nil, c.serverError(p)
	case p[0] != mysql.HeaderHandshake:
		return nil, &ProtocolError{What: fmt.Sprintf("a greeting of version %d, we speak %d", p[0], mysql.HeaderHandshake)}
	}
	hello := new(mysql.HandshakeV10)
	if err := c.parse(p, hello); err != nil {
		return nil, err
	}
	if !hello.Capabilities.Has(mysql.ClientProtocol41 | mysql.ClientSecureConnection) {
		return nil, &ProtocolError{What: "it speaks the protocol of servers before 4.1 only"}
	}
	hello.AuthData = slices.Clone(hello.AuthData)
	return hello, nil
}

// negotiate chooses what both sides can do.
func (c *Conn) negotiate(hello *mysql.HandshakeV10) {
	c.offered = hello.Capabilities
	c.server.MariaDB = hello.MariaDB()
	c.server = Server{
		Version: hello.Version(), MariaDB: hello.MariaDB(), ConnID: hello.ConnectionID,
		Collation: hello.Collation, Capabilities: c.wanted() & hello.Capabilities,
	}
	c.plugin = hello.AuthPlugin
	c.multi = c.server.Capabilities.Has(mysql.ClientMultiStatements)
	c.names = lexer.Config{Version: versionNumber(c.server.Version), MariaDB: c.server.MariaDB}
	c.note(hello.Status, 0)
	c.setDialect()
}

func (c *Conn) setDialect() {
	c.dialect = mysql.NewDialect(c.server.Capabilities)
	c.pc.SetDialect(c.dialect)
}

// wanted returns what we would like to have, before the server is asked.
func (c *Conn) wanted() mysql.Capabilities {
	want := mysql.ClientLongFlag | mysql.ClientProtocol41 | mysql.ClientTransactions | mysql.ClientSecureConnection |
		mysql.ClientMultiResults | mysql.ClientPSMultiResults | mysql.ClientPluginAuth | mysql.ClientPluginAuthLenencClientData |
		mysql.ClientConnectAttrs | mysql.ClientSessionTrack | mysql.ClientDeprecateEOF
	if c.server.MariaDB {
		want |= mysql.MariaDBBulkOperations | mysql.MariaDBBulkUnitResults | mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
	} else {
		want |= mysql.ClientLongPassword | mysql.ClientMultiFactorAuthentication
	}
	for flag, on := range map[mysql.Capabilities]bool{
		mysql.ClientFoundRows:                 c.cfg.FoundRows,
		mysql.ClientConnectWithDB:             c.cfg.Database != "",
		mysql.ClientLocalFiles:                c.cfg.LocalInfile,
		mysql.ClientIgnoreSpace:               c.cfg.IgnoreSpace,
		mysql.ClientInteractive:               c.cfg.Interactive,
		mysql.ClientMultiStatements:           c.cfg.MultiStatements,
		mysql.ClientCanHandleExpiredPasswords: c.cfg.ExpiredPassword,
		mysql.ClientQueryAttributes:           c.cfg.QueryAttributes != nil,
	} {
		if on {
			want |= flag
		}
	}
	for _, name := range c.cfg.Compression { // the first that the server has
		flag := map[string]mysql.Capabilities{"zlib": mysql.ClientCompress, "zstd": mysql.ClientZstdCompression}[name]
		if c.offered&flag != 0 {
			return want | flag
		}
	}
	return want
}

// compress begins compression where it was agreed on: with the first packet
// behind the login.
func (c *Conn) compress() error {
	switch caps := c.server.Capabilities; {
	case caps.Has(mysql.ClientCompress):
		return c.pc.StartCompression(packet.Zlib, 0)
	case caps.Has(mysql.ClientZstdCompression):
		return c.pc.StartCompression(packet.Zstd, c.cfg.ZstdLevel)
	}
	return nil
}

// versionNumber returns a server's version as version comments count it: 80036
// for "8.0.36-log", 101106 for "10.11.6-MariaDB"; 0 when it is none.
func versionNumber(version string) int {
	n := 0
	parts := strings.SplitN(version, ".", 3)
	for i := range 3 {
		v := 0
		if i < len(parts) {
			digits := parts[i]
			if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
				digits = digits[:end]
			}
			v, _ = strconv.Atoi(digits) // what is no number counts as 0
		}
		n = n*100 + min(v, 99)
	}
	return n
}

// Collations of the handshake, whose field has one byte. Others are for SET
// NAMES.
const (
	utf8mb4General = 45  // every server of today
	utf8mb40900    = 255 // MySQL since 8.0
)

func (c *Conn) collation() uint8 {
	if !c.server.MariaDB && c.names.Version >= 80000 {
		return utf8mb40900
	}
	return utf8mb4General
}
