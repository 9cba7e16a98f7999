package options_test

import (
	"fmt"

	"github.com/wirelark/wirelark/mysql/options"
)

func Example() {
	cfg, err := options.Parse("mysql+ssh://me@bastion/app:secret@db:3307/shop?ssl-mode=REQUIRED")
	if err != nil {
		panic(err)
	}
	fmt.Println(cfg.SSH, cfg.User, cfg.Passwords, cfg.Address, cfg.Database, cfg.TLS.Mode)
	// Output: [me@bastion] app [********] db:3307 shop REQUIRED
}

func ExampleFiles() {
	files := options.Files{Only: "testdata/my.cnf", Groups: options.ShellGroups()}
	found, err := files.Read()
	if err != nil {
		panic(err)
	}
	var cfg options.Config
	var place options.Place
	if _, err := options.Apply(&cfg, &place, found); err != nil {
		panic(err)
	}
	network, address, err := place.Target()
	fmt.Println(cfg.User, network, address, cfg.TLS.Mode, err)
	// Output: app tcp db.example:3307 REQUIRED <nil>
}
