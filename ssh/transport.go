package ssh

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// Disconnect ends the connection, from either side. RFC 4253 §11.1.
type Disconnect struct {
	Reason      DisconnectReason
	Description string // UTF-8, for people; may hold anything, including terminal escapes
	Language    string // RFC 3066 tag, usually empty
}

func (m *Disconnect) Fields(c *wire.Coder) {
	wire.Enum32(c, "reason_code", &m.Reason)
	c.Text("description", &m.Description)
	c.Text("language_tag", &m.Language)
}

// DisconnectReason is the reason code of a [Disconnect]. RFC 4253 §11.1.
type DisconnectReason uint32

const (
	HostNotAllowedToConnect     DisconnectReason = 1
	ProtocolError               DisconnectReason = 2
	KeyExchangeFailed           DisconnectReason = 3
	Reserved                    DisconnectReason = 4
	MACError                    DisconnectReason = 5
	CompressionError            DisconnectReason = 6
	ServiceNotAvailable         DisconnectReason = 7
	ProtocolVersionNotSupported DisconnectReason = 8
	HostKeyNotVerifiable        DisconnectReason = 9
	ConnectionLost              DisconnectReason = 10
	ByApplication               DisconnectReason = 11
	TooManyConnections          DisconnectReason = 12
	AuthCancelledByUser         DisconnectReason = 13
	NoMoreAuthMethodsAvailable  DisconnectReason = 14
	IllegalUserName             DisconnectReason = 15
)

var disconnectReasons = [...]string{
	1: "HOST_NOT_ALLOWED_TO_CONNECT", "PROTOCOL_ERROR", "KEY_EXCHANGE_FAILED", "RESERVED", "MAC_ERROR",
	"COMPRESSION_ERROR", "SERVICE_NOT_AVAILABLE", "PROTOCOL_VERSION_NOT_SUPPORTED", "HOST_KEY_NOT_VERIFIABLE",
	"CONNECTION_LOST", "BY_APPLICATION", "TOO_MANY_CONNECTIONS", "AUTH_CANCELLED_BY_USER",
	"NO_MORE_AUTH_METHODS_AVAILABLE", "ILLEGAL_USER_NAME",
}

// String returns the RFC's name without its SSH_DISCONNECT_ prefix.
func (r DisconnectReason) String() string { return symbol(disconnectReasons[:], uint32(r)) }

func symbol(names []string, v uint32) string {
	if uint64(v) < uint64(len(names)) && names[v] != "" {
		return names[v]
	}
	return fmt.Sprintf("%#x", v)
}

// Ignore carries data that the receiver throws away. RFC 4253 §11.2.
type Ignore struct {
	Data []byte // aliases the packet
}

func (m *Ignore) Fields(c *wire.Coder) { c.Bytes("data", &m.Data) }

// Unimplemented answers a message that its receiver does not know.
// RFC 4253 §11.4.
type Unimplemented struct {
	Sequence uint32 // packet sequence number of the rejected message
}

func (m *Unimplemented) Fields(c *wire.Coder) { c.U32("packet_sequence_number", &m.Sequence) }

// Debug carries a remark. RFC 4253 §11.3.
type Debug struct {
	AlwaysDisplay bool
	Message       string // may hold anything, including terminal escapes
	Language      string
}

func (m *Debug) Fields(c *wire.Coder) {
	c.Bool("always_display", &m.AlwaysDisplay)
	c.Text("message", &m.Message)
	c.Text("language_tag", &m.Language)
}

// ServiceRequest asks the server for ssh-userauth or ssh-connection.
// RFC 4253 §10.
type ServiceRequest struct {
	Service string
}

func (m *ServiceRequest) Fields(c *wire.Coder) { c.Text("service_name", &m.Service) }

// ServiceAccept grants a [ServiceRequest]. RFC 4253 §10.
type ServiceAccept struct {
	Service string
}

func (m *ServiceAccept) Fields(c *wire.Coder) { c.Text("service_name", &m.Service) }

// ExtInfo announces extensions, either way, to a peer whose first KEXINIT
// asked for it. RFC 8308 §2.3.
type ExtInfo struct {
	Extensions []Extension
}

func (m *ExtInfo) Fields(c *wire.Coder) {
	wire.List(c, "extensions", 8, &m.Extensions, (*Extension).fields)
}

// Extension is one entry of an [ExtInfo].
type Extension struct {
	Name  string
	Value []byte // the extension's own format; aliases the packet
}

func (e *Extension) fields(c *wire.Coder) {
	c.Text("extension_name", &e.Name)
	c.Bytes("extension_value", &e.Value)
}

// NewCompress switches the sender's compression on. RFC 8308 §3.2.
type NewCompress struct{}

func (*NewCompress) Fields(*wire.Coder) {}

// KexInit opens a key exchange and offers algorithms, most wanted first.
// RFC 4253 §7.1.
type KexInit struct {
	Cookie                  [16]byte
	KexAlgorithms           []string // may hold the markers ext-info-c, kex-strict-c-v00@openssh.com, …
	ServerHostKeyAlgorithms []string
	CiphersC2S              []string
	CiphersS2C              []string
	MACsC2S                 []string
	MACsS2C                 []string
	CompressionC2S          []string
	CompressionS2C          []string
	LanguagesC2S            []string
	LanguagesS2C            []string
	FirstKexPacketFollows   bool // a guessed packet follows
	Reserved                uint32
}

func (m *KexInit) Fields(c *wire.Coder) {
	c.Fixed("cookie", m.Cookie[:])
	c.NameList("kex_algorithms", &m.KexAlgorithms)
	c.NameList("server_host_key_algorithms", &m.ServerHostKeyAlgorithms)
	c.NameList("encryption_algorithms_client_to_server", &m.CiphersC2S)
	c.NameList("encryption_algorithms_server_to_client", &m.CiphersS2C)
	c.NameList("mac_algorithms_client_to_server", &m.MACsC2S)
	c.NameList("mac_algorithms_server_to_client", &m.MACsS2C)
	c.NameList("compression_algorithms_client_to_server", &m.CompressionC2S)
	c.NameList("compression_algorithms_server_to_client", &m.CompressionS2C)
	c.NameList("languages_client_to_server", &m.LanguagesC2S)
	c.NameList("languages_server_to_client", &m.LanguagesS2C)
	c.Bool("first_kex_packet_follows", &m.FirstKexPacketFollows)
	c.U32("reserved", &m.Reserved)
}

// NewKeys says that the sender's next packet is under the new keys.
// RFC 4253 §7.3.
type NewKeys struct{}

func (*NewKeys) Fields(*wire.Coder) {}

// Ping asks for a [Pong] with the same data. It may be sent to a peer whose
// [ExtInfo] has "ping@openssh.com" with the value "0". OpenSSH PROTOCOL §1.8.
type Ping struct {
	Data []byte // aliases the packet
}

func (m *Ping) Fields(c *wire.Coder) { c.Bytes("data", &m.Data) }

// Pong answers a [Ping]. OpenSSH PROTOCOL §1.8.
type Pong struct {
	Data []byte // aliases the packet
}

func (m *Pong) Fields(c *wire.Coder) { c.Bytes("data", &m.Data) }
