package capture_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
)

// copyAll writes every block of a pcapng file to a new one. It returns the
// copy and the error that ended the reading, nil for io.EOF.
func copyAll(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := capture.NewWriter(&out, nil)
	d, err := capture.NewReader(bytes.NewReader(b))
	for err == nil {
		var item capture.Item
		if item, err = d.Next(); err == nil {
			err = w.WriteBlock(item.Raw())
		}
	}
	if err == io.EOF {
		err = nil
	}
	err = errors.Join(err, w.Flush())
	return out.Bytes(), err
}

func TestCopyKeepsEveryByte(t *testing.T) {
	for _, o := range orders {
		b := mixed(o.order).b
		if got, err := copyAll(b); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s: the copy has %d bytes and error %v, want the %d bytes of the file", o.name, len(got), err, len(b))
		}
	}
}

func TestWriteAndReadBack(t *testing.T) {
	var b bytes.Buffer
	w := capture.NewWriter(&b, &capture.WriterConfig{Hardware: "h", OS: "o", Application: "a", Comments: []string{"c", "d"}})
	at := time.Date(2026, 11, 22, 1, 2, 3, 123456789, time.FixedZone("", 3600))
	steps := []func() error{
		func() error {
			_, err := w.AddInterface(capture.Interface{Name: "wire", Description: "what was sent", Link: capture.LinkRaw, Snaplen: 9, Filter: "tcp", OS: "x", Comments: []string{"e"}})
			return err
		},
		func() error { return w.WriteFrame(&capture.Frame{Time: at, Data: []byte("abcde"), Len: 100}) },
		func() error {
			n, err := w.AddInterface(capture.Interface{Name: "inner:1", Link: capture.LinkUpperPDU})
			if n != 1 {
				t.Errorf("the second interface is %d, want 1", n)
			}
			return err
		},
		func() error { return w.WriteSecrets(capture.SecretsTLS, []byte("key")) },
		func() error {
			return w.WriteFrame(&capture.Frame{Interface: 1, Data: []byte("fgh"), Flags: capture.FrameOutbound, Comments: []string{"x", "yz"}})
		},
		func() error {
			return w.WriteBlock(&capture.Block{Type: 77, Order: binary.LittleEndian, Body: []byte("abcdefgh")})
		},
		w.Flush,
	}
	for i, step := range steps {
		if err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	got, err := readAll(&b)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, []string{
		`section 0 hardware "h" os "o" application "a" comments ["c" "d"]`,
		`interface 0 section 0 RAW snaplen 9 "wire" "what was sent" filter "tcp" os "x" comments ["e"]`,
		`frame 1 2026-11-22T00:02:03.123456789Z on 0 RAW "abcde" of 100 flags 0 comments []`,
		`interface 1 section 0 WIRESHARK_UPPER_PDU snaplen 0 "inner:1" "" filter "" os "" comments []`,
		`secrets TLS "key"`,
		`frame 2 1970-01-01T00:00:00Z on 1 WIRESHARK_UPPER_PDU "fgh" of 3 flags 2 comments ["x" "yz"]`,
		`0x4d block, 8 bytes`,
	})
}

func TestWriterRefuses(t *testing.T) {
	var b bytes.Buffer
	w := capture.NewWriter(&b, nil)
	if _, err := w.AddInterface(capture.Interface{}); err != nil {
		t.Fatal(err)
	}
	big := capture.Block{Type: 99, Order: binary.BigEndian}
	for _, row := range []struct {
		name string
		err  error
		want error
	}{
		{"frame without interface", w.WriteFrame(&capture.Frame{Interface: 1}), capture.ErrInterface},
		{"frame too long", w.WriteFrame(&capture.Frame{Data: make([]byte, capture.MaxBlock)}), capture.ErrLimit},
		{"frame before 1970", w.WriteFrame(&capture.Frame{Time: time.Unix(-1, 0)}), capture.ErrTime},
		{"frame too late", w.WriteFrame(&capture.Frame{Time: time.Unix(1<<40, 0)}), capture.ErrTime},
		{"secrets too long", w.WriteSecrets(1, make([]byte, capture.MaxBlock)), capture.ErrLimit},
		{"other byte order", w.WriteBlock(&big), capture.ErrByteOrder},
		{"body not in words", w.WriteBlock(&capture.Block{Type: 99, Order: binary.LittleEndian, Body: []byte("abc")}), capture.ErrLength},
		{"section without its magic", w.WriteBlock(&capture.Block{Type: capture.BlockSection, Order: binary.LittleEndian, Body: make([]byte, 16)}), capture.ErrLength},
	} {
		if !errors.Is(row.err, row.want) {
			t.Errorf("%s: error = %v, want %v", row.name, row.err, row.want)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(&b); err != nil || len(got) != 2 {
		t.Errorf("the file has %q and error %v, want a section and an interface", got, err)
	}
	full := errors.New("disk full")
	w = capture.NewWriter(failing{full}, nil)
	if err := w.Flush(); !errors.Is(err, full) {
		t.Errorf("Flush = %v, want %v", err, full)
	}
	if err := w.WriteSecrets(1, make([]byte, 1<<20)); !errors.Is(err, full) {
		t.Errorf("writing after an error = %v, want %v", err, full)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestPcapWriter(t *testing.T) {
	b := pcapOf(t, 2, 5)
	got, err := readAll(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, []string{
		`frame 1 1970-01-01T00:00:00.000000005Z on 0 ETHERNET "\x00\x00\x00\x00\x00" of 5 flags 0 comments []`,
		`frame 2 1970-01-01T00:00:01.000000005Z on 0 ETHERNET "\x00\x00\x00\x00\x00" of 5 flags 0 comments []`,
	})
	w := capture.NewPcapWriter(io.Discard, capture.LinkRaw, 0)
	if err := w.WriteFrame(&capture.Frame{Time: time.Unix(1<<32, 0)}); !errors.Is(err, capture.ErrTime) {
		t.Errorf("a time beyond 32 bits: error = %v, want %v", err, capture.ErrTime)
	}
	if err := w.WriteFrame(&capture.Frame{Data: make([]byte, capture.MaxBlock)}); !errors.Is(err, capture.ErrLimit) {
		t.Errorf("a frame too long: error = %v, want %v", err, capture.ErrLimit)
	}
}

func FuzzReader(f *testing.F) {
	for _, o := range orders {
		f.Add(mixed(o.order).b)
		f.Add(pcapFile(o.order, 0xa1b2c3d4).b)
		f.Add(pcapFile(o.order, 0xa1b23c4d).b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readAll(bytes.NewReader(b)); err != nil {
			var fe *capture.FormatError
			if !errors.As(err, &fe) && !truncated(err) {
				t.Fatalf("error %v is neither a FormatError nor a TruncatedError", err)
			}
			return
		}
		d, err := capture.NewReader(bytes.NewReader(b))
		if err != nil || d.Format() != capture.FormatPcapng {
			return
		}
		if out, err := copyAll(b); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("the copy of a whole file differs: error %v\n got %x\nwant %x", err, out, b)
		}
	})
}
