package wire_test

import (
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
