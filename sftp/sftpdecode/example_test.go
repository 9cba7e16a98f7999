package sftpdecode_test

import (
	"fmt"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpdecode"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// A decoder eats the two streams of a session and emits messages.
func Example() {
	n := int64(0)
	d := sftpdecode.New(trace.Options{Emit: func(m *trace.Message) {
		n++
		m.N = n
		fmt.Println(m.N, m.Dir, m.Name, m.ReplyTo)
	}})
	say := func(dir wire.Dir, m wire.Message) {
		b, err := sftp.AppendPacket(nil, m, sftp.Dialect(3))
		if err != nil {
			panic(err)
		}
		d.Feed(trace.Chunk{Dir: dir, Data: b})
	}
	say(wire.C2S, &sftp.Init{Version: 3})
	say(wire.S2C, &sftp.VersionReply{Version: 3})
	say(wire.C2S, &sftp.Remove{ID: 1, Filename: "/a"})
	say(wire.S2C, &sftp.Status{ID: 1})
	d.Close()
	// Output:
	// 1 c2s SSH_FXP_INIT 0
	// 2 s2c SSH_FXP_VERSION 0
	// 3 c2s SSH_FXP_REMOVE 0
	// 4 s2c SSH_FXP_STATUS 3
}
