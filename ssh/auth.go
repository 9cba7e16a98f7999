package ssh

import "github.com/wirelark/wirelark/wire"

// Services that a [ServiceRequest] names. RFC 4250 §4.7.
const (
	ServiceUserAuth   = "ssh-userauth"
	ServiceConnection = "ssh-connection"
)

// Authentication methods. RFC 4252 §5, RFC 4256.
const (
	MethodNone      = "none"
	MethodPublicKey = "publickey"
	MethodPassword  = "password"
	MethodKbdInt    = "keyboard-interactive"
	MethodHostbased = "hostbased"
)

// UserAuthRequest asks to be let in as User for Service by Method.
// RFC 4252 §5.
type UserAuthRequest struct {
	User    string
	Service string
	Method  string

	// publickey, §7. Without HasSignature it asks whether Key would do.
	HasSignature bool
	Algorithm    string
	Key          []byte // public key blob; aliases the packet
	Signature    []byte // signature blob over the session id and this request; aliases the packet

	// password, §8
	Change      bool // Password is the old one and NewPassword replaces it
	Password    string
	NewPassword string

	// keyboard-interactive, RFC 4256 §3.1
	Language   string
	Submethods string // comma-separated hints

	// any other method
	Rest []byte // aliases the packet
}

func (m *UserAuthRequest) Fields(c *wire.Coder) {
	c.Text("user_name", &m.User)
	c.Text("service_name", &m.Service)
	c.Text("method_name", &m.Method)
	switch m.Method {
	case MethodNone:
	case MethodPublicKey:
		c.Bool("has_signature", &m.HasSignature)
		c.Text("algorithm", &m.Algorithm)
		c.Bytes("public_key", &m.Key)
		if m.HasSignature {
			c.Bytes("signature", &m.Signature)
		}
	case MethodPassword:
		c.Bool("change", &m.Change)
		c.Secret("password", &m.Password)
		if m.Change {
			c.Secret("new_password", &m.NewPassword)
		}
	case MethodKbdInt:
		c.Text("language_tag", &m.Language)
		c.Text("submethods", &m.Submethods)
	default:
		c.Rest("method_data", &m.Rest)
	}
}

// UserAuthFailure refuses a request, or says that it succeeded but is not
// enough. RFC 4252 §5.1.
type UserAuthFailure struct {
	Methods        []string // that can continue
	PartialSuccess bool
}

func (m *UserAuthFailure) Fields(c *wire.Coder) {
	c.NameList("authentications_that_can_continue", &m.Methods)
	c.Bool("partial_success", &m.PartialSuccess)
}

// UserAuthSuccess lets the client in. RFC 4252 §5.1.
type UserAuthSuccess struct{}

func (*UserAuthSuccess) Fields(*wire.Coder) {}

// UserAuthBanner is a text to show before or during authentication.
// RFC 4252 §5.4.
type UserAuthBanner struct {
	Message  string // may hold anything, including terminal escapes
	Language string
}

func (m *UserAuthBanner) Fields(c *wire.Coder) {
	c.Text("message", &m.Message)
	c.Text("language_tag", &m.Language)
}

// UserAuthPKOK says that a signature by the key that was asked about would be
// looked at. RFC 4252 §7.
type UserAuthPKOK struct {
	Algorithm string
	Key       []byte // public key blob; aliases the packet
}

func (m *UserAuthPKOK) Fields(c *wire.Coder) {
	c.Text("algorithm", &m.Algorithm)
	c.Bytes("public_key", &m.Key)
}

// UserAuthPasswdChangeReq asks for a new password. RFC 4252 §8.
type UserAuthPasswdChangeReq struct {
	Prompt   string
	Language string
}

func (m *UserAuthPasswdChangeReq) Fields(c *wire.Coder) {
	c.Text("prompt", &m.Prompt)
	c.Text("language_tag", &m.Language)
}

// UserAuthInfoRequest asks the user questions. RFC 4256 §3.2.
type UserAuthInfoRequest struct {
	Name        string
	Instruction string
	Language    string
	Prompts     []Prompt
}

func (m *UserAuthInfoRequest) Fields(c *wire.Coder) {
	c.Text("name", &m.Name)
	c.Text("instruction", &m.Instruction)
	c.Text("language_tag", &m.Language)
	wire.List(c, "prompts", 5, &m.Prompts, (*Prompt).fields)
}

// Prompt is one question of a [UserAuthInfoRequest].
type Prompt struct {
	Text string
	Echo bool // the answer may be shown while it is typed
}

func (p *Prompt) fields(c *wire.Coder) {
	c.Text("prompt", &p.Text)
	c.Bool("echo", &p.Echo)
}

// UserAuthInfoResponse carries the answers, one for each prompt.
// RFC 4256 §3.4.
type UserAuthInfoResponse struct {
	Answers []string
}

func (m *UserAuthInfoResponse) Fields(c *wire.Coder) {
	wire.List(c, "responses", 4, &m.Answers, func(s *string, c *wire.Coder) { c.Secret("response", s) })
}
