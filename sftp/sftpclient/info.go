package sftpclient

import (
	"io/fs"
	"time"

	"github.com/wirelark/wirelark/sftp"
)

// Info is what a server tells about a file. It is an [fs.FileInfo] and an
// [fs.DirEntry] at once, as SFTP tells both together. It does not change.
type Info struct {
	name     string
	longname string
	attrs    sftp.Attrs
}

var (
	_ fs.FileInfo = (*Info)(nil)
	_ fs.DirEntry = (*Info)(nil)
)

// Name returns the last component of the path.
func (i *Info) Name() string { return i.name }

// Size returns the size in bytes, 0 when the server does not tell.
func (i *Info) Size() int64 { return int64(min(i.attrs.Size, 1<<63-1)) }

// Mode returns type and permissions, [fs.ModeIrregular] when the server does
// not tell.
func (i *Info) Mode() fs.FileMode { return i.attrs.FileMode() }

// Type returns the type bits of Mode.
func (i *Info) Type() fs.FileMode { return i.Mode().Type() }

// ModTime returns the time of the last change, zero when the server does not
// tell.
func (i *Info) ModTime() time.Time { return i.attrs.ModTime() }

// IsDir reports whether it is a directory.
func (i *Info) IsDir() bool { return i.Mode().IsDir() }

// Info returns i.
func (i *Info) Info() (fs.FileInfo, error) { return i, nil }

// Sys returns the attributes as they came, an *[sftp.Attrs] that must not be
// changed.
func (i *Info) Sys() any { return &i.attrs }

// Attrs returns the attributes as they came.
func (i *Info) Attrs() sftp.Attrs { return i.attrs }

// LongName returns the line, as of ls -l, that came with an entry of a
// directory. It is for people only and may hold anything.
func (i *Info) LongName() string { return i.longname }

// String formats the info as a line of a listing.
func (i *Info) String() string { return fs.FormatDirEntry(i) }

// size returns what i counts in [Config].MaxListing.
func (i *Info) size() int64 {
	n := entrySize + len(i.name) + len(i.longname)
	for _, x := range i.attrs.Extended {
		n += entrySize + len(x.Type) + len(x.Data)
	}
	return int64(n)
}
