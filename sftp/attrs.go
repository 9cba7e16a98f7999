package sftp

import (
	"io/fs"
	"math"
	"strconv"
	"time"

	"github.com/wirelark/wirelark/wire"
)

// Attrs are the attributes of a file, those that Flags names. filexfer-02 §5.
type Attrs struct {
	Flags       AttrFlags
	Size        uint64      // bytes; AttrSize
	UID, GID    uint32      // AttrUIDGID
	Permissions Permissions // AttrPermissions
	ATime       int64       // of the last access, seconds since 1970; AttrTimes
	MTime       int64       // of the last change, seconds since 1970; AttrTimes
	Extended    []ExtendedAttr
}

// AttrFlags say which attributes are present. filexfer-02 §5.
type AttrFlags uint32

const (
	AttrSize        AttrFlags = 0x00000001
	AttrUIDGID      AttrFlags = 0x00000002
	AttrPermissions AttrFlags = 0x00000004
	AttrTimes       AttrFlags = 0x00000008 // both times
	AttrExtended    AttrFlags = 0x80000000
)

var attrFlagNames = [32]string{
	0: "SSH_FILEXFER_ATTR_SIZE", 1: "SSH_FILEXFER_ATTR_UIDGID", 2: "SSH_FILEXFER_ATTR_PERMISSIONS",
	3: "SSH_FILEXFER_ATTR_ACMODTIME", 31: "SSH_FILEXFER_ATTR_EXTENDED",
}

// String returns the draft's names joined by "|", unknown bits as hex, "0" for
// none.
func (f AttrFlags) String() string { return wire.FlagNames(uint64(f), attrFlagNames[:]) }

// fields ignores unknown bits: they carry no field in any known dialect of
// version 3 (Huawei's servers set 0x20), and one that did would leave the
// packet too short or too long.
func (a *Attrs) fields(c *wire.Coder) {
	wire.Enum32(c, "flags", &a.Flags)
	if a.Flags&AttrSize != 0 {
		c.U64("size", &a.Size)
	}
	if a.Flags&AttrUIDGID != 0 {
		c.U32("uid", &a.UID)
		c.U32("gid", &a.GID)
	}
	if a.Flags&AttrPermissions != 0 {
		wire.Enum32(c, "permissions", &a.Permissions)
	}
	if a.Flags&AttrTimes != 0 {
		seconds32(c, "atime", &a.ATime)
		seconds32(c, "mtime", &a.MTime)
	}
	if a.Flags&AttrExtended != 0 {
		wire.List(c, "extended", minExtendedAttr, &a.Extended, (*ExtendedAttr).fields)
	}
}

// seconds32 codes seconds since 1970 as an unsigned 32-bit number. A time that
// does not fit is sent as the nearest that does: a file older than 1970 is no
// reason to refuse its upload.
func seconds32(c *wire.Coder, name string, v *int64) {
	t := uint32(min(max(*v, 0), math.MaxUint32))
	c.U32(name, &t)
	if c.Decoding() {
		*v = int64(t)
	}
}

// minExtendedAttr is the least size of an [ExtendedAttr]: two empty texts.
const minExtendedAttr = 8

// ExtendedAttr is an attribute beyond the draft's own.
type ExtendedAttr struct {
	Type string // as "name@domain"
	Data string // any bytes
}

func (e *ExtendedAttr) fields(c *wire.Coder) {
	c.Text("extended_type", &e.Type)
	c.Text("extended_data", &e.Data)
}

// Permissions are the mode of a file as POSIX's st_mode has it: nine
// permission bits, the set-id and sticky bits, and in version 3 the type of
// the file above them.
type Permissions uint32

// Bits of [Permissions]. POSIX <sys/stat.h>.
const (
	ModeType    Permissions = 0o170000
	ModeSocket  Permissions = 0o140000
	ModeSymlink Permissions = 0o120000
	ModeRegular Permissions = 0o100000
	ModeBlock   Permissions = 0o060000
	ModeDir     Permissions = 0o040000
	ModeChar    Permissions = 0o020000
	ModeFIFO    Permissions = 0o010000
	ModeSetUID  Permissions = 0o004000
	ModeSetGID  Permissions = 0o002000
	ModeSticky  Permissions = 0o001000
	ModePerm    Permissions = 0o000777
)

// String returns the octal number, "0100644".
func (p Permissions) String() string { return "0" + strconv.FormatUint(uint64(p), 8) }

// FileMode returns the mode in Go's terms. Without a file type it is that of a
// regular file.
func (p Permissions) FileMode() fs.FileMode {
	m := fs.FileMode(p & ModePerm)
	switch p & ModeType {
	case ModeSocket:
		m |= fs.ModeSocket
	case ModeSymlink:
		m |= fs.ModeSymlink
	case ModeBlock:
		m |= fs.ModeDevice
	case ModeDir:
		m |= fs.ModeDir
	case ModeChar:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case ModeFIFO:
		m |= fs.ModeNamedPipe
	case ModeRegular, 0:
	default:
		m |= fs.ModeIrregular
	}
	if p&ModeSetUID != 0 {
		m |= fs.ModeSetuid
	}
	if p&ModeSetGID != 0 {
		m |= fs.ModeSetgid
	}
	if p&ModeSticky != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// PermissionsOf returns the mode in POSIX's terms, with the file type.
func PermissionsOf(m fs.FileMode) Permissions {
	p := Permissions(m.Perm())
	switch {
	case m&fs.ModeSocket != 0:
		p |= ModeSocket
	case m&fs.ModeSymlink != 0:
		p |= ModeSymlink
	case m&fs.ModeCharDevice != 0:
		p |= ModeChar
	case m&fs.ModeDevice != 0:
		p |= ModeBlock
	case m&fs.ModeDir != 0:
		p |= ModeDir
	case m&fs.ModeNamedPipe != 0:
		p |= ModeFIFO
	case m&fs.ModeIrregular == 0:
		p |= ModeRegular
	}
	if m&fs.ModeSetuid != 0 {
		p |= ModeSetUID
	}
	if m&fs.ModeSetgid != 0 {
		p |= ModeSetGID
	}
	if m&fs.ModeSticky != 0 {
		p |= ModeSticky
	}
	return p
}

// AttrsOf returns what a FileInfo tells: size, permissions and the time of the
// last change, which stands for the last access too. Owner and group need the
// system: see package backend.
func AttrsOf(fi fs.FileInfo) Attrs {
	var a Attrs
	a.SetSize(uint64(max(fi.Size(), 0)))
	a.SetPermissions(PermissionsOf(fi.Mode()))
	a.SetTimes(fi.ModTime(), fi.ModTime())
	return a
}

// Has reports whether all of flags are present.
func (a *Attrs) Has(flags AttrFlags) bool { return a.Flags&flags == flags }

// SetSize sets the size, in bytes.
func (a *Attrs) SetSize(n uint64) {
	a.Flags |= AttrSize
	a.Size = n
}

// SetOwner sets owner and group.
func (a *Attrs) SetOwner(uid, gid uint32) {
	a.Flags |= AttrUIDGID
	a.UID, a.GID = uid, gid
}

// SetPermissions sets the mode.
func (a *Attrs) SetPermissions(p Permissions) {
	a.Flags |= AttrPermissions
	a.Permissions = p
}

// SetTimes sets the times of the last access and the last change, cut to
// seconds.
func (a *Attrs) SetTimes(atime, mtime time.Time) {
	a.Flags |= AttrTimes
	a.ATime, a.MTime = atime.Unix(), mtime.Unix()
}

// AccessTime returns the time of the last access; zero when not present.
func (a *Attrs) AccessTime() time.Time { return a.time(a.ATime) }

// ModTime returns the time of the last change; zero when not present.
func (a *Attrs) ModTime() time.Time { return a.time(a.MTime) }

func (a *Attrs) time(t int64) time.Time {
	if !a.Has(AttrTimes) {
		return time.Time{}
	}
	return time.Unix(t, 0)
}

// FileMode returns the mode in Go's terms; [fs.ModeIrregular] when not
// present, as nothing is known about it then.
func (a *Attrs) FileMode() fs.FileMode {
	if !a.Has(AttrPermissions) {
		return fs.ModeIrregular
	}
	return a.Permissions.FileMode()
}
