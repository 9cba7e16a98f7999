package record_test

import (
	"fmt"
	"os"

	"github.com/wirelark/wirelark/record"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func ExampleText() {
	r := record.Text(os.Stdout)
	// cfg.Trace = r makes a session do this:
	c := r.Open(trace.Info{Proto: "sftp", Role: trace.Client})
	c.Packet(wire.C2S, []byte{1, 0, 0, 0, 3})
	c.Close(nil)

	if err := r.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: 0.000000 → sftp SSH_FXP_INIT version=3
}
