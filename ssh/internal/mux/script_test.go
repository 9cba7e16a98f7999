package mux

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

// scripted is a mux whose peer is the test.
type scripted struct {
	*Mux
	t    *testing.T
	near *fake
	far  *fake
}

func script(t *testing.T, cfg Config) *scripted {
	near, far := fakePair(t)
	s := &scripted{Mux: New(near, cfg), t: t, near: near, far: far}
	t.Cleanup(func() { s.Close() })
	return s
}

// say sends messages to the mux.
func (s *scripted) say(msgs ...wire.Message) {
	s.t.Helper()
	for _, m := range msgs {
		if err := s.far.Send(context.Background(), m); err != nil {
			s.t.Fatalf("sending %T: %v", m, err)
		}
	}
}

// hear reads the next message of the mux, which must be a *T.
func hear[T any, M interface {
	*T
	wire.Message
}](s *scripted) M {
	s.t.Helper()
	m := M(new(T))
	p, err := s.far.ReadPacket()
	if err != nil {
		s.t.Fatalf("waiting for %T: %v", m, err)
	}
	if err := ssh.Parse(append([]byte(nil), p...), m); err != nil || p[0] != number(m) {
		s.t.Fatalf("got message %d (%v), want %T", p[0], err, m)
	}
	return m
}

// begin opens channel 0 of the mux; the peer's number is 7.
func (s *scripted) begin(opt Options) *Channel {
	s.t.Helper()
	type result struct {
		ch  *Channel
		err error
	}
	opened := make(chan result)
	go func() { // stops when the peer has answered
		ch, err := s.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, opt)
		opened <- result{ch, err}
	}()
	hear[ssh.ChannelOpen](s)
	s.say(&ssh.ChannelOpenConfirmation{Recipient: 0, Sender: 7, Window: 1 << 20, MaxPacket: 32 << 10})
	r := <-opened
	if r.err != nil {
		s.t.Fatal(r.err)
	}
	return r.ch
}

// TestPeerBreaksRules has a peer say what it must not on channel 0.
func TestPeerBreaksRules(t *testing.T) {
	tests := []struct {
		name string
		say  []wire.Message
		want string
	}{
		{"data without channel", []wire.Message{&ssh.ChannelData{Recipient: 9}}, "data for channel 9, which is not open"},
		{"stderr without channel", []wire.Message{&ssh.ChannelExtendedData{Recipient: 9, Type: 1}}, "extended data for channel 9"},
		{"adjust without channel", []wire.Message{&ssh.ChannelWindowAdjust{Recipient: 9, Add: 1}}, "window adjust for channel 9"},
		{"eof without channel", []wire.Message{&ssh.ChannelEOF{Recipient: 9}}, "end of file for channel 9"},
		{"close without channel", []wire.Message{&ssh.ChannelClose{Recipient: 9}}, "close for channel 9"},
		{"request without channel", []wire.Message{&ssh.ChannelRequest{Recipient: 9, Type: "x"}}, "request for channel 9"},
		{"reply without channel", []wire.Message{&ssh.ChannelSuccess{Recipient: 9}}, "reply for channel 9"},
		{"success that nobody asked for", []wire.Message{&ssh.ChannelSuccess{}}, "reply to a request that was not made on channel 0"},
		{"failure that nobody asked for", []wire.Message{&ssh.ChannelFailure{}}, "reply to a request that was not made on channel 0"},
		{"global success", []wire.Message{&ssh.RequestSuccess{}}, "reply to a global request that was not made"},
		{"global failure", []wire.Message{&ssh.RequestFailure{}}, "reply to a global request that was not made"},
		{"confirmed twice", []wire.Message{&ssh.ChannelOpenConfirmation{Sender: 8, Window: 1, MaxPacket: 1 << 15}}, "open confirmation for channel 0, which is open"},
		{"refused afterwards", []wire.Message{&ssh.ChannelOpenFailure{Reason: 1}}, "open failure for channel 0, which is open"},
		{"confirmation without open", []wire.Message{&ssh.ChannelOpenConfirmation{Recipient: 3}}, "open confirmation for channel 3"},
		{"window beyond its type", []wire.Message{&ssh.ChannelWindowAdjust{Add: 1<<32 - 1}}, "window of channel 0 raised beyond 2³²-1 bytes"},
		{"packet too large", []wire.Message{&ssh.ChannelData{Data: make([]byte, 32<<10+1)}}, "32769 bytes of data for channel 0 in one packet, where 32768 are allowed"},
		{"data after eof", []wire.Message{&ssh.ChannelEOF{}, &ssh.ChannelData{Data: []byte("x")}}, "data for channel 0 after its end of file"},
		{"data after close", []wire.Message{&ssh.ChannelClose{}, &ssh.ChannelData{Data: []byte("x")}}, "data for channel 0, which is not open"},
		{"two closes", []wire.Message{&ssh.ChannelClose{}, &ssh.ChannelClose{}}, "close for channel 0, which is not open"},
		{"request after close", []wire.Message{&ssh.ChannelClose{}, &ssh.ChannelRequest{Type: "x", WantReply: true}}, "request for channel 0, which is not open"},
		{"adjust after close", []wire.Message{&ssh.ChannelClose{}, &ssh.ChannelWindowAdjust{Add: 1}}, "window adjust for channel 0, which is not open"},
		{"malformed", []wire.Message{&cutShort{}}, "malformed message: SSH_MSG_CHANNEL_DATA: data at byte 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script(t, Config{})
			ch := s.begin(Options{})
			for _, m := range tt.say {
				s.far.Send(context.Background(), m) // the last ones may come too late
			}
			<-s.Done()
			var broken *transport.ProtocolError
			if err := s.Err(); !errors.As(err, &broken) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Err = %v, want a ProtocolError with %q", err, tt.want)
			}
			if _, err := ch.Write([]byte("x")); err == nil {
				t.Error("Write after the end = nil")
			}
		})
	}
}

// cutShort is a CHANNEL_DATA that ends inside its data.
type cutShort struct{}

func (*cutShort) Fields(c *wire.Coder) {
	body := []byte{0, 0, 0, 0, 0, 0, 0, 5, 'x'}
	c.Rest("body", &body)
}

func (*cutShort) WireEntry() *wire.Entry { return ssh.Messages.Entry(&ssh.ChannelData{}) }

// TestPeerMayDo has a peer do what is odd and allowed.
func TestPeerMayDo(t *testing.T) {
	tests := []struct {
		name string
		say  []wire.Message
	}{
		{"two ends of file", []wire.Message{&ssh.ChannelEOF{}, &ssh.ChannelEOF{}}},
		{"empty data", []wire.Message{&ssh.ChannelData{}, &ssh.ChannelExtendedData{Type: 1}}},
		{"adjust by nothing", []wire.Message{&ssh.ChannelWindowAdjust{}}},
		{"adjust after eof", []wire.Message{&ssh.ChannelEOF{}, &ssh.ChannelWindowAdjust{Add: 5}}},
		{"adjust up to the limit", []wire.Message{&ssh.ChannelWindowAdjust{Add: 1<<32 - 1 - 1<<20}}},
		{"unknown kind of data", []wire.Message{&ssh.ChannelExtendedData{Type: 99, Data: []byte("x")}}},
		{"request without reply", []wire.Message{&ssh.ChannelRequest{Type: "whatever@example.com", Rest: []byte{1, 2}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := script(t, Config{})
			s.begin(Options{})
			s.say(tt.say...)
			s.say(&ssh.GlobalRequest{Name: "probe", WantReply: true})
			hear[ssh.RequestFailure](s)
		})
	}
}

func TestUnknownRequestsAreRefused(t *testing.T) {
	s := script(t, Config{})
	s.begin(Options{})
	s.say(&ssh.ChannelRequest{Type: "unknown@example.com", WantReply: true})
	if got := hear[ssh.ChannelFailure](s).Recipient; got != 7 {
		t.Errorf("failure for channel %d, want 7", got)
	}
	s.say(&ssh.ChannelOpen{Type: ssh.ChannelX11, Sender: 3, Window: 1, MaxPacket: 1 << 15})
	if got := hear[ssh.ChannelOpenFailure](s); got.Recipient != 3 || got.Reason != ssh.AdministrativelyProhibited {
		t.Errorf("open answered with %+v", got)
	}
}

func TestUnknownMessagesAreRejected(t *testing.T) {
	s := script(t, Config{OnOther: func(p []byte) (bool, error) { return p[0] == number(&ssh.UserAuthRequest{}), nil }})
	s.begin(Options{})
	s.say(&ssh.UserAuthRequest{Method: "none"}, &ssh.UserAuthBanner{})
	s.say(&ssh.GlobalRequest{Name: "probe", WantReply: true})
	hear[ssh.RequestFailure](s)
	s.near.mu.Lock()
	defer s.near.mu.Unlock()
	if s.near.rejected != 1 {
		t.Errorf("%d messages were rejected, want 1", s.near.rejected)
	}
}

func TestTinyPacketsAreRefused(t *testing.T) {
	for _, size := range []uint32{0, 1, minMaxPacket - 1} {
		s := script(t, Config{OnOpen: func(in *Incoming) { in.Accept(Options{}) }})
		opened := make(chan error)
		go func() { // stops when the peer has answered
			_, err := s.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{})
			opened <- err
		}()
		hear[ssh.ChannelOpen](s)
		s.say(&ssh.ChannelOpenConfirmation{Sender: 7, Window: 1 << 20, MaxPacket: size})
		if err := <-opened; err == nil || !strings.Contains(err.Error(), "maximum packet size") {
			t.Errorf("Open against %d = %v", size, err)
		}
		hear[ssh.ChannelClose](s)
		s.say(&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 3, Window: 1, MaxPacket: size})
		if got := hear[ssh.ChannelOpenFailure](s); got.Reason != ssh.ConnectFailed {
			t.Errorf("open with %d answered with %+v", size, got)
		}
	}
}

func TestHugePacketsAreCut(t *testing.T) {
	s := script(t, Config{OnOpen: func(in *Incoming) {
		ch, err := in.Accept(Options{})
		if err != nil {
			t.Error(err)
			return
		}
		go ch.Write(make([]byte, 1<<20)) // stops when the peer has taken it
	}})
	s.say(&ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: 3, Window: 1<<32 - 1, MaxPacket: 1<<32 - 1})
	hear[ssh.ChannelOpenConfirmation](s)
	for got := 0; got < 1<<20; {
		n := len(hear[ssh.ChannelData](s).Data)
		if n > s.near.MaxPayload()-overhead {
			t.Fatalf("a packet of %d bytes", n)
		}
		got += n
	}
}

func TestOpenIsAbandoned(t *testing.T) {
	s := script(t, Config{})
	ctx, cancel := context.WithCancelCause(context.Background())
	because := errors.New("no patience")
	opened := make(chan error)
	go func() { // stops when ctx does
		_, err := s.Open(ctx, &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{})
		opened <- err
	}()
	hear[ssh.ChannelOpen](s)
	cancel(because)
	if err := <-opened; !errors.Is(err, because) {
		t.Errorf("Open = %v, want %v", err, because)
	}
	s.say(&ssh.ChannelOpenConfirmation{Sender: 7, Window: 1 << 20, MaxPacket: 1 << 15})
	hear[ssh.ChannelClose](s)
	s.say(&ssh.ChannelData{Data: []byte("on its way")}, &ssh.ChannelClose{})
	s.say(&ssh.GlobalRequest{Name: "probe", WantReply: true})
	hear[ssh.RequestFailure](s)
	if n := s.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}

func TestOpenIsRefused(t *testing.T) {
	s := script(t, Config{})
	opened := make(chan error)
	go func() { // stops when the peer has answered
		_, err := s.Open(context.Background(), &ssh.ChannelOpen{Type: ssh.ChannelSession}, Options{})
		opened <- err
	}()
	hear[ssh.ChannelOpen](s)
	s.say(&ssh.ChannelOpenFailure{Reason: ssh.ResourceShortage, Description: "full"})
	var refusal *OpenError
	if err := <-opened; !errors.As(err, &refusal) || *refusal != (OpenError{"session", ssh.ResourceShortage, "full"}) {
		t.Errorf("Open = %v", err)
	}
	if n := s.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}
