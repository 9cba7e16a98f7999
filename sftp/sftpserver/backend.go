package sftpserver

import (
	"context"
	"io"
	"io/fs"

	"github.com/wirelark/wirelark/sftp"
)

// A Backend holds the files that a server serves. Package backend has three.
//
// Every path it is given is absolute, separated by "/", without ".", ".." and
// empty components, and has no NUL byte; "/" is its root. A session calls one
// method at a time and no method of the Backend while one of its files is
// being read or written; several sessions may share a Backend, so it is safe
// for concurrent use. Contexts end when the session does.
//
// Errors are the standard library's where one fits: [fs.ErrNotExist],
// [fs.ErrExist], [fs.ErrPermission], [errors.ErrUnsupported], a
// [syscall.Errno], or a [*sftp.StatusError]; see [sftp.StatusOf]. Their text is
// sent to the client, that of an [*fs.PathError] and its like without the
// path.
type Backend interface {
	// Open opens a file, which is not a directory. perm, nine bits, is for one
	// that is created.
	Open(ctx context.Context, name string, flags sftp.OpenFlags, perm fs.FileMode) (File, error)

	// OpenDir opens a directory for listing.
	OpenDir(ctx context.Context, name string) (Dir, error)

	// Stat returns the attributes of what name leads to, or, without follow,
	// of a symbolic link itself.
	Stat(ctx context.Context, name string, follow bool) (sftp.Attrs, error)

	// SetStat changes the attributes that are present in a, of what name leads
	// to.
	SetStat(ctx context.Context, name string, a *sftp.Attrs) error

	// Mkdir makes a directory. perm has nine bits.
	Mkdir(ctx context.Context, name string, perm fs.FileMode) error

	// Remove removes a file or a symbolic link, never a directory.
	Remove(ctx context.Context, name string) error

	// Rmdir removes an empty directory, nothing else.
	Rmdir(ctx context.Context, name string) error

	// Rename gives a file or directory another name. Without overwrite it
	// fails with fs.ErrExist when there is something at newname; with it, it
	// does what rename(2) does.
	Rename(ctx context.Context, oldname, newname string, overwrite bool) error

	// Link makes newname another name of the file oldname.
	Link(ctx context.Context, oldname, newname string) error

	// Symlink makes name a symbolic link. target is as the client sent it.
	Symlink(ctx context.Context, target, name string) error

	// Readlink returns the target of a symbolic link as it was given.
	Readlink(ctx context.Context, name string) (string, error)

	// RealPath returns the path, of the same form, that name leads to when all
	// symbolic links are followed. The last component need not exist.
	RealPath(ctx context.Context, name string) (string, error)
}

// A File is an open file. ReadAt and WriteAt are called concurrently, but never
// for overlapping ranges unless both read; the other methods are called alone.
// A file that was opened with [sftp.OpenAppend] appends whatever the offset
// is, and its WriteAt is called alone.
type File interface {
	io.ReaderAt
	io.WriterAt
	Stat() (sftp.Attrs, error)
	SetStat(a *sftp.Attrs) error
	io.Closer
}

// A Dir is an open directory.
type Dir interface {
	// ReadDir returns up to n further entries, n > 0, in any order, without
	// "." and "..". At the end it returns none and io.EOF.
	ReadDir(n int) ([]Entry, error)
	io.Closer
}

// An Entry is one file of a directory.
type Entry struct {
	Name         string // one component
	Attrs        sftp.Attrs
	Links        uint64 // hard links; 0: unknown
	Owner, Group string // names; empty: unknown
}

// The following interfaces are optional. A Backend or File that has one makes
// the server offer what belongs to it.

// HomeDirer is a [Backend] that does not want relative paths to begin at "/".
type HomeDirer interface {
	// HomeDir returns a path of the form that Backend describes.
	HomeDir() string
}

// StatVFSer is a [Backend] that knows how full it is. A file of it that does
// not implement [FileStatVFSer] is asked by the name it was opened with.
type StatVFSer interface {
	// StatVFS describes the file system that name is on. ID is left out.
	StatVFS(ctx context.Context, name string) (sftp.StatVFSReply, error)
}

// FileStatVFSer is a [File] that knows how full its file system is.
type FileStatVFSer interface {
	StatVFS() (sftp.StatVFSReply, error)
}

// Syncer is a [File] that can be told to reach stable storage.
type Syncer interface {
	Sync() error
}

// Identifier is a [File] that knows which file it is. Two files of one Backend
// are the same when their identities, which are comparable, are equal; others
// when they were opened with the same name. The server uses it to keep what it
// does to one file in order.
type Identifier interface {
	Identity() any
}

// LinkSetter is a [Backend] that can change the attributes of a symbolic link
// itself. It makes the server offer lsetstat@openssh.com.
type LinkSetter interface {
	// SetLinkStat is SetStat, but does not follow a symbolic link at the end
	// of name. a has no size. What links have no place for, such as a mode on
	// Linux, is refused with errors.ErrUnsupported.
	SetLinkStat(ctx context.Context, name string, a *sftp.Attrs) error
}

// UserHomer is a [Backend] whose clients may ask where other users are at
// home: for "~user" of expand-path@openssh.com, and for home-directory.
// Without it, only their own home, which is that of [HomeDirer], is known.
type UserHomer interface {
	// UserHome returns a path of the form that Backend describes, and
	// fs.ErrNotExist for an unknown user.
	UserHome(ctx context.Context, user string) (string, error)
}

// OwnerNamer is a [Backend] that knows the names of its files' owners. It
// makes the server offer users-groups-by-id@openssh.com.
type OwnerNamer interface {
	// UserName and GroupName return "" for a number without a name.
	UserName(ctx context.Context, uid uint32) string
	GroupName(ctx context.Context, gid uint32) string
}

// Copier is a [File] that can take bytes from another one of its Backend
// without their going through the server. Without it, copy-data reads and
// writes.
type Copier interface {
	// CopyRange copies up to n bytes, n > 0, at srcOff of src to off. It
	// returns how many, which may be fewer, and 0 at the end of src. With
	// errors.ErrUnsupported, for these two files or at all, nothing was copied,
	// and the server reads and writes instead. It is called as WriteAt is of
	// this file and ReadAt of src.
	CopyRange(src File, srcOff, off, n int64) (int64, error)
}
