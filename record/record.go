// Package record turns what sessions report to package trace into something
// to look at: lines of text, JSON, or a capture file that Wireshark opens.
//
//	cfg.Trace = record.Text(os.Stderr)
//
// A [Recorder] is a [trace.Tracer]. Its connections copy what they are told
// into a queue that is bounded in bytes and loses nothing: when it is full,
// the session waits. One goroutine, which ends with Close, decodes and renders
// with the same decoders that read captures.
//
// Text and JSON show messages. What a traced session carries inside another
// traced one is decoded from its carrier, so a session whose Info has a Parent
// of the same Recorder is not recorded a second time; only its secrets are.
//
// A capture file has up to three parts, see [Mode]: the bytes of the socket in
// TCP/IP frames made for the purpose, the session secrets in front of the
// frames that need them, and the decrypted inner streams, each on an
// interface of its own whose name begins with [InnerPrefix]: SFTP messages as
// upper PDU records (link type 252), other streams as TCP. A MySQL connection
// has an inner stream when TLS or compression hides it on the wire: the same
// packets as they would have been without.
//
// # Secrets
//
// A capture with secrets or inner streams is a credential. [Create] makes its
// file with mode 0600. Passwords, signatures and typed input are masked in
// text and JSON and left out of inner streams unless Options.Reveal is set;
// who has the wire and its secrets can read them all.
//
// # Errors
//
// The first error of the writer ends the recording, not the sessions: it goes
// to Options.OnError at once and is returned by Close.
package record

import (
	"io"
	"os"
	"time"

	"github.com/wirelark/wirelark/mysql/mysqldecode"
	"github.com/wirelark/wirelark/sftp/sftpdecode"
	"github.com/wirelark/wirelark/ssh/sshdecode"
	"github.com/wirelark/wirelark/trace"
)

// Mode says what is written to a capture file.
type Mode uint8

const (
	Both  Mode = iota // wire, secrets and inner streams
	Wire              // wire and secrets
	Inner             // inner streams only
)

// InnerPrefix begins the names of interfaces with decrypted inner streams. A
// name goes on with the path of the stream, as "ssh/0", and its label.
const InnerPrefix = "inner:"

// Options are the choices of a [Recorder]. The zero value is ready.
type Options struct {
	Reveal bool // show or write secrets: passwords, signatures, typed input

	Level  trace.Level  // of text
	Filter trace.Filter // of text and JSON

	Mode        Mode          // of a capture file
	Application string        // named in a capture file as its author
	HoldBytes   int           // of one connection, held until a secret comes; default 8 MiB
	HoldTime    time.Duration // the same; default 30 s

	Decoders   trace.Factories // nil: [Decoders]
	QueueBytes int             // waiting to be rendered; default 4 MiB
	OnError    func(error)     // told of the first error, once, by the rendering goroutine; nil: nobody
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Decoders == nil {
		c.Decoders = Decoders()
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = 4 << 20
	}
	if c.HoldBytes <= 0 {
		c.HoldBytes = 8 << 20
	}
	if c.HoldTime <= 0 {
		c.HoldTime = 30 * time.Second
	}
	if c.Application == "" {
		c.Application = "wirelark"
	}
	return c
}

// Decoders returns the decoders of all protocols.
func Decoders() trace.Factories {
	return trace.Factories{sshdecode.Factory, sftpdecode.Factory, mysqldecode.Factory}
}

// Text returns a Recorder that writes a line for each message to w; see
// [trace.Text].
func Text(w io.Writer) *Recorder { return NewText(w, nil) }

// NewText is [Text] with options, which may be nil.
func NewText(w io.Writer, o *Options) *Recorder {
	c := o.withDefaults()
	text := &trace.Text{Level: c.Level, Reveal: c.Reveal}
	return newRecorder(c, newMessages(w, c, text.Append))
}

// JSON returns a Recorder that writes a JSON object a line to w; see
// [trace.JSON].
func JSON(w io.Writer) *Recorder { return NewJSON(w, nil) }

// NewJSON is [JSON] with options, which may be nil.
func NewJSON(w io.Writer, o *Options) *Recorder {
	c := o.withDefaults()
	j := trace.JSON{Reveal: c.Reveal}
	return newRecorder(c, newMessages(w, c, func(dst []byte, m *trace.Message) []byte {
		return append(j.Append(dst, m), '\n')
	}))
}

// Pcapng returns a Recorder that writes a pcapng file to w. o may be nil.
func Pcapng(w io.Writer, o *Options) *Recorder {
	c := o.withDefaults()
	r := newRecorder(c, newPcapng(w, c))
	r.wire = c.Mode != Inner
	return r
}

// Create returns a [Pcapng] recorder that writes the named file, which only its
// owner can read. Close closes it.
func Create(name string, o *Options) (*Recorder, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil { // it may have been there
		f.Close()
		return nil, err
	}
	r := Pcapng(f, o)
	r.closer = f
	return r, nil
}
