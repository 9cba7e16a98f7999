package ssh

import (
	"errors"
	"strings"
	"testing"
)

func offerOf(kex, host, cipher, mac, compression string) *KexInit {
	split := func(s string) []string {
		if s == "" {
			return nil
		}
		return strings.Split(s, ",")
	}
	return &KexInit{
		KexAlgorithms: split(kex), ServerHostKeyAlgorithms: split(host),
		CiphersC2S: split(cipher), CiphersS2C: split(cipher),
		MACsC2S: split(mac), MACsS2C: split(mac),
		CompressionC2S: split(compression), CompressionS2C: split(compression),
	}
}

func TestNegotiate(t *testing.T) {
	const gcm = "aes128-gcm@openssh.com"
	tests := []struct {
		name           string
		client, server *KexInit
		want           Algorithms
		lacks          string // Kind of the error
	}{
		{
			name:   "the client's order wins",
			client: offerOf("k1,k2", "h1,h2", "c1,c2", "m1,m2", "none,zlib"),
			server: offerOf("k2,k1", "h2,h1", "c2,c1", "m2,m1", "zlib,none"),
			want: Algorithms{
				"k1", "h1", DirectionAlgorithms{"c1", "m1", "none"}, DirectionAlgorithms{"c1", "m1", "none"},
			},
		},
		{
			name:   "no MAC with an authenticating cipher",
			client: offerOf("k", "h", gcm, "m1", "none"),
			server: offerOf("k", "h", gcm, "m2", "none"),
			want:   Algorithms{"k", "h", DirectionAlgorithms{gcm, "", "none"}, DirectionAlgorithms{gcm, "", "none"}},
		},
		{
			name:   "a marker is no key exchange",
			client: offerOf(MarkerExtInfoClient+",k1", "h", gcm, "", "none"),
			server: offerOf(MarkerExtInfoClient+",k2", "h", gcm, "", "none"),
			lacks:  "key exchange",
		},
		{name: "host key", client: offerOf("k", "h1", gcm, "", "none"), server: offerOf("k", "h2", gcm, "", "none"), lacks: "host key"},
		{name: "cipher", client: offerOf("k", "h", "c1", "", "none"), server: offerOf("k", "h", "c2", "", "none"), lacks: "cipher c2s"},
		{name: "MAC", client: offerOf("k", "h", "c", "m1", "none"), server: offerOf("k", "h", "c", "m2", "none"), lacks: "MAC c2s"},
		{name: "compression", client: offerOf("k", "h", gcm, "", ""), server: offerOf("k", "h", gcm, "", "none"), lacks: "compression c2s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Negotiate(test.client, test.server)
			if test.lacks == "" {
				if got != test.want || err != nil {
					t.Errorf("Negotiate = %+v, %v, want %+v", got, err, test.want)
				}
				return
			}
			e, ok := errors.AsType[*NegotiationError](err)
			if !ok || e.Kind != test.lacks {
				t.Errorf("Negotiate = %+v, %v, want an error about %s", got, err, test.lacks)
			}
			if got != (Algorithms{}) {
				t.Errorf("with the error came %+v", got)
			}
		})
	}
}

func TestStrictKexAndGuess(t *testing.T) {
	client := offerOf("k1,"+MarkerStrictClient, "h1", "", "", "")
	server := offerOf("k1,"+MarkerStrictServer, "h1", "", "", "")
	if !StrictKex(client, server) || StrictKex(server, client) {
		t.Error("StrictKex does not want each marker from its own side")
	}
	if !GuessedRight(client, server) {
		t.Error("GuessedRight = false for the same first choices")
	}
	for _, other := range []*KexInit{offerOf("k2,k1", "h1", "", "", ""), offerOf("k1", "h2,h1", "", "", "")} {
		if GuessedRight(client, other) {
			t.Errorf("GuessedRight = true for %v %v", other.KexAlgorithms, other.ServerHostKeyAlgorithms)
		}
	}
}
