package interop

import (
	"os"
	"path/filepath"
	"testing"
)

// Users log in with a certificate that sshd trusts the maker of, as ssh does:
// the one beside the key, the one that CertificateFile names, with the key in a
// file or in the agent.
func TestUserCertificate(t *testing.T) {
	ca, user := newIdentity(t, "ed25519"), newIdentity(t, "rsa")
	s := startSSHD(t, "TrustedUserCAKeys "+ca.public)
	keygen := program(t, "WIRELARK_SSH_KEYGEN", "ssh-keygen")
	if _, status := output(t, command(t, keygen, "-q", "-s", ca.private, "-I", "interop", "-n", s.user, "-V", "-5m:+1h", user.public)); status != 0 {
		t.Fatalf("ssh-keygen ends with status %d", status)
	}
	cert := user.private + "-cert.pub"
	elsewhere := filepath.Join(t.TempDir(), "cert.pub")
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(elsewhere, b, 0o600); err != nil {
		t.Fatal(err)
	}
	known := *s
	known.key = user.private
	run := func(t *testing.T, want int, env []string, more ...string) {
		t.Helper()
		cmd := wirelark(t, append(append([]string{"ssh"}, known.reach("p", more...)...), s.dest(), "true")...)
		cmd.Env = append(cmd.Env, env...)
		if _, status := output(t, cmd); status != want {
			t.Errorf("ssh ends with status %d, want %d", status, want)
		}
	}
	t.Run("beside the key", func(t *testing.T) { run(t, 0, nil) })
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	t.Run("without", func(t *testing.T) { run(t, 255, nil) })
	t.Run("CertificateFile", func(t *testing.T) { run(t, 0, nil, "-o", "CertificateFile="+elsewhere) })
	sock := startAgent(t, user.private)
	known.key = user.public
	t.Run("the key in the agent", func(t *testing.T) {
		run(t, 0, []string{"SSH_AUTH_SOCK=" + sock}, "-o", "CertificateFile="+elsewhere)
	})
}
