package sftpclient

import (
	"io"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
)

// Config is what a client may be told. The zero value, and a nil *Config, are
// good for everybody. It is copied when a client is made.
type Config struct {
	// Timeout declares the channel dead when a request stays unanswered for
	// that long after all older ones were answered: answers do get lost, for
	// example when a server does not know a request. 0: never. Choose it
	// longer than the server's slowest operation.
	Timeout time.Duration

	// MaxInFlight is how many bytes of file data may be asked for or sent and
	// not yet answered, over all files; 0: 32 MiB. The client begins with 1 MiB
	// and grows while that makes it faster. Memory use is about twice that.
	MaxInFlight int

	// MaxChunk is how many bytes of file data one READ or WRITE carries at
	// most; 0: what the server states with limits@openssh.com but at most
	// 255 KiB, and 32 KiB when it states nothing. A larger chunk than the server
	// states is never sent, whatever stands here.
	MaxChunk int

	// MaxListing is how many bytes of memory the entries of a directory may take
	// that [Client.ReadDir] collects, each counted as 256 bytes and its texts;
	// 0: 512 MiB, which is more than a million entries. ReadDirSeq has no limit:
	// its caller decides.
	MaxListing int64

	// SymlinkOrder is the order of the two paths in SYMLINK. The default is
	// OpenSSH's, unless the server announces another one with
	// symlink-order@rjk.greenend.org.uk.
	SymlinkOrder SymlinkOrder

	// Trace is told of every packet; nil: nobody is.
	Trace trace.Tracer

	// TraceInfo tells what is known about the stream that the client runs on:
	// Parent, Channel, Label, Local, Remote. Proto and Role are filled in. nil:
	// nothing is known.
	TraceInfo func(stream io.ReadWriteCloser) trace.Info
}

// SymlinkOrder chooses the order of the paths in SYMLINK.
type SymlinkOrder uint8

const (
	SymlinkAuto    SymlinkOrder = iota // as the server announces, else as OpenSSH
	SymlinkOpenSSH                     // target first
	SymlinkDraft                       // link first
)

const (
	// defaultInFlight bounds the budget: with it 320 MiB/s at 100 ms, as
	// much as a channel's window lets through.
	defaultInFlight = 32 << 20

	// defaultListing bounds a listing, and entrySize is what an entry counts
	// beside its texts.
	defaultListing = 512 << 20
	entrySize      = 256

	// largestChunk is OpenSSH's limit of the data in one packet (sftp-server.c:
	// 256 KiB less 1 KiB), which servers with larger limits take too.
	largestChunk = 255 << 10

	// extSymlinkOrder is gesftpserver's announcement of the order it reads.
	extSymlinkOrder      = "symlink-order@rjk.greenend.org.uk"
	symlinkOrderLinkPath = "linkpath-targetpath"
)

// withDefaults returns a copy with every number set.
func (c *Config) withDefaults() Config {
	var cfg Config
	if c != nil {
		cfg = *c
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = defaultInFlight
	}
	if cfg.MaxListing <= 0 {
		cfg.MaxListing = defaultListing
	}
	if cfg.MaxChunk <= 0 {
		cfg.MaxChunk = largestChunk
	}
	cfg.MaxChunk = min(cfg.MaxChunk, largestChunk)
	return cfg
}

// symlinkOrder resolves SymlinkAuto.
func (c *Config) symlinkOrder(v *sftp.VersionReply) sftp.SymlinkOrder {
	switch {
	case c.SymlinkOrder == SymlinkDraft, c.SymlinkOrder == SymlinkAuto && v.Offers(extSymlinkOrder, symlinkOrderLinkPath):
		return sftp.OrderDraft
	default:
		return sftp.OrderOpenSSH
	}
}
