package capture_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/wirelark/wirelark/capture"
)

// file builds capture files by hand, so that the reader is not only tried on
// what the writer makes.
type file struct {
	b     []byte
	order binary.AppendByteOrder
}

func (f *file) u16(v ...uint16) *file {
	for _, x := range v {
		f.b = f.order.AppendUint16(f.b, x)
	}
	return f
}

func (f *file) u32(v ...uint32) *file {
	for _, x := range v {
		f.b = f.order.AppendUint32(f.b, x)
	}
	return f
}

func (f *file) text(s string) *file {
	f.b = append(f.b, s...)
	return f
}

// block appends a pcapng block around what body appends.
func (f *file) block(kind uint32, body func()) *file {
	start := len(f.b)
	f.u32(kind, 0)
	body()
	for len(f.b)%4 != 0 {
		f.b = append(f.b, 0)
	}
	n := uint32(len(f.b) - start + 4)
	f.u32(n)
	copy(f.b[start+4:], f.order.AppendUint32(nil, n))
	return f
}

func (f *file) section(options ...func()) *file {
	return f.block(0x0a0d0d0a, func() {
		f.u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff)
		for _, o := range options {
			o()
		}
	})
}

func (f *file) iface(link uint16, snaplen uint32, options ...func()) *file {
	return f.block(1, func() {
		f.u16(link, 0).u32(snaplen)
		for _, o := range options {
			o()
		}
	})
}

// option returns a function that appends an option.
func (f *file) option(code uint16, value string) func() {
	return func() {
		f.u16(code, uint16(len(value))).text(value)
		for len(f.b)%4 != 0 {
			f.b = append(f.b, 0)
		}
	}
}

func (f *file) packet(iface uint32, ts uint64, data string, length uint32, options ...func()) *file {
	return f.block(6, func() {
		f.u32(iface, uint32(ts>>32), uint32(ts), uint32(len(data)), length).text(data)
		for len(f.b)%4 != 0 {
			f.b = append(f.b, 0)
		}
		for _, o := range options {
			o()
		}
	})
}

var orders = []struct {
	name  string
	order binary.AppendByteOrder
}{{"little-endian", binary.LittleEndian}, {"big-endian", binary.BigEndian}}

// mixed is a pcapng file with a block of every kind, in two sections of the
// given byte order and the other one.
func mixed(order binary.AppendByteOrder) *file {
	f := &file{order: order}
	f.section(f.option(1, "made by hand"), f.option(2, "toaster"), f.option(3, "plan 9"), f.option(4, "ed"), f.option(0, ""))
	f.iface(1, 96, f.option(2, "eth0"), f.option(3, "the first"), f.option(11, "\x00tcp port 22"), f.option(12, "Linux"), f.option(0, ""))
	nano := f.option(9, "\x09")
	f.iface(101, 0, nano, f.option(1, "raw"))
	f.block(0x0a, func() { f.u32(0x5353484b, 6).text("secret") })
	f.packet(0, 1_600_000_000_123_456, "abcde", 1500, f.option(1, "first"), f.option(2, string(f.order.AppendUint32(nil, 2))), f.option(1, "second"))
	f.packet(1, 1_600_000_000_123_456_789, "raw!", 4)
	f.block(4, func() { f.u16(1, 8).text("\x7f\x00\x00\x01abc\x00").u32(0) })
	f.block(3, func() { f.u32(3).text("spb") })
	f.block(2, func() { f.u16(1, 7).u32(0, 5_000_000, 2, 2).text("pb") })
	f.block(5, func() { f.u32(0, 0, 0) })
	f.block(0x80001234, func() { f.text("unknown") })
	f.block(0xbad, func() { f.u32(32473).text("custom") })
	if f.order == binary.AppendByteOrder(binary.LittleEndian) {
		f.order = binary.BigEndian
	} else {
		f.order = binary.LittleEndian
	}
	f.section()
	f.iface(0, 0)
	f.packet(0, 1, "two", 3)
	return f
}

var mixedWant = []string{
	`section 0 hardware "toaster" os "plan 9" application "ed" comments ["made by hand"]`,
	`interface 0 section 0 ETHERNET snaplen 96 "eth0" "the first" filter "tcp port 22" os "Linux" comments []`,
	`interface 1 section 0 RAW snaplen 0 "" "" filter "" os "" comments ["raw"]`,
	`secrets SSH "secret"`,
	`frame 1 2020-09-13T12:26:40.123456Z on 0 ETHERNET "abcde" of 1500 flags 2 comments ["first" "second"]`,
	`frame 2 2020-09-13T12:26:40.123456789Z on 1 RAW "raw!" of 4 flags 0 comments []`,
	`name resolution block, 16 bytes`,
	`frame 3 no time on 0 ETHERNET "spb" of 3 flags 0 comments []`,
	`frame 4 1970-01-01T00:00:00.005Z on 1 RAW "pb" of 2 flags 0 comments []`,
	`interface statistics block, 12 bytes`,
	`0x80001234 block, 8 bytes`,
	`0xbad block, 12 bytes`,
	`section 1 hardware "" os "" application "" comments []`,
	`interface 2 section 1 NULL snaplen 0 "" "" filter "" os "" comments []`,
	`frame 5 1970-01-01T00:00:00.000001Z on 2 NULL "two" of 3 flags 0 comments []`,
}

// show writes an item as a line.
func show(item capture.Item) string {
	switch x := item.(type) {
	case *capture.Frame:
		at := "no time"
		if !x.Time.IsZero() {
			at = x.Time.Format(time.RFC3339Nano)
		}
		return fmt.Sprintf("frame %d %s on %d %s %q of %d flags %d comments %q", x.N, at, x.Interface, x.Link, x.Data, x.Len, x.Flags, x.Comments)
	case *capture.Secrets:
		return fmt.Sprintf("secrets %s %q", x.Type, x.Data)
	case *capture.Interface:
		return fmt.Sprintf("interface %d section %d %s snaplen %d %q %q filter %q os %q comments %q",
			x.Index, x.Section, x.Link, x.Snaplen, x.Name, x.Description, x.Filter, x.OS, x.Comments)
	case *capture.Section:
		return fmt.Sprintf("section %d hardware %q os %q application %q comments %q", x.Index, x.Hardware, x.OS, x.Application, x.Comments)
	case *capture.Block:
		return fmt.Sprintf("%s block, %d bytes", x.Type, len(x.Body))
	}
	return fmt.Sprintf("%T", item)
}

// readAll returns all items of a file as lines, and the error that ended it,
// nil for io.EOF.
func readAll(r io.Reader) ([]string, error) {
	d, err := capture.NewReader(r)
	if err != nil {
		return nil, err
	}
	var lines []string
	for {
		item, err := d.Next()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		lines = append(lines, show(item))
	}
}

// same compares two lists of lines.
func same(t *testing.T, got, want []string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got\n%s\nwant\n%s", g, w)
	}
}

// pcapFile is a pcap file with two records.
func pcapFile(order binary.AppendByteOrder, magic uint32) *file {
	f := &file{order: order}
	f.u32(magic).u16(2, 4).u32(0, 0, 65535, 0xf0000000|1)
	f.u32(1_600_000_000, 123_456, 3, 60).text("abc")
	f.u32(1_600_000_001, 999_999, 0, 0)
	return f
}

func truncated(err error) bool {
	var e *capture.TruncatedError
	return errors.As(err, &e) && errors.Is(err, io.ErrUnexpectedEOF) && e.Have < e.Want
}
