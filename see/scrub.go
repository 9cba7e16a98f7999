package see

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wirelark/wirelark/capture"
	"github.com/wirelark/wirelark/record"
)

// Scrubbed is what [Scrub] left out.
type Scrubbed struct {
	Secrets int // blocks with secrets
	Streams int // interfaces with decrypted streams
	Frames  int // on them
	Blocks  int // other blocks that could hold anything
}

// Scrub copies the capture r to w without its secrets and its decrypted inner
// streams, so that the copy shows no more than somebody on the network saw.
// Frames of all other interfaces stay as they are, and so do names and
// statistics; blocks of kinds that are not known are left out. Upper PDU
// records count as decrypted streams, whoever wrote them. What was sent in the
// clear stays in the clear.
//
// The copy is a pcapng file also when r is a pcap file. A capture that ends
// inside a block is copied up to there, and the error is the reader's
// *capture.TruncatedError.
func Scrub(ctx context.Context, w io.Writer, r io.Reader) (Scrubbed, error) {
	file, err := capture.NewReader(r)
	if err != nil {
		return Scrubbed{}, fmt.Errorf("reading the capture: %w", err)
	}
	s := scrubber{file: file, w: capture.NewWriter(w, &capture.WriterConfig{Application: "wirelark"}), index: -1}
	err = s.run(ctx)
	if flushErr := s.w.Flush(); flushErr != nil {
		return s.out, fmt.Errorf("writing the copy: %w", flushErr)
	}
	return s.out, err
}

type scrubber struct {
	file  *capture.Reader
	w     *capture.Writer
	index int // in the copy, of the one interface of a pcap file
	out   Scrubbed
}

func (s *scrubber) run(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		item, err := s.file.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the capture: %w", err)
		}
		if err := s.item(item); err != nil {
			return fmt.Errorf("writing the copy: %w", err)
		}
	}
}

func (s *scrubber) item(item capture.Item) error {
	block := item.Raw()
	switch item := item.(type) {
	case *capture.Secrets:
		s.out.Secrets++
		return nil
	case *capture.Interface:
		if decrypted(item) {
			s.out.Streams++
			return s.w.WriteBlock(blank(block))
		}
		if block == nil {
			return s.plain(item)
		}
	case *capture.Frame:
		if decrypted(s.file.Interfaces()[item.Interface]) {
			s.out.Frames++
			return nil
		}
		if block == nil {
			return s.plainFrame(item)
		}
	case *capture.Block:
		if item.Type != capture.BlockNameResolution && item.Type != capture.BlockStatistics {
			s.out.Blocks++
			return nil
		}
	}
	if block == nil {
		return nil
	}
	return s.w.WriteBlock(block)
}

// decrypted reports whether an interface holds a decrypted stream.
func decrypted(i *capture.Interface) bool {
	return strings.HasPrefix(i.Name, record.InnerPrefix) || i.Link == capture.LinkUpperPDU
}

// blank returns the description of an interface without its name and all other
// options. The interface itself stays, because the numbers of those behind it
// count it.
func blank(b *capture.Block) *capture.Block {
	const fixed = 8 // link type, reserved, snaplen
	return &capture.Block{Type: b.Type, Order: b.Order, Body: b.Body[:min(fixed, len(b.Body))]}
}

// plain copies the interface of a pcap file.
func (s *scrubber) plain(i *capture.Interface) error {
	if s.index >= 0 {
		return nil
	}
	var err error
	s.index, err = s.w.AddInterface(capture.Interface{Link: i.Link, Snaplen: i.Snaplen})
	return err
}

func (s *scrubber) plainFrame(f *capture.Frame) error {
	if err := s.plain(s.file.Interfaces()[f.Interface]); err != nil {
		return err
	}
	copied := *f
	copied.Interface = s.index
	return s.w.WriteFrame(&copied)
}
