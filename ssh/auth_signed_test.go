package ssh

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func TestSignedDataFollowsRFC4252(t *testing.T) {
	m := &UserAuthRequest{
		User: "ada", Service: ServiceConnection, Method: MethodPublicKey,
		Algorithm: "ssh-ed25519", Key: []byte{1, 2, 3}, Signature: []byte("ignored"),
	}
	got, err := m.SignedData([]byte{0xaa, 0xbb})
	if err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.Join(strings.Fields(`
		00000002 aabb
		32
		00000003 616461
		0000000e 7373682d636f6e6e656374696f6e
		00000009 7075626c69636b6579
		01
		0000000b 7373682d65643235353139
		00000003 010203`), ""))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("SignedData = %x, want %x", got, want)
	}
	if m.HasSignature || string(m.Signature) != "ignored" {
		t.Errorf("SignedData changed the message: %+v", m)
	}
}
