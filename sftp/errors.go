package sftp

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// errorCodes is asked from top to bottom: what is special stands before what
// is general, as fs.ErrPermission also means a read-only file system.
var errorCodes = [...]struct {
	err  error
	code StatusCode
}{
	{io.EOF, StatusEOF},
	{syscall.ENOTDIR, StatusNotADirectory},
	{syscall.EISDIR, StatusFileIsADirectory},
	{syscall.ENOTEMPTY, StatusDirNotEmpty},
	{syscall.EROFS, StatusWriteProtect},
	{syscall.ENOSPC, StatusNoSpace},
	{syscall.EDQUOT, StatusQuotaExceeded},
	{syscall.ELOOP, StatusLinkLoop},
	{syscall.ENAMETOOLONG, StatusInvalidFilename},
	{syscall.EBUSY, StatusLockConflict},
	{syscall.ENXIO, StatusNoMedia},
	{fs.ErrNotExist, StatusNoSuchFile},
	{fs.ErrExist, StatusFileAlreadyExists},
	{fs.ErrPermission, StatusPermissionDenied},
	{fs.ErrClosed, StatusInvalidHandle},
	{errors.ErrUnsupported, StatusOpUnsupported},
	{fs.ErrInvalid, StatusInvalidParameter},
	{syscall.EINVAL, StatusInvalidParameter},
}

// StatusOf returns the code, of any version, that says best what err says:
// [StatusOK] for nil, the code of a [*StatusError], else [StatusFailure] when
// nothing more is known. [StatusCode.In] makes it fit a session.
func StatusOf(err error) StatusCode {
	if err == nil {
		return StatusOK
	}
	var se *StatusError
	if errors.As(err, &se) {
		return se.Code
	}
	for _, e := range errorCodes {
		if errors.Is(err, e.err) {
			return e.code
		}
	}
	return StatusFailure
}

// In returns the code to be sent in a session of the given version: version 3
// knows those up to [StatusOpUnsupported], 4 up to [StatusNoMedia], 5 up to
// [StatusLockConflict]. The codes that do not fit become what OpenSSH makes of
// the same error.
func (s StatusCode) In(version int) StatusCode {
	last := StatusOpUnsupported
	switch {
	case version >= 6:
		last = StatusNoMatchingLock
	case version == 5:
		last = StatusLockConflict
	case version == 4:
		last = StatusNoMedia
	}
	if s <= last {
		return s
	}
	switch s {
	case StatusNoSuchPath, StatusNotADirectory, StatusLinkLoop:
		return StatusNoSuchFile
	case StatusWriteProtect, StatusCannotDelete:
		return StatusPermissionDenied
	}
	return StatusFailure
}
