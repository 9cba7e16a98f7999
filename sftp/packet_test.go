package sftp_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func TestPacketReader(t *testing.T) {
	var stream []byte
	var want [][]byte
	for i, n := range []int{0, 1, 100, 4095, 4096, 70_000, 3} {
		m := &sftp.Write{ID: uint32(i), Handle: []byte("h"), Data: bytes.Repeat([]byte{byte(i)}, n)}
		at := len(stream)
		var err error
		if stream, err = sftp.AppendPacket(stream, m, wire.Dialect{}); err != nil {
			t.Fatal(err)
		}
		want = append(want, stream[at+sftp.LengthSize:])
	}
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(stream), "bytes": iotest.OneByteReader(bytes.NewReader(stream)), "halves": iotest.HalfReader(bytes.NewReader(stream)),
		"end with data": iotest.DataErrReader(bytes.NewReader(stream)),
	} {
		p := sftp.NewPacketReader(r, 0)
		var buf []byte
		for i, w := range want {
			var err error
			if buf, err = p.ReadPacket(buf); err != nil || !bytes.Equal(buf, w) {
				t.Fatalf("%s: packet %d is %d bytes, %v, want %d", name, i, len(buf), err, len(w))
			}
		}
		if _, err := p.ReadPacket(buf); err != io.EOF { //nolint:errorlint // the plain value is promised
			t.Errorf("%s: after the last packet: %v, want io.EOF", name, err)
		}
	}
}

// TestPacketReaderParts reads the head of each packet and skips the rest.
func TestPacketReaderParts(t *testing.T) {
	stream := []byte{0, 0, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 1, 7, 0, 0, 0, 2, 8, 9}
	p := sftp.NewPacketReader(bytes.NewReader(stream), 0)
	for i, want := range []struct {
		n    int
		head byte
	}{{6, 1}, {1, 7}, {2, 8}} {
		n, err := p.Next()
		if err != nil || n != want.n {
			t.Fatalf("Next %d = %d, %v, want %d", i, n, err, want.n)
		}
		var head [1]byte
		if _, err := io.ReadFull(p, head[:]); err != nil || head[0] != want.head || p.Left() != n-1 {
			t.Errorf("packet %d begins with %d, %v, and %d are left", i, head[0], err, p.Left())
		}
	}
}

func TestPacketReaderErrors(t *testing.T) {
	for _, row := range []struct {
		name   string
		stream []byte
		want   error
	}{
		{"nothing", nil, io.EOF},
		{"half a length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"half a packet", []byte{0, 0, 0, 9, 1}, io.ErrUnexpectedEOF},
		{"length alone", []byte{0, 0, 0, 9}, io.ErrUnexpectedEOF},
		{"length 0", []byte{0, 0, 0, 0, 1}, sftp.ErrPacketLength},
		{"one too long", []byte{0, 0, 0, 101}, sftp.ErrPacketLength},
		{"2³¹", []byte{0x80, 0, 0, 0}, sftp.ErrPacketLength},
	} {
		if _, err := sftp.NewPacketReader(bytes.NewReader(row.stream), 100).ReadPacket(nil); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

// TestHeadersAreThoseOfFields: what is built without Fields, for speed, is the
// same bytes.
func TestHeadersAreThoseOfFields(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	want, err := sftp.AppendPacket(nil, &sftp.Data{ID: 0x01020304, Data: data}, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	got := append(make([]byte, sftp.DataHeader), data...)
	sftp.PutDataHeader(got, 0x01020304, len(data))
	if !bytes.Equal(got, want) {
		t.Errorf("PutDataHeader makes\n%x, want\n%x", got, want)
	}
	m := &sftp.Write{ID: 0x01020304, Handle: []byte("handle"), Offset: 1 << 40, Data: data}
	if want, err = sftp.AppendPacket(nil, m, wire.Dialect{}); err != nil {
		t.Fatal(err)
	}
	got = sftp.AppendWriteHeader(nil, m.ID, m.Handle, m.Offset, len(data))
	if len(got) != sftp.WriteHeader(len(m.Handle)) {
		t.Errorf("the header has %d bytes, WriteHeader says %d", len(got), sftp.WriteHeader(len(m.Handle)))
	}
	if got = append(got, data...); !bytes.Equal(got, want) {
		t.Errorf("AppendWriteHeader makes\n%x, want\n%x", got, want)
	}
}

func TestIDs(t *testing.T) {
	for e := range sftp.Messages.All() {
		m := e.New()
		named := e.Number != sftp.NumInit && e.Number != sftp.NumVersion
		if got := sftp.SetID(m, 7); got != named {
			t.Errorf("SetID(%s) = %v, want %v", e.Name, got, named)
		}
		if !named {
			continue
		}
		b, err := sftp.Append(nil, m, wire.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		number, id, ok := sftp.Header(b)
		if got, _ := sftp.ID(m); number != e.Number || id != 7 || !ok || got != 7 {
			t.Errorf("Header of %s = %d, %d, %v; ID %d", e.Name, number, id, ok, got)
		}
		if sftp.IsReply(number) != (e.From == wire.FromServer) {
			t.Errorf("IsReply(%s) = %v", e.Name, sftp.IsReply(number))
		}
	}
}

// TestParseIgnoresExcess: filexfer-13 §4.3, in one place for all.
func TestParseIgnoresExcess(t *testing.T) {
	b, err := sftp.Append(nil, &sftp.Stat{ID: 1, Path: "/a"}, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	var m sftp.Stat
	if err := sftp.Parse(append(b, "more"...), &m, wire.Dialect{}); err != nil || m.Path != "/a" {
		t.Errorf("Parse = %v with %+v", err, m)
	}
	var we *wire.Error
	if err := sftp.Parse(b[:len(b)-1], &m, wire.Dialect{}); !errors.As(err, &we) || we.Field != "path" {
		t.Errorf("Parse of a short packet = %v, want an error about the field path", err)
	}
}

// TestAllocations: reading and writing file data costs none for each packet.
func TestAllocations(t *testing.T) {
	data := make([]byte, sftp.SafeData)
	w := &sftp.Write{ID: 1, Handle: []byte("12345678"), Data: data}
	r := &sftp.Read{ID: 1, Handle: []byte("12345678"), Length: sftp.SafeData}
	buf := make([]byte, 0, 64<<10)
	stream, err := sftp.AppendPacket(nil, w, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	source := &endless{b: stream}
	p := sftp.NewPacketReader(source, 0)
	in := make([]byte, 0, 64<<10)
	var got sftp.Write
	for name, f := range map[string]func() error{
		"encode WRITE": func() (err error) { buf, err = sftp.AppendPacket(buf[:0], w, wire.Dialect{}); return err },
		"encode READ":  func() (err error) { buf, err = sftp.AppendPacket(buf[:0], r, wire.Dialect{}); return err },
		"read a packet and decode WRITE": func() (err error) {
			if in, err = p.ReadPacket(in); err != nil {
				return err
			}
			return sftp.Parse(in, &got, wire.Dialect{})
		},
	} {
		if n := testing.AllocsPerRun(100, func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// endless repeats a stream.
type endless struct {
	b  []byte
	at int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.b[e.at:])
	e.at = (e.at + n) % len(e.b)
	return n, nil
}
