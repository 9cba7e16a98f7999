package packet

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
)

// renew gives a direction other keys.
func renew(t testing.TB, alg Algorithm, from, to *Packetizer) {
	t.Helper()
	keys := testKeys(t, alg)
	if err := errors.Join(from.SetSealer(alg, keys, true), to.SetOpener(alg, keys, true)); err != nil {
		t.Fatal(err)
	}
}

func TestNeedRekey(t *testing.T) {
	const never = 0
	rows := []struct {
		name           string
		limits         Rekey
		sent, received int // packets of 100 bytes until there is a need
		want           RekeyReason
	}{
		{"nothing is limited", Rekey{}, never, never, NoRekey},
		{"packets sent", Rekey{Packets: 5}, 5, never, SentPackets},
		{"packets received", Rekey{Packets: 5}, never, 5, ReceivedPackets},
		{"bytes sent", Rekey{Bytes: 500}, 4, never, SentBytes}, // 128 bytes each on the wire, and a tag of 16
		{"bytes received", Rekey{Bytes: 500}, never, 4, ReceivedBytes},
	}
	alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			a, b := testkit.NewPipe(testkit.PipeConfig{})
			defer a.Close()
			defer b.Close()
			us, peer := NewPacketizer(a), NewPacketizer(b)
			us.SetRekey(r.limits)
			pass := func(from, to *Packetizer, n int) {
				t.Helper()
				for i := range n {
					if got := us.NeedRekey(); got != NoRekey {
						t.Fatalf("after %d packets of %d: %v", i, n, got)
					}
					if err := from.SendMessage(text(100)); err != nil {
						t.Fatal(err)
					}
					if _, err := to.ReadMessage(); err != nil {
						t.Fatal(err)
					}
				}
			}
			for range 3 {
				renew(t, alg, us, peer)
				renew(t, alg, peer, us)
				pass(us, peer, r.sent)
				pass(peer, us, r.received)
				if got := us.NeedRekey(); got != r.want {
					t.Errorf("NeedRekey = %v, want %v", got, r.want)
				}
			}
			// The direction that is not in need does not help.
			if r.sent > 0 {
				renew(t, alg, peer, us)
			} else {
				renew(t, alg, us, peer)
			}
			if got := us.NeedRekey(); got != r.want {
				t.Errorf("new keys for the other direction: %v, want %v", got, r.want)
			}
		})
	}
}

func TestBeginRekey(t *testing.T) {
	alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
	from, to, _ := join(t, alg, testkit.PipeConfig{})
	to.BeginRekey()
	for i, step := range []func(){
		func() {},
		func() { renew(t, alg, to, from) },
	} {
		if step(); to.NeedRekey() != Requested {
			t.Errorf("step %d: %v", i, to.NeedRekey())
		}
	}
	renew(t, alg, from, to)
	if got := to.NeedRekey(); got != NoRekey {
		t.Errorf("with new keys: %v", got)
	}
}

// TestOverflow: a peer that does not answer the wish for new keys may send so
// much more and nothing beyond.
func TestOverflow(t *testing.T) {
	rows := []struct {
		name    string
		limits  Rekey
		ask     bool
		renewed bool
		want    int // packets received; of 20
	}{
		{"packets behind those allowed", Rekey{Packets: 5, OverflowPackets: 3}, false, false, 8},
		{"bytes behind those allowed", Rekey{Bytes: 500, OverflowBytes: 500}, false, false, 7},
		{"packets after asking", Rekey{OverflowPackets: 3}, true, false, 3},
		{"bytes after asking", Rekey{OverflowBytes: 500}, true, false, 3},
		{"no limit", Rekey{Packets: 5}, true, false, 20},
		{"in time", Rekey{OverflowPackets: 3}, true, true, 20},
	}
	alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			from, to, _ := join(t, alg, testkit.PipeConfig{})
			to.SetRekey(r.limits)
			if r.ask {
				to.BeginRekey()
			}
			if r.renewed {
				renew(t, alg, from, to)
				renew(t, alg, to, from)
			}
			got := 0
			var err error
			for ; got < 20; got++ {
				if err = from.SendMessage(text(100)); err != nil {
					t.Fatal(err)
				}
				if _, err = to.ReadMessage(); err != nil {
					break
				}
			}
			if got != r.want {
				t.Errorf("%d packets were received, want %d (%v)", got, r.want, err)
			}
			var bad *Error
			if r.want < 20 && (!errors.As(err, &bad) || bad.Kind != Overflow || bad.Reason() != ssh.ProtocolError) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// TestKeysGetOld: the age of keys wakes the receiving goroutine.
func TestKeysGetOld(t *testing.T) {
	for name, row := range map[string]struct {
		receiving bool // the keys for receiving are the older ones
		want      RekeyReason
	}{"receiving": {true, ReceivedAge}, "sending": {false, SentAge}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := testkit.NewPipe(testkit.PipeConfig{})
				peer, us := NewPacketizer(a), NewPacketizer(b)
				begin := time.Now()
				var expired []time.Duration
				us.SetRekey(Rekey{Interval: time.Hour, Expired: func() {
					expired = append(expired, time.Since(begin))
					if got := us.NeedRekey(); got != row.want {
						t.Errorf("NeedRekey = %v, want %v", got, row.want)
					}
				}})
				alg := Algorithm{Cipher: "aes128-gcm@openssh.com"}
				if row.receiving {
					renew(t, alg, peer, us)
					time.Sleep(time.Second)
					renew(t, alg, us, peer)
				} else {
					renew(t, alg, us, peer)
					time.Sleep(time.Second)
					renew(t, alg, peer, us)
				}
				done := make(chan error)
				go func() { // stops at the end of the stream
					_, err := us.ReadMessage()
					done <- err
				}()
				time.Sleep(time.Hour - time.Second)
				synctest.Wait()
				if len(expired) != 1 || expired[0] != time.Hour {
					t.Errorf("expired after %v", expired)
				}
				a.Close()
				<-done
				b.Close()
			})
		})
	}
}

// TestKeysGetOldWithoutDeadlines: the age is seen when something comes.
func TestKeysGetOldWithoutDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := testkit.NewPipe(testkit.PipeConfig{})
		defer a.Close()
		defer b.Close()
		peer, us := NewPacketizer(a), NewPacketizer(noDeadlines{b})
		us.SetRekey(Rekey{Interval: time.Hour})
		renew(t, Algorithm{Cipher: "aes128-gcm@openssh.com"}, peer, us)
		for i, want := range []RekeyReason{NoRekey, ReceivedAge} {
			if err := peer.SendMessage(text(10)); err != nil {
				t.Fatal(err)
			}
			if _, err := us.ReadMessage(); err != nil {
				t.Fatal(err)
			}
			if got := us.NeedRekey(); got != want {
				t.Errorf("message %d: %v, want %v", i, got, want)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestRekeyReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{"unknown": true}
	for r := NoRekey; r <= Requested; r++ {
		if seen[r.String()] {
			t.Errorf("%d is called %q as another one", r, r)
		}
		seen[r.String()] = true
	}
}
