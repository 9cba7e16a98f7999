package interop

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/join"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/sshclient"
	"github.com/wirelark/wirelark/ssh/transport"
)

var matrixFile = flag.String("matrix", "", "write the matrix of TestMatrix to this file")

// matrixBytes is how much goes each way in every cell about bulk.
const matrixBytes = 20 << 20

// row is one peer in one role.
type row struct {
	peer, version, role string
	place               *place

	cells map[string]string // by column
	used  map[string]bool   // algorithms that carried a command
}

// The columns, and what stands in them.
const (
	colExec   = "login, command, status"
	colBulk   = "20 MiB each way, rekey by us"
	colTheirs = "20 MiB each way, rekey by peer"
	colFiles  = "SFTP put and get"
	colAll    = "every common algorithm"
	colAsk    = "keyboard-interactive"

	cellYes     = "yes"
	cellNo      = "FAILED"
	cellAbsent  = "peer absent"
	cellCannot  = "n/a" // the peer has no such thing
	cellBreaks  = "without rekey (1)"
	cellNoRekey = "n/a (1)"
	cellHome    = "n/a (2)"
	cellAnswers = "n/a (3)"
	needKeysets = matrixBytes / rekeyBytes / 2
)

var columns = []string{colExec, colBulk, colTheirs, colFiles, colAll, colAsk}

// step fills one cell by a subtest.
func (r *row) step(t *testing.T, column string, can bool, f func(t *testing.T)) {
	t.Helper()
	switch {
	case can && column == colTheirs && r.peer == "paramiko":
		r.cells[column] = cellAnswers
		return
	case column == colTheirs && r.breaksRekey():
		r.cells[column] = cellNoRekey
		return
	case !can:
		r.cells[column] = cellCannot
		return
	}
	skipped := false
	ok := t.Run(column, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		f(t)
	})
	switch {
	case skipped:
		r.cells[column] = cellAbsent
	case ok && column == colBulk && r.breaksRekey():
		r.cells[column] = cellBreaks
	case ok:
		r.cells[column] = cellYes
	default:
		r.cells[column] = cellNo
	}
}

// breaksRekey tells that the peer goes on sending channel data during its key
// exchanges, against RFC 4253 §7.1, which ends the connection: asyncssh 2.10 does.
func (r *row) breaksRekey() bool { return strings.HasPrefix(r.version, "AsyncSSH_2.10.") }

// short is the peer's name and version.
func (r *row) short() string {
	v, _, _ := strings.Cut(r.version, " ")
	if v == "Go" {
		return r.peer
	}
	return strings.ReplaceAll(strings.Replace(v, "Release_", "", 1), "_", " ")
}

// note keeps which algorithms a connection used.
func (r *row) note(st transport.State, user string) {
	a := st.Algorithms
	for _, name := range []string{a.Kex, "host " + a.HostKey, a.C2S.Cipher, a.S2C.Cipher, a.C2S.MAC, a.S2C.MAC, "user " + user} {
		if name != "" {
			r.used[name] = true
		}
	}
	r.version = strings.TrimPrefix(st.PeerVersion, "SSH-2.0-")
}

// suite is what one connection of the algorithm cells is confined to.
type suite struct {
	transport.Algorithms
	user string
}

// suites covers what our defaults and the peer's offer have in common, each
// algorithm at least once.
func suites(theirs *ssh.KexInit) []suite {
	ours := transport.Defaults()
	common := func(ours, theirs []string) (out []string) {
		for _, name := range ours {
			if slices.Contains(theirs, name) {
				out = append(out, name)
			}
		}
		return out
	}
	kex, hosts := common(ours.Kex, theirs.KexAlgorithms), common(ours.HostKeys, theirs.ServerHostKeyAlgorithms)
	ciphers, macs := common(ours.Ciphers, theirs.CiphersC2S), common(ours.MACs, theirs.MACsC2S)
	var pairs [][2]string // cipher and MAC
	plain := slices.DeleteFunc(slices.Clone(ciphers), ssh.IsAEAD)
	for i := range max(len(plain), len(macs)) {
		if len(plain) > 0 && len(macs) > 0 {
			pairs = append(pairs, [2]string{plain[i%len(plain)], macs[i%len(macs)]})
		}
	}
	for _, c := range ciphers {
		if ssh.IsAEAD(c) {
			pairs = append(pairs, [2]string{c, ours.MACs[0]})
		}
	}
	if len(kex) == 0 || len(hosts) == 0 || len(pairs) == 0 {
		return nil
	}
	var all []suite
	for i := range max(len(kex), len(hosts), len(pairs)) {
		p := pairs[i%len(pairs)]
		all = append(all, suite{transport.Algorithms{
			Kex: kex[i%len(kex):][:1], HostKeys: hosts[i%len(hosts):][:1], Ciphers: p[:1], MACs: p[1:],
		}, userKinds[i%len(userKinds)]})
	}
	return all
}

func (s suite) check(t *testing.T, st transport.State) {
	t.Helper()
	a := st.Algorithms
	if a.Kex != s.Kex[0] || a.HostKey != s.HostKeys[0] || a.C2S.Cipher != s.Ciphers[0] || a.S2C.Cipher != s.Ciphers[0] {
		t.Errorf("negotiated %+v, want %+v", a, s.Algorithms)
	}
	if !ssh.IsAEAD(a.C2S.Cipher) && (a.C2S.MAC != s.MACs[0] || a.S2C.MAC != s.MACs[0]) {
		t.Errorf("negotiated %+v, want %+v", a, s.Algorithms)
	}
}

func (s suite) String() string {
	return strings.Join([]string{s.Kex[0], s.HostKeys[0], s.Ciphers[0], s.MACs[0], s.user}, " ")
}

// asClient fills the row of a peer that is a client of our server.
func (r *row) asClient(t *testing.T, p clientPeer) {
	var tr offers
	r.step(t, colExec, p.exec != nil, func(t *testing.T) {
		h := newHost(t, transport.Config{Trace: &tr})
		var out bytes.Buffer
		status := p.exec(t, visit{r.place, h, "ed25519", false}, "tr a-z A-Z; exit 7", strings.NewReader("chirp"), &out)
		r.note(h.last(t), "ed25519")
		if out.String() != "CHIRP" || status != 7 {
			t.Errorf("the command says %q with status %d, want CHIRP with 7", out.String(), status)
		}
	})
	bulkCell := func(ours bool) func(t *testing.T) {
		return func(t *testing.T) {
			var tc transport.Config
			if ours && !r.breaksRekey() {
				tc.Rekey.Bytes = rekeyBytes
			}
			h, back := newHost(t, tc), newMeter()
			if status := p.exec(t, visit{r.place, h, "ed25519", !ours}, "cat", bulk(matrixBytes, 7), back); status != 0 {
				t.Errorf("cat ends with status %d", status)
			}
			if want := wantSum(t, matrixBytes, 7); back.n != matrixBytes || back.String() != want {
				t.Errorf("%d bytes came back with the hash %s, want %d with %s", back.n, back, matrixBytes, want)
			}
			if n := h.last(t).KeyExchanges; n < needKeysets && !r.breaksRekey() {
				t.Errorf("%d key exchanges, want %d", n, needKeysets)
			}
		}
	}
	r.step(t, colBulk, p.exec != nil, bulkCell(true))
	r.step(t, colTheirs, p.exec != nil && p.rekey && !r.breaksRekey(), bulkCell(false))
	r.step(t, colFiles, p.files != nil, func(t *testing.T) {
		h, dir := newHost(t, transport.Config{}), r.place.folder(t)
		src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
		if err := os.Rename(bulkFileIn(t, dir), src); err != nil {
			t.Fatal(err)
		}
		p.files(t, visit{r.place, h, "ed25519", false}, r.place.inside(src), r.place.inside(dst))
		checkFile(t, filepath.Join(h.dir, "up"), matrixBytes, 3)
		checkFile(t, dst, matrixBytes, 3)
		r.version = strings.TrimPrefix(h.last(t).PeerVersion, "SSH-2.0-")
	})
	r.askClient(t, p)
	r.step(t, colAll, p.exec != nil, func(t *testing.T) {
		if tr.c2s == nil {
			missing(t, "the peer made no connection")
		}
		for _, s := range suites(tr.c2s) {
			t.Run(s.String(), func(t *testing.T) {
				h := newHost(t, transport.Config{Algorithms: s.Algorithms})
				var out bytes.Buffer
				status := p.exec(t, visit{r.place, h, s.user, false}, "echo hello", nil, &out)
				st := h.last(t)
				s.check(t, st)
				if out.String() != "hello\n" || status != 0 {
					t.Errorf("the command says %q with status %d", out.String(), status)
				} else {
					r.note(st, s.user)
				}
			})
		}
	})
}

func bulkFileIn(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "bulk")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFrom(bulk(matrixBytes, 3)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// visitPeer connects our client to a peer.
func visitPeer(t *testing.T, addr, user string, tc transport.Config) *sshclient.Client {
	t.Helper()
	ring := ringOf(t)
	c, err := sshclient.Dial(deadline(t), addr, &sshclient.Config{
		User: serverUser(t), Transport: tc, HostKeys: sshclient.FixedHostKeys(ring.hostKeys()...),
		Auth: []sshclient.AuthMethod{sshclient.PublicKeys(ring.users[user])},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// asServer fills the row of a peer that is a server for our client.
func (r *row) asServer(t *testing.T, p serverPeer) {
	if p.name == "dropbear" && !dropbearTakesFolder(t, r.place) {
		for _, c := range columns {
			r.cells[c] = cellHome
		}
		return
	}
	var tr offers
	r.step(t, colExec, true, func(t *testing.T) {
		c := visitPeer(t, p.start(t, r.place, false), "ed25519", transport.Config{Trace: &tr})
		cmd, out := c.Command("tr a-z A-Z; exit 7"), new(bytes.Buffer)
		cmd.Stdin, cmd.Stdout = strings.NewReader("chirp"), out
		var exit *sshclient.ExitError
		if err := cmd.Run(deadline(t)); !errors.As(err, &exit) || exit.Status != 7 || out.String() != "CHIRP" {
			t.Errorf("the command says %q, %v; want CHIRP with status 7", out, err)
		}
		r.note(c.State(), "ed25519")
	})
	bulkCell := func(ours bool) func(t *testing.T) {
		return func(t *testing.T) {
			var tc transport.Config
			if ours && !r.breaksRekey() {
				tc.Rekey.Bytes = rekeyBytes
			}
			c := visitPeer(t, p.start(t, r.place, !ours), "ed25519", tc)
			bothWays(t, c, matrixBytes)
			if n := c.State().KeyExchanges; n < needKeysets && !r.breaksRekey() {
				t.Errorf("%d key exchanges, want %d", n, needKeysets)
			}
		}
	}
	r.step(t, colBulk, true, bulkCell(true))
	r.step(t, colTheirs, p.rekey && !r.breaksRekey(), bulkCell(false))
	r.step(t, colFiles, p.files, func(t *testing.T) { r.moveFiles(t, p) })
	r.askServer(t, p)
	r.step(t, colAll, true, func(t *testing.T) {
		addr := p.start(t, r.place, false)
		if tr.s2c == nil {
			t.Fatal("the peer offered nothing")
		}
		for _, s := range suites(tr.s2c) {
			t.Run(s.String(), func(t *testing.T) {
				c := visitPeer(t, addr, s.user, transport.Config{Algorithms: s.Algorithms})
				s.check(t, c.State())
				if out, err := c.Command("echo hello").Output(deadline(t)); err != nil || string(out) != "hello\n" {
					t.Errorf("the command says %q, %v", out, err)
				} else {
					r.note(c.State(), s.user)
				}
			})
		}
	})
}

func (r *row) moveFiles(t *testing.T, p serverPeer) {
	c, err := join.SFTP(deadline(t), visitPeer(t, p.start(t, r.place, false), "ed25519", transport.Config{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	far := filepath.Join(r.place.folder(t), "far")
	f, err := c.Create(deadline(t), r.place.inside(far))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.ReadFrom(bulk(matrixBytes, 5)); n != matrixBytes || err != nil {
		t.Errorf("put = %d, %v", n, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	checkFile(t, far, matrixBytes, 5)
	g, err := c.Open(deadline(t), r.place.inside(far))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	back := newMeter()
	if n, err := g.WriteTo(back); n != matrixBytes || err != nil || back.String() != wantSum(t, matrixBytes, 5) {
		t.Errorf("get = %d, %v with the hash %s", n, err, back)
	}
}

// TestMatrix runs every peer in every role and prints what works. The whole
// matrix has to have used every algorithm of ours in both roles.
func TestMatrix(t *testing.T) {
	var rows []*row
	t.Run("peers", func(t *testing.T) {
		for _, where := range places() {
			name := func(s string) string {
				if where.root != "" {
					return s + " below the other root"
				}
				return s
			}
			add := func(peer, role string, f func(t *testing.T, r *row)) {
				r := &row{peer: peer, role: role, place: where, cells: map[string]string{}, used: map[string]bool{}}
				rows = append(rows, r)
				t.Run(name(peer)+" is the "+role, func(t *testing.T) {
					t.Parallel()
					f(t, r)
				})
			}
			for _, p := range clientPeers {
				if where.root == "" || !p.here {
					add(p.name, "client", func(t *testing.T, r *row) { r.asClient(t, p) })
				}
			}
			for _, p := range serverPeers {
				if where.root == "" || !p.here {
					add(p.name, "server", func(t *testing.T, r *row) { r.asServer(t, p) })
				}
			}
		}
	})
	for _, role := range []string{"client", "server"} {
		for _, name := range algorithmNames() {
			if !slices.ContainsFunc(rows, func(r *row) bool { return r.role == role && r.used[name] }) {
				t.Errorf("no peer as %s has used %s", role, name)
			}
		}
	}
	text := matrixText(rows)
	t.Logf("\n%s", text)
	if *matrixFile != "" && !t.Failed() {
		if err := os.WriteFile(*matrixFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// algorithmNames are the names that rows note, of all that we offer.
func algorithmNames() []string {
	a := transport.Defaults()
	all := slices.Concat(a.Kex, a.Ciphers, a.MACs)
	for _, h := range a.HostKeys {
		all = append(all, "host "+h)
	}
	for _, u := range userKinds {
		all = append(all, "user "+u)
	}
	return all
}

const matrixHead = `# Peers

This page is written by a test, which runs in every change's checks; see the
package comment of ` + "`interop`" + ` for how to run it with other versions of the peers:

    go -C interop test -count=1 -v -run '^TestMatrix$' . -matrix ../docs/interop.md

"Client" means that the peer is the client of our server, "server" that it is the
server for our client. "%s" means that the peer has no such thing, or cannot be
made to do it by options. Each algorithm that we offer by default and the peer offers
too carried a command on a connection that could use no other of its kind.

`

const matrixNotes = `
1. asyncssh 2.10 goes on sending channel data during a key exchange, against RFC 4253
   §7.1, which 2.24 does not. We end such a connection, so here no keys are renewed.
2. dropbear 2022 reads authorized keys only from the home of the user, which a test must
   not touch; dropbear 2026 can be given a folder.
3. paramiko does not hold back what it answers between its KEXINIT and its NEWKEYS,
   against the same rule, and then we end the connection; whether it has something to
   answer there depends on the moment, so nothing is tested here.

lftp reaches its server through the ssh of OpenSSH. OpenSSH's and dropbear's servers ask
questions only with PAM. dropbear's and PuTTY's clients are asked one question, all others
a second one behind it.
`

// matrixText is the matrix as a page.
func matrixText(rows []*row) string {
	var b strings.Builder
	fmt.Fprintf(&b, matrixHead, cellCannot)
	line := func(cells ...string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(append([]string{"peer", "it is the", "version"}, columns...)...)
	line(slices.Repeat([]string{"---"}, 3+len(columns))...)
	for _, r := range rows {
		cells := []string{r.peer, r.role, r.short()}
		for _, c := range columns {
			cells = append(cells, cmp.Or(r.cells[c], cellAbsent))
		}
		line(cells...)
	}
	b.WriteString(matrixNotes)
	b.WriteString("\n## Algorithms\n\nHow many peers used it as clients and as servers, and which.\n\n")
	line("algorithm", "clients", "servers")
	line("---", "---", "---")
	for _, name := range algorithmNames() {
		cells := []string{strings.TrimSpace(name)}
		for _, role := range []string{"client", "server"} {
			var who []string
			for _, r := range rows {
				if r.role == role && r.used[name] {
					who = append(who, r.short())
				}
			}
			cells = append(cells, fmt.Sprintf("%d: %s", len(who), strings.Join(who, ", ")))
		}
		line(cells...)
	}
	return b.String()
}
