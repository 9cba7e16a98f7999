package sftp

import "github.com/wirelark/wirelark/wire"

// Open asks for a handle of a file. filexfer-02 §6.3. The answer is [Handle]
// or [Status].
type Open struct {
	ID       uint32
	Filename string
	Flags    OpenFlags
	Attrs    Attrs // of a file that is created
}

func (m *Open) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("filename", &m.Filename)
	wire.Enum32(c, "pflags", &m.Flags)
	c.Group("attrs", func() { m.Attrs.fields(c) })
}

// Close gives a handle back. Whatever the answering [Status] says, the handle
// is gone; the status may carry the error of an earlier write. filexfer-02
// §6.3.
type Close struct {
	ID     uint32
	Handle []byte // aliases the packet
}

func (m *Close) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
}

// Read asks for bytes of an open file. filexfer-02 §6.4. The answer is [Data],
// which may hold fewer bytes than asked for any reason, or [Status] with
// [StatusEOF].
type Read struct {
	ID     uint32
	Handle []byte // aliases the packet
	Offset uint64 // bytes from the start of the file
	Length uint32 // bytes wanted
}

func (m *Read) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
	c.U64("offset", &m.Offset)
	c.U32("len", &m.Length)
}

// Write asks the server to store Data in an open file. filexfer-02 §6.4. All
// of Data is written, or the answering [Status] has an error.
type Write struct {
	ID     uint32
	Handle []byte // aliases the packet
	Offset uint64 // bytes from the start of the file; beyond its end zeros are filled in
	Data   []byte // aliases the packet
}

func (m *Write) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
	c.U64("offset", &m.Offset)
	c.Bytes("data", &m.Data)
}

// FStat asks for the attributes of an open file. filexfer-02 §6.8. The answer
// is [AttrsReply] or [Status].
type FStat struct {
	ID     uint32
	Handle []byte // aliases the packet
}

func (m *FStat) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
}

// FSetStat changes the attributes of an open file. filexfer-02 §6.9.
type FSetStat struct {
	ID     uint32
	Handle []byte // aliases the packet
	Attrs  Attrs
}

func (m *FSetStat) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
	c.Group("attrs", func() { m.Attrs.fields(c) })
}
