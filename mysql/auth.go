package mysql

import "github.com/wirelark/wirelark/wire"

// AuthSwitchRequest asks the client to begin again with another method. One
// that consists of its number alone asks for the method of servers before
// 4.1: Old is set. Manual: Protocol::AuthSwitchRequest.
type AuthSwitchRequest struct {
	Old    bool // nothing follows; always refused
	Plugin string
	Data   []byte // for the method, often with a NUL behind it; aliases the packet
}

func (m *AuthSwitchRequest) Fields(c *wire.Coder) {
	more := !m.Old
	c.Tail(&more)
	if c.Decoding() {
		m.Old = !more
	}
	if !more {
		return
	}
	c.NulText("plugin_name", &m.Plugin)
	c.Rest("plugin_provided_data", &m.Data)
}

// Nonce returns the method's data without the NUL that servers put behind the
// 20 bytes of most methods.
func (m *AuthSwitchRequest) Nonce() []byte {
	if n := len(m.Data); n == NonceSize+1 && m.Data[n-1] == 0 {
		return m.Data[:n-1]
	}
	return m.Data
}

// AuthMoreData carries data of the method from the server. Manual:
// Protocol::AuthMoreData.
type AuthMoreData struct {
	Data []byte // aliases the packet
}

func (m *AuthMoreData) Fields(c *wire.Coder) { c.Rest("authentication_method_data", &m.Data) }

// AuthNextFactor asks for the next password of an account that needs several.
// Manual: Protocol::AuthNextFactor.
type AuthNextFactor struct {
	Plugin string
	Data   []byte // aliases the packet
}

func (m *AuthNextFactor) Fields(c *wire.Coder) {
	c.NulText("plugin_name", &m.Plugin)
	c.Rest("plugin_provided_data", &m.Data)
}

// AuthPluginData is data of the method from the server without the byte in
// front that [AuthMoreData] has, as MariaDB's dialog and parsec send it.
type AuthPluginData struct {
	Data []byte // aliases the packet
}

func (m *AuthPluginData) Fields(c *wire.Coder) { c.Rest("authentication_method_data", &m.Data) }

// AuthResponse is the client's data of the method: a proof, or the password
// itself. Manual: Protocol::AuthSwitchResponse.
type AuthResponse struct {
	Data []byte // secret; aliases the packet
}

func (m *AuthResponse) Fields(c *wire.Coder) { c.Masked(func() { c.Rest("data", &m.Data) }) }
