package ssh

import "github.com/wirelark/wirelark/wire"

// Channel requests. RFC 4254 §§6.2–6.10, RFC 4335, OpenSSH PROTOCOL §2.1.
const (
	RequestPTY          = "pty-req"
	RequestX11          = "x11-req"
	RequestEnv          = "env"
	RequestShell        = "shell"
	RequestExec         = "exec"
	RequestSubsystem    = "subsystem"
	RequestWindowChange = "window-change"
	RequestXonXoff      = "xon-xoff"
	RequestSignal       = "signal"
	RequestExitStatus   = "exit-status"
	RequestExitSignal   = "exit-signal"
	RequestBreak        = "break"
	RequestAgent        = "auth-agent-req@openssh.com"
	RequestEOW          = "eow@openssh.com"
	RequestKeepalive    = "keepalive@openssh.com"
)

// ChannelRequest concerns a channel. RFC 4254 §5.4. Only the part that
// belongs to Type is coded.
type ChannelRequest struct {
	Recipient uint32
	Type      string
	WantReply bool

	PTY           PTY        // pty-req
	Size          WindowSize // window-change, §6.7
	X11           X11Request // x11-req
	EnvName       string     // env, §6.4
	EnvValue      string     // env
	Command       string     // exec, §6.5: for the user's shell
	Subsystem     string     // subsystem, §6.5
	ClientCanDo   bool       // xon-xoff, §6.8
	Signal        string     // signal, §6.9: name without SIG
	ExitStatus    uint32     // exit-status, §6.10
	ExitSignal    ExitSignal // exit-signal, §6.10
	BreakDuration uint32     // break, RFC 4335 §3: milliseconds
	Rest          []byte     // any other type; aliases the packet
}

func (m *ChannelRequest) Fields(c *wire.Coder) {
	c.U32("recipient_channel", &m.Recipient)
	c.Text("request_type", &m.Type)
	c.Bool("want_reply", &m.WantReply)
	switch m.Type {
	case RequestPTY:
		m.PTY.fields(c)
	case RequestWindowChange:
		m.Size.fields(c)
	case RequestX11:
		m.X11.fields(c)
	case RequestEnv:
		c.Text("variable_name", &m.EnvName)
		c.Text("variable_value", &m.EnvValue)
	case RequestExec:
		c.Text("command", &m.Command)
	case RequestSubsystem:
		c.Text("subsystem_name", &m.Subsystem)
	case RequestXonXoff:
		c.Bool("client_can_do", &m.ClientCanDo)
	case RequestSignal:
		c.Text("signal_name", &m.Signal)
	case RequestExitStatus:
		c.U32("exit_status", &m.ExitStatus)
	case RequestExitSignal:
		m.ExitSignal.fields(c)
	case RequestBreak:
		c.U32("break_length", &m.BreakDuration)
	case RequestShell, RequestAgent, RequestEOW:
	default:
		c.Rest("type_data", &m.Rest)
	}
}

// PTY describes a pseudo-terminal. RFC 4254 §6.2.
type PTY struct {
	Term  string // value of TERM
	Size  WindowSize
	Modes []byte // encoded terminal modes, §8; aliases the packet
}

func (p *PTY) fields(c *wire.Coder) {
	c.Text("term", &p.Term)
	p.Size.fields(c)
	c.Bytes("terminal_modes", &p.Modes)
}

// WindowSize is the size of a terminal. RFC 4254 §§6.2, 6.7. Zero means
// unknown; characters win over pixels.
type WindowSize struct {
	Columns, Rows uint32 // characters
	Width, Height uint32 // pixels
}

func (s *WindowSize) fields(c *wire.Coder) {
	c.U32("width_characters", &s.Columns)
	c.U32("height_rows", &s.Rows)
	c.U32("width_pixels", &s.Width)
	c.U32("height_pixels", &s.Height)
}

// X11Request asks for X11 forwarding. RFC 4254 §6.3.1.
type X11Request struct {
	SingleConnection bool
	AuthProtocol     string
	AuthCookie       string
	Screen           uint32
}

func (x *X11Request) fields(c *wire.Coder) {
	c.Bool("single_connection", &x.SingleConnection)
	c.Text("x11_authentication_protocol", &x.AuthProtocol)
	c.Secret("x11_authentication_cookie", &x.AuthCookie)
	c.U32("x11_screen_number", &x.Screen)
}

// ExitSignal says which signal ended the command. RFC 4254 §6.10.
type ExitSignal struct {
	Signal     string // name without SIG
	CoreDumped bool
	Message    string // may hold anything, including terminal escapes
	Language   string
}

func (e *ExitSignal) fields(c *wire.Coder) {
	c.Text("signal_name", &e.Signal)
	c.Bool("core_dumped", &e.CoreDumped)
	c.Text("error_message", &e.Message)
	c.Text("language_tag", &e.Language)
}
