package mysqlshell

import (
	"context"
	"crypto/tls"

	"github.com/wirelark/wirelark/mysql/mysqlclient"
)

// column asks for the first column of an answer, up to a number of rows.
func column(ctx context.Context, conn *mysqlclient.Conn, sql string, most int) ([]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	var all []string
	for rows.Next() && len(rows.Columns()) > 0 {
		if len(all) < most {
			all = append(all, rows.String(0))
		}
	}
	return all, rows.Close()
}

func tlsVersion(v uint16) string { return tls.VersionName(v) }

func cipherName(id uint16) string { return tls.CipherSuiteName(id) }
