package mysqlclient

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wirelark/wirelark/mysql/options"
)

// FromOptions returns the configuration that o describes. It reads the files of
// keys and certificates that o names. What a program registered under a name
// (o.TLS.Name, o.Auth.ServerKeyName, networks of its own) and the hosts of o.SSH
// are the caller's to fill in.
func FromOptions(o *options.Config) (*Config, error) {
	c := &Config{
		User: o.User, Database: o.Database,
		TLSMode: o.TLS.Mode, AllowKeyRetrieval: o.Auth.FetchServerKey,
		Attributes: maps.Clone(o.Attributes),
		Collation:  o.Collation, Charsets: slices.Clone(o.Charsets),
		TimeZone: o.TimeZone, Location: o.Location,
		Vars: maps.Clone(o.Vars), Init: slices.Clone(o.InitCommands),
		ZstdLevel:       o.Compression.Level,
		MultiStatements: o.MultiStatements, FoundRows: o.FoundRows,
		LocalInfile:      o.LocalInfile || o.LocalInfileAny,
		HandshakeTimeout: o.ConnectTimeout,
		ReadTimeout:      o.ReadTimeout, WriteTimeout: o.WriteTimeout,
	}
	c.Network, c.Address = o.Target()
	for _, p := range o.Passwords {
		c.Passwords = append(c.Passwords, string(p))
	}
	for _, a := range o.Compression.Algorithms {
		if a != "uncompressed" {
			c.Compression = append(c.Compression, a)
		}
	}
	c.Plugins = o.Auth.Plugins()
	var err error
	if c.TLS, err = o.TLS.Load(); err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	if c.ServerKey, err = o.Auth.LoadKey(); err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	return c, nil
}
