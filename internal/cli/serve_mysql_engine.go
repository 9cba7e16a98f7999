package cli

import (
	"context"

	"github.com/wirelark/wirelark/mysql/mysqlserver"
)

// openEngine opens the database in a file; "" is one in memory.
func openEngine(context.Context, string) (mysqlserver.Handler, func() error, error) {
	return nil, nil, &Error{Code: exitUsage, What: "there is nothing to answer statements", Next: []string{"say what is answered: --script FILE"}}
}
