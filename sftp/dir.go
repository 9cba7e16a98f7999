package sftp

import "github.com/wirelark/wirelark/wire"

// OpenDir asks for a handle to list a directory with. filexfer-02 §6.7. The
// answer is [Handle] or [Status].
type OpenDir struct {
	ID   uint32
	Path string
}

func (m *OpenDir) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }

// ReadDir asks for the next entries of a directory. filexfer-02 §6.7. The
// answer is [Name] with at least one entry, or [Status] with [StatusEOF] after
// the last one.
type ReadDir struct {
	ID     uint32
	Handle []byte // aliases the packet
}

func (m *ReadDir) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Bytes("handle", &m.Handle) }

// Mkdir makes a directory. filexfer-02 §6.6.
type Mkdir struct {
	ID    uint32
	Path  string
	Attrs Attrs
}

func (m *Mkdir) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("path", &m.Path)
	c.Group("attrs", func() { m.Attrs.fields(c) })
}

// Rmdir removes an empty directory. filexfer-02 §6.6.
type Rmdir struct {
	ID   uint32
	Path string
}

func (m *Rmdir) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }
