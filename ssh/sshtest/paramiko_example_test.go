package sshtest_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// The examples of this file show each group of docs/paramiko.md. They use an
// in-memory connection; net.Dial gives a real one.

// logIn returns a client that is connected to s and has logged in by the
// methods auth, and a function that ends both.
func logIn(s *sshserver.Server, auth ...sshclient.AuthMethod) (*sshclient.Client, func()) {
	hostKey, err := keys.Generate("ed25519", 0)
	if err != nil {
		panic(err)
	}
	s.HostKeys = []keys.Signer{hostKey}
	clientSide, serverSide := testkit.Pipe()
	served := make(chan struct{})
	go func() { // stops when the client has left
		defer close(served)
		_ = s.ServeConn(context.Background(), serverSide)
	}()
	c, err := sshclient.New(context.Background(), clientSide, "host.example:22", &sshclient.Config{
		User:     sshtest.User,
		HostKeys: sshclient.FixedHostKeys(hostKey.PublicKey()),
		Auth:     auth,
	})
	if err != nil {
		panic(err)
	}
	return c, func() {
		c.Close()
		<-served
		s.Close()
	}
}

// byPassword logs in with the password of package sshtest.
var byPassword = sshclient.Password(func(context.Context, string) (string, error) { return sshtest.Password, nil })

func password(_ context.Context, a sshserver.Attempt, password string) (*sshserver.Grant, error) {
	if a.User != sshtest.User || password != sshtest.Password { // compare hashes, in constant time, in earnest
		return nil, nil
	}
	return &sshserver.Grant{}, nil
}

// Packetizer: lines, packets, new keys, and the need for them.
func Example_packetizer() {
	client, server := testkit.Pipe()
	c, s := packet.NewPacketizer(client), packet.NewPacketizer(server)
	defer c.Close()
	defer s.Close()

	// REKEY_PACKETS and REKEY_PACKETS_OVERFLOW_MAX; start_handshake.
	s.SetRekey(packet.Rekey{Packets: 2, OverflowPackets: 1})
	_ = s.StartHandshake(15 * time.Second)

	// write_all, readline.
	c.AppendRaw([]byte("SSH-2.0-Example\r\n"))
	_ = c.Flush()
	line, _ := s.ReadLine(255)
	fmt.Printf("%s\n", line)

	// set_outbound_cipher, set_inbound_cipher, with reset_seqno.
	alg := packet.Algorithm{Cipher: "aes256-gcm@openssh.com"}
	k, _ := packet.DeriveKeys(crypto.SHA256, []byte("K"), []byte("H"), []byte("session id"), wire.C2S, alg)
	_ = c.SetSealer(alg, k, true)
	_ = s.SetOpener(alg, k, true)
	_ = s.CompleteHandshake()

	// send_message, read_message, need_rekey, and the end of patience.
	for {
		_ = c.SendMessage([]byte("\x02hello"))
		payload, err := s.ReadMessage()
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%q, new keys needed: %v\n", payload, s.NeedRekey())
	}
	// Output:
	// SSH-2.0-Example
	// "\x02hello", new keys needed: none
	// "\x02hello", new keys needed: packets received
	// "\x02hello", new keys needed: packets received
	// received packet 3: too much was sent without the new keys that were asked for
}

// Packetizer: a read that times out goes on later; set_log and set_hexdump
// with secrets masked; closed.
func Example_packetizerDeadlines() {
	client, server := testkit.Pipe()
	c, s := packet.NewPacketizer(client), packet.NewPacketizer(server)
	s.SetView(packet.View{Role: trace.Server, HexDump: true, Logger: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))})

	_ = c.Append([]byte("\x32password"))
	batch := c.Take()
	_, _ = client.Write(batch.Bytes()[:10]) // the network is slow
	_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := s.ReadMessage()
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))

	_, _ = client.Write(batch.Bytes()[10:])
	batch.Release()
	_ = s.SetReadDeadline(time.Time{})
	payload, err := s.ReadMessage()
	fmt.Println(len(payload), err)

	_ = s.Close()
	_, err = s.ReadMessage()
	fmt.Println(s.Closed(), err)
	// Output:
	// true
	// level=DEBUG msg="ssh packet" dir=c2s seq=0 number=50 length=9 payload="32 masked"
	// 9 <nil>
	// true packet connection closed
}

// greeting is a message of our own: its Fields method is add_string, add_int
// and add_boolean, and get_string, get_int and get_boolean, at once.
type greeting struct {
	Text  string
	Times uint32
	Loud  bool
}

func (g *greeting) Fields(c *wire.Coder) {
	c.Text("text", &g.Text)
	c.U32("times", &g.Times)
	c.Bool("loud", &g.Loud)
}

// Message: a struct states its layout once. Reading past the end is an error,
// where paramiko's Message returns zeros.
func Example_message() {
	b, _ := wire.Append(nil, &greeting{Text: "hello", Times: 2, Loud: true}, wire.Dialect{})
	fmt.Printf("%x\n", b)
	var g greeting
	fmt.Println(wire.Parse(b, &g, wire.Dialect{}), g)
	fmt.Println(wire.Parse(b[:11], &g, wire.Dialect{}))

	// The messages of SSH are there; their number is the first byte.
	b, _ = ssh.Append(nil, &ssh.ServiceRequest{Service: "ssh-userauth"})
	var m ssh.ServiceRequest
	fmt.Println(b[0], ssh.Parse(b, &m), m.Service)
	// Output:
	// 0000000568656c6c6f0000000201
	// <nil> {hello 2 true}
	// sshtest_test.greeting: times at byte 9: message ends too early
	// 5 <nil> ssh-userauth
}

// Transport: start_client and start_server, get_remote_server_key,
// get_security_options, renegotiate_keys, close.
func Example_transport() {
	ctx := context.Background()
	clientSide, serverSide := testkit.Pipe()
	key, _ := keys.Generate("ed25519", 0)
	served := make(chan error, 1)
	go func() { // stops when the client has left
		s, err := transport.Server(ctx, serverSide, &transport.ServerConfig{HostKeys: []keys.Signer{key}})
		if err != nil {
			served <- err
			return
		}
		defer s.Close()
		_, _ = s.ReadPacket()
		s.Authenticated() // the login is left out
		_ = s.Send(ctx, &ssh.ServiceAccept{Service: "example"})
		_, err = s.ReadPacket()
		served <- err
	}()
	a := transport.Defaults()
	a.Ciphers, _ = transport.ParseList("-chacha20*", a.Ciphers, transport.Supported().Ciphers)
	c, err := transport.Client(ctx, clientSide, &transport.ClientConfig{
		Config: transport.Config{Algorithms: a},
		HostKey: func(_ context.Context, k transport.HostKey) error {
			if !keys.Equal(k.Key, key.PublicKey()) {
				return errors.New("not the key I know")
			}
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = c.Send(ctx, &ssh.ServiceRequest{Service: "example"})
	_, _ = c.ReadPacket()
	c.Authenticated()
	read := make(chan error, 1)
	go func() { // stops when the connection is closed
		_, err := c.ReadPacket()
		read <- err
	}()
	fmt.Println(c.State().Algorithms.C2S.Cipher, keys.Equal(c.State().HostKey, key.PublicKey()))
	fmt.Println(c.Rekey(ctx), c.State().KeyExchanges)
	_ = c.Disconnect(ssh.ByApplication, "bye")
	fmt.Println(<-served)
	<-read
	// Output:
	// aes128-gcm@openssh.com true
	// <nil> 2
	// the peer disconnected: BY_APPLICATION: bye
}

// Channel: open_session and invoke_subsystem, send, settimeout, shutdown_write,
// recv, close.
func Example_channel() {
	c, end := logIn(&sshserver.Server{
		Password: password,
		Subsystems: map[string]sshserver.Handler{"echo": func(_ context.Context, s *sshserver.Session) error {
			_, err := io.Copy(s, s)
			return err
		}},
	}, byPassword)
	defer end()
	ch, err := c.Subsystem(context.Background(), "echo")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ch.Close()
	_ = ch.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err = ch.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	_ = ch.SetReadDeadline(time.Time{})

	_, _ = io.WriteString(ch, "there and back")
	_ = ch.CloseWrite()
	b, err := io.ReadAll(ch)
	fmt.Printf("%s, %v\n", b, err)
	// Output:
	// true
	// there and back, <nil>
}

// SSHClient: connect, exec_command with both outputs and the exit status,
// close.
func Example_sshClient() {
	c, end := logIn(&sshserver.Server{Password: password, Exec: sshtest.Commands}, byPassword)
	defer end()
	ctx := context.Background()
	out, err := c.Command("echo hello").Output(ctx)
	fmt.Printf("%q %v\n", out, err)

	err = c.Command("exit 3").Run(ctx)
	var status *sshclient.ExitError
	fmt.Println(errors.As(err, &status) && status.Status == 3)

	// More than any window on both streams: nobody has to read them in turn.
	cmd := c.Command("fill 5000000 5000000")
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	fmt.Println(cmd.Run(ctx))
	// Output:
	// "hello\n" <nil>
	// true
	// <nil>
}

// ServerInterface: check_auth_password, get_banner, check_channel_exec_request,
// check_channel_env_request, check_channel_pty_request, send_exit_status.
func Example_serverInterface() {
	c, end := logIn(&sshserver.Server{
		Banner:   "be kind\n",
		Password: password,
		Env:      []string{"LC_*"},
		Exec: func(_ context.Context, s *sshserver.Session) error {
			fmt.Fprintln(s, s.Conn().User(), "wants", s.Command(), "with", s.Env(), "at a terminal:", s.PTY() != nil)
			s.Exit(4)
			return nil
		},
	}, byPassword)
	defer end()
	ctx := context.Background()
	cmd := c.Command("anything")
	cmd.Env = []string{"LC_ALL=C", "PATH=/tmp"}
	cmd.PTY = &ssh.PTY{Term: "xterm", Size: ssh.WindowSize{Columns: 80, Rows: 24}}
	out, err := cmd.Output(ctx)
	fmt.Printf("%s%v\n", out, err)

	_, err = c.Subsystem(ctx, "sftp") // there is none
	var refused *sshclient.RequestError
	fmt.Println(errors.As(err, &refused), refused)
	// Output:
	// ada wants anything with [LC_ALL=C] at a terminal: true
	// remote command exited with status 4
	// true the server refused the subsystem "sftp"
}

func Example_interactive() {
	c, end := logIn(&sshserver.Server{
		KeyboardInteractive: func(_ context.Context, a sshserver.Attempt, ask sshserver.Ask) (*sshserver.Grant, error) {
			answers, err := ask("Two questions", "", ssh.Prompt{Text: "Password: "}, ssh.Prompt{Text: "Colour: ", Echo: true})
			if err != nil || a.User != sshtest.User || answers[0] != sshtest.Password || answers[1] != "blue" {
				return nil, err
			}
			return &sshserver.Grant{}, nil
		},
		Exec: func(_ context.Context, s *sshserver.Session) error {
			fmt.Fprintln(s, "hello", s.Conn().User())
			return nil
		},
	}, sshclient.KeyboardInteractive(func(_ context.Context, name, _ string, prompts []ssh.Prompt) ([]string, error) {
		fmt.Println(name)
		answers := make([]string, len(prompts))
		for i, p := range prompts {
			fmt.Printf("%s(shown while typed: %v)\n", p.Text, p.Echo)
			answers[i] = map[string]string{"Password: ": sshtest.Password, "Colour: ": "blue"}[p.Text]
		}
		return answers, nil
	}))
	defer end()
	out, err := c.Command("greet").Output(context.Background())
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// Two questions
	// Password: (shown while typed: false)
	// Colour: (shown while typed: true)
	// hello ada
	// <nil>
}
