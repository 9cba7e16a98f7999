package transfer

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// Trees are copied both ways where a server allows very few open files.
func TestFewHandles(t *testing.T) {
	big := tree{}
	for i := range 120 {
		big[fmt.Sprintf("%d/%d/%d", i%5, i%12, i)] = random(i)
	}
	for _, most := range []int{3, 4, 10} {
		near, far := testkit.NewPipe(testkit.PipeConfig{Buffer: 1 << 20})
		served := make(chan error, 1)
		go func() { // stops when the client closes its end
			served <- sftpserver.Serve(context.Background(), far, backend.Memory(0), &sftpserver.Config{MaxHandles: most})
		}()
		c, err := sftpclient.NewPipe(t.Context(), near, nil)
		if err != nil {
			t.Fatal(err)
		}
		up, down := t.TempDir(), t.TempDir()
		big.build(t, up)
		if _, err := Put(t.Context(), c, []string{up}, "/tree", &Options{Recursive: true}); err != nil {
			t.Errorf("%d handles, up: %v", most, err)
		}
		if _, err := Get(t.Context(), c, []string{"/tree"}, down+"/tree", &Options{Recursive: true}); err != nil {
			t.Errorf("%d handles, down: %v", most, err)
		}
		if got, want := read(t, os.DirFS(down+"/tree")), read(t, os.DirFS(up)); got.String() != want.String() {
			t.Errorf("%d handles: came back as %.300s", most, got)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		<-served
	}
}
