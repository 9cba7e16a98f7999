package mysql

import (
	"slices"
	"strings"

	"github.com/wirelark/wirelark/wire"
)

// HandshakeV10 is the server's greeting, the first packet of a connection.
// Manual: Protocol::HandshakeV10.
type HandshakeV10 struct {
	ServerVersion string // as sent; see Version
	ConnectionID  uint32 // for KILL; the lower 32 bits
	AuthData      []byte // the nonce, 20 bytes, without the NUL behind it
	Capabilities  Capabilities
	Collation     uint8 // the server's default, modulo 256
	Status        Status
	AuthPlugin    string // if ClientPluginAuth
}

// NonceSize is the length of the nonce of most authentication methods.
const NonceSize = 20

func (m *HandshakeV10) Fields(c *wire.Coder) {
	var part1, part2 []byte
	if !c.Decoding() {
		if len(m.AuthData) < 8 || m.Capabilities.Has(ClientSecureConnection) && (len(m.AuthData) < NonceSize || len(m.AuthData) > 254) {
			c.Fail("auth_plugin_data", wire.ErrRange)
			return
		}
		part1, part2 = m.AuthData[:8], m.AuthData[8:]
	}
	low, high, ext := uint16(m.Capabilities), uint16(m.Capabilities>>16), uint32(m.Capabilities>>32)
	var filler, length uint8
	var reserved [6]byte
	c.NulText("server_version", &m.ServerVersion)
	wire.UintLE(c, "connection_id", 4, &m.ConnectionID)
	c.Raw("auth_plugin_data_part_1", 8, &part1)
	c.U8("filler", &filler)
	wire.UintLE(c, "capability_flags_low", 2, &low)
	c.U8("character_set", &m.Collation)
	wire.UintLE(c, "status_flags", 2, &m.Status)
	wire.UintLE(c, "capability_flags_high", 2, &high)
	if c.Decoding() {
		m.Capabilities = Capabilities(low) | Capabilities(high)<<16
	} else if m.Capabilities.Has(ClientPluginAuth) {
		length = uint8(len(m.AuthData) + 1)
	}
	c.U8("auth_plugin_data_len", &length)
	c.Fixed("reserved", reserved[:])
	wire.UintLE(c, "mariadb_capability_flags", 4, &ext)
	if c.Decoding() {
		m.Capabilities |= Capabilities(ext) << 32
	}
	if m.Capabilities.Has(ClientSecureConnection) {
		n := NonceSize - 8
		if m.Capabilities.Has(ClientPluginAuth) {
			n = max(13, int(length)-8) - 1
		}
		c.Raw("auth_plugin_data_part_2", n, &part2)
		c.U8("auth_plugin_data_end", &filler)
	}
	if c.Decoding() && !c.Failed() {
		m.AuthData = slices.Concat(part1, part2)
	}
	if m.Capabilities.Has(ClientPluginAuth) {
		c.LooseNulText("auth_plugin_name", &m.AuthPlugin)
	}
	if c.Describing() {
		c.View("capability_flags", m.Capabilities)
	}
}

// Version returns the server's version without the "5.5.5-" that old MariaDB
// servers put in front of it.
func (m *HandshakeV10) Version() string { return strings.TrimPrefix(m.ServerVersion, "5.5.5-") }

// MariaDB reports whether the server is a MariaDB and speaks its extensions.
// The version text does not decide: proxies make it up.
func (m *HandshakeV10) MariaDB() bool { return m.Capabilities.MariaDB() }

// SSLRequest asks for TLS, which begins right behind it. It is the beginning
// of a [HandshakeResponse41] with ClientSSL set. Manual:
// Protocol::SSLRequest.
type SSLRequest struct {
	Capabilities Capabilities
	MaxPacket    uint32 // the longest packet that the client takes
	Collation    uint8
}

func (m *SSLRequest) Fields(c *wire.Coder) {
	clientHead(c, &m.Capabilities, &m.MaxPacket, &m.Collation)
}

// clientHead codes the 32 bytes with which a client begins.
func clientHead(c *wire.Coder, flags *Capabilities, maxPacket *uint32, collation *uint8) {
	low, high := uint32(*flags), uint32(*flags>>32)
	var filler [19]byte
	wire.UintLE(c, "client_flag", 4, &low)
	wire.UintLE(c, "max_packet_size", 4, maxPacket)
	c.U8("character_set", collation)
	c.Fixed("filler", filler[:])
	wire.UintLE(c, "mariadb_client_flag", 4, &high)
	if c.Decoding() {
		*flags = Capabilities(low) | Capabilities(high)<<32
	}
	if c.Describing() {
		c.View("capability_flags", *flags)
	}
}

// Attribute is a name and a value that a client tells about itself.
type Attribute struct {
	Name, Value string
}

func (a *Attribute) fields(c *wire.Coder) {
	c.LenText("name", &a.Name)
	c.LenText("value", &a.Value)
}

func attributes(c *wire.Coder, v *[]Attribute) {
	c.LenSized("attributes", func() { wire.ListRest(c, "list", v, (*Attribute).fields) })
}

// HandshakeResponse41 is the client's answer to the greeting, repeated inside
// TLS where an [SSLRequest] went before. Its own capabilities decide about its
// layout. Parts that old clients leave out at the end may be missing. Manual:
// Protocol::HandshakeResponse41.
type HandshakeResponse41 struct {
	Capabilities Capabilities
	MaxPacket    uint32 // the longest packet that the client takes
	Collation    uint8  // collation, of those below 256
	User         string
	AuthResponse []byte      // secret; aliases the packet
	Database     string      // if ClientConnectWithDB
	AuthPlugin   string      // if ClientPluginAuth
	Attributes   []Attribute // if ClientConnectAttrs
	ZstdLevel    uint8       // if ClientZstdCompression; 1 to 22
}

func (m *HandshakeResponse41) Fields(c *wire.Coder) {
	clientHead(c, &m.Capabilities, &m.MaxPacket, &m.Collation)
	c.NulText("username", &m.User)
	switch {
	case m.Capabilities.Has(ClientPluginAuthLenencClientData):
		c.Masked(func() { c.LenBytes("auth_response", &m.AuthResponse) })
	case m.Capabilities.Has(ClientSecureConnection):
		c.Masked(func() { c.Bytes8("auth_response", &m.AuthResponse) })
	default:
		nulSecret(c, "auth_response", &m.AuthResponse)
	}
	// A client that says what it has and ends before it is let through.
	more := true
	if m.Capabilities.Has(ClientConnectWithDB) && c.Tail(&more) {
		c.NulText("database", &m.Database)
	}
	if m.Capabilities.Has(ClientPluginAuth) && more && c.Tail(&more) {
		c.LooseNulText("client_plugin_name", &m.AuthPlugin)
	}
	if m.Capabilities.Has(ClientConnectAttrs) && more && c.Tail(&more) {
		attributes(c, &m.Attributes)
	}
	if m.Capabilities.Has(ClientZstdCompression) && more && c.Tail(&more) {
		c.U8("zstd_compression_level", &m.ZstdLevel)
	}
}

// nulSecret codes secret bytes that a NUL ends.
func nulSecret(c *wire.Coder, name string, v *[]byte) {
	text := string(*v)
	c.Masked(func() { c.NulText(name, &text) })
	if c.Decoding() && !c.Failed() {
		*v = []byte(text)
	}
}

// HandshakeResponse320 is the answer of clients before version 4.1, known far
// enough to refuse them. Manual: Protocol::HandshakeResponse320.
type HandshakeResponse320 struct {
	Capabilities Capabilities // the lower 16
	MaxPacket    uint32       // 3 bytes
	User         string
	AuthResponse []byte // secret, and what follows it; aliases the packet
}

func (m *HandshakeResponse320) Fields(c *wire.Coder) {
	wire.UintLE(c, "client_flag", 2, &m.Capabilities)
	wire.UintLE(c, "max_packet_size", 3, &m.MaxPacket)
	c.NulText("username", &m.User)
	c.Masked(func() { c.Rest("auth_response", &m.AuthResponse) })
}
