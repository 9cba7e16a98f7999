package ssh

import "github.com/wirelark/wirelark/wire"

// Global requests. RFC 4254 §7.1, OpenSSH PROTOCOL §2.
const (
	GlobalTCPIPForward             = "tcpip-forward"
	GlobalCancelTCPIPForward       = "cancel-tcpip-forward"
	GlobalStreamLocalForward       = "streamlocal-forward@openssh.com"
	GlobalCancelStreamLocalForward = "cancel-streamlocal-forward@openssh.com"
	GlobalHostKeys                 = "hostkeys-00@openssh.com"
	GlobalNoMoreSessions           = "no-more-sessions@openssh.com"
	GlobalKeepalive                = "keepalive@openssh.com"
)

// GlobalRequest concerns the connection and no channel. RFC 4254 §4.
type GlobalRequest struct {
	Name      string
	WantReply bool

	Host       string   // tcpip-forward and its cancel, §7.1: address to bind
	Port       uint32   // the same; 0 lets the server choose
	SocketPath string   // streamlocal-forward and its cancel, OpenSSH PROTOCOL §2.4
	HostKeys   [][]byte // hostkeys-00, OpenSSH PROTOCOL §2.5: public key blobs; alias the packet
	Rest       []byte   // any other request; aliases the packet
}

func (m *GlobalRequest) Fields(c *wire.Coder) {
	c.Text("request_name", &m.Name)
	c.Bool("want_reply", &m.WantReply)
	switch m.Name {
	case GlobalTCPIPForward, GlobalCancelTCPIPForward:
		c.Text("address_to_bind", &m.Host)
		c.U32("port_to_bind", &m.Port)
	case GlobalStreamLocalForward, GlobalCancelStreamLocalForward:
		c.Text("socket_path", &m.SocketPath)
	case GlobalHostKeys:
		wire.ListRest(c, "host_keys", &m.HostKeys, func(k *[]byte, c *wire.Coder) { c.Bytes("host_key", k) })
	default:
		c.Rest("request_data", &m.Rest)
	}
}

// RequestSuccess answers a [GlobalRequest]. RFC 4254 §4. Its data depends on
// the request: a tcpip-forward with port 0 is answered with the port, uint32.
type RequestSuccess struct {
	Data []byte // aliases the packet
}

func (m *RequestSuccess) Fields(c *wire.Coder) { c.Rest("response_data", &m.Data) }

// RequestFailure answers a [GlobalRequest]. RFC 4254 §4.
type RequestFailure struct{}

func (*RequestFailure) Fields(*wire.Coder) {}

// Channel types. RFC 4254 §§6.1, 6.3.2, 7.2, OpenSSH PROTOCOL §2.4.
const (
	ChannelSession              = "session"
	ChannelX11                  = "x11"
	ChannelDirectTCPIP          = "direct-tcpip"
	ChannelForwardedTCPIP       = "forwarded-tcpip"
	ChannelDirectStreamLocal    = "direct-streamlocal@openssh.com"
	ChannelForwardedStreamLocal = "forwarded-streamlocal@openssh.com"
	ChannelAgent                = "auth-agent@openssh.com"
)

// ChannelOpen asks for a channel. RFC 4254 §5.1.
type ChannelOpen struct {
	Type      string
	Sender    uint32 // the sender's number of the channel
	Window    uint32 // bytes the sender will take before it adjusts
	MaxPacket uint32 // bytes of data in one packet that the sender will take

	Host           string // direct-tcpip: to connect to; forwarded-tcpip: that was connected to, §7.2
	Port           uint32 // the same
	OriginatorHost string // both, and x11, §6.3.2
	OriginatorPort uint32 // both, and x11
	SocketPath     string // direct- and forwarded-streamlocal, OpenSSH PROTOCOL §2.4
	Reserved       string // both
	ReservedPort   uint32 // direct-streamlocal
	Rest           []byte // any other type; aliases the packet
}

func (m *ChannelOpen) Fields(c *wire.Coder) {
	c.Text("channel_type", &m.Type)
	c.U32("sender_channel", &m.Sender)
	c.U32("initial_window_size", &m.Window)
	c.U32("maximum_packet_size", &m.MaxPacket)
	switch m.Type {
	case ChannelSession, ChannelAgent:
	case ChannelDirectTCPIP, ChannelForwardedTCPIP:
		c.Text("host", &m.Host)
		c.U32("port", &m.Port)
		c.Text("originator_address", &m.OriginatorHost)
		c.U32("originator_port", &m.OriginatorPort)
	case ChannelX11:
		c.Text("originator_address", &m.OriginatorHost)
		c.U32("originator_port", &m.OriginatorPort)
	case ChannelDirectStreamLocal:
		c.Text("socket_path", &m.SocketPath)
		c.Text("reserved", &m.Reserved)
		c.U32("reserved_port", &m.ReservedPort)
	case ChannelForwardedStreamLocal:
		c.Text("socket_path", &m.SocketPath)
		c.Text("reserved", &m.Reserved)
	default:
		c.Rest("type_data", &m.Rest)
	}
}

// ChannelOpenConfirmation grants a [ChannelOpen]. RFC 4254 §5.1.
type ChannelOpenConfirmation struct {
	Recipient uint32 // the opener's number of the channel
	Sender    uint32 // the confirmer's number
	Window    uint32
	MaxPacket uint32
	Rest      []byte // depends on the type; usually nothing; aliases the packet
}

func (m *ChannelOpenConfirmation) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	c.U32("sender_channel", &m.Sender)
	c.U32("initial_window_size", &m.Window)
	c.U32("maximum_packet_size", &m.MaxPacket)
	c.Rest("type_data", &m.Rest)
}

// ChannelOpenFailure refuses a [ChannelOpen]. RFC 4254 §5.1.
type ChannelOpenFailure struct {
	Recipient   uint32
	Reason      OpenFailureReason
	Description string // may hold anything, including terminal escapes
	Language    string
}

func (m *ChannelOpenFailure) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	wire.Enum32(c, "reason_code", &m.Reason)
	c.Text("description", &m.Description)
	c.Text("language_tag", &m.Language)
}

// OpenFailureReason says why a channel was not opened. RFC 4254 §5.1.
type OpenFailureReason uint32

const (
	AdministrativelyProhibited OpenFailureReason = 1
	ConnectFailed              OpenFailureReason = 2
	UnknownChannelType         OpenFailureReason = 3
	ResourceShortage           OpenFailureReason = 4
)

var openFailureReasons = [...]string{
	1: "ADMINISTRATIVELY_PROHIBITED", "CONNECT_FAILED", "UNKNOWN_CHANNEL_TYPE", "RESOURCE_SHORTAGE",
}

// String returns the RFC's name without its SSH_OPEN_ prefix.
func (r OpenFailureReason) String() string { return symbol(openFailureReasons[:], uint32(r)) }

// ChannelWindowAdjust lets the receiver send more. RFC 4254 §5.2.
type ChannelWindowAdjust struct {
	Recipient uint32
	Add       uint32 // bytes; the window must not pass 2³²-1
}

func (m *ChannelWindowAdjust) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	c.U32("bytes_to_add", &m.Add)
}

// ChannelData carries a piece of the channel's stream. RFC 4254 §5.2.
type ChannelData struct {
	Recipient uint32
	Data      []byte // aliases the packet
}

func (m *ChannelData) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	c.Bytes("data", &m.Data)
}

// ExtendedStderr is the only defined type of extended data. RFC 4254 §5.2.
const ExtendedStderr DataType = 1

// DataType is the type of extended data.
type DataType uint32

// String returns the RFC's name.
func (t DataType) String() string { return symbol([]string{1: "SSH_EXTENDED_DATA_STDERR"}, uint32(t)) }

// ChannelExtendedData carries a piece of another stream of the channel, in the
// same window. RFC 4254 §5.2.
type ChannelExtendedData struct {
	Recipient uint32
	Type      DataType
	Data      []byte // aliases the packet
}

func (m *ChannelExtendedData) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	wire.Enum32(c, "data_type_code", &m.Type)
	c.Bytes("data", &m.Data)
}

// ChannelEOF says that the sender will send no more data. RFC 4254 §5.3.
type ChannelEOF struct {
	Recipient uint32
}

func (m *ChannelEOF) Fields(c *wire.Coder) { c.U32("recipient_channel", &m.Recipient) }

// ChannelClose ends the channel; it is answered with the same. RFC 4254 §5.3.
type ChannelClose struct {
	Recipient uint32
}

func (m *ChannelClose) Fields(c *wire.Coder) { c.U32("recipient_channel", &m.Recipient) }

// ChannelSuccess answers a [ChannelRequest]. RFC 4254 §5.4.
type ChannelSuccess struct {
	Recipient uint32
}

func (m *ChannelSuccess) Fields(c *wire.Coder) { c.U32("recipient_channel", &m.Recipient) }

// ChannelFailure answers a [ChannelRequest]. RFC 4254 §5.4.
type ChannelFailure struct {
	Recipient uint32
}

func (m *ChannelFailure) Fields(c *wire.Coder) { c.U32("recipient_channel", &m.Recipient) }
