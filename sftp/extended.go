package sftp

import "github.com/wirelark/wirelark/wire"

// Extended requests. OpenSSH PROTOCOL §4; copy-data and home-directory are
// from draft-ietf-secsh-filexfer-extensions-00.
const (
	ExtPosixRename = "posix-rename@openssh.com"       // version "1": rename(2), replaces the target
	ExtStatVFS     = "statvfs@openssh.com"            // version "2"
	ExtFStatVFS    = "fstatvfs@openssh.com"           // version "2"
	ExtHardlink    = "hardlink@openssh.com"           // version "1"
	ExtFSync       = "fsync@openssh.com"              // version "1"
	ExtLSetStat    = "lsetstat@openssh.com"           // version "1": SETSTAT that does not follow a link
	ExtLimits      = "limits@openssh.com"             // version "1"
	ExtExpandPath  = "expand-path@openssh.com"        // version "1": REALPATH that knows "~"
	ExtCopyData    = "copy-data"                      // version "1": copy between two open files
	ExtHomeDir     = "home-directory"                 // version "1"
	ExtUsersGroups = "users-groups-by-id@openssh.com" // version "1"
	ExtVersionOne  = "1"
	ExtVersionVFS  = "2"
)

// Extended is a request beyond the draft's own, known by its name.
// filexfer-02 §8. Only the part that belongs to Request is coded. The answer
// is [Status] or what the extension says: [Name] for expand-path and
// home-directory, one of the EXTENDED_REPLY messages for those that
// [ReplyContext] knows.
type Extended struct {
	ID      uint32
	Request string

	OldPath string // posix-rename, hardlink: the existing file
	NewPath string // posix-rename, hardlink
	Path    string // statvfs, lsetstat, expand-path
	Handle  []byte // fstatvfs, fsync; aliases the packet
	Attrs   Attrs  // lsetstat
	User    string // home-directory; empty: whoever asks

	ReadHandle  []byte // copy-data: to read from; aliases the packet
	ReadOffset  uint64 // copy-data
	Length      uint64 // copy-data: bytes; 0: up to the end of the file
	WriteHandle []byte // copy-data: to write to; aliases the packet
	WriteOffset uint64 // copy-data

	UIDs []uint32 // users-groups-by-id
	GIDs []uint32 // users-groups-by-id

	Rest []byte // any other request; aliases the packet
}

func (m *Extended) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Text("extended_request", &m.Request)
	switch m.Request {
	case ExtPosixRename, ExtHardlink:
		c.Text("oldpath", &m.OldPath)
		c.Text("newpath", &m.NewPath)
	case ExtStatVFS, ExtExpandPath:
		c.Text("path", &m.Path)
	case ExtFStatVFS, ExtFSync:
		c.Bytes("handle", &m.Handle)
	case ExtLSetStat:
		c.Text("path", &m.Path)
		c.Group("attrs", func() { m.Attrs.fields(c) })
	case ExtLimits:
	case ExtHomeDir:
		c.Text("username", &m.User)
	case ExtCopyData:
		c.Bytes("read_from_handle", &m.ReadHandle)
		c.U64("read_from_offset", &m.ReadOffset)
		c.U64("read_data_length", &m.Length)
		c.Bytes("write_to_handle", &m.WriteHandle)
		c.U64("write_to_offset", &m.WriteOffset)
	case ExtUsersGroups:
		c.Sized("uids", func() { wire.ListRest(c, "ids", &m.UIDs, numericID) })
		c.Sized("gids", func() { wire.ListRest(c, "ids", &m.GIDs, numericID) })
	default:
		c.Rest("request_data", &m.Rest)
	}
}

func numericID(id *uint32, c *wire.Coder) { c.U32("id", id) }

// ReplyContext returns the context of [Messages] in which an EXTENDED_REPLY
// that answers the extended request stands; empty when nobody here knows what
// is in it.
func ReplyContext(request string) string {
	switch request {
	case ExtStatVFS, ExtFStatVFS:
		return ContextStatVFS
	case ExtLimits:
		return ContextLimits
	case ExtUsersGroups:
		return ContextUsersGroups
	}
	return ""
}

// ExtendedReply answers an [Extended] request whose reply nobody here knows.
// filexfer-02 §8.
type ExtendedReply struct {
	ID   uint32
	Rest []byte // aliases the packet
}

func (m *ExtendedReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Rest("reply_data", &m.Rest)
}

// StatVFSReply answers statvfs and fstatvfs. OpenSSH PROTOCOL §4.4, POSIX
// statvfs(3).
type StatVFSReply struct {
	ID      uint32
	Bsize   uint64 // file system block size, bytes
	Frsize  uint64 // fundamental block size, bytes: the unit of the next three
	Blocks  uint64
	Bfree   uint64
	Bavail  uint64 // free for ordinary users
	Files   uint64 // inodes
	Ffree   uint64
	Favail  uint64 // free for ordinary users
	FSID    uint64
	Flag    VFSFlags
	Namemax uint64 // longest file name, bytes
}

func (m *StatVFSReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.U64("f_bsize", &m.Bsize)
	c.U64("f_frsize", &m.Frsize)
	c.U64("f_blocks", &m.Blocks)
	c.U64("f_bfree", &m.Bfree)
	c.U64("f_bavail", &m.Bavail)
	c.U64("f_files", &m.Files)
	c.U64("f_ffree", &m.Ffree)
	c.U64("f_favail", &m.Favail)
	c.U64("f_fsid", &m.FSID)
	wire.Uint(c, "f_flag", 8, &m.Flag)
	c.U64("f_namemax", &m.Namemax)
}

// VFSFlags are the flags of [StatVFSReply]. OpenSSH PROTOCOL §4.4.
type VFSFlags uint64

const (
	VFSReadOnly VFSFlags = 1 // mounted read-only
	VFSNoSetUID VFSFlags = 2 // set-id bits have no effect
)

// LimitsReply answers limits. OpenSSH PROTOCOL §4.8. Zero means that the
// server states no limit.
type LimitsReply struct {
	ID         uint32
	MaxPacket  uint64 // bytes of a whole packet
	MaxRead    uint64 // bytes of data in one [Data]
	MaxWrite   uint64 // bytes of data in one [Write]
	MaxHandles uint64 // open at a time; not the number of requests in flight
}

func (m *LimitsReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.U64("max_packet_length", &m.MaxPacket)
	c.U64("max_read_length", &m.MaxRead)
	c.U64("max_write_length", &m.MaxWrite)
	c.U64("max_open_handles", &m.MaxHandles)
}

// UsersGroupsReply answers users-groups-by-id with one name for each number
// that was asked, empty where there is none. OpenSSH PROTOCOL §4.12.
type UsersGroupsReply struct {
	ID     uint32
	Users  []string
	Groups []string
}

func (m *UsersGroupsReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Sized("usernames", func() { wire.ListRest(c, "names", &m.Users, accountName) })
	c.Sized("groupnames", func() { wire.ListRest(c, "names", &m.Groups, accountName) })
}

func accountName(s *string, c *wire.Coder) { c.Text("name", s) }
