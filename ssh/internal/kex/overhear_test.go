package kex

import (
	"bytes"
	"testing"
)

func TestOverhear(t *testing.T) {
	for _, m := range Methods() {
		c, first := start(t, m)
		s := m.NewServer()
		_, want, err := s.Next(first)
		if err != nil {
			t.Fatal(err)
		}
		reply := s.Reply([]byte("key"), []byte("sig"))
		init := c.Start()
		secrets := [][]byte{want.LogSecret()}
		if b := want.LogSecret(); len(b) > 0 && b[0] == 0 {
			secrets = append(secrets, b[1:]) // Wireshark takes it without the sign too
		}
		for _, secret := range secrets {
			got := m.Overhear(init, reply, secret)
			if !bytes.Equal(got.K, want.K) || !bytes.Equal(got.Public, want.Public) || string(got.HostKey) != "key" {
				t.Errorf("%s: Overhear = %+v, want %+v", m.Name, got, want)
			}
		}
	}
}
