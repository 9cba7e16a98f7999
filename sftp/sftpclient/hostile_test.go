package sftpclient_test

import (
	"bytes"
	"errors"
	"runtime"
	"strconv"
	"testing"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpclient"
	"github.com/wirelark/wirelark/wire"
)

// heap collects what is delivered and the largest heap meanwhile.
type heap struct {
	bytes.Buffer
	most uint64
}

func (h *heap) Write(b []byte) (int, error) {
	if h.Len()>>14 != (h.Len()+len(b))>>14 {
		h.most = max(h.most, heapInUse())
	}
	return h.Buffer.Write(b)
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A server that gives one byte at a time does not make the client keep
// hundreds of bytes of memory for each of them.
func TestReadByteByByte(t *testing.T) {
	content := randomBytes(48<<10, 1)
	c := start(t, nil, nil, serve(func(m wire.Message, id uint32) []wire.Message {
		r := m.(*sftp.Read)
		if r.Offset >= uint64(len(content)) {
			return []wire.Message{status(id, sftp.StatusEOF)}
		}
		return []wire.Message{&sftp.Data{ID: id, Data: content[r.Offset:][:1]}}
	}))
	f, err := c.Open(t.Context(), "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got heap
	got.Grow(len(content))
	before := heapInUse()
	if n, err := f.ReadTo(t.Context(), &got, int64(len(content))); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("ReadTo = %d, %v", n, err)
	}
	if grown := int64(got.most) - int64(before); grown > 4<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// A directory without end is not collected without end.
func TestReadDirEndless(t *testing.T) {
	n := 0
	c := start(t, &sftpclient.Config{MaxListing: 1 << 20}, nil, serve(func(_ wire.Message, id uint32) []wire.Message {
		m := &sftp.Name{ID: id}
		for range 100 {
			n++
			m.Names = append(m.Names, sftp.NameEntry{Filename: strconv.Itoa(n), Longname: "x"})
		}
		return []wire.Message{m}
	}))
	list, err := c.ReadDir(t.Context(), "/d")
	var many *sftpclient.ListingError
	if !errors.As(err, &many) || many.Entries != len(list) || len(list) < 3000 || len(list) > 1<<20/256 {
		t.Errorf("ReadDir = %d entries, %v", len(list), err)
	}
	seen := 0
	for _, err := range c.ReadDirSeq(t.Context(), "/d") {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 10_000 {
			break
		}
	}
	if seen != 10_000 {
		t.Errorf("ReadDirSeq ended after %d entries", seen)
	}
}
