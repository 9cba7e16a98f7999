package join_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/sftp/backend"
	"github.com/wirelark/wirelark/sftp/sftpserver"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
)

// A server whose users have a directory in memory, and a client that writes a
// file there.
func Example() {
	ctx := context.Background()
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		log.Fatal(err)
	}
	files := backend.Memory(0)
	server := &sshserver.Server{
		HostKeys: []keys.Signer{hostKey},
		None:     func(context.Context, sshserver.Attempt) (*sshserver.Grant, error) { return &sshserver.Grant{}, nil },
		Subsystems: map[string]sshserver.Handler{
			join.Subsystem: join.SFTPSubsystem(func(context.Context, *sshserver.Session) (sftpserver.Backend, error) {
				return files, nil
			}, nil),
		},
	}
	near, far := testkit.Pipe()
	go server.ServeConn(ctx, far) // stops when the client closes the connection

	conn, err := sshclient.New(ctx, near, "host.example:22", &sshclient.Config{
		User: "ada", HostKeys: sshclient.FixedHostKeys(hostKey.PublicKey()),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	c, err := join.SFTP(ctx, conn, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	f, err := c.Create(ctx, "/note")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := f.WriteString("hello"); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
	b, err := c.ReadFile(ctx, "/note")
	fmt.Printf("%s %v\n", b, err)
	// Output: hello <nil>
}

// A pool of database/sql whose database is behind two SSH hosts. The way there
// is the user's: ssh_config, known_hosts and the agent.
func ExampleOpenMySQL() {
	connector, err := join.OpenMySQL("mysql+ssh://ada@gate.example,inner/app:secret@db/shop", nil)
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close() // and the way with it
	if err := db.Ping(); err != nil {
		log.Fatal(err)
	}
}

// A command on a host behind another one. No port is opened for it.
func ExampleJump() {
	var gate, inner sshclient.Config // users, keys, host keys
	c, err := join.Jump(context.Background(), []join.Hop{
		{Addr: "gate.example:22", Config: &gate},
		{Addr: "inner:22", Config: &inner},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close() // both of them
	out, err := c.Command("uptime").Output(context.Background())
	fmt.Printf("%s %v\n", out, err)
}
