package sftpserver

import (
	"log/slog"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/trace"
)

// Config tells how to serve. Its zero value, and nil, are good: read and
// write, with the limits below.
type Config struct {
	// Access limits what clients may do; zero means everything.
	Access Access

	// SymlinkOrder is the order in which clients are expected to send the
	// paths of SSH_FXP_SYMLINK. The zero value is OpenSSH's, which nearly all
	// clients use.
	SymlinkOrder sftp.SymlinkOrder

	// AnyOrder lets a reply overtake those of earlier requests. The draft
	// allows it (filexfer-02 §6); some clients do not expect it.
	AnyOrder bool

	MaxPacket   int   // bytes of a packet without its length field; 0: sftp.MaxPacket; at least 34,000
	MaxHandles  int   // open files and directories; 0: 1,000
	MaxRequests int   // requests read and not yet answered; 0: 128
	MaxBytes    int   // bytes of their packets and of replies not yet sent; 0: 4 MiB
	MaxPath     int   // bytes of a path; 0: 4,096
	Parallel    int   // reads, writes and copies at a time; 0: 4
	MaxCopy     int64 // bytes that one copy-data may copy; 0: 1 TiB

	// Operation, when set, is told of every answered request, in the order of
	// the replies, by one goroutine, which waits for it. Files and directories
	// that are open when the session ends are told at last, as closes with an
	// error that is [ErrSessionEnded].
	Operation func(Operation)

	// Trace, when set, sees every packet. Carrier tells what the session runs
	// in: its Parent, Channel and Label, or addresses. Proto and Role are
	// filled in.
	Trace   trace.Tracer
	Carrier trace.Info

	// Logger is told of panics in the backend; nil: nobody is.
	Logger *slog.Logger
}

// Access says what clients may do.
type Access uint8

const (
	ReadWrite Access = iota
	ReadOnly         // nothing may be changed
	WriteOnly        // no file may be read and no directory listed; attributes may be asked for
)

// Operation describes an answered request.
type Operation struct {
	Name     string // of the message, "SSH_FXP_OPEN", or of an extended request, "statvfs@openssh.com"
	Path     string // clean; of a handle: the one it was opened with; empty: none
	NewPath  string // of rename, link, symlink and copy-data: the new name
	Target   string // of symlink: what it points to, as sent
	Offset   uint64 // of read and write
	Bytes    int64  // read, written or copied
	Read     uint64 // close: bytes read through the handle
	Written  uint64 // close: bytes written through the handle
	Flags    sftp.OpenFlags
	Start    time.Time
	Duration time.Duration // until the reply was ready
	Err      error         // nil: success; io.EOF: nothing more to read
}

// Limits by default. A packet may carry MaxPacket bytes; OpenSSH takes 256 KiB
// and 128 requests are twice what its client keeps in flight.
const (
	defaultMaxHandles  = 1000
	defaultMaxRequests = 128
	defaultMaxBytes    = 4 << 20
	defaultMaxPath     = 4096
	defaultParallel    = 4
	defaultMaxCopy     = 1 << 40

	// leastMaxPacket is the packet that every server must take. filexfer-02 §3.
	leastMaxPacket = 34000

	// overhead is what a packet holds beside its data, with room to spare.
	overhead = 1 << 10
)

func (c *Config) defaults() Config {
	var d Config
	if c != nil {
		d = *c
	}
	set := func(v *int, def int) {
		if *v <= 0 {
			*v = def
		}
	}
	set(&d.MaxPacket, sftp.MaxPacket)
	d.MaxPacket = max(d.MaxPacket, leastMaxPacket)
	set(&d.MaxHandles, defaultMaxHandles)
	set(&d.MaxRequests, defaultMaxRequests)
	set(&d.MaxBytes, defaultMaxBytes)
	d.MaxBytes = max(d.MaxBytes, 2*d.MaxPacket)
	set(&d.MaxPath, defaultMaxPath)
	set(&d.Parallel, defaultParallel)
	if d.MaxCopy <= 0 {
		d.MaxCopy = defaultMaxCopy
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// maxData is how much data a READ or WRITE may carry.
func (c *Config) maxData() int { return c.MaxPacket - overhead }
