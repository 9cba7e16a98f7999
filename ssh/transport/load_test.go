package transport

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// judge is a trace.Tracer that runs the Flow over what both sides say, as one
// end sends and receives it, and fails the test on any complaint.
type judge struct {
	t    testing.TB
	mu   sync.Mutex
	flow ssh.Flow
	ids  int // identification lines seen
	msgs map[string]int
	trace.Conn
}

func newJudge(t testing.TB) *judge { return &judge{t: t, msgs: map[string]int{}} }

func (j *judge) Open(trace.Info) trace.Conn { return j }
func (j *judge) Wire(wire.Dir, []byte)      {}
func (j *judge) Secret(string)              {}
func (j *judge) Event(trace.Event)          {}
func (j *judge) Close(error)                {}

func (j *judge) Packet(dir wire.Dir, b []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if bytes.HasPrefix(b, []byte("SSH-")) {
		j.ids++
		return
	}
	if len(b) > 32_000-5-16-4 {
		j.t.Errorf("a packet with %d bytes of payload while a capture is made", len(b))
	}
	m, e, err := j.flow.Next(dir, b)
	if err != nil {
		j.t.Errorf("flow: %v", err)
	}
	if e != nil {
		j.msgs[e.Name]++
	}
	if err := ssh.Parse(b, m); err != nil {
		j.t.Errorf("%s %v: %v", dir, b[0], err)
	}
	if _, err := j.flow.Saw(dir, m); err != nil {
		j.t.Errorf("flow: %v", err)
	}
}

// login takes both ends through a make-believe authentication and the opening
// of channel 0, so that the Flow is content with data.
func login(t testing.TB, client, server *Conn) {
	t.Helper()
	ctx := context.Background()
	pass := func(from, to *Conn, m wire.Message) {
		if err := from.Send(ctx, m); err != nil {
			t.Fatal(err)
		}
		if p, err := to.ReadPacket(); err != nil || p[0] != ssh.Messages.Entry(m).Number {
			t.Fatalf("%T: got %v, %v", m, p, err)
		}
	}
	pass(client, server, &ssh.ServiceRequest{Service: "ssh-userauth"})
	pass(server, client, &ssh.ServiceAccept{Service: "ssh-userauth"})
	pass(client, server, &ssh.UserAuthRequest{User: "u", Service: "ssh-connection", Method: "none"})
	server.Authenticated()
	client.Authenticated()
	pass(server, client, &ssh.UserAuthSuccess{})
	pass(client, server, &ssh.ChannelOpen{Type: "session", Window: 1<<32 - 1, MaxPacket: 1 << 20})
	pass(server, client, &ssh.ChannelOpenConfirmation{Window: 1<<32 - 1, MaxPacket: 1 << 20})
}

// pump is a Source that sends total random bytes.
type pump struct {
	rnd   *rand.ChaCha8
	left  int
	block []byte
}

func newPump(total int, seed byte) *pump {
	return &pump{rnd: rand.NewChaCha8([32]byte{seed}), left: total, block: make([]byte, 32<<10)}
}

func (p *pump) Fill(room []byte) (int, bool) {
	n := min(p.left, len(room)-9, len(p.block))
	_, _ = p.rnd.Read(p.block[:n])
	b, err := ssh.Append(room[:0], &ssh.ChannelData{Data: p.block[:n]})
	if err != nil {
		panic(err)
	}
	p.left -= n
	return len(b), p.left > 0
}

// combination is what two sides agree on.
type combination struct{ kex, cipher, mac string }

// combinations returns every method of key exchange with every cipher that
// needs no MAC, and every other cipher with every MAC, which the methods share
// out among them.
func combinations() (list []combination) {
	all := Supported()
	for _, c := range all.Ciphers {
		if ssh.IsAEAD(c) {
			for _, k := range all.Kex {
				list = append(list, combination{k, c, ""})
			}
			continue
		}
		for _, m := range all.MACs {
			list = append(list, combination{all.Kex[len(list)%len(all.Kex)], c, m})
		}
	}
	return list
}

func (x combination) config() Algorithms {
	a := Algorithms{Kex: []string{x.kex}, Ciphers: []string{x.cipher}}
	if x.mac != "" {
		a.MACs = []string{x.mac}
	}
	return a
}

// TestRekeyUnderLoad renews the keys every 16 KiB from both sides while data
// and answers flow both ways.
func TestRekeyUnderLoad(t *testing.T) {
	for _, x := range combinations() {
		t.Run(x.kex+"/"+x.cipher+"/"+x.mac, func(t *testing.T) {
			total := 1 << 20
			if strings.HasPrefix(x.kex, "diffie-hellman-") {
				total = 64 << 10 // its arithmetic takes long
			}
			cn, sn := testkit.Pipe()
			j, k := newJudge(t), newJudge(t)
			cfg := Config{Algorithms: x.config(), Rekey: Rekey{Bytes: 16 << 10}}
			cc, sc := &ClientConfig{Config: cfg}, &ServerConfig{Config: cfg}
			cc.Trace, sc.Trace = j, k
			client, server := connect(t, cn, sn, cc, sc)
			login(t, client, server)
			twoWay(t, client, server, total)
			st := client.State()
			if want := max(2, total/(256<<10)); st.KeyExchanges < want {
				t.Errorf("%d key exchanges, want at least %d", st.KeyExchanges, want)
			}
			if a := st.Algorithms; a.Kex != x.kex || a.C2S != a.S2C || a.C2S.Cipher != x.cipher || a.C2S.MAC != x.mac {
				t.Errorf("agreed on %+v", a)
			}
			if j.msgs["SSH_MSG_CHANNEL_DATA"] == 0 || j.msgs["SSH_MSG_CHANNEL_WINDOW_ADJUST"] == 0 || j.ids != 2 {
				t.Errorf("the trace saw %v and %d identifications", j.msgs, j.ids)
			}
		})
	}
}

// TestRekeyUnderLoadOnSockets is the same on sockets of the kernel, where
// senders write directly, with packets of 32 KiB.
func TestRekeyUnderLoadOnSockets(t *testing.T) {
	for _, cipher := range Defaults().Ciphers {
		t.Run(cipher, func(t *testing.T) {
			cn, sn := tcpPair(t)
			cfg := Config{Algorithms: Algorithms{Ciphers: []string{cipher}}, Rekey: Rekey{Bytes: 64 << 10}}
			client, server := connect(t, cn, sn, &ClientConfig{Config: cfg}, &ServerConfig{Config: cfg})
			login(t, client, server)
			twoWay(t, client, server, 16<<20)
			if got := client.State().KeyExchanges; got < 10 {
				t.Errorf("%d key exchanges", got)
			}
		})
	}
}

// twoWay sends total bytes each way, with credit for every packet received.
func twoWay(t *testing.T, client, server *Conn, total int) {
	t.Helper()
	errs := make(chan error, 4) // two senders, two readers
	var wg sync.WaitGroup
	for i, c := range []*Conn{client, server} {
		seed := byte(i)
		r := &receiver{c: c, left: total, rnd: rand.NewChaCha8([32]byte{1 - seed})}
		c.SetCredits(r.credits)
		wg.Go(func() { errs <- c.SendData(nil, 32<<10+9, newPump(total, seed)) })
		wg.Go(func() {
			err := r.receive()
			errs <- err
			for err == nil { // the other side may need our half of a key exchange
				_, err = c.ReadPacket()
			}
		})
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
			client.Abort(nil)
			server.Abort(nil)
		}
	}
	client.Close()
	server.Close()
	wg.Wait()
}

// receiver checks what a pump sent and gives credit for it.
type receiver struct {
	c      *Conn
	left   int
	rnd    *rand.ChaCha8
	credit atomic.Uint32
}

func (r *receiver) credits(add func(wire.Message)) {
	if n := r.credit.Swap(0); n > 0 {
		add(&ssh.ChannelWindowAdjust{Add: n / 2}) // half: the window must not pass 2^32-1
	}
}

func (r *receiver) receive() error {
	want := make([]byte, 128<<10)
	for r.left > 0 {
		p, err := r.c.ReadPacket()
		if err != nil {
			return err
		}
		if p[0] != 94 {
			continue
		}
		var m ssh.ChannelData
		if err := ssh.Parse(p, &m); err != nil {
			return err
		}
		_, _ = r.rnd.Read(want[:len(m.Data)])
		if !bytes.Equal(m.Data, want[:len(m.Data)]) {
			return fmt.Errorf("data differ with %d bytes to go", r.left)
		}
		r.left -= len(m.Data)
		r.credit.Add(uint32(len(m.Data)))
		r.c.Wake()
	}
	return nil
}

func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// fixed is a Source of one packet at a time, or of many.
type fixed struct {
	payload []byte
	left    int
}

func (f *fixed) Fill(room []byte) (int, bool) {
	f.left--
	return copy(room, f.payload), f.left > 0
}

func dataPacket(n int) []byte {
	b, err := ssh.Append(nil, &ssh.ChannelData{Data: make([]byte, n)})
	if err != nil {
		panic(err)
	}
	return b
}

func TestDataPacketsAllocateNothing(t *testing.T) {
	for _, cipher := range packet.Ciphers() {
		for _, n := range []int{64, 32 << 10} {
			cn, sn := tcpPair(t)
			cfg := Config{Algorithms: Algorithms{Ciphers: []string{cipher}}}
			client, server := connect(t, cn, sn, &ClientConfig{Config: cfg}, &ServerConfig{Config: cfg})
			login(t, client, server)
			src := &fixed{payload: dataPacket(n)}
			var got int
			adjust := &ssh.ChannelWindowAdjust{Add: 1}
			client.SetCredits(func(add func(wire.Message)) { add(adjust) })
			allocs := testing.AllocsPerRun(200, func() {
				src.left = 1
				if err := client.SendData(nil, len(src.payload), src); err != nil {
					t.Fatal(err)
				}
				client.Wake()
				for got = 0; got != 94; {
					p, err := server.ReadPacket()
					if err != nil {
						t.Fatal(err)
					}
					got = int(p[0])
				}
			})
			if allocs != 0 {
				t.Errorf("%s, %d bytes: %v allocations per packet sent and received, want 0", cipher, n, allocs)
			}
		}
	}
}

func BenchmarkLoopback(b *testing.B) {
	for _, cipher := range packet.Ciphers() {
		for _, n := range []int{64, 1 << 10, 32 << 10} {
			for _, run := range []int{1, 32} {
				b.Run(fmt.Sprintf("%s/%d/x%d", cipher, n, run), func(b *testing.B) {
					cn, sn := tcpPair(b)
					cfg := Config{Algorithms: Algorithms{Ciphers: []string{cipher}}, Rekey: Rekey{Bytes: 1 << 62}}
					client, server := connect(b, cn, sn, &ClientConfig{Config: cfg}, &ServerConfig{Config: cfg})
					src := &fixed{payload: dataPacket(n)}
					done := make(chan struct{})
					total := b.N
					go func() { // stops when all packets have come
						defer close(done)
						for i := 0; i < total; i++ {
							if _, err := server.ReadPacket(); err != nil {
								b.Error(err)
								return
							}
						}
					}()
					b.SetBytes(int64(n))
					b.ReportAllocs()
					b.ResetTimer()
					for left := total; left > 0; left -= run {
						src.left = min(run, left)
						if err := client.SendData(nil, len(src.payload), src); err != nil {
							b.Fatal(err)
						}
					}
					<-done
				})
			}
		}
	}
}

// BenchmarkRoundTrip is the latency of a question and its answer.
func BenchmarkRoundTrip(b *testing.B) {
	cn, sn := tcpPair(b)
	client, server := connect(b, cn, sn, nil, nil)
	ctx := context.Background()
	go func() { // stops when the connection ends
		for {
			if _, err := server.ReadPacket(); err != nil {
				return
			}
			if err := server.Queue(&ssh.ChannelSuccess{}); err != nil {
				return
			}
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Send(ctx, &ssh.ChannelEOF{}); err != nil {
			b.Fatal(err)
		}
		if _, err := client.ReadPacket(); err != nil {
			b.Fatal(err)
		}
	}
}
