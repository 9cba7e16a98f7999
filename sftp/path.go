package sftp

import "github.com/wirelark/wirelark/wire"

// Paths are separated by "/". One that begins with "/" is absolute, any other
// is relative to the directory in which the server starts; "" is that
// directory. In version 3 a path is bytes of no stated character set.
// filexfer-02 §6.2.

// LStat asks for the attributes of a path without following a symbolic link
// at its end. filexfer-02 §6.8. The answer is [AttrsReply] or [Status].
type LStat struct {
	ID   uint32
	Path string
}

func (m *LStat) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }

// Stat asks for the attributes of what a path leads to, through symbolic
// links. filexfer-02 §6.8. The answer is [AttrsReply] or [Status].
type Stat struct {
	ID   uint32
	Path string
}

func (m *Stat) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }

// SetStat changes the attributes of what a path leads to. filexfer-02 §6.9.
type SetStat struct {
	ID    uint32
	Path  string
	Attrs Attrs
}

func (m *SetStat) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("path", &m.Path)
	c.Group("attrs", func() { m.Attrs.fields(c) })
}

// Remove removes a file or a symbolic link, never a directory. filexfer-02
// §6.5.
type Remove struct {
	ID       uint32
	Filename string
}

func (m *Remove) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("filename", &m.Filename) }

// Rename gives a file or directory another name. In version 3 it is an error
// when NewPath exists. filexfer-02 §6.5.
type Rename struct {
	ID      uint32
	OldPath string
	NewPath string
}

func (m *Rename) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("oldpath", &m.OldPath)
	c.Text("newpath", &m.NewPath)
}

// ReadLink asks where a symbolic link points. filexfer-02 §6.10. The answer is
// [Name] with one entry, whose attributes mean nothing, or [Status].
type ReadLink struct {
	ID   uint32
	Path string
}

func (m *ReadLink) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }

// Symlink makes a symbolic link. filexfer-02 §6.10.
//
// The draft's order of the two paths is the one of the fields here. OpenSSH
// has always sent and read them the other way round (OpenSSH PROTOCOL §4.1),
// and so do nearly all other clients and servers. The layout is the same; who
// follows OpenSSH swaps the values: [NewSymlink] and [Symlink.Paths] do it.
type Symlink struct {
	ID         uint32
	LinkPath   string // draft: the link to make; OpenSSH: where it points
	TargetPath string // draft: where it points; OpenSSH: the link to make
}

func (m *Symlink) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("linkpath", &m.LinkPath)
	c.Text("targetpath", &m.TargetPath)
}

// SymlinkOrder says in which order a peer puts the paths of [Symlink].
type SymlinkOrder uint8

const (
	OrderOpenSSH SymlinkOrder = iota // target first; the default, as nearly all peers do
	OrderDraft                       // link first
)

// NewSymlink returns the message that makes link point to target, in the
// given order of paths.
func NewSymlink(id uint32, link, target string, order SymlinkOrder) *Symlink {
	if order == OrderDraft {
		return &Symlink{ID: id, LinkPath: link, TargetPath: target}
	}
	return &Symlink{ID: id, LinkPath: target, TargetPath: link}
}

// Paths returns what m means when its sender uses the given order of paths.
func (m *Symlink) Paths(order SymlinkOrder) (link, target string) {
	if order == OrderDraft {
		return m.LinkPath, m.TargetPath
	}
	return m.TargetPath, m.LinkPath
}

// RealPath asks for the absolute form of a path. filexfer-02 §6.11. The answer
// is [Name] with one entry, whose attributes mean nothing, or [Status].
type RealPath struct {
	ID   uint32
	Path string
}

func (m *RealPath) Fields(c *wire.Coder) { c.U32("id", &m.ID); c.Text("path", &m.Path) }
