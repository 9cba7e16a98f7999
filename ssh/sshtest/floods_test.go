package sshtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// TestFloods sends both roles much of everything that has an answer and reads
// none: they must hang up, and hold little meanwhile.
func TestFloods(t *testing.T) {
	floods := map[string]wire.Message{
		"requests": &ssh.GlobalRequest{Name: "x", WantReply: true},
		"pings":    &ssh.Ping{Data: make([]byte, 1000)},
		"opens":    &ssh.ChannelOpen{Type: "x", MaxPacket: 1 << 15},
		"unknown":  &ssh.NewCompress{}, // sent as message 54, below
	}
	for _, v := range victims(t, 50*time.Millisecond) {
		for name, m := range floods {
			t.Run(v.name+"/"+name, func(t *testing.T) {
				p, wait := v.begin(t, Authenticated)
				p.Reach(Authenticated)
				b, err := ssh.Append(nil, m)
				if err != nil {
					t.Fatal(err)
				}
				if name == "unknown" {
					b = append([]byte{unknown}, make([]byte, 100)...)
				}
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				for i := 0; p.SendPacket(b) == nil; i++ {
					if i > 1_000_000 {
						t.Fatalf("a million messages of %d bytes did not end the connection", len(b))
					}
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				p.Close()
				if err := wait(); !errors.Is(err, transport.ErrFlood) {
					t.Errorf("the victim ended with %v, want %v", err, transport.ErrFlood)
				}
				if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
					t.Errorf("the heap grew by %d bytes", grown)
				}
			})
		}
	}
}

// TestUnreadOutputStopsNothing has one session that writes and is not read,
// while another one on the same connection goes on.
func TestUnreadOutputStopsNothing(t *testing.T) {
	c := NewServer(t, nil).Dial()
	stuck := c.Command("fill 10000000 0")
	if _, err := stuck.StdoutPipe(); err != nil { // nobody reads it
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := stuck.Start(ctx); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	cat := c.Command("cat")
	cat.Stdin, cat.Stdout = io.LimitReader(zeros{}, 5<<20), &got
	if err := cat.Run(t.Context()); err != nil || got.Len() != 5<<20 {
		t.Errorf("cat copied %d bytes, %v", got.Len(), err)
	}
	stuck.WaitDelay = 1
	cancel()
	if err := stuck.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait of the stuck command = %v", err)
	}
}

func TestLimitsOfAServer(t *testing.T) {
	t.Run("newcomers", func(t *testing.T) {
		s := NewServer(t, func(s *sshserver.Server) {
			s.Transport.Trace = nil
			s.Limits.Unauthenticated, s.Limits.Connections = 4, 6
		})
		for range 20 {
			p := Dial(t, s.Addr)
			p.Raw([]byte("SSH-2.0-Slow\r\n"))
			b := make([]byte, 8)
			if _, err := io.ReadFull(p.Conn(), b); err != nil {
				return // refused
			}
		}
		t.Error("20 connections that do not log in were accepted, 4 are allowed")
	})
	t.Run("attempts", func(t *testing.T) {
		s := NewServer(t, func(s *sshserver.Server) { s.Transport.Trace = nil })
		p := Dial(t, s.Addr)
		p.Reach(Served)
		tries := 0
		var bye *ssh.Disconnect
		for ; bye == nil && tries < 20; tries++ {
			p.Send(&ssh.UserAuthRequest{User: User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: "guess"})
			if p.Receive(&ssh.UserAuthFailure{}) != nil {
				break
			}
		}
		if tries != 5 { // the sixth is answered with a disconnect
			t.Errorf("%d guesses were answered, want 5", tries)
		}
	})
	t.Run("change of user", func(t *testing.T) {
		s := NewServer(t, func(s *sshserver.Server) { s.Transport.Trace = nil })
		p := Dial(t, s.Addr)
		p.Reach(Served)
		p.Send(&ssh.UserAuthRequest{User: "eve", Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: "guess"})
		if err := p.Receive(&ssh.UserAuthFailure{}); err != nil {
			t.Fatal(err)
		}
		p.Send(&ssh.UserAuthRequest{User: User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: Password})
		if bye := p.Disconnected(); bye == nil || bye.Reason != ssh.ProtocolError {
			t.Errorf("disconnect = %+v", bye)
		}
	})
	t.Run("channels", func(t *testing.T) {
		s := NewServer(t, func(s *sshserver.Server) { s.Limits.Channels = 3 })
		c := s.Dial()
		for range 3 {
			if _, err := c.Subsystem(t.Context(), "echo"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Subsystem(t.Context(), "echo"); err == nil {
			t.Error("a fourth channel was opened")
		}
	})
}
