package backend_test

import (
	"context"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
)

// Backends are for servers, and usable by themselves.
func Example() {
	ctx := context.Background()
	m := backend.Memory(0)
	f, err := m.Open(ctx, "/greeting", sftp.OpenRead|sftp.OpenWrite|sftp.OpenCreate, 0o644)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("hello"), 0); err != nil {
		panic(err)
	}
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 100))
	fmt.Println(string(b), err)
	// Output: hello <nil>
}
