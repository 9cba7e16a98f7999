package sshdecode

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// bulk is a session in which the client sends n packets of size bytes, each
// with its number in front.
func bulk(t testing.TB, suite string, n, size int) *talk {
	x := newTalk(t, "curve25519-sha256", suite, true)
	x.login()
	x.open(&ssh.ChannelRequest{Type: ssh.RequestExec, Command: "cat"})
	for i := range n {
		x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: append(fmt.Appendf(nil, "number %d ", i), bytes.Repeat([]byte("x"), size)...)})
	}
	return x
}

// withHole cuts the client's stream into segments and leaves out count of
// them, beginning with the segment first of those behind the login.
func withHole(x *talk, segment, first, count int, known bool) (out []trace.Chunk) {
	var head, tail []trace.Chunk
	for i, c := range x.pieces {
		if c.Dir == c2s && len(c.Data) > 0 && i >= len(x.pieces)-numbered(x) {
			tail = append(tail, c)
		} else {
			head = append(head, c)
		}
	}
	tail = cut(tail, segment)
	var missing int64
	for _, c := range tail[first : first+count] {
		missing += int64(len(c.Data))
	}
	after := tail[first+count:]
	after[0].Gap = missing
	if !known {
		after[0].Gap = -1
	}
	return append(append(head, tail[:first]...), after...)
}

func numbered(x *talk) (n int) {
	for _, c := range x.plain {
		if bytes.Contains(c.Data, []byte("number ")) {
			n++
		}
	}
	return n
}

// holeSuites has one suite of every kind that a search deals with in its own
// way.
func holeSuites() []string {
	return []string{
		"aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com",
		"aes128-ctr+hmac-sha2-256-etm@openssh.com", "aes256-ctr+hmac-sha1",
		"aes128-cbc+hmac-sha2-512-etm@openssh.com", "aes256-cbc+hmac-sha2-256",
	}
}

func TestHoles(t *testing.T) {
	tests := []struct {
		name                    string
		packets, size           int
		segment, first, missing int
		known                   bool
		lost                    int // packets that the hole takes or touches, at most
	}{
		{"one small packet", 20, 0, 1448, 0, 0, true, 0},
		{"a segment of small packets", 300, 10, 1448, 3, 1, true, 30},
		{"a segment within a large packet", 8, 30000, 1448, 50, 1, true, 2},
		{"a large misaligned piece", 10, 30000, 47616, 3, 1, true, 4},
		{"an unknown number of bytes", 10, 30000, 1448, 50, 30, false, 4},
		{"many small packets", 800, 10, 1448, 5, 10, true, 300},
	}
	for _, suite := range holeSuites() {
		for _, test := range tests {
			t.Run(suite+"/"+test.name, func(t *testing.T) {
				x := bulk(t, suite, test.packets, test.size)
				chunks := x.pieces
				if test.missing > 0 {
					chunks = withHole(x, test.segment, test.first, test.missing, test.known)
				}
				s := decode(x, chunks, &x.log)
				all := strings.Join(s.lines, "")
				got := strings.Count(all, `data="number `)
				if strings.Contains(suite, "-ctr") && !test.known {
					if got < 2 || !strings.Contains(all, "an unknown number of bytes is missing, and the cipher aes") {
						t.Errorf("%d packets read: %s", got, s.lines[len(s.lines)-1])
					}
					return
				}
				lost := test.lost
				if strings.Contains(suite, "-cbc") && lost > 0 {
					lost++ // the one behind a hole that goes up to its beginning
				}
				if got < test.packets-lost {
					t.Errorf("%d of %d packets read", got, test.packets)
				}
				if test.missing > 0 && (strings.Count(all, "read again after") != 1 || !strings.Contains(all, "are missing before this")) {
					t.Errorf("the hole is not told of: %s", s.lines[len(s.lines)-1])
				}
				if strings.Contains(all, "error=") {
					t.Errorf("complaints behind a hole:\n%.3000s", all)
				}
				if inner := strings.Join(s.inner, "\n"); test.missing > 0 && strings.Count(inner, "gap -1") != 1 {
					t.Errorf("the inner decoder is not told of the hole: %.2000s", inner)
				}
			})
		}
	}
}

// A hole that holds a key exchange cannot be bridged, and that is said.
func TestHoleWithKeyExchange(t *testing.T) {
	x := bulk(t, "aes128-gcm@openssh.com", 3, 10)
	n := len(x.pieces)
	x.exchange()
	for i := range 200 {
		x.say(c2s, &ssh.ChannelData{Recipient: 9, Data: fmt.Appendf(nil, "number %d", i)})
	}
	chunks := append([]trace.Chunk(nil), x.pieces[:n]...)
	var gaps [2]int64
	for _, c := range x.pieces[n:] {
		switch payload := c; {
		case gaps[c.Dir] < 500:
			gaps[payload.Dir] += int64(len(payload.Data))
			continue
		}
		c.Gap, gaps[c.Dir] = gaps[c.Dir]%1000000, 1000000
		chunks = append(chunks, c)
	}
	s := decode(x, chunks, &x.log)
	all := strings.Join(s.lines, "")
	if !strings.Contains(all, `unread bytes=`) || !strings.Contains(all, "no packet authenticates after missing bytes") {
		t.Errorf("got\n%.3000s", all[max(0, len(all)-3000):])
	}
}

// A byte that was changed loses its packet and no more.
func TestChangedByte(t *testing.T) {
	for _, suite := range suites() {
		x := bulk(t, suite, 30, 1000)
		c := &x.pieces[len(x.pieces)-20]
		c.Data = bytes.Clone(c.Data)
		c.Data[500] ^= 1
		s := decode(x, x.pieces, &x.log)
		all := strings.Join(s.lines, "")
		if n := strings.Count(all, `data="number `); n != 29 {
			t.Errorf("%s: %d of 30 packets read", suite, n)
		}
		if !strings.Contains(all, "does not authenticate") {
			t.Errorf("%s: not told:\n%s", suite, all)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	x := bulk(t, "aes128-gcm@openssh.com", 1, 0)
	d := New(trace.Options{Emit: func(*trace.Message) {}, Secret: x.log.SSH})
	for _, c := range x.pieces {
		d.Feed(c)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	noise := make([]byte, 64<<10)
	random := rand.NewChaCha8([32]byte{1})
	for i := range 300 {
		random.Read(noise)
		c := trace.Chunk{Dir: wire.Dir(i & 1), Data: noise}
		if i%100 < 2 {
			c.Gap = 1000
		}
		d.Feed(c)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("19 MB of noise left %d bytes behind", grown)
	}
	d.Close()
}

// FuzzDecode feeds bytes to both layers, behind a good beginning or without.
func FuzzDecode(f *testing.F) {
	x := bulk(f, "aes128-gcm@openssh.com", 2, 10)
	f.Add([]byte("SSH-2.0-x\r\n"), false)
	f.Add(x.pieces[2].Data, true)
	f.Fuzz(func(t *testing.T, b []byte, begun bool) {
		for _, whole := range []bool{false, true} {
			s := &seen{}
			d := New(trace.Options{Emit: s.emit, Inner: s.open, Secret: x.log.SSH})
			if begun {
				for i, c := range x.pieces {
					if whole {
						c = x.plain[i]
					}
					c.Data = bytes.Clone(c.Data)
					d.Feed(c)
				}
			}
			for i, left := 0, b; len(left) > 1; i++ {
				n := min(int(left[0])+1, len(left)-1)
				c := trace.Chunk{Dir: wire.Dir(i & 1), Data: bytes.Clone(left[1 : 1+n]), Packet: whole}
				if left[0]%16 == 1 {
					c.Gap = int64(left[0])
				}
				d.Feed(c)
				left = left[1+n:]
			}
			d.Close()
		}
	})
}
