package sqldriver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/options"
)

// Config says how to connect and what values become. It is copied by
// [NewConnector].
type Config struct {
	// Client is how to connect; nil: the server on this machine.
	Client *mysqlclient.Config

	// ParseTime makes DATE, DATETIME and TIMESTAMP time.Time instead of texts.
	ParseTime bool
	// Location is that of times without zone; nil: the client's TimeZone or
	// Location, else UTC.
	Location *time.Location
	// TimeTruncate cuts times in parameters down to a multiple of it; 0: to
	// microseconds only.
	TimeTruncate time.Duration

	// Interpolate puts parameters into the text, as literals, where that is
	// safe and the text does not become longer than 1 MiB. Otherwise statements
	// are prepared, and kept prepared.
	Interpolate bool
	// TableNames names columns table.column.
	TableNames bool
	// PlainFallback goes on without TLS where the server has none, however much
	// of TLS Client wants. Whoever sits between can make it so.
	PlainFallback bool
	// RejectReadOnly gives a connection up when the server says that it became
	// read-only, as after a failover.
	RejectReadOnly bool
	// SkipLiveness does not look whether an idle connection was closed.
	SkipLiveness bool
	// Reset says when a session is cleaned before it is used again; the default
	// is options.ResetDirty.
	Reset options.Reset

	// Infile gives out what a LOAD DATA LOCAL asks for by name; nil: nothing.
	// The reader is closed if it is an [io.Closer].
	Infile func(name string) (io.Reader, error)

	// BeforeConnect, if set, may change a copy of Client before each connection:
	// to put a fresh token into Passwords, for example.
	BeforeConnect func(ctx context.Context, client *mysqlclient.Config) error
	// MapError, if set, is given each error that database/sql is about to get,
	// but driver.ErrBadConn and io.EOF, and returns what it gets instead.
	MapError func(err error) error
}

// FromOptions returns the configuration that o describes. It reads the files of
// keys and certificates that o names.
//
// Names of registered things are an error, as nothing is registered here, and
// so are hosts of o.SSH: set Client.Dial to a dialer through them (package join
// has one) and clear o.SSH.
func FromOptions(o *options.Config) (*Config, error) {
	switch {
	case o.TLS.Name != "":
		return nil, fmt.Errorf("mysql: no TLS configuration is known as %q", o.TLS.Name)
	case o.Auth.ServerKeyName != "":
		return nil, fmt.Errorf("mysql: no server key is known as %q", o.Auth.ServerKeyName)
	case len(o.SSH) > 0:
		return nil, errors.New("mysql: going through SSH needs a dialer (package join)")
	}
	client, err := mysqlclient.FromOptions(o)
	if err != nil {
		return nil, err
	}
	return &Config{
		Client: client, ParseTime: o.ParseTime, Location: o.Location, TimeTruncate: o.TimeTruncate,
		PlainFallback: o.TLS.Fallback, Interpolate: o.InterpolateParams, TableNames: o.ColumnsWithAlias, RejectReadOnly: o.RejectReadOnly,
		SkipLiveness: o.SkipLiveness, Reset: o.Reset,
	}, nil
}

// A Connector makes connections. It is a [driver.Connector] for [sql.OpenDB], and
// safe for concurrent use.
type Connector struct{ cfg *Config }

// NewConnector returns a connector. A nil cfg is the zero Config.
func NewConnector(cfg *Config) *Connector {
	var c Config
	if cfg != nil {
		c = *cfg
	}
	var client mysqlclient.Config
	if c.Client != nil {
		client = *c.Client
	}
	c.Client = &client
	switch {
	case c.Location != nil:
	case client.TimeZone != nil:
		c.Location = client.TimeZone
	case client.Location != nil:
		c.Location = client.Location
	default:
		c.Location = time.UTC
	}
	if client.TimeZone == nil {
		client.Location = c.Location // both read the same times
	}
	if c.Reset == options.ResetDefault {
		c.Reset = options.ResetDirty
	}
	client.LocalInfile = client.LocalInfile || c.Infile != nil
	return &Connector{&c}
}

// Open returns a connector for a URL or a data source name: see
// [options.ParseURL] and [options.ParseDSN].
func Open(name string) (*Connector, error) {
	o, err := options.Parse(name)
	if err != nil {
		return nil, err
	}
	cfg, err := FromOptions(o)
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg), nil
}

// Driver implements [driver.Connector].
func (c *Connector) Driver() driver.Driver { return Driver{} }

// Driver is the driver for those who need it by name: see [Register].
type Driver struct{}

// Register makes the driver known to sql.Open as name. Like [sql.Register], it
// panics when the name is taken.
func Register(name string) { sql.Register(name, Driver{}) }

// Open implements [driver.Driver].
func (d Driver) Open(name string) (driver.Conn, error) {
	c, err := Open(name)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// OpenConnector implements [driver.DriverContext].
func (Driver) OpenConnector(name string) (driver.Connector, error) { return Open(name) }
