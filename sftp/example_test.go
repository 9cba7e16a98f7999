package sftp_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/wirelark/wirelark/sftp"
)

// A message becomes a packet, a packet a list of fields.
func Example() {
	d := sftp.Dialect(3)
	packet, err := sftp.Append(nil, &sftp.Open{ID: 7, Filename: "/etc/motd", Flags: sftp.OpenRead}, d)
	if err != nil {
		panic(err)
	}
	e := sftp.Messages.Find("", packet[0])
	fields, err := sftp.Describe(packet, e.New(), d)
	if err != nil {
		panic(err)
	}
	fmt.Println(e.Name, "of", e.Section)
	for _, f := range fields[1:4] {
		fmt.Println(f.Name, f.Value)
	}
	// Output:
	// SSH_FXP_OPEN of filexfer-02 §6.3
	// id 7
	// filename /etc/motd
	// pflags SSH_FXF_READ
}

func ExampleStatusError() {
	reply := &sftp.Status{Code: sftp.StatusNoSuchFile, Message: "No such file"}
	err := reply.Err("open", "/etc/motd")
	fmt.Println(err)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// open "/etc/motd": no such file
	// true
}
