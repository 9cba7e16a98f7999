package packet

import (
	"context"
	"encoding/hex"
	"log/slog"

	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// View says who looks at the packets of a Packetizer. Nothing of it changes
// what is sent and received.
type View struct {
	Role trace.Role // of our end

	// Trace, if not nil, is told all wire bytes and packets. It stays the
	// caller's: who has secrets and events reports them, and closes it.
	Trace trace.Conn

	// Logger, if not nil, gets a record of level Debug for each packet:
	// direction, sequence number, message number and length.
	Logger *slog.Logger

	HexDump bool // the records have the bytes of the payload too, masked where they are secret
	Reveal  bool // nothing is masked
}

// SetView sets who looks at the packets. Call it before the Packetizer is used.
// Who takes batches with Take reports their wire bytes himself.
func (p *Packetizer) SetView(v View) {
	p.seen = nil
	if v.Trace != nil || v.Logger != nil {
		p.seen = &seen{View: v, sends: v.Role.Sends()}
	}
}

// seen is a View at work.
type seen struct {
	View
	sends wire.Dir
}

func (s *seen) bytes(dir wire.Dir, b []byte) {
	if s.Trace != nil && len(b) > 0 {
		s.Trace.Wire(dir, b)
	}
}

func (s *seen) packet(dir wire.Dir, seq uint32, payload []byte) {
	if s.Trace != nil {
		s.Trace.Packet(dir, payload)
	}
	ctx := context.Background() // logging has none of its own
	if s.Logger == nil || !s.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("dir", dir.String()), slog.Uint64("seq", uint64(seq)),
		slog.Int("number", int(payload[0])), slog.Int("length", len(payload)),
	}
	if s.HexDump {
		dump := hex.EncodeToString(payload)
		if !s.Reveal && secret(payload[0]) {
			dump = dump[:2] + " masked"
		}
		attrs = append(attrs, slog.String("payload", dump))
	}
	s.Logger.LogAttrs(ctx, slog.LevelDebug, "ssh packet", attrs...)
}

// secret reports whether packets with a number may hold passwords, answers or
// what a user types.
func secret(number byte) bool {
	return number >= 50 && number < 80 || number == 94 || number == 95
}
