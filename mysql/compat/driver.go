package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/mysql/transport"
)

// driverName is what the driver is registered as. As in the original it may be
// replaced at link time (-X), and "" registers nothing.
var driverName = "mysql"

// Importing this package registers the driver: that is what programs that were
// written for the original count on. Where the original is imported as well, by a
// library perhaps, the name stays its own: see NewConnector.
func init() {
	if driverName != "" && !slices.Contains(sql.Drivers(), driverName) {
		sql.Register(driverName, &MySQLDriver{})
	}
}

// MySQLDriver is the driver, for those who do not use it by name.
type MySQLDriver struct{}

// Open makes one connection for a data source name.
func (d MySQLDriver) Open(dsn string) (driver.Conn, error) {
	c, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// OpenConnector implements [driver.DriverContext].
func (MySQLDriver) OpenConnector(dsn string) (driver.Connector, error) {
	cfg, err := ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return newConnector(cfg)
}

// NewConnector returns a connector for [sql.OpenDB]. cfg is copied.
func NewConnector(cfg *Config) (driver.Connector, error) {
	cfg = cfg.Clone()
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	return newConnector(cfg)
}

// connector is a sqldriver.Connector that knows its driver. With BeforeConnect,
// which may change anything, it makes a new one for each connection.
type connector struct {
	cfg   *Config
	inner *sqldriver.Connector
}

func newConnector(cfg *Config) (*connector, error) {
	d, err := sqldriverConfig(cfg)
	if err != nil {
		return nil, err
	}
	return &connector{cfg, sqldriver.NewConnector(d)}, nil
}

// Connect implements [driver.Connector].
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if c.cfg.beforeConnect == nil {
		return c.inner.Connect(ctx)
	}
	cfg := c.cfg.Clone()
	if err := c.cfg.beforeConnect(ctx, cfg); err != nil {
		return nil, err
	}
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	d, err := sqldriverConfig(cfg)
	if err != nil {
		return nil, err
	}
	return sqldriver.NewConnector(d).Connect(ctx)
}

// Driver implements [driver.Connector].
func (*connector) Driver() driver.Driver { return &MySQLDriver{} }

// sqldriverConfig translates a normalized configuration.
func sqldriverConfig(cfg *Config) (*sqldriver.Config, error) {
	o := cfg.toOptions()
	o.TLS.Name, o.Auth.ServerKeyName = "", "" // looked up already
	if o.Reset == options.ResetDefault {
		o.Reset = options.ResetNever // as in the original
	}
	d, err := sqldriver.FromOptions(o)
	if err != nil {
		return nil, err
	}
	if cfg.TLS != nil {
		d.Client.TLS, d.Client.TLSMode = cfg.TLS.Clone(), tlsMode(cfg)
	}
	d.Client.ServerKey = cfg.pubKey
	d.Client.Dial = dialer(cfg)
	if cfg.Loc != nil && d.Client.TimeZone == nil {
		d.Location = cfg.Loc
	}
	all := cfg.AllowAllFiles
	d.Infile = func(name string) (io.Reader, error) { return infile(name, all) }
	d.MapError = mapError
	d.Client.Logger = slog.New(logHandler{cfg.Logger})
	return d, nil
}

// tlsMode returns the mode that a TLS configuration stands for.
func tlsMode(cfg *Config) options.TLSMode {
	switch {
	case !cfg.TLS.InsecureSkipVerify && cfg.more.TLS.Mode == options.TLSVerifyCA:
		return options.TLSVerifyCA
	case !cfg.TLS.InsecureSkipVerify:
		return options.TLSVerifyIdentity
	case cfg.AllowFallbackToPlaintext:
		return options.TLSPreferred
	}
	return options.TLSRequired
}

// dialer returns the function that makes connections: the configuration's, that
// of a registered network, or nil for the usual one.
func dialer(cfg *Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	if cfg.DialFunc != nil {
		return cfg.DialFunc
	}
	if slices.Contains([]string{"", "tcp", "tcp4", "tcp6", "unix"}, cfg.Net) {
		if _, ok := dials.get(cfg.Net); !ok {
			return nil
		}
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		// It may have been registered, or replaced, since.
		if dial, ok := dials.get(network); ok {
			return dial(ctx, addr)
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
}

// Result is what [database/sql.Conn.Raw] finds behind a driver.Result: the numbers
// of every statement that one text had.
type Result interface {
	driver.Result
	AllRowsAffected() []int64
	AllLastInsertIds() []int64
}

// mapError turns errors into those of the original.
func mapError(err error) error {
	var server *mysqlclient.ServerError
	if errors.As(err, &server) {
		e := &MySQLError{Number: server.Code, Message: server.Message}
		copy(e.SQLState[:], server.State)
		return e
	}
	var busy *mysqlclient.BusyError
	var lost *mysqlclient.ConnError
	var broken *mysqlclient.ProtocolError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled // which programs compare with
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, new(*mysqlclient.TooLargeError)):
		return fmt.Errorf("%w: %w", ErrPktTooLarge, err)
	case errors.As(err, &busy):
		return fmt.Errorf("%w: %w", ErrBusyBuffer, err)
	case errors.As(err, &broken):
		return fmt.Errorf("%w: %w", ErrMalformPkt, err)
	case errors.Is(err, transport.ErrNoTLS):
		return fmt.Errorf("%w: %w", ErrNoTLS, err)
	case errors.As(err, &lost) && lost.Phase == mysqlclient.PhaseDial:
		return lost.Err // of the dialer, as it is
	case errors.As(err, &lost) && lost.Phase > mysqlclient.PhaseSetup:
		return fmt.Errorf("%w: %w", ErrInvalidConn, err)
	}
	return err
}
