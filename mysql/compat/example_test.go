package mysql_test

import (
	"fmt"

	mysql "github.com/wirelark/wirelark/mysql/compat"
)

func Example() {
	cfg, err := mysql.ParseDSN("app:secret@tcp(db)/shop?parseTime=true")
	if err != nil {
		panic(err)
	}
	cfg.DBName = "other"
	fmt.Println(cfg.FormatDSN())
	// Output: app:secret@tcp(db:3306)/other?parseTime=true
}
