package sshclient

import (
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/transport"
	"github.com/wirelark/wirelark/wire"
)

func number(m wire.Message) byte { return ssh.Messages.Entry(m).Number }

var (
	numServiceAccept = number(&ssh.ServiceAccept{})
	numAuthFailure   = number(&ssh.UserAuthFailure{})
	numAuthSuccess   = number(&ssh.UserAuthSuccess{})
	numAuthBanner    = number(&ssh.UserAuthBanner{})
	numAuthSpecial   = number(&ssh.UserAuthPKOK{}) // and others, RFC 4250 §4.1.3
)

// read returns the next packet that is no banner. Of what a server may send
// before it lets us in, only those with a place here are taken: all errors are
// an endError.
func (a *authSession) read() ([]byte, error) {
	for {
		p, err := a.t.ReadPacket()
		if err != nil {
			return nil, endError{err}
		}
		if a.packets++; a.packets > maxAuthPackets {
			return nil, a.violation(fmt.Sprintf("more than %d messages before the login", maxAuthPackets))
		}
		switch n := p[0]; {
		case n == numAuthBanner:
			if err := a.banner(p); err != nil {
				return nil, err
			}
		case n == numServiceAccept, n == numAuthFailure, n == numAuthSuccess, n == numAuthSpecial:
			return p, nil
		case ssh.PhaseOf(n) != ssh.NoPhase:
			return nil, a.violation(fmt.Sprintf("message %d before the login", n))
		default:
			if err := a.t.Reject(); err != nil {
				return nil, endError{err}
			}
		}
	}
}

func (a *authSession) banner(p []byte) error {
	var b ssh.UserAuthBanner
	if err := a.parse(p, &b); err != nil {
		return err
	}
	if a.banners += len(b.Message); a.banners > maxBanners {
		return a.violation(fmt.Sprintf("more than %d bytes of banners", maxBanners))
	}
	if a.cfg.Banner != nil {
		a.cfg.Banner(b.Message)
	}
	return nil
}

// expect reads the one message that may come now.
func (a *authSession) expect(m wire.Message) error {
	p, err := a.read()
	if err != nil {
		return err
	}
	if p[0] != number(m) {
		return a.violation(fmt.Sprintf("message %d in place of %s", p[0], ssh.Messages.Name(m)))
	}
	return a.parse(p, m)
}

func (a *authSession) parse(p []byte, m wire.Message) error {
	if err := ssh.Parse(p, m); err != nil {
		return a.malformed(err)
	}
	return nil
}

func (a *authSession) malformed(err error) error {
	return a.fail(&transport.ProtocolError{Rule: "malformed message", Err: err})
}

func (a *authSession) violation(rule string) error {
	return a.fail(&transport.ProtocolError{Rule: rule, Section: "RFC 4252"})
}

func (a *authSession) fail(err error) error {
	a.t.Fail(ssh.ProtocolError, err)
	return endError{err}
}
