package sftpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Serve speaks SFTP on rw until the client ends the stream, and then returns
// nil. It returns an error when the client breaks the protocol beyond repair
// (wrapping [ErrProtocol] or [sftp.ErrPacketLength]), when rw fails, and the
// context's cause when ctx ends first. In every case all replies that can
// still be written have been, all handles are closed, no goroutine is left,
// and rw is closed. A nil cfg means the defaults.
//
// Serve waits for calls of the backend to return; those that can take long
// should watch their context.
func Serve(ctx context.Context, rw io.ReadWriteCloser, backend Backend, cfg *Config) error {
	s := newSession(backend, cfg.defaults())
	ctx, s.cancel = context.WithCancelCause(ctx)
	s.ctx, s.rw = ctx, rw
	s.apart = s.cfg.Trace != nil || s.cfg.Carrier.Parent != nil
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		rw.Close() // unblocks the reader and the writer
		close(closed)
	})
	if s.cfg.Trace != nil {
		info := s.cfg.Carrier
		info.Proto, info.Role = "sftp", trace.Server
		s.trace = s.cfg.Trace.Open(info)
	}

	err := s.run(sftp.NewPacketReader(rw, s.cfg.MaxPacket))

	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if stop() {
		if cerr := rw.Close(); err == nil {
			err = cerr
		}
	} else {
		<-closed
	}
	s.cancel(nil)
	if s.trace != nil {
		s.trace.Close(err)
	}
	return err
}

// ErrProtocol is wrapped by the errors about a client that breaks the protocol
// in a way that no reply can tell it.
var ErrProtocol = errors.New("protocol violation by the client")

// session is one run of Serve. Its fields belong to the goroutine that reads
// requests unless they say otherwise.
type session struct {
	cfg     Config
	backend Backend
	home    string
	dialect wire.Dialect // fixed before any other goroutine starts
	rw      io.ReadWriteCloser
	ctx     context.Context // of this session: ends with it
	cancel  context.CancelCauseFunc
	trace   trace.Conn // nil: off
	apart   bool       // no two replies share a write: none shares a packet of a traced carrier

	handles  handles
	schedule schedule
	names    []sftp.NameEntry // scratch of READDIR

	order   chan *task // to the writer, in the order of replies
	work    chan *task // to the workers
	workers int
	running sync.WaitGroup // workers
	wrote   chan struct{}  // closed when the writer has ended
	batch   []byte         // the writer's
	broken  bool           // the writer's: rw has failed
}

func newSession(backend Backend, cfg Config) *session {
	s := &session{
		cfg:     cfg,
		backend: backend,
		home:    "/",
		order:   make(chan *task, cfg.MaxRequests),
		work:    make(chan *task, cfg.MaxRequests),
		wrote:   make(chan struct{}),
	}
	if h, ok := backend.(HomeDirer); ok {
		s.home = path.Clean("/" + h.HomeDir())
	}
	s.schedule.init(cfg.MaxRequests, cfg.MaxBytes)
	return s
}

// run reads requests until the stream ends and leaves when all that were
// accepted are answered.
func (s *session) run(r *sftp.PacketReader) error {
	if err := s.handshake(r); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	go s.writeLoop() // stops when order is closed, below
	err := s.readLoop(r)
	close(s.work)
	s.running.Wait()
	close(s.order)
	<-s.wrote
	return err
}

// handshake reads INIT and answers VERSION. filexfer-02 §4.
func (s *session) handshake(r *sftp.PacketReader) error {
	packet, err := r.ReadPacket(nil)
	if err != nil {
		return err
	}
	s.traced(wire.C2S, packet)
	if packet[0] != sftp.NumInit {
		return fmt.Errorf("sftp: first packet has number %d instead of SSH_FXP_INIT: %w", packet[0], ErrProtocol)
	}
	var m sftp.Init
	if err := sftp.Parse(packet, &m, s.dialect); err != nil {
		return fmt.Errorf("sftp: %w: %w", err, ErrProtocol)
	}
	// Version 3 whatever the client asked for, as OpenSSH's server answers:
	// those who speak less find out by themselves.
	s.dialect = sftp.Dialect(sftp.Version3)
	b, err := sftp.AppendPacket(nil, &sftp.VersionReply{Version: sftp.Version3, Extensions: s.extensions()}, s.dialect)
	if err != nil {
		return err
	}
	s.traced(wire.S2C, b[sftp.LengthSize:])
	_, err = s.rw.Write(b)
	return err
}

func (s *session) traced(dir wire.Dir, packet []byte) {
	if s.trace != nil {
		s.trace.Packet(dir, packet)
	}
}

// readLoop takes requests in hand until the stream ends. It never writes.
func (s *session) readLoop(r *sftp.PacketReader) error {
	for s.ctx.Err() == nil {
		n, err := r.Next()
		if err != nil {
			if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		t := s.schedule.admit(n)
		t.in = getBuffer(n)
		t.in.b, err = r.ReadBody(t.in.b)
		if err != nil {
			s.schedule.retire(t)
			return err
		}
		s.traced(wire.C2S, t.in.b)
		var ok bool
		if t.number, t.id, ok = sftp.Header(t.in.b); !ok {
			number := t.number
			s.schedule.retire(t)
			return fmt.Errorf("sftp: packet with number %d and no request id: %w", number, ErrProtocol)
		}
		if !s.cfg.AnyOrder {
			s.order <- t // never waits: admit counts
		}
		s.dispatch(t)
	}
	return nil
}

// dispatch carries t out, or hands it to a worker.
func (s *session) dispatch(t *task) {
	t.op.Start = time.Now()
	switch t.number {
	case sftp.NumRead:
		if err := s.prepareRead(t); err != nil {
			s.finish(t, nil, err)
			return
		}
	case sftp.NumWrite:
		if err := s.prepareWrite(t); err != nil {
			s.finish(t, nil, err)
			return
		}
	default:
		m, err := s.request(t)
		if err != nil || t.copy == nil {
			s.finish(t, m, err)
			return
		}
	}
	s.schedule.start(t)
	if s.workers < s.cfg.Parallel {
		s.workers++
		s.running.Add(1)
		go s.worker() // stops when work is closed, in run
	}
	s.work <- t // never waits: admit counts
}

func (s *session) worker() {
	defer s.running.Done()
	for t := range s.work {
		err := s.transfer(t)
		s.schedule.finish(t)
		s.finish(t, nil, err)
	}
}

// transfer is guard for what workers do, without allocation.
func (s *session) transfer(t *task) (err error) {
	defer s.recovered(t.op.Name, &err)
	switch t.number {
	case sftp.NumRead:
		return s.read(t)
	case sftp.NumWrite:
		return s.write(t)
	}
	return s.copyRange(t)
}

// ErrSessionEnded is what [Config.Operation] is told about a file that was
// still open when its session ended: an upload may be incomplete.
var ErrSessionEnded = errors.New("session ended before the file was closed")

// closeHandles closes what the client has left open, in the order of the
// opens. The writer calls it last, when nothing else uses the handles: so the
// closes are told by the goroutine that tells everything, behind all else.
func (s *session) closeHandles() {
	for _, n := range slices.Sorted(maps.Keys(s.handles.open)) {
		h := s.handles.open[n]
		op := Operation{Name: "SSH_FXP_CLOSE", Start: time.Now(), Err: ErrSessionEnded}
		h.describe(&op)
		if err := s.guard("close", h.close); err != nil {
			op.Err = fmt.Errorf("%w: %w", ErrSessionEnded, err)
		}
		op.Duration = time.Since(op.Start)
		if s.cfg.Operation != nil {
			s.cfg.Operation(op)
		}
	}
}
