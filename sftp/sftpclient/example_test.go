package sftpclient_test

import (
	"context"
	"fmt"
	"io/fs"
	"log"
	"strings"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

func Example() {
	ctx := context.Background()
	stream, far := testkit.Pipe()
	go sftpserver.Serve(ctx, far, backend.Memory(0), nil) // stops when the client closes the stream

	c, err := sftpclient.NewPipe(ctx, stream, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	if err := c.MkdirAll(ctx, "/notes/2026", 0o755); err != nil {
		log.Fatal(err)
	}
	f, err := c.Create(ctx, "/notes/2026/today")
	if err != nil {
		log.Fatal(err)
	}
	// Many WRITEs are in flight; ReadFrom returns when all are confirmed.
	if _, err := f.ReadFrom(strings.NewReader(strings.Repeat("line\n", 100_000))); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	err = fs.WalkDir(c.FS(ctx, "/notes"), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := d.Info()
		fmt.Println(name, d.IsDir(), !d.IsDir() && i.Size() == 500_000)
		return err
	})
	fmt.Println(err)
	// Output:
	// . true false
	// 2026 true false
	// 2026/today false true
	// <nil>
}
