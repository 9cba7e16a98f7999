// Command wirelark speaks, serves and sees SSH, SFTP and MySQL. See wirelark --help.
package main

import (
	"os"

	"github.com/wirelark/wirelark/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.System())) }
