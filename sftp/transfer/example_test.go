package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/sftp/transfer"
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

	dir, err := os.MkdirTemp("", "transfer")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "note"), []byte("hello"), 0o600); err != nil {
		log.Fatal(err)
	}

	opt := &transfer.Options{Recursive: true, Preserve: true}
	_, err = transfer.Put(ctx, c, []string{dir}, "/backup", opt)
	if err != nil {
		log.Fatal(err)
	}
	res, err := transfer.Get(ctx, c, []string{"/backup", "/missing"}, dir, opt)
	var failed *transfer.Error
	fmt.Println(res.Files, res.Bytes, errors.As(err, &failed), failed.Partly())
	// Output: 1 5 true true
}
