package see_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/see"
	"github.com/wirelark/wirelark/trace"
)

// crowd writes a capture in which n clients say the same.
func crowd(t *testing.T, n int, says ...string) []byte {
	var b bytes.Buffer
	w := capture.NewPcapWriter(&b, capture.LinkRaw, 0)
	server := netip.MustParseAddrPort("10.0.0.2:22")
	for i := range n {
		client := netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(1024+i))
		seq, flags := uint32(0), link.SYN
		for _, s := range append([]string{""}, says...) {
			ip, err := link.AppendTCP(nil, client, server, &link.TCP{Seq: seq, Flags: flags, Payload: []byte(s)})
			if err != nil {
				t.Fatal(err)
			}
			seq += uint32(len(s))
			if flags == link.SYN {
				seq, flags = 1, link.ACK
			}
			if err := w.WriteFrame(&capture.Frame{Data: ip}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Thousands of conversations that each begin a large packet do not fill the
// memory.
func TestManyIncompleteConversations(t *testing.T) {
	large := "\x00\x03\xff\xfc\x04" + strings.Repeat("x", 40_000)
	file := crowd(t, 3000, "SSH-2.0-x\r\n", large)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	seen, most, refused := 0, uint64(0), 0
	s, err := see.Read(t.Context(), bytes.NewReader(file), see.Options{Emit: func(m *trace.Message) {
		if seen++; seen%500 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		if m.Name == "unread" && strings.Contains(fmt.Sprint(m.Notes), "hold too much") {
			refused++
		}
	}})
	if err != nil {
		t.Error(err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if n := s.Remarks["directions are given up: all together hold or search too much"]; refused == 0 || n != refused {
		t.Errorf("%d directions are told to be given up, %d in the summary", refused, n)
	}
}
