package sftp

import (
	"syscall"

	"github.com/wirelark/wirelark/wire"
)

// OpenFlags say how a file is to be opened. filexfer-02 §6.3.
type OpenFlags uint32

const (
	OpenRead     OpenFlags = 0x01
	OpenWrite    OpenFlags = 0x02
	OpenAppend   OpenFlags = 0x04 // every write goes to the end, whatever its offset
	OpenCreate   OpenFlags = 0x08 // make it when there is none
	OpenTruncate OpenFlags = 0x10 // the draft wants OpenCreate with it; many servers do not
	OpenExcl     OpenFlags = 0x20 // fail when it exists; needs OpenCreate
)

var openFlagNames = [...]string{
	"SSH_FXF_READ", "SSH_FXF_WRITE", "SSH_FXF_APPEND", "SSH_FXF_CREAT", "SSH_FXF_TRUNC", "SSH_FXF_EXCL",
}

// String returns the draft's names joined by "|", unknown bits as hex, "0" for
// none.
func (f OpenFlags) String() string { return wire.FlagNames(uint64(f), openFlagNames[:]) }

// OS returns the flags of os.OpenFile that mean the same.
func (f OpenFlags) OS() int {
	var flag int
	switch {
	case f&OpenRead != 0 && f&(OpenWrite|OpenAppend) != 0:
		flag = syscall.O_RDWR
	case f&(OpenWrite|OpenAppend) != 0:
		flag = syscall.O_WRONLY
	default:
		flag = syscall.O_RDONLY
	}
	if f&OpenAppend != 0 {
		flag |= syscall.O_APPEND
	}
	if f&OpenCreate != 0 {
		flag |= syscall.O_CREAT
	}
	if f&OpenTruncate != 0 {
		flag |= syscall.O_TRUNC
	}
	if f&OpenExcl != 0 {
		flag |= syscall.O_EXCL
	}
	return flag
}

// OpenFlagsOf returns what the flags of os.OpenFile mean in SFTP. O_SYNC and
// others that SFTP does not know are left out. O_TRUNC is sent with or without
// [OpenCreate] as given.
func OpenFlagsOf(flag int) OpenFlags {
	var f OpenFlags
	switch flag & (syscall.O_RDONLY | syscall.O_WRONLY | syscall.O_RDWR) {
	case syscall.O_RDWR:
		f = OpenRead | OpenWrite
	case syscall.O_WRONLY:
		f = OpenWrite
	default:
		f = OpenRead
	}
	if flag&syscall.O_APPEND != 0 {
		f |= OpenAppend
	}
	if flag&syscall.O_CREAT != 0 {
		f |= OpenCreate
	}
	if flag&syscall.O_TRUNC != 0 {
		f |= OpenTruncate
	}
	if flag&syscall.O_EXCL != 0 {
		f |= OpenExcl
	}
	return f
}
