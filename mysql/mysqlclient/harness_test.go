package mysqlclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/mysql/flow"
	"github.com/wirelark/wirelark/mysql/mysqlclient"
	"github.com/wirelark/wirelark/mysql/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }

// peer is the server's end of a session that a test plays by hand.
type peer struct {
	tb   testing.TB
	nc   *testkit.Conn
	pc   *packet.Conn
	flow flow.Flow
}

// Capabilities of the servers that the tests play.
const (
	mysqlCaps = mysql.ClientLongPassword | mysql.ClientFoundRows | mysql.ClientLongFlag | mysql.ClientConnectWithDB | mysql.ClientLocalFiles |
		mysql.ClientProtocol41 | mysql.ClientTransactions | mysql.ClientSecureConnection | mysql.ClientMultiStatements | mysql.ClientMultiResults |
		mysql.ClientPSMultiResults | mysql.ClientPluginAuth | mysql.ClientConnectAttrs | mysql.ClientPluginAuthLenencClientData |
		mysql.ClientSessionTrack | mysql.ClientDeprecateEOF | mysql.ClientQueryAttributes | mysql.ClientMultiFactorAuthentication |
		mysql.ClientCompress | mysql.ClientZstdCompression
	mariaCaps = mysqlCaps&^(mysql.ClientLongPassword|mysql.ClientQueryAttributes|mysql.ClientMultiFactorAuthentication|mysql.ClientZstdCompression) |
		mysql.MariaDBBulkOperations | mysql.MariaDBBulkUnitResults | mysql.MariaDBExtendedMetadata | mysql.MariaDBCacheMetadata
	oldCaps = mysqlCaps &^ (mysql.ClientDeprecateEOF | mysql.ClientSessionTrack | mysql.ClientQueryAttributes)
)

// hello is the greeting of a server with a method that needs no answer when
// there is no password.
func hello(caps mysql.Capabilities) *mysql.HandshakeV10 {
	version := "9.7.0"
	if caps.MariaDB() {
		version = "11.8.2-MariaDB"
	}
	return &mysql.HandshakeV10{
		ServerVersion: version, ConnectionID: 7, AuthData: []byte("abcdefghijklmnopqrst"), Capabilities: caps,
		Collation: 255, Status: mysql.StatusAutocommit, AuthPlugin: "mysql_native_password",
	}
}

// next returns the next message of the client; nil: it has hung up.
func (p *peer) next() wire.Message {
	b, err := p.pc.ReadPacket()
	if err != nil {
		return nil
	}
	m, _, err := p.flow.Next(wire.C2S, b)
	if err == nil {
		err = mysql.Messages.Parse(b, m, p.flow.Dialect())
	}
	if err == nil {
		_, err = p.flow.Saw(wire.C2S, m)
	}
	if err != nil {
		p.tb.Errorf("the client sent % x: %v", b[:min(len(b), 40)], err)
		return nil
	}
	p.pc.SetDialect(p.flow.Dialect())
	return m
}

// command returns the next command; nil: the client has hung up or said so.
func (p *peer) command() wire.Message {
	p.pc.Begin()
	m := p.next()
	if _, quit := m.(*mysql.Quit); quit {
		return nil
	}
	return m
}

// send sends messages in one write.
func (p *peer) send(messages ...wire.Message) {
	for _, m := range messages {
		p.put(m)
	}
	_ = p.pc.Flush() // the client may be gone
}

func (p *peer) put(m wire.Message) {
	if err := p.pc.Append(m); err != nil {
		p.tb.Errorf("%T: %v", m, err)
		return
	}
	_, _ = p.flow.Saw(wire.S2C, m)
}

// login plays the beginning of a session in which everybody is let in, and
// returns what the client answered to the greeting; nil: it has hung up.
func (p *peer) login(caps mysql.Capabilities) *mysql.HandshakeResponse41 {
	p.send(hello(caps))
	m := p.next()
	response, ok := m.(*mysql.HandshakeResponse41)
	if !ok {
		if m != nil {
			p.tb.Errorf("the client answered the greeting with a %T", m)
		}
		return nil
	}
	p.send(okay())
	if both := mysql.Caps(p.flow.Dialect()); both.Has(mysql.ClientCompress) {
		_ = p.pc.StartCompression(packet.Zlib, 0)
	} else if both.Has(mysql.ClientZstdCompression) {
		_ = p.pc.StartCompression(packet.Zstd, 3)
	}
	return response
}

func okay() *mysql.OK { return &mysql.OK{Status: mysql.StatusAutocommit} }

func oops(code uint16, text string) *mysql.ERR {
	return &mysql.ERR{Code: code, State: "HY000", Message: text}
}

func column(name string, t mysql.Type) *mysql.Column {
	return &mysql.Column{Catalog: "def", Name: name, Type: t, Collation: 255, Length: 20}
}

// ending returns what stands behind rows.
func ending(caps mysql.Capabilities, status mysql.Status) wire.Message {
	if caps.Has(mysql.ClientDeprecateEOF) {
		return &mysql.OK{End: true, Status: status}
	}
	return &mysql.EOF{Status: status}
}

func (p *peer) ending(status mysql.Status) wire.Message { return ending(p.caps(), status) }

func (p *peer) caps() mysql.Capabilities { return mysql.Caps(p.flow.Dialect()) }

// resultHead returns the beginning of a result set.
func resultHead(caps mysql.Capabilities, columns ...*mysql.Column) []wire.Message {
	list := []wire.Message{&mysql.ColumnCount{Count: uint64(len(columns)), Metadata: 1}}
	for _, c := range columns {
		list = append(list, c)
	}
	if !caps.Has(mysql.ClientDeprecateEOF) {
		list = append(list, &mysql.EOF{Status: mysql.StatusAutocommit})
	}
	return list
}

func (p *peer) head(columns ...*mysql.Column) []wire.Message {
	return resultHead(p.caps(), columns...)
}

// text sends a result set of one row of texts.
func (p *peer) text(status mysql.Status, cells ...string) {
	var columns []*mysql.Column
	row := new(mysql.TextRow)
	for i, cell := range cells {
		columns = append(columns, column(fmt.Sprintf("c%d", i), mysql.TypeVarString))
		row.Cells = append(row.Cells, []byte(cell))
	}
	p.send(append(p.head(columns...), row, p.ending(status))...)
}

// binaryRow returns a row of values.
func binaryRow(columns []*mysql.Column, values ...mysql.Value) *mysql.BinaryRow {
	plain := make([]mysql.Column, len(columns))
	for i, c := range columns {
		plain[i] = *c
	}
	row := mysql.NewBinaryRow(plain)
	row.Values = values
	return row
}

// serve answers commands with OK, but for those that answer answers, until the
// client hangs up.
func serve(caps mysql.Capabilities, answer func(p *peer, m wire.Message) bool) func(p *peer) {
	return func(p *peer) {
		if p.login(caps) == nil {
			return
		}
		for {
			m := p.command()
			if m == nil {
				return
			}
			if answer != nil && answer(p, m) {
				continue
			}
			switch m.(type) {
			case *mysql.StmtClose, *mysql.StmtSendLongData:
			default:
				p.send(okay())
			}
		}
	}
}

// world is what a client can dial: each connection is played by the next of
// plays, the last one for all that follow.
type world struct {
	tb   testing.TB
	pipe testkit.PipeConfig
	// secret is not to be seen on the wire: the trace looks for it.
	secret string
	plays  []func(p *peer)

	mu     sync.Mutex
	dialed int
	ends   []*testkit.Conn
	played sync.WaitGroup
	flow   *watcher
}

// newWorld returns a world whose goroutines have ended when the test has, and
// which fails the test when one side breaks a rule of the protocol. Sessions
// with peers that mean to break some have no judge.
func newWorld(tb testing.TB, judge bool, plays ...func(p *peer)) *world {
	w := &world{tb: tb, plays: plays, pipe: testkit.PipeConfig{Buffer: 1 << 20}}
	w.flow = &watcher{w: w, tb: tb, judge: judge}
	tb.Cleanup(func() {
		w.mu.Lock()
		for _, nc := range w.ends {
			_ = nc.Close()
		}
		w.mu.Unlock()
		w.played.Wait()
	})
	return w
}

// dial is a Config's Dial.
func (w *world) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	near, far := testkit.NewPipe(w.pipe)
	w.mu.Lock()
	defer w.mu.Unlock()
	play := w.plays[min(w.dialed, len(w.plays)-1)]
	w.dialed++
	w.ends = append(w.ends, far)
	w.played.Go(func() { // stops when the client or the test hangs up
		defer func() { _ = far.Close() }()
		play(&peer{tb: w.tb, nc: far, pc: packet.New(far, &packet.Config{Role: trace.Server})})
	})
	return near, nil
}

// config returns what connects to the world.
func (w *world) config() *mysqlclient.Config {
	return &mysqlclient.Config{User: "anna", Address: "db.example:3306", Dial: w.dial, Trace: w.flow}
}

// connect makes a connection that the test's end closes.
func (w *world) connect(change func(c *mysqlclient.Config)) *mysqlclient.Conn {
	w.tb.Helper()
	cfg := w.config()
	if change != nil {
		change(cfg)
	}
	c, err := mysqlclient.Connect(context.Background(), cfg)
	if err != nil {
		w.tb.Fatal(err)
	}
	w.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// watcher runs a Flow over what both sides say, as the client's trace tells it.
type watcher struct {
	w     *world
	tb    testing.TB
	judge bool
}

// Open begins a session.
func (w *watcher) Open(trace.Info) trace.Conn { return &watched{w: w} }

type watched struct {
	w     *watcher
	mu    sync.Mutex
	flow  flow.Flow
	parts [2][]byte // pieces of a packet that goes on
	ended bool
}

// Wire looks for the secret.
func (s *watched) Wire(dir wire.Dir, b []byte) {
	if secret := s.w.w.secret; dir == wire.C2S && secret != "" && bytes.Contains(b, []byte(secret)) {
		s.w.tb.Errorf("the client sent the secret: %q", b)
	}
}

func (s *watched) Secret(string)     {}
func (s *watched) Event(trace.Event) {}

// Packet takes one physical packet with its header.
func (s *watched) Packet(dir wire.Dir, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		s.w.tb.Error("the trace was told of a packet behind its end")
	}
	s.parts[dir] = append(s.parts[dir], b[packet.HeaderSize:]...)
	if len(b) == packet.HeaderSize+packet.MaxPiece {
		return
	}
	payload := s.parts[dir]
	s.parts[dir] = nil
	m, e, err := s.flow.Next(dir, payload)
	if err == nil {
		err = mysql.Messages.Parse(payload, m, s.flow.Dialect())
	}
	if err == nil || errors.Is(err, wire.ErrExcess) {
		_, err = s.flow.Saw(dir, m)
	}
	if err != nil && s.w.judge {
		name := "?"
		if e != nil {
			name = e.Name
		}
		s.w.tb.Errorf("%v %s: %v (% x)", dir, name, err, payload[:min(len(payload), 40)])
	}
}

func (s *watched) Close(error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		s.w.tb.Error("the trace was closed twice")
	}
	s.ended = true
}
