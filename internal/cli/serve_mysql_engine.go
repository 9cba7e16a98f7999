package cli

import (
	"context"

	"github.com/wirelark/wirelark/mysql/engine"
	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// openEngine opens the database in a file, in which there is at least a
// database called test; "" is one in memory. end closes it.
func openEngine(ctx context.Context, file string) (h mysqlserver.Handler, end func() error, err error) {
	e, err := engine.Open(ctx, engine.Config{File: file, Databases: []string{"test"}})
	if err != nil {
		return nil, nil, err
	}
	return e, e.Close, nil
}
