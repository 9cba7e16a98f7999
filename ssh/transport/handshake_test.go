package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

var roles = map[string]trace.Role{"client": trace.Client, "server": trace.Server}

func TestGoodPeer(t *testing.T) {
	for name, role := range roles {
		for _, strict := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/strict=%v", name, strict), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, out := against(t, role, quick)
					if !strict {
						p.init.KexAlgorithms = Defaults().Kex
					}
					p.handshake()
					o := <-out
					if o.err != nil {
						t.Fatal(o.err)
					}
					st := o.c.State()
					if st.Strict != strict || string(st.SessionID) != string(p.sessionID) || st.PeerVersion != "SSH-2.0-Evil" {
						t.Errorf("state %+v", st)
					}
					if strict { // the peer asked for extensions with the same offer
						var m ssh.ExtInfo
						if err := ssh.Parse(p.expect("extensions", 7), &m); err != nil {
							t.Fatal(err)
						}
						has := slices.ContainsFunc(m.Extensions, func(e ssh.Extension) bool {
							return e.Name == "server-sig-algs" && strings.Contains(string(e.Value), "ssh-ed25519,")
						})
						if has != (role == trace.Server) {
							t.Errorf("extensions %+v", m.Extensions)
						}
					}
					p.send(&ssh.ServiceRequest{Service: "x"})
					if b, err := o.c.ReadPacket(); err != nil || b[0] != 5 {
						t.Errorf("ReadPacket = %v, %v", b, err)
					}
					if err := o.c.Disconnect(ssh.ByApplication, "bye"); err != nil {
						t.Error(err)
					}
					if got := p.farewell(); got != ssh.ByApplication {
						t.Errorf("disconnect with %v", got)
					}
				})
			})
		}
	}
}

// TestIdentification is §4.2 of RFC 4253.
func TestIdentification(t *testing.T) {
	long := strings.Repeat("x", 300)
	rows := []struct {
		name   string
		role   trace.Role // ours
		bytes  string
		reason string // part of the error; "" accepted
	}{
		{"plain", trace.Client, "SSH-2.0-x\r\n", ""},
		{"without CR", trace.Client, "SSH-2.0-x\n", ""},
		{"with a comment", trace.Server, "SSH-2.0-x some comment\r\n", ""},
		{"1.99 from a server", trace.Client, "SSH-1.99-x\r\n", ""},
		{"1.99 from a client", trace.Server, "SSH-1.99-x\r\n", "version 2.0"},
		{"longest", trace.Client, "SSH-2.0-" + strings.Repeat("y", 245) + "\r\n", ""},
		{"too long", trace.Client, "SSH-2.0-" + strings.Repeat("y", 246) + "\r\n", "255 bytes"},
		{"lines before it", trace.Client, "hello\r\n\r\nworld\nSSH-2.0-x\r\n", ""},
		{"lines before it from a client", trace.Server, "hello\r\nSSH-2.0-x\r\n", "did not send"},
		{"1023 lines before it", trace.Client, strings.Repeat("a\n", 1023) + "SSH-2.0-x\r\n", ""},
		{"1024 lines before it", trace.Client, strings.Repeat("a\n", 1024) + "SSH-2.0-x\r\n", "1024 lines"},
		{"a long line before it", trace.Client, long + "\r\nSSH-2.0-x\r\n", "255 bytes"},
		{"version 3", trace.Client, "SSH-3.0-x\r\n", "version 2.0"},
		{"version 1.5", trace.Server, "SSH-1.5-x\r\n", "version 2.0"},
		{"NUL in it", trace.Client, "SSH-2.0-x\x00y\r\n", "control characters"},
		{"NUL before it", trace.Client, "a\x00\r\nSSH-2.0-x\r\n", "did not send"},
		{"escape in it", trace.Server, "SSH-2.0-\x1b[31m\r\n", "control characters"},
		{"HTTP", trace.Server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "did not send"},
		{"4 MiB without an end", trace.Client, strings.Repeat("z", 4<<20), "255 bytes"},
		{"a page and an end", trace.Client, "HTTP/1.1 400 Bad Request\r\n\r\n", "hung up"},
		{"nothing", trace.Client, "", "EOF"},
		{"half a line", trace.Server, "SSH-2.0", "EOF"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, out := against(t, r.role, quick)
				go func() { // stops when everything is written or the connection is closed
					p.raw(r.bytes)
					if r.reason == "EOF" || r.reason == "hung up" {
						p.nc.(*testkit.Conn).CloseWrite()
					}
				}()
				if r.reason == "" {
					line := r.bytes[strings.LastIndex(r.bytes, "SSH-"):]
					p.ours = []byte(strings.TrimRight(line, "\r\n"))
					l, err := p.p.ReadLine(255)
					if err != nil {
						t.Fatal(err)
					}
					p.theirs = append(p.theirs, l...)
					synctest.Wait()
					p.exchange()
					o := <-out
					if o.err != nil {
						t.Fatalf("refused: %v", o.err)
					}
					o.c.Close()
					return
				}
				o := <-out
				var version *VersionError
				switch {
				case o.err == nil:
					t.Fatal("accepted")
				case r.reason == "EOF":
					if !errors.Is(o.err, io.EOF) && !errors.Is(o.err, io.ErrUnexpectedEOF) {
						t.Errorf("got %v, want an end of file", o.err)
					}
				case !errors.As(o.err, &version) || !strings.Contains(o.err.Error(), r.reason):
					t.Errorf("got %v, want a VersionError with %q", o.err, r.reason)
				}
			})
		})
	}
}

// TestBadHandshake lists what peers may do wrong up to their first NEWKEYS.
func TestBadHandshake(t *testing.T) {
	as := func(target any) func(error) bool {
		return func(err error) bool { return errors.As(err, target) }
	}
	protocol := func(text string) func(error) bool {
		return func(err error) bool {
			var e *ProtocolError
			return errors.As(err, &e) && strings.Contains(err.Error(), text)
		}
	}
	var negotiation *ssh.NegotiationError
	var hostKeyError *HostKeyError
	rows := []struct {
		name   string
		only   string // role of ours; "": both
		script func(p *peer)
		want   func(error) bool
		reason ssh.DisconnectReason
	}{
		{"no common key exchange", "", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = []string{"rot13-sha256"}
			p.sendKexInit()
		}, as(&negotiation), ssh.KeyExchangeFailed},
		{"only markers", "", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = []string{ssh.MarkerStrictClient, ssh.MarkerStrictServer, ssh.MarkerExtInfoClient, ssh.MarkerExtInfoServer}
			p.sendKexInit()
		}, as(&negotiation), ssh.KeyExchangeFailed},
		{"no common cipher", "", func(p *peer) {
			p.hello()
			p.init.CiphersS2C = []string{"none"}
			p.sendKexInit()
		}, as(&negotiation), ssh.KeyExchangeFailed},
		{"no common host key", "", func(p *peer) {
			p.hello()
			p.init.ServerHostKeyAlgorithms = nil
			p.sendKexInit()
		}, as(&negotiation), ssh.KeyExchangeFailed},
		{"no common compression", "", func(p *peer) {
			p.hello()
			p.init.CompressionC2S = []string{"zlib"}
			p.sendKexInit()
		}, as(&negotiation), ssh.KeyExchangeFailed},
		{"IGNORE before a strict KEXINIT", "", func(p *peer) {
			p.hello()
			p.send(&ssh.Ignore{})
			p.sendKexInit()
		}, protocol("not its first packet"), ssh.ProtocolError},
		{"IGNORE after a strict KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.Ignore{})
		}, protocol("message 2 during"), ssh.ProtocolError},
		{"DEBUG after a strict KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.Debug{})
		}, protocol("message 4 during"), ssh.ProtocolError},
		{"UNIMPLEMENTED after a strict KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.Unimplemented{})
		}, protocol("message 3 during"), ssh.ProtocolError},
		{"EXT_INFO before NEWKEYS", "", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = Defaults().Kex // not strict
			p.sendKexInit()
			p.send(&ssh.ExtInfo{})
		}, protocol("message 7 before"), ssh.ProtocolError},
		{"SERVICE_REQUEST before KEXINIT", "", func(p *peer) {
			p.hello()
			p.send(&ssh.ServiceRequest{Service: "ssh-userauth"})
		}, protocol("message 5 before"), ssh.ProtocolError},
		{"CHANNEL_OPEN before NEWKEYS", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.ChannelOpen{Type: "session"})
		}, protocol("message 90 before"), ssh.ProtocolError},
		{"USERAUTH_SUCCESS before NEWKEYS", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.UserAuthSuccess{})
		}, protocol("message 52 before"), ssh.ProtocolError},
		{"unknown message before KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendRaw([]byte{200, 1, 2, 3})
		}, protocol("message 200 before"), ssh.ProtocolError},
		{"PING before NEWKEYS", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.Ping{})
		}, protocol("message 192 before"), ssh.ProtocolError},
		{"a second KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.sendKexInit()
		}, protocol("second KEXINIT"), ssh.ProtocolError},
		{"NEWKEYS at once", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.send(&ssh.NewKeys{})
		}, protocol("NEWKEYS before"), ssh.KeyExchangeFailed},
		{"NEWKEYS before KEXINIT", "", func(p *peer) {
			p.hello()
			p.send(&ssh.NewKeys{})
		}, protocol("NEWKEYS before"), ssh.KeyExchangeFailed},
		{"key exchange message before KEXINIT", "", func(p *peer) {
			p.hello()
			p.send(&ssh.KexECDHInit{Public: make([]byte, 32)})
		}, protocol("message 30 outside"), ssh.KeyExchangeFailed},
		{"key exchange message of the wrong side", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			if p.role == trace.Client {
				p.send(&ssh.KexECDHReply{})
			} else {
				p.send(&ssh.KexECDHInit{})
			}
		}, protocol("key exchange message is wrong"), ssh.KeyExchangeFailed},
		{"all-zero X25519", "", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = []string{"curve25519-sha256"}
			p.sendKexInit()
			if p.role == trace.Client {
				p.send(&ssh.KexECDHInit{Public: make([]byte, 32)})
			} else {
				p.send(&ssh.KexECDHReply{Public: make([]byte, 32)})
			}
		}, protocol("bad X25519"), ssh.KeyExchangeFailed},
		{"short ML-KEM value", "", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = []string{"mlkem768x25519-sha256"}
			p.sendKexInit()
			if p.role == trace.Client {
				p.send(&ssh.KexECDHInit{Public: make([]byte, 1215)})
			} else {
				p.send(&ssh.KexECDHReply{Public: make([]byte, 1119)})
			}
		}, protocol("bytes, not"), ssh.KeyExchangeFailed},
		{"malformed KEXINIT", "", func(p *peer) {
			p.hello()
			p.sendRaw([]byte{20, 1, 2, 3})
		}, protocol("SSH_MSG_KEXINIT: cookie"), ssh.ProtocolError},
		{"KEXINIT of 100 KiB", "", func(p *peer) {
			p.hello()
			p.init.LanguagesC2S = slices.Repeat([]string{"x"}, 50_000)
			p.sendKexInit()
		}, protocol("its KEXINIT has"), ssh.ProtocolError},
		{"packet length of 1 GiB", "", func(p *peer) {
			p.hello()
			p.raw("\x40\x00\x00\x00\x04\x14\x00\x00")
		}, func(err error) bool { return strings.Contains(err.Error(), "bad packet length 1073741824") }, ssh.ProtocolError},
		{"padding that leaves no payload", "", func(p *peer) {
			p.hello()
			p.raw("\x00\x00\x00\x0c\x0b" + strings.Repeat("\x00", 11))
		}, func(err error) bool { return strings.Contains(err.Error(), "bad padding length 11") }, ssh.ProtocolError},
		{"DISCONNECT", "", func(p *peer) {
			p.hello()
			p.send(&ssh.Disconnect{Reason: ssh.TooManyConnections, Description: "go \x1b[31maway"})
		}, func(err error) bool {
			var d *DisconnectError
			return errors.As(err, &d) && d.Reason == ssh.TooManyConnections && !d.Local &&
				errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "\x1b")
		}, 0},
		{"wrong signature", "client", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.readKexInit()
			p.theirsI[17] ^= 1 // so that the peer hashes something else
			p.method()
		}, as(&hostKeyError), ssh.HostKeyNotVerifiable},
		{"host key of garbage", "client", func(p *peer) {
			p.hello()
			p.init.KexAlgorithms = []string{"curve25519-sha256"}
			p.sendKexInit()
			basePoint := append([]byte{9}, make([]byte, 31)...)
			p.send(&ssh.KexECDHReply{HostKey: []byte("key"), Public: basePoint, Signature: []byte("sig")})
		}, as(&hostKeyError), ssh.HostKeyNotVerifiable},
		{"reply twice", "client", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.readKexInit()
			p.readNewKeys(p.method())
			p.send(&ssh.KexECDHReply{})
		}, protocol("outside of a key exchange"), ssh.KeyExchangeFailed},
		{"request twice", "server", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.readKexInit()
			p.readNewKeys(p.method())
			p.send(&ssh.KexECDHInit{})
		}, protocol("outside of a key exchange"), ssh.KeyExchangeFailed},
		{"closes in the middle", "", func(p *peer) {
			p.hello()
			p.sendKexInit()
			p.nc.Close()
		}, func(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }, 0},
	}
	for _, r := range rows {
		for name, role := range roles {
			if r.only != "" && r.only != name {
				continue
			}
			t.Run(r.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, out := against(t, role, quick)
					r.script(p)
					reason := make(chan ssh.DisconnectReason)
					go func() { reason <- p.farewell() }() // stops when the connection ends
					o := <-out
					if o.err == nil || !r.want(o.err) {
						t.Errorf("got error %v", o.err)
					}
					p.nc.(*testkit.Conn).CloseWrite()
					if got := <-reason; got != r.reason {
						t.Errorf("disconnect with %v, want %v", got, r.reason)
					}
				})
			})
		}
	}
}

func TestGuessedPacket(t *testing.T) {
	for name, role := range roles {
		for _, right := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/right=%v", name, right), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, out := against(t, role, quick)
					p.hello()
					p.init.FirstKexPacketFollows = true
					if !right {
						p.init.KexAlgorithms = append([]string{"curve25519-sha256"}, p.init.KexAlgorithms...)
						p.init.KexAlgorithms = append(p.init.KexAlgorithms, "x-prefers-another")
						if role == trace.Server { // the client's preference wins, so it must be one that we lack
							p.init.KexAlgorithms = append([]string{"ecdh-sha2-nistp256"}, p.init.KexAlgorithms[1:]...)
						}
					}
					p.sendKexInit()
					if !right {
						p.send(&ssh.KexECDHInit{Public: []byte("a wrong guess")})
					}
					p.readKexInit()
					p.finish()
					if o := <-out; o.err != nil {
						t.Error(o.err)
					} else {
						o.c.Close()
					}
				})
			})
		}
	}
}

func TestIgnoreIsFineWithoutStrictKex(t *testing.T) {
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, out := against(t, role, quick)
				p.init.KexAlgorithms = Defaults().Kex
				p.hello()
				p.send(&ssh.Ignore{Data: []byte("x")}, &ssh.Debug{Message: "hi\x1b"}, &ssh.Unimplemented{})
				p.sendKexInit()
				p.send(&ssh.Ignore{})
				p.readKexInit()
				p.send(&ssh.Debug{})
				p.finish()
				o := <-out
				if o.err != nil {
					t.Fatal(o.err)
				}
				o.c.Close()
			})
		})
	}
}

func TestHandshakeTimeout(t *testing.T) {
	steps := map[string]struct {
		script  func(p *peer)
		waiting string
	}{
		"nothing":           {func(p *peer) {}, "identification"},
		"a drip":            {func(p *peer) { p.wait.Go(func() { drip(p) }) }, "identification"},
		"only a line":       {func(p *peer) { p.hello() }, "KEXINIT"},
		"only KEXINIT":      {func(p *peer) { p.hello(); p.sendKexInit() }, "key exchange message"},
		"all but NEWKEYS":   {func(p *peer) { p.hello(); p.sendKexInit(); p.readKexInit(); p.method() }, "NEWKEYS"},
		"half of a KEXINIT": {func(p *peer) { p.hello(); p.raw("\x00\x00\x01\x04\x04\x14") }, "KEXINIT"},
	}
	for step, s := range steps {
		for name, role := range roles {
			t.Run(step+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, out := against(t, role, Config{HandshakeTimeout: 10 * time.Second})
					begin := time.Now()
					s.script(p)
					o := <-out
					var timeout *TimeoutError
					if !errors.As(o.err, &timeout) || !errors.Is(o.err, os.ErrDeadlineExceeded) || !strings.Contains(timeout.Waiting, s.waiting) {
						t.Errorf("got %v, want a timeout while waiting for %s", o.err, s.waiting)
					}
					if got := time.Since(begin); got != 10*time.Second {
						t.Errorf("it took %v", got)
					}
					p.nc.Close()
					p.wait.Wait()
				})
			})
		}
	}
}

// drip sends a byte of an endless line every second.
func drip(p *peer) {
	for {
		if _, err := p.nc.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(time.Second) // of the bubble: this is the peer's behaviour
	}
}

func TestContextCutsTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cn, sn := testkit.Pipe()
		cause := errors.New("changed my mind")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		_, err := Client(ctx, cn, &ClientConfig{HostKey: func(context.Context, HostKey) error { return nil }})
		if !errors.Is(err, cause) {
			t.Errorf("got %v, want the context's cause", err)
		}
		if _, err := sn.Write(make([]byte, 1)); err == nil {
			t.Error("the socket is still open")
		}
		sn.Close()
	})
}

func TestHostKeyCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cn, sn := testkit.Pipe()
		signer := hostKey(t)
		refusal := errors.New("never seen it")
		serverErr := make(chan error)
		go func() { // stops when the client has refused
			_, err := Server(context.Background(), sn, &ServerConfig{HostKeys: []keys.Signer{signer}})
			serverErr <- err
		}()
		var got HostKey
		_, err := Client(context.Background(), cn, &ClientConfig{
			Config: Config{HandshakeTimeout: time.Second},
			HostKey: func(_ context.Context, k HostKey) error {
				time.Sleep(10 * time.Minute) // the user has coffee: this must not count
				got = k
				return refusal
			},
		})
		var e *HostKeyError
		if !errors.As(err, &e) || !errors.Is(err, refusal) {
			t.Errorf("got %v, want the refusal", err)
		}
		if string(got.Key.Marshal()) != string(signer.PublicKey().Marshal()) || got.Algorithm != "ssh-ed25519" || got.Remote == nil {
			t.Errorf("asked for %+v", got)
		}
		if err := <-serverErr; err == nil {
			t.Error("the server does not notice")
		}
	})
}

// secrets records the order of what a tracer hears.
type secrets struct {
	*judge
	heard []string
}

func (s *secrets) Open(trace.Info) trace.Conn { return s }
func (s *secrets) Wire(wire.Dir, []byte)      {}
func (s *secrets) Secret(string)              { s.heard = append(s.heard, "secret") }
func (s *secrets) Packet(_ wire.Dir, b []byte) {
	s.heard = append(s.heard, fmt.Sprint(b[0]))
}

func (s *secrets) Event(e trace.Event) {
	s.heard = append(s.heard, map[trace.Kind]string{trace.KexStart: "start", trace.KexEnd: "end"}[e.Kind])
}

func TestSecretIsReportedBeforeTheReply(t *testing.T) {
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &secrets{judge: newJudge(t)}
				cfg := quick
				cfg.Trace = s
				p, out := against(t, role, cfg)
				p.handshake()
				o := <-out
				if o.err != nil {
					t.Fatal(o.err)
				}
				p.farewellAfter(o.c)
				got := strings.Join(s.heard, " ")
				start, kexinit := slices.Index(s.heard, "start"), slices.Index(s.heard, "20")
				secret, reply, end := slices.Index(s.heard, "secret"), slices.Index(s.heard, "31"), slices.Index(s.heard, "end")
				if start < 0 || start > kexinit || secret < kexinit || secret > reply || end < reply {
					t.Errorf("heard %s", got)
				}
			})
		})
	}
}

func (p *peer) farewellAfter(c *Conn) {
	p.t.Helper()
	if err := c.Close(); err != nil {
		p.t.Error(err)
	}
	p.farewell()
}
