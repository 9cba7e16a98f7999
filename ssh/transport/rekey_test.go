package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// inBubble runs a test once for each role of ours.
func inBubble(t *testing.T, test func(t *testing.T, role trace.Role)) {
	t.Helper()
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, role) })
		})
	}
}

func TestPeerRekeys(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, packets := p.connected(out)
		for i := range 5 {
			// Markers in later KEXINITs mean nothing, whether there or not.
			if i%2 == 0 {
				p.init.KexAlgorithms = Defaults().Kex
			} else {
				p.init.KexAlgorithms = p.offer().KexAlgorithms
			}
			p.exchange()
			p.send(&ssh.ChannelData{Data: []byte{byte(i)}})
			if b := <-packets; b[0] != 94 || b[len(b)-1] != byte(i) {
				t.Errorf("round %d: got %v", i, b)
			}
			if err := c.Send(context.Background(), &ssh.ChannelEOF{Recipient: uint32(i)}); err != nil {
				t.Error(err)
			}
			p.expect("message under the new keys", 96)
		}
		if st := c.State(); st.KeyExchanges != 6 || !st.Strict || !bytes.Equal(st.SessionID, p.sessionID) {
			t.Errorf("state %+v", st)
		}
	})
}

func TestSequenceNumbersContinueWithoutStrictKex(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, Config{Algorithms: Algorithms{Ciphers: []string{"chacha20-poly1305@openssh.com"}}})
		p.init.KexAlgorithms = append(Defaults().Kex, map[trace.Role]string{
			trace.Client: ssh.MarkerExtInfoServer, trace.Server: ssh.MarkerExtInfoClient,
		}[role])
		_, packets := p.connected(out)
		p.exchange()
		p.send(&ssh.ChannelEOF{})
		if b := <-packets; b[0] != 96 {
			t.Errorf("got %v", b)
		}
		// KEXINIT, method, NEWKEYS twice, and what came last.
		if got := p.p.SendSeq(); got != 7 {
			t.Errorf("the peer has sent %d packets under one numbering, want 7", got)
		}
	})
}

// TestOwnMessagesAreHeldBack is RFC 4253 §7.1 for us.
func TestOwnMessagesAreHeldBack(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		rekeyed := make(chan error)
		go func() { rekeyed <- c.Rekey(context.Background()) }() // stops when the keys are new
		synctest.Wait()
		var credits int
		c.SetCredits(func(add func(wire.Message)) {
			credits++
			add(&ssh.ChannelWindowAdjust{Add: 1})
		})
		c.Wake()
		for i := range 3 {
			if err := c.Queue(&ssh.ChannelSuccess{Recipient: uint32(i)}); err != nil {
				t.Fatal(err)
			}
		}
		sent := make(chan error)
		go func() { sent <- c.Send(context.Background(), &ssh.ChannelEOF{}) }() // stops when the gate opens
		p.send(&ssh.Ping{Data: []byte("held")})
		synctest.Wait()
		select {
		case <-sent:
			t.Fatal("Send did not wait for the key exchange")
		default:
		}
		if credits != 0 {
			t.Error("credit was emitted during the key exchange")
		}
		p.sendKexInit()
		p.send(&ssh.Ping{Data: []byte("in the middle")}) // OpenSSH allows it
		p.readKexInit()                                  // fails on any other message before it
		p.finish()                                       // and up to NEWKEYS
		if err := <-rekeyed; err != nil {
			t.Error(err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		var got []string
		for range 7 {
			b := p.read()
			got = append(got, fmt.Sprint(b[0]))
		}
		want := "99 99 99 193 193"
		if s := strings.Join(got, " "); !strings.HasPrefix(s, want) || !strings.Contains(s, "93 ") && !strings.HasSuffix(s, " 93") || !strings.Contains(s, "96") {
			t.Errorf("after the key exchange came %s, want %s, and 93 and 96", s, want)
		}
	})
}

func TestBadRekey(t *testing.T) {
	rows := []struct {
		name   string
		script func(p *peer)
		want   string
		reason ssh.DisconnectReason
	}{
		{"CHANNEL_DATA after KEXINIT", func(p *peer) {
			p.sendKexInit()
			p.send(&ssh.ChannelData{Data: []byte("x")})
		}, "message 94 between", ssh.ProtocolError},
		{"SERVICE_REQUEST after KEXINIT", func(p *peer) {
			p.sendKexInit()
			p.send(&ssh.ServiceRequest{})
		}, "message 5 between", ssh.ProtocolError},
		{"EXT_INFO after KEXINIT", func(p *peer) {
			p.sendKexInit()
			p.send(&ssh.ExtInfo{})
		}, "message 7 between", ssh.ProtocolError},
		{"unknown message after KEXINIT", func(p *peer) {
			p.sendKexInit()
			p.sendRaw([]byte{222})
		}, "message 222 between", ssh.ProtocolError},
		{"CHANNEL_DATA after the method", func(p *peer) {
			p.sendKexInit()
			p.readKexInit()
			p.readNewKeys(p.method())
			p.send(&ssh.ChannelData{Data: []byte("x")})
		}, "message 94 between", ssh.ProtocolError},
		{"NEWKEYS alone", func(p *peer) { p.send(&ssh.NewKeys{}) }, "NEWKEYS before", ssh.KeyExchangeFailed},
		{"method alone", func(p *peer) { p.send(&ssh.KexECDHInit{}) }, "outside of a key exchange", ssh.KeyExchangeFailed},
		{"second KEXINIT", func(p *peer) {
			p.sendKexInit()
			p.sendKexInit()
		}, "second KEXINIT", ssh.ProtocolError},
		{"other algorithms", func(p *peer) {
			p.init.CiphersC2S = []string{"none"}
			p.sendKexInit()
		}, "no common algorithm", ssh.KeyExchangeFailed},
		{"EXT_INFO after authentication", func(p *peer) { p.send(&ssh.ExtInfo{}) }, "out of place", ssh.ProtocolError},
		{"a bit flipped", func(p *peer) {
			b, _ := ssh.Append(nil, &ssh.ChannelData{Data: []byte("x")})
			_ = p.p.Append(b)
			batch := p.p.Take()
			batch.Bytes()[10] ^= 1
			p.raw(string(batch.Bytes()))
		}, "message authentication failed", ssh.MACError},
		{"a packet missing", func(p *peer) { // what Terrapin does
			_ = p.p.Append([]byte{2, 0, 0, 0, 0})
			p.p.Take()
			p.send(&ssh.ChannelEOF{})
		}, "message authentication failed", ssh.MACError},
		{"a long ping", func(p *peer) { p.send(&ssh.Ping{Data: make([]byte, 20000)}) }, "ping of 20000", ssh.ProtocolError},
		{"malformed DISCONNECT", func(p *peer) { p.sendRaw([]byte{1, 0}) }, "reason_code", ssh.ProtocolError},
		{"malformed IGNORE", func(p *peer) { p.sendRaw([]byte{2, 0, 0, 0, 9}) }, "SSH_MSG_IGNORE: data", ssh.ProtocolError},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, role trace.Role) {
				p, out := against(t, role, quick)
				c, _ := p.connected(out)
				r.script(p)
				got := p.farewell()
				<-c.Done()
				if err := c.Err(); err == nil || !strings.Contains(err.Error(), r.want) {
					t.Errorf("ended with %v, want %q", err, r.want)
				}
				if got != r.reason {
					t.Errorf("disconnect with %v, want %v", got, r.reason)
				}
			})
		})
	}
}

func TestHostKeyMustStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, out := against(t, trace.Client, quick)
		c, _ := p.connected(out)
		p.signer = hostKey(t)
		p.sendKexInit()
		p.readKexInit()
		p.method()
		got := p.farewell()
		var e *HostKeyError
		if err := c.Err(); !errors.As(err, &e) || !errors.Is(err, ErrHostKeyChanged) || got != ssh.HostKeyNotVerifiable {
			t.Errorf("ended with %v and %v", err, got)
		}
	})
}

func TestNoRekeyBeforeAuthentication(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		cfg := quick
		cfg.Rekey = Rekey{Bytes: 1, Interval: time.Second}
		p, out := against(t, role, cfg)
		p.handshake()
		o := <-out
		if o.err != nil {
			t.Fatal(o.err)
		}
		if err := o.c.Rekey(context.Background()); err == nil {
			t.Error("Rekey works before authentication")
		}
		time.Sleep(time.Minute)
		if err := o.c.Send(context.Background(), &ssh.ServiceRequest{}); err != nil {
			t.Fatal(err)
		}
		p.expect("a message without a key exchange before it", 5, 7)
		p.sendKexInit()
		if _, err := o.c.ReadPacket(); err == nil || !strings.Contains(err.Error(), "before the user was authenticated") {
			t.Errorf("got %v", err)
		}
		p.farewell()
	})
}

func TestRekeyTriggers(t *testing.T) {
	rows := map[string]struct {
		rekey Rekey
		act   func(p *peer, c *Conn)
	}{
		"bytes sent": {Rekey{Bytes: 10_000, Interval: -1}, func(_ *peer, c *Conn) {
			for range 11 {
				_ = c.Queue(&ssh.ChannelData{Data: make([]byte, 1000)})
			}
		}},
		"bytes received": {Rekey{Bytes: 10_000, Interval: -1}, func(p *peer, _ *Conn) {
			for range 11 {
				p.send(&ssh.ChannelData{Data: make([]byte, 1000)})
			}
		}},
		"packets sent": {Rekey{Packets: 20, Interval: -1}, func(_ *peer, c *Conn) {
			for range 20 {
				_ = c.Queue(&ssh.ChannelEOF{})
			}
		}},
		"packets received": {Rekey{Packets: 20, Interval: -1}, func(p *peer, _ *Conn) {
			for range 20 {
				p.send(&ssh.ChannelEOF{})
			}
		}},
		"time": {Rekey{Interval: time.Minute}, func(*peer, *Conn) { time.Sleep(time.Minute) }},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, role trace.Role) {
				cfg := quick
				cfg.Rekey = r.rekey
				p, out := against(t, role, cfg)
				c, _ := p.connected(out)
				r.act(p, c)
				p.readKexInit(94, 96)
				p.sendKexInit()
				p.finish(94, 96)
				synctest.Wait()
				if got := c.State().KeyExchanges; got != 2 {
					t.Errorf("%d key exchanges, want 2", got)
				}
			})
		})
	}
}

func TestPeerNeverAnswersKexInit(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		begin := time.Now()
		rekeyed := make(chan error)
		go func() { rekeyed <- c.Rekey(context.Background()) }() // stops when the time is over
		synctest.Wait()
		err := c.Send(context.Background(), &ssh.ChannelEOF{})
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || !errors.As(<-rekeyed, &timeout) {
			t.Errorf("got %v, want a timeout", err)
		}
		if got := time.Since(begin); got != defaultRekeyTimeout {
			t.Errorf("it took %v", got)
		}
	})
}

func TestAnswersAreBoundedDuringKeyExchange(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		p.sendKexInit()
		for range 100_000 {
			if p.p.SendMessage([]byte{192, 0, 0, 0, 4, 1, 2, 3, 4}) != nil {
				break
			}
		}
		<-c.Done()
		if err := c.Err(); !errors.Is(err, ErrFlood) {
			t.Errorf("ended with %v", err)
		}
		p.farewell()
	})
}

func TestAnswersAreBoundedWhenPeerDoesNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		c, _ := p.connected(out)
		for range 1_000_000 {
			if p.p.SendMessage([]byte{15, 1}) != nil { // unknown
				break
			}
		}
		<-c.Done()
		if err := c.Err(); !errors.Is(err, ErrFlood) {
			t.Errorf("ended with %v", err)
		}
		c.Close()
	})
}

func TestRekeyStorm(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		cfg := quick
		cfg.Algorithms.Kex = []string{"curve25519-sha256"}
		p, out := against(t, role, cfg)
		c, _ := p.connected(out)
		for range maxStorm {
			p.exchange()
		}
		p.sendKexInit()
		if got := p.farewell(); got != ssh.ProtocolError || !strings.Contains(c.Err().Error(), "one key exchange after another") {
			t.Errorf("ended with %v and %v", got, c.Err())
		}
	})
}

// TestNumbers is the table of what happens to every message number once the
// user is let in, in both roles.
func TestNumbers(t *testing.T) {
	const (
		delivered     = "delivered"
		unimplemented = "unimplemented"
		fatal         = "fatal"
		inside        = "dealt with"
		answered      = "answered"
	)
	want := func(n int) string {
		switch {
		case n == 1 || n == 7 || n == 20 || n == 21 || n >= 30 && n <= 49:
			return fatal
		case n == 2 || n == 3 || n == 4:
			return inside
		case n == 5 || n == 6 || n >= 50 && n != 192:
			return delivered
		case n == 192:
			return answered
		}
		return unimplemented // 0, 8–19, 22–29
	}
	bodies := map[int][]byte{1: make([]byte, 12), 2: make([]byte, 4), 3: make([]byte, 4), 4: make([]byte, 9), 192: make([]byte, 4)}
	for n := range 256 {
		inBubble(t, func(t *testing.T, role trace.Role) {
			p, out := against(t, role, quick)
			c, packets := p.connected(out)
			seq := p.p.SendSeq()
			p.sendRaw(append([]byte{byte(n)}, bodies[n]...))
			synctest.Wait()
			got := inside
			select {
			case _, open := <-packets:
				got = delivered
				if !open {
					got = fatal
				}
			default:
				_ = c.Queue(&ssh.ChannelEOF{}) // so that there is something to read
				switch b := p.read(); b[0] {
				case 3:
					got = unimplemented
					var m ssh.Unimplemented
					if err := ssh.Parse(b, &m); err != nil || m.Sequence != seq {
						t.Errorf("message %d: UNIMPLEMENTED for packet %d, want %d", n, m.Sequence, seq)
					}
				case 193:
					got = answered
				}
			}
			if got != want(n) {
				t.Errorf("message %d: %s, want %s", n, got, want(n))
			}
			p.nc.Close()
		})
	}
}

func TestPingBeforeAuthentication(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		p.handshake()
		o := <-out
		if o.err != nil {
			t.Fatal(o.err)
		}
		p.send(&ssh.Ping{Data: []byte("x")}, &ssh.ServiceRequest{})
		if b, err := o.c.ReadPacket(); err != nil || b[0] != 5 {
			t.Fatal(b, err)
		}
		p.expect("no pong", 3, 7)
		o.c.Close()
	})
}

func TestExtInfo(t *testing.T) {
	inBubble(t, func(t *testing.T, role trace.Role) {
		p, out := against(t, role, quick)
		p.handshake()
		o := <-out
		if o.err != nil {
			t.Fatal(o.err)
		}
		allowed := map[trace.Role]int{trace.Client: 2, trace.Server: 1}[role]
		for i := range allowed {
			p.send(&ssh.ExtInfo{Extensions: []ssh.Extension{{Name: fmt.Sprint("x", i), Value: []byte("v")}}})
		}
		p.send(&ssh.ServiceRequest{})
		if _, err := o.c.ReadPacket(); err != nil {
			t.Fatal(err)
		}
		st := o.c.State()
		if v, ok := st.Extension("x0"); !ok || string(v) != "v" || len(st.Extensions) != allowed {
			t.Errorf("extensions %+v", st.Extensions)
		}
		p.send(&ssh.ExtInfo{})
		var e *ProtocolError
		if _, err := o.c.ReadPacket(); !errors.As(err, &e) {
			t.Errorf("one EXT_INFO too many: got %v", err)
		}
		p.farewell()
	})
}
