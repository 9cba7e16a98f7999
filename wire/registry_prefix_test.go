package wire_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/wirelark/wirelark/wire"
)

type prefixMessage struct{ V uint32 }

func (m *prefixMessage) Fields(c *wire.Coder) { c.U32("v", &m.V) }

func TestRegistryParsePrefixIgnoresExcess(t *testing.T) {
	r := wire.NewRegistry("test", wire.Entry{Number: 7, Name: "TEST", New: wire.New[prefixMessage]})
	var m prefixMessage
	n, err := r.ParsePrefix([]byte{7, 0, 0, 0, 5, 0xff, 0xff}, &m, wire.Dialect{})
	if n != 5 || err != nil || m.V != 5 {
		t.Errorf("ParsePrefix = %d, %v with v %d, want 5, nil with v 5", n, err, m.V)
	}
	if _, err = r.ParsePrefix([]byte{7, 0, 0}, &m, wire.Dialect{}); err == nil {
		t.Error("ParsePrefix of a short packet succeeded")
	}
	if _, err = r.ParsePrefix(nil, &m, wire.Dialect{}); err == nil {
		t.Error("ParsePrefix of an empty packet succeeded")
	}
}

func TestRegistryBareMessagesHaveNoNumber(t *testing.T) {
	r := wire.NewRegistry("test", wire.Entry{Context: "row", Bare: true, Name: "ROW", New: wire.New[prefixMessage]})
	packet, err := r.Append(nil, &prefixMessage{V: 5}, wire.Dialect{})
	if want := []byte{0, 0, 0, 5}; err != nil || !bytes.Equal(packet, want) {
		t.Fatalf("Append = %x, %v, want %x", packet, err, want)
	}
	var m prefixMessage
	if err := r.Parse(packet, &m, wire.Dialect{}); err != nil || m.V != 5 {
		t.Errorf("Parse = %v with v %d, want 5", err, m.V)
	}
	fields, err := r.Describe(packet, &m, wire.Dialect{})
	if err != nil || len(fields) != 1 || fields[0].Off != 0 {
		t.Errorf("Describe = %+v, %v, want the one field v", fields, err)
	}
	var we *wire.Error
	if err := r.Parse(nil, &m, wire.Dialect{}); !errors.As(err, &we) || we.Field != "v" || we.Message != "ROW" {
		t.Errorf("Parse of nothing = %v, want ROW: v", err)
	}
}
