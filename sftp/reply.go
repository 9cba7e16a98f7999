package sftp

import "github.com/wirelark/wirelark/wire"

// Status answers any request, with success or an error. filexfer-02 §7.
type Status struct {
	ID       uint32
	Code     StatusCode
	Message  string // UTF-8, for people; may hold anything, including terminal escapes
	Language string // RFC 1766 tag, usually empty
	CodeOnly bool   // the packet ends behind Code, as before version 3 and from some careless servers
}

func (m *Status) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	wire.Enum32(c, "status_code", &m.Code)
	text := !m.CodeOnly
	if c.Tail(&text) {
		c.Text("error_message", &m.Message)
		c.Text("language_tag", &m.Language)
	}
	if c.Decoding() {
		m.CodeOnly = !text
	}
}

// Handle answers [Open] and [OpenDir]. filexfer-02 §7.
type Handle struct {
	ID     uint32
	Handle []byte // opaque, at most 256 bytes ([MaxHandle]); aliases the packet
}

func (m *Handle) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
}

// MaxHandle is the longest handle that a server may hand out, in bytes.
// filexfer-02 §7.
const MaxHandle = 256

// Data answers [Read]. filexfer-02 §7.
type Data struct {
	ID   uint32
	Data []byte // at least one byte, at most as many as were asked; aliases the packet
}

func (m *Data) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("data", &m.Data)
}

// Name answers [ReadDir] with entries of a directory, and [ReadLink],
// [RealPath] and some extensions with one path. filexfer-02 §7.
type Name struct {
	ID    uint32
	Names []NameEntry
}

func (m *Name) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	wire.List(c, "names", minNameEntry, &m.Names, (*NameEntry).fields)
}

// minNameEntry is the least size of a [NameEntry]: two empty texts and flags.
const minNameEntry = 12

// NameEntry is a name with its attributes.
type NameEntry struct {
	Filename string // a single component in answers to ReadDir, else a path
	Longname string // a line as of ls -l, for people: never to be parsed
	Attrs    Attrs
}

func (e *NameEntry) fields(c *wire.Coder) {
	c.Text("filename", &e.Filename)
	c.Text("longname", &e.Longname)
	c.Group("attrs", func() { e.Attrs.fields(c) })
}

// AttrsReply answers [Stat], [LStat] and [FStat]. filexfer-02 §7, where it is
// called SSH_FXP_ATTRS.
type AttrsReply struct {
	ID    uint32
	Attrs Attrs
}

func (m *AttrsReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Group("attrs", func() { m.Attrs.fields(c) })
}
