package join

import (
	"context"
	"database/sql/driver"
	"slices"

	"github.com/wirelark/wirelark/mysql/options"
	"github.com/wirelark/wirelark/mysql/sqldriver"
	"github.com/wirelark/wirelark/ssh/sshclient"
)

// A SQLConnector makes connections for database/sql that go through SSH hosts.
// It is a driver.Connector; the Close of the database closes it, with the
// connection to the hosts.
type SQLConnector struct {
	*sqldriver.Connector
	gate *Gateway // nil: there are no hosts in between
}

var _ driver.Connector = (*SQLConnector)(nil)

// OpenMySQL returns a connector for a URL or a data source name that may name
// SSH hosts to go through:
//
//	connector, err := join.OpenMySQL("mysql+ssh://ada@gate.example/app:secret@db/shop", nil)
//	db := sql.OpenDB(connector)
//
// login makes the connection to the last of the hosts when it is needed, and
// all connections of the pool share it; nil: [Unattended].
func OpenMySQL(source string, login func(ctx context.Context, hosts []string) (*sshclient.Client, error)) (*SQLConnector, error) {
	o, err := options.Parse(source)
	if err != nil {
		return nil, err
	}
	if login == nil {
		login = Unattended
	}
	hosts := slices.Clone(o.SSH)
	o.SSH = nil
	cfg, err := sqldriver.FromOptions(o)
	if err != nil {
		return nil, err
	}
	c := &SQLConnector{}
	if len(hosts) > 0 {
		c.gate = NewGateway(func(ctx context.Context) (*sshclient.Client, error) { return login(ctx, hosts) })
		cfg.Client.Dial, cfg.Client.TraceInfo = c.gate.DialContext, c.gate.TraceInfo
	}
	c.Connector = sqldriver.NewConnector(cfg)
	return c, nil
}

// Close closes the connection to the SSH hosts.
func (c *SQLConnector) Close() error {
	if c.gate == nil {
		return nil
	}
	return c.gate.Close()
}
