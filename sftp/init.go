package sftp

import "github.com/wirelark/wirelark/wire"

// Init is the first packet: the client names the highest version it speaks.
// filexfer-02 §4. It has no request id.
type Init struct {
	Version    uint32
	Extensions []Extension // rarely sent; forbidden from version 4 on
}

func (m *Init) Fields(c *wire.Coder) {
	c.U32("version", &m.Version)
	wire.ListRest(c, "extensions", &m.Extensions, (*Extension).fields)
}

// VersionReply answers [Init] with the version that both will speak, which is
// the lower of the two, and the extensions that the server offers.
// filexfer-02 §4. It has no request id.
type VersionReply struct {
	Version    uint32
	Extensions []Extension
}

func (m *VersionReply) Fields(c *wire.Coder) {
	c.U32("version", &m.Version)
	wire.ListRest(c, "extensions", &m.Extensions, (*Extension).fields)
}

// Offers reports whether the server offers the extension name in exactly this
// version: OpenSSH PROTOCOL §4 wants the version text compared before use.
func (m *VersionReply) Offers(name, version string) bool {
	for _, e := range m.Extensions {
		if e.Name == name && e.Data == version {
			return true
		}
	}
	return false
}

// Extension is a name and what belongs to it, usually a version as text.
type Extension struct {
	Name string
	Data string // any bytes
}

func (e *Extension) fields(c *wire.Coder) {
	c.Text("extension_name", &e.Name)
	c.Text("extension_data", &e.Data)
}
