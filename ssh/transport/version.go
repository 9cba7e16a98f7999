package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
)

const (
	// DefaultVersion is the software version in our identification line.
	DefaultVersion = "Wirelark_0.1"

	maxVersionLine = 255  // with its end, RFC 4253 §4.2
	maxPreLines    = 1024 // before the identification of a server; OpenSSH's limit
)

// versionLine makes our identification line, without its end.
func versionLine(software string) (string, error) {
	if software == "" {
		software = DefaultVersion
	}
	bad := strings.ContainsFunc(software, func(r rune) bool { return r <= ' ' || r > '~' || r == '-' })
	line := "SSH-2.0-" + software
	if bad || len(line) > maxVersionLine-2 {
		return "", fmt.Errorf("software version %q is not allowed (RFC 4253 §4.2)", software)
	}
	return line, nil
}

// readVersion reads the peer's identification line. A server may say other
// things before it, a client may not. RFC 4253 §4.2.
func readVersion(p *packet.Packetizer, us trace.Role) ([]byte, error) {
	peer := "the server"
	if us == trace.Server {
		peer = "the client"
	}
	var first []byte // of the other things
	for range maxPreLines {
		line, err := p.ReadLine(maxVersionLine)
		switch {
		case first != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return nil, &VersionError{Line: string(first), Reason: peer + " hung up without an SSH identification; it began with"}
		case errors.Is(err, packet.ErrLineTooLong):
			return nil, &VersionError{Reason: fmt.Sprintf("%s sent a line of more than %d bytes where its SSH identification should be", peer, maxVersionLine)}
		case err != nil:
			return nil, err
		case bytes.HasPrefix(line, []byte("SSH-")):
			return checkVersion(bytes.Clone(line), us, peer)
		case us == trace.Server || bytes.IndexByte(line, 0) >= 0:
			return nil, &VersionError{Line: string(line), Reason: peer + " did not send an SSH identification"}
		case first == nil:
			first = bytes.Clone(line)
		}
	}
	return nil, &VersionError{Reason: fmt.Sprintf("%s sent %d lines and none was an SSH identification", peer, maxPreLines)}
}

func checkVersion(line []byte, us trace.Role, peer string) ([]byte, error) {
	refuse := func(reason string) ([]byte, error) {
		return nil, &VersionError{Line: string(line), Reason: reason}
	}
	switch {
	case bytes.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refuse(peer + "'s identification has control characters")
	case bytes.HasPrefix(line, []byte("SSH-2.0-")):
		return line, nil
	case us == trace.Client && bytes.HasPrefix(line, []byte("SSH-1.99-")): // RFC 4253 §5.1
		return line, nil
	}
	return refuse(peer + " does not speak version 2.0 of SSH")
}
