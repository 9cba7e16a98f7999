package sshtest

import (
	"crypto/rand"
	"fmt"

	"github.com/wirelark/wirelark/ssh"
	"github.com/wirelark/wirelark/ssh/internal/kex"
	"github.com/wirelark/wirelark/ssh/keys"
	"github.com/wirelark/wirelark/ssh/packet"
	"github.com/wirelark/wirelark/trace"
	"github.com/wirelark/wirelark/wire"
)

// Stage is how far a conversation has come.
type Stage int

// The stages, in their order.
const (
	Connected     Stage = iota // nothing has been said
	Identified                 // both have sent their identification
	Negotiated                 // both have sent their KEXINIT
	Keyed                      // both have sent NEWKEYS
	Served                     // the service ssh-userauth is granted
	Authenticated              // the client has been let in
	Open                       // a session channel is open; a client has opened it
	Rekeying                   // both have sent another KEXINIT
)

var stageNames = [...]string{"connected", "identified", "negotiated", "keyed", "served", "authenticated", "open", "rekeying"}

// String returns the name in lower case.
func (s Stage) String() string { return stageNames[s] }

// Reach holds the conversation up to stage as a decent peer would. Whatever
// goes wrong fails the test at once.
func (p *Peer) Reach(stage Stage) {
	p.t.Helper()
	steps := [...]func() error{
		Identified: p.identify, Negotiated: p.negotiate, Keyed: p.exchange,
		Served: p.serve, Authenticated: p.logIn, Open: p.open, Rekeying: p.negotiate,
	}
	for p.stage < stage {
		if err := steps[p.stage+1](); err != nil {
			p.t.Fatalf("sshtest: from %v to %v: %v", p.stage, p.stage+1, err)
		}
		p.stage++
	}
}

func (p *Peer) sends() wire.Dir { return p.Role.Sends() }

func (p *Peer) identify() error {
	ours := []byte("SSH-2.0-Peer")
	if err := p.Raw(append(ours[:len(ours):len(ours)], '\r', '\n')); err != nil {
		return err
	}
	theirs, err := p.p.ReadLine(255)
	p.versions[p.sends()] = ours
	p.versions[p.sends().Reverse()] = append([]byte(nil), theirs...)
	return err
}

// KexInit returns the offer that Reach makes.
func (p *Peer) KexInit() *ssh.KexInit {
	m := &ssh.KexInit{
		KexAlgorithms:           p.Kex,
		ServerHostKeyAlgorithms: []string{keys.SignatureAlgorithms("ssh-ed25519")[0]},
		CiphersC2S:              p.Ciphers, CiphersS2C: p.Ciphers,
		MACsC2S: []string{"hmac-sha2-256"}, MACsS2C: []string{"hmac-sha2-256"},
		CompressionC2S: []string{"none"}, CompressionS2C: []string{"none"},
	}
	rand.Read(m.Cookie[:])
	return m
}

func (p *Peer) negotiate() error {
	ours, err := ssh.Append(nil, p.KexInit())
	if err != nil {
		return err
	}
	if err := p.SendPacket(ours); err != nil {
		return err
	}
	theirs, err := p.Next()
	for err == nil && p.sessionID != nil && theirs[0] != ssh.Messages.Entry(&ssh.KexInit{}).Number {
		theirs, err = p.Next() // what was under way
	}
	if err != nil {
		return err
	}
	p.inits[p.sends()] = ours
	p.inits[p.sends().Reverse()] = append([]byte(nil), theirs...)
	return nil
}

// exchange goes from the KEXINITs to the new keys.
func (p *Peer) exchange() error {
	var client, server ssh.KexInit
	if err := ssh.Parse(p.inits[wire.C2S], &client); err != nil {
		return err
	}
	if err := ssh.Parse(p.inits[wire.S2C], &server); err != nil {
		return err
	}
	alg, err := ssh.Negotiate(&client, &server)
	if err != nil {
		return err
	}
	p.strict = ssh.StrictKex(&client, &server)
	method, ok := kex.Find(alg.Kex)
	if !ok {
		return fmt.Errorf("no method %q", alg.Kex)
	}
	agree := p.agreeAsClient
	if p.Role == trace.Server {
		agree = p.agreeAsServer
	}
	v, h, err := agree(method)
	if err != nil {
		return err
	}
	if p.sessionID == nil {
		p.sessionID = h
	}
	return p.takeKeys(method, v, h, alg)
}

func (p *Peer) agreeAsClient(method kex.Method) (v *kex.Values, h []byte, err error) {
	half, err := method.NewClient()
	if err != nil {
		return nil, nil, err
	}
	if err := p.Send(half.Start()); err != nil {
		return nil, nil, err
	}
	b, err := p.Next()
	if err != nil {
		return nil, nil, err
	}
	if _, v, err = half.Next(b); err != nil {
		return nil, nil, err
	}
	h, err = p.hash(method, v, v.HostKey) // whose signature is not our concern
	return v, h, err
}

func (p *Peer) agreeAsServer(method kex.Method) (v *kex.Values, h []byte, err error) {
	half := method.NewServer()
	b, err := p.Next()
	if err != nil {
		return nil, nil, err
	}
	if _, v, err = half.Next(b); err != nil {
		return nil, nil, err
	}
	blob := p.HostKey.PublicKey().Marshal()
	if h, err = p.hash(method, v, blob); err != nil {
		return nil, nil, err
	}
	sig, err := keys.Sign(nil, p.HostKey, keys.SignatureAlgorithms(p.HostKey.PublicKey().Type())[0], h)
	if err != nil {
		return nil, nil, err
	}
	return v, h, p.Send(half.Reply(blob, sig))
}

func (p *Peer) hash(method kex.Method, v *kex.Values, hostKey []byte) ([]byte, error) {
	return kex.Hash(method.Hash, &kex.Inputs{
		ClientVersion: p.versions[wire.C2S], ServerVersion: p.versions[wire.S2C],
		ClientInit: p.inits[wire.C2S], ServerInit: p.inits[wire.S2C],
		HostKey: hostKey, Public: v.Public, K: v.K,
	})
}

// takeKeys exchanges NEWKEYS.
func (p *Peer) takeKeys(method kex.Method, v *kex.Values, h []byte, alg ssh.Algorithms) error {
	out, in := p.sends(), p.sends().Reverse()
	// Not an array indexed by direction: Go 1.26.8 frees the strings of such a
	// local one too early.
	sealed, opened := alg.C2S, alg.S2C
	if p.Role == trace.Server {
		sealed, opened = opened, sealed
	}
	seal, err := packet.DeriveKeys(method.Hash, v.K, h, p.sessionID, out, sealed)
	if err != nil {
		return err
	}
	open, err := packet.DeriveKeys(method.Hash, v.K, h, p.sessionID, in, opened)
	if err != nil {
		return err
	}
	if err := p.Send(&ssh.NewKeys{}); err != nil {
		return err
	}
	if err := p.p.SetSealer(sealed, seal, p.strict); err != nil {
		return err
	}
	if err := p.Receive(&ssh.NewKeys{}); err != nil {
		return err
	}
	return p.p.SetOpener(opened, open, p.strict)
}

func (p *Peer) serve() error {
	if p.Role == trace.Client {
		if err := p.Send(&ssh.ServiceRequest{Service: ssh.ServiceUserAuth}); err != nil {
			return err
		}
		return p.Receive(&ssh.ServiceAccept{})
	}
	if err := p.Receive(&ssh.ServiceRequest{}); err != nil {
		return err
	}
	return p.Send(&ssh.ServiceAccept{Service: ssh.ServiceUserAuth})
}

func (p *Peer) logIn() error {
	if p.Role == trace.Client {
		r := &ssh.UserAuthRequest{User: p.User, Service: ssh.ServiceConnection, Method: ssh.MethodPassword, Password: p.Password}
		if err := p.Send(r); err != nil {
			return err
		}
		return p.Receive(&ssh.UserAuthSuccess{})
	}
	if err := p.Receive(&ssh.UserAuthRequest{}); err != nil {
		return err
	}
	return p.Send(&ssh.UserAuthSuccess{})
}

// ourChannel is our number of the channel of stage Open.
const ourChannel = 0

func (p *Peer) open() error {
	const window, maxPacket = 1 << 20, 32 << 10
	if p.Role == trace.Client {
		m := &ssh.ChannelOpen{Type: ssh.ChannelSession, Sender: ourChannel, Window: window, MaxPacket: maxPacket}
		if err := p.Send(m); err != nil {
			return err
		}
		var c ssh.ChannelOpenConfirmation
		err := p.Receive(&c)
		p.channel = c.Sender
		return err
	}
	var o ssh.ChannelOpen
	if err := p.Receive(&o); err != nil {
		return err
	}
	p.channel = o.Sender
	return p.Send(&ssh.ChannelOpenConfirmation{Recipient: o.Sender, Sender: ourChannel, Window: window, MaxPacket: maxPacket})
}
