package ssh

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/wire"
)

// Every number in every state and both directions: which message it is and
// which rule forbids it there. The table is testdata/numbers.txt.
func TestEveryNumberInEveryState(t *testing.T) {
	const curve = "curve25519-sha256"
	lenient := func(m *KexInit) *KexInit { m.KexAlgorithms = []string{curve}; return m }
	states := []struct {
		name  string
		steps []step
	}{
		{"the beginning", nil},
		{"client's KEXINIT", good(c2s, clientInit(curve))},
		{"both KEXINITs, strict", good(c2s, clientInit(curve), s2c, serverInit(curve))},
		{"both KEXINITs, not strict", good(c2s, lenient(clientInit(curve)), s2c, lenient(serverInit(curve)))},
		{"key exchange complete", good(c2s, clientInit(curve), s2c, serverInit(curve), c2s, &KexECDHInit{}, s2c, &KexECDHReply{})},
		{"group exchange", good(c2s, clientInit("diffie-hellman-group-exchange-sha256"), s2c, serverInit("diffie-hellman-group-exchange-sha256"))},
		{"keys", keys(curve)},
		{"service requested", append(keys(curve), good(c2s, &ServiceRequest{Service: ServiceUserAuth})...)},
		{"key offered", append(keys(curve), good(c2s, &ServiceRequest{Service: ServiceUserAuth}, c2s, &UserAuthRequest{Method: MethodPublicKey})...)},
		{"password sent", append(keys(curve), good(c2s, &ServiceRequest{Service: ServiceUserAuth}, c2s, &UserAuthRequest{Method: MethodPassword})...)},
		{"asked", append(keys(curve), good(c2s, &ServiceRequest{Service: ServiceUserAuth}, c2s, &UserAuthRequest{Method: MethodKbdInt}, s2c, &UserAuthInfoRequest{})...)},
		{"authenticated", authenticated()},
		{"rekeying, client first", append(authenticated(), good(c2s, clientInit(curve))...)},
		{"rekeying, both", append(authenticated(), good(c2s, clientInit(curve), s2c, serverInit(curve))...)},
		{"disconnected by the client", append(authenticated(), good(c2s, &Disconnect{})...)},
	}
	var b strings.Builder
	for _, s := range states {
		for _, dir := range []wire.Dir{c2s, s2c} {
			f := new(Flow)
			play(t, f, s.steps...)
			fmt.Fprintf(&b, "# %s, %v\n", s.name, dir)
			for from := 0; from < 256; {
				what, to := verdict(t, f, dir, from), from
				for to < 255 && verdict(t, f, dir, to+1) == what {
					to++
				}
				fmt.Fprintf(&b, "%d-%d %s\n", from, to, what)
				from = to + 1
			}
		}
	}
	testkit.Golden(t, "numbers.txt", []byte(b.String()))
}

func verdict(t *testing.T, f *Flow, dir wire.Dir, n int) string {
	t.Helper()
	m, e, err := f.Next(dir, []byte{byte(n)})
	if m == nil {
		t.Fatalf("no message for %d", n)
	}
	name := "-"
	if e != nil {
		name = e.Name
	}
	if err == nil {
		return name + " ok"
	}
	broken, ok := errors.AsType[*FlowError](err)
	if !ok {
		t.Fatalf("%d: %v is no *FlowError", n, err)
	}
	return fmt.Sprintf("%s: %s (%s)", name, broken.Rule, broken.Section)
}
