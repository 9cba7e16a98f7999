// Package ssh is the vocabulary of SSH: every message with its layout, name
// and number, once, for client, server and decoder (RFC 4250–4254, 4256, 8308
// and OpenSSH's PROTOCOL).
//
// It does no I/O and knows no cryptography. Package sshclient dials, package
// sshserver serves, package sshdecode reads what others say.
//
// Some numbers mean different messages in different contexts: 30–49 depend on
// the key-exchange method (RFC 4250 §4.1.2), 60–79 on the authentication
// method (§4.1.3). [Messages] is keyed by number and such a context; a [Flow]
// knows the context at every moment of a connection.
package ssh

import "github.com/wirelark/wirelark/wire"

// Contexts of the message numbers 30–49 and 60–79.
const (
	ContextDH       = "dh"                   // RFC 4253 §8: e and f are mpints
	ContextECDH     = "ecdh"                 // RFC 5656 §4, RFC 8731, and the ML-KEM hybrids: octet strings
	ContextGex      = "dh-gex"               // RFC 4419: the group is negotiated first
	ContextKey      = "publickey"            // RFC 4252 §7
	ContextPassword = "password"             // RFC 4252 §8
	ContextKbdInt   = "keyboard-interactive" // RFC 4256
)

// Messages is the registry of SSH.
var Messages = wire.NewRegistry("ssh",
	wire.Entry{Number: 1, Name: "SSH_MSG_DISCONNECT", Section: "RFC 4253 §11.1", New: wire.New[Disconnect]},
	wire.Entry{Number: 2, Name: "SSH_MSG_IGNORE", Section: "RFC 4253 §11.2", New: wire.New[Ignore]},
	wire.Entry{Number: 3, Name: "SSH_MSG_UNIMPLEMENTED", Section: "RFC 4253 §11.4", New: wire.New[Unimplemented]},
	wire.Entry{Number: 4, Name: "SSH_MSG_DEBUG", Section: "RFC 4253 §11.3", New: wire.New[Debug]},
	wire.Entry{Number: 5, Name: "SSH_MSG_SERVICE_REQUEST", From: wire.FromClient, Section: "RFC 4253 §10", New: wire.New[ServiceRequest]},
	wire.Entry{Number: 6, Name: "SSH_MSG_SERVICE_ACCEPT", From: wire.FromServer, Section: "RFC 4253 §10", New: wire.New[ServiceAccept]},
	wire.Entry{Number: 7, Name: "SSH_MSG_EXT_INFO", Section: "RFC 8308 §2.3", New: wire.New[ExtInfo]},
	wire.Entry{Number: 8, Name: "SSH_MSG_NEWCOMPRESS", Section: "RFC 8308 §3.2", New: wire.New[NewCompress]},
	wire.Entry{Number: 20, Name: "SSH_MSG_KEXINIT", Section: "RFC 4253 §7.1", New: wire.New[KexInit]},
	wire.Entry{Number: 21, Name: "SSH_MSG_NEWKEYS", Section: "RFC 4253 §7.3", New: wire.New[NewKeys]},

	wire.Entry{Number: 30, Context: ContextDH, Name: "SSH_MSG_KEXDH_INIT", From: wire.FromClient, Section: "RFC 4253 §8", New: wire.New[KexDHInit]},
	wire.Entry{Number: 31, Context: ContextDH, Name: "SSH_MSG_KEXDH_REPLY", From: wire.FromServer, Section: "RFC 4253 §8", New: wire.New[KexDHReply]},
	wire.Entry{Number: 30, Context: ContextECDH, Name: "SSH_MSG_KEX_ECDH_INIT", From: wire.FromClient, Section: "RFC 5656 §4", New: wire.New[KexECDHInit]},
	wire.Entry{Number: 31, Context: ContextECDH, Name: "SSH_MSG_KEX_ECDH_REPLY", From: wire.FromServer, Section: "RFC 5656 §4", New: wire.New[KexECDHReply]},
	wire.Entry{Number: 30, Context: ContextGex, Name: "SSH_MSG_KEX_DH_GEX_REQUEST_OLD", From: wire.FromClient, Section: "RFC 4419 §5", New: wire.New[KexGexRequestOld]},
	wire.Entry{Number: 31, Context: ContextGex, Name: "SSH_MSG_KEX_DH_GEX_GROUP", From: wire.FromServer, Section: "RFC 4419 §3", New: wire.New[KexGexGroup]},
	wire.Entry{Number: 32, Context: ContextGex, Name: "SSH_MSG_KEX_DH_GEX_INIT", From: wire.FromClient, Section: "RFC 4419 §3", New: wire.New[KexGexInit]},
	wire.Entry{Number: 33, Context: ContextGex, Name: "SSH_MSG_KEX_DH_GEX_REPLY", From: wire.FromServer, Section: "RFC 4419 §3", New: wire.New[KexGexReply]},
	wire.Entry{Number: 34, Context: ContextGex, Name: "SSH_MSG_KEX_DH_GEX_REQUEST", From: wire.FromClient, Section: "RFC 4419 §3", New: wire.New[KexGexRequest]},

	wire.Entry{Number: 50, Name: "SSH_MSG_USERAUTH_REQUEST", From: wire.FromClient, Section: "RFC 4252 §5", New: wire.New[UserAuthRequest]},
	wire.Entry{Number: 51, Name: "SSH_MSG_USERAUTH_FAILURE", From: wire.FromServer, Section: "RFC 4252 §5.1", New: wire.New[UserAuthFailure]},
	wire.Entry{Number: 52, Name: "SSH_MSG_USERAUTH_SUCCESS", From: wire.FromServer, Section: "RFC 4252 §5.1", New: wire.New[UserAuthSuccess]},
	wire.Entry{Number: 53, Name: "SSH_MSG_USERAUTH_BANNER", From: wire.FromServer, Section: "RFC 4252 §5.4", New: wire.New[UserAuthBanner]},
	wire.Entry{Number: 60, Context: ContextKey, Name: "SSH_MSG_USERAUTH_PK_OK", From: wire.FromServer, Section: "RFC 4252 §7", New: wire.New[UserAuthPKOK]},
	wire.Entry{Number: 60, Context: ContextPassword, Name: "SSH_MSG_USERAUTH_PASSWD_CHANGEREQ", From: wire.FromServer, Section: "RFC 4252 §8", New: wire.New[UserAuthPasswdChangeReq]},
	wire.Entry{Number: 60, Context: ContextKbdInt, Name: "SSH_MSG_USERAUTH_INFO_REQUEST", From: wire.FromServer, Section: "RFC 4256 §3.2", New: wire.New[UserAuthInfoRequest]},
	wire.Entry{Number: 61, Context: ContextKbdInt, Name: "SSH_MSG_USERAUTH_INFO_RESPONSE", From: wire.FromClient, Section: "RFC 4256 §3.4", New: wire.New[UserAuthInfoResponse]},

	wire.Entry{Number: 80, Name: "SSH_MSG_GLOBAL_REQUEST", Section: "RFC 4254 §4", New: wire.New[GlobalRequest]},
	wire.Entry{Number: 81, Name: "SSH_MSG_REQUEST_SUCCESS", Section: "RFC 4254 §4", New: wire.New[RequestSuccess]},
	wire.Entry{Number: 82, Name: "SSH_MSG_REQUEST_FAILURE", Section: "RFC 4254 §4", New: wire.New[RequestFailure]},
	wire.Entry{Number: 90, Name: "SSH_MSG_CHANNEL_OPEN", Section: "RFC 4254 §5.1", New: wire.New[ChannelOpen]},
	wire.Entry{Number: 91, Name: "SSH_MSG_CHANNEL_OPEN_CONFIRMATION", Section: "RFC 4254 §5.1", New: wire.New[ChannelOpenConfirmation]},
	wire.Entry{Number: 92, Name: "SSH_MSG_CHANNEL_OPEN_FAILURE", Section: "RFC 4254 §5.1", New: wire.New[ChannelOpenFailure]},
	wire.Entry{Number: 93, Name: "SSH_MSG_CHANNEL_WINDOW_ADJUST", Section: "RFC 4254 §5.2", New: wire.New[ChannelWindowAdjust]},
	wire.Entry{Number: 94, Name: "SSH_MSG_CHANNEL_DATA", Section: "RFC 4254 §5.2", New: wire.New[ChannelData]},
	wire.Entry{Number: 95, Name: "SSH_MSG_CHANNEL_EXTENDED_DATA", Section: "RFC 4254 §5.2", New: wire.New[ChannelExtendedData]},
	wire.Entry{Number: 96, Name: "SSH_MSG_CHANNEL_EOF", Section: "RFC 4254 §5.3", New: wire.New[ChannelEOF]},
	wire.Entry{Number: 97, Name: "SSH_MSG_CHANNEL_CLOSE", Section: "RFC 4254 §5.3", New: wire.New[ChannelClose]},
	wire.Entry{Number: 98, Name: "SSH_MSG_CHANNEL_REQUEST", Section: "RFC 4254 §5.4", New: wire.New[ChannelRequest]},
	wire.Entry{Number: 99, Name: "SSH_MSG_CHANNEL_SUCCESS", Section: "RFC 4254 §5.4", New: wire.New[ChannelSuccess]},
	wire.Entry{Number: 100, Name: "SSH_MSG_CHANNEL_FAILURE", Section: "RFC 4254 §5.4", New: wire.New[ChannelFailure]},

	wire.Entry{Number: 192, Name: "SSH2_MSG_PING", Section: "OpenSSH PROTOCOL §1.8", New: wire.New[Ping]},
	wire.Entry{Number: 193, Name: "SSH2_MSG_PONG", Section: "OpenSSH PROTOCOL §1.8", New: wire.New[Pong]},
)

// Dialects lists the dialects in which messages differ: SSH has only one; what
// changes are the contexts of the registry.
var Dialects = []wire.Dialect{{}}

// Append appends the packet of m, its number first, to dst.
func Append(dst []byte, m wire.Message) ([]byte, error) {
	return Messages.Append(dst, m, wire.Dialect{})
}

// Parse decodes packet, which begins with its number, into m. Bytes behind the
// last field are an error.
func Parse(packet []byte, m wire.Message) error {
	return Messages.Parse(packet, m, wire.Dialect{})
}
