package sftp

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
)

// StatusCode is the code of a [Status]. filexfer-02 §7; those above 8 are from
// versions 4 to 6, but some servers send them in version 3 too.
type StatusCode uint32

const (
	StatusOK               StatusCode = 0
	StatusEOF              StatusCode = 1
	StatusNoSuchFile       StatusCode = 2
	StatusPermissionDenied StatusCode = 3
	StatusFailure          StatusCode = 4
	StatusBadMessage       StatusCode = 5
	StatusNoConnection     StatusCode = 6 // made up locally, never sent
	StatusConnectionLost   StatusCode = 7 // made up locally, never sent
	StatusOpUnsupported    StatusCode = 8

	StatusInvalidHandle     StatusCode = 9
	StatusNoSuchPath        StatusCode = 10
	StatusFileAlreadyExists StatusCode = 11
	StatusWriteProtect      StatusCode = 12
	StatusNoMedia           StatusCode = 13

	StatusNoSpace          StatusCode = 14
	StatusQuotaExceeded    StatusCode = 15
	StatusUnknownPrincipal StatusCode = 16
	StatusLockConflict     StatusCode = 17

	StatusDirNotEmpty       StatusCode = 18
	StatusNotADirectory     StatusCode = 19
	StatusInvalidFilename   StatusCode = 20
	StatusLinkLoop          StatusCode = 21
	StatusCannotDelete      StatusCode = 22
	StatusInvalidParameter  StatusCode = 23
	StatusFileIsADirectory  StatusCode = 24
	StatusRangeLockConflict StatusCode = 25
	StatusRangeLockRefused  StatusCode = 26
	StatusDeletePending     StatusCode = 27
	StatusFileCorrupt       StatusCode = 28
	StatusOwnerInvalid      StatusCode = 29
	StatusGroupInvalid      StatusCode = 30
	StatusNoMatchingLock    StatusCode = 31
)

// statusCodes tells for each code its name, what it means to people, and the
// standard errors that say the same.
var statusCodes = [...]struct {
	name, text string
	is         []error
}{
	StatusOK:                {"SSH_FX_OK", "no error", nil},
	StatusEOF:               {"SSH_FX_EOF", "end of file", []error{io.EOF}},
	StatusNoSuchFile:        {"SSH_FX_NO_SUCH_FILE", "no such file", []error{fs.ErrNotExist, syscall.ENOENT}},
	StatusPermissionDenied:  {"SSH_FX_PERMISSION_DENIED", "permission denied", []error{fs.ErrPermission, syscall.EACCES}},
	StatusFailure:           {"SSH_FX_FAILURE", "failure", nil},
	StatusBadMessage:        {"SSH_FX_BAD_MESSAGE", "bad message", []error{fs.ErrInvalid, syscall.EINVAL}},
	StatusNoConnection:      {"SSH_FX_NO_CONNECTION", "no connection", nil},
	StatusConnectionLost:    {"SSH_FX_CONNECTION_LOST", "connection lost", nil},
	StatusOpUnsupported:     {"SSH_FX_OP_UNSUPPORTED", "operation not supported", []error{errors.ErrUnsupported}},
	StatusInvalidHandle:     {"SSH_FX_INVALID_HANDLE", "invalid handle", []error{fs.ErrClosed}},
	StatusNoSuchPath:        {"SSH_FX_NO_SUCH_PATH", "no such path", []error{fs.ErrNotExist, syscall.ENOENT}},
	StatusFileAlreadyExists: {"SSH_FX_FILE_ALREADY_EXISTS", "file exists", []error{fs.ErrExist, syscall.EEXIST}},
	StatusWriteProtect:      {"SSH_FX_WRITE_PROTECT", "read-only file system", []error{fs.ErrPermission, syscall.EROFS}},
	StatusNoMedia:           {"SSH_FX_NO_MEDIA", "no medium in the drive", []error{syscall.ENXIO}},
	StatusNoSpace:           {"SSH_FX_NO_SPACE_ON_FILESYSTEM", "no space left", []error{syscall.ENOSPC}},
	StatusQuotaExceeded:     {"SSH_FX_QUOTA_EXCEEDED", "quota exceeded", []error{syscall.EDQUOT}},
	StatusUnknownPrincipal:  {"SSH_FX_UNKNOWN_PRINCIPAL", "unknown user or group", nil},
	StatusLockConflict:      {"SSH_FX_LOCK_CONFLICT", "locked by somebody else", []error{syscall.EBUSY}},
	StatusDirNotEmpty:       {"SSH_FX_DIR_NOT_EMPTY", "directory not empty", []error{syscall.ENOTEMPTY}},
	StatusNotADirectory:     {"SSH_FX_NOT_A_DIRECTORY", "not a directory", []error{syscall.ENOTDIR}},
	StatusInvalidFilename:   {"SSH_FX_INVALID_FILENAME", "invalid file name", []error{fs.ErrInvalid, syscall.ENAMETOOLONG}},
	StatusLinkLoop:          {"SSH_FX_LINK_LOOP", "too many symbolic links", []error{syscall.ELOOP}},
	StatusCannotDelete:      {"SSH_FX_CANNOT_DELETE", "cannot delete", []error{fs.ErrPermission}},
	StatusInvalidParameter:  {"SSH_FX_INVALID_PARAMETER", "invalid parameter", []error{fs.ErrInvalid, syscall.EINVAL}},
	StatusFileIsADirectory:  {"SSH_FX_FILE_IS_A_DIRECTORY", "is a directory", []error{syscall.EISDIR}},
	StatusRangeLockConflict: {"SSH_FX_BYTE_RANGE_LOCK_CONFLICT", "range locked by somebody else", []error{syscall.EAGAIN}},
	StatusRangeLockRefused:  {"SSH_FX_BYTE_RANGE_LOCK_REFUSED", "range lock refused", []error{syscall.EAGAIN}},
	StatusDeletePending:     {"SSH_FX_DELETE_PENDING", "about to be deleted", nil},
	StatusFileCorrupt:       {"SSH_FX_FILE_CORRUPT", "file is corrupt", []error{syscall.EIO}},
	StatusOwnerInvalid:      {"SSH_FX_OWNER_INVALID", "invalid owner", nil},
	StatusGroupInvalid:      {"SSH_FX_GROUP_INVALID", "invalid group", nil},
	StatusNoMatchingLock:    {"SSH_FX_NO_MATCHING_BYTE_RANGE_LOCK", "no such range lock", nil},
}

// String returns the draft's name, "SSH_FX_NO_SUCH_FILE", or the number in hex.
func (s StatusCode) String() string {
	if uint64(s) < uint64(len(statusCodes)) {
		return statusCodes[s].name
	}
	return "0x" + strconv.FormatUint(uint64(s), 16)
}

// Text returns what the code means, in plain words.
func (s StatusCode) Text() string {
	if uint64(s) < uint64(len(statusCodes)) {
		return statusCodes[s].text
	}
	return "failure"
}

// StatusError is a server's refusal: a [Status] with another code than
// [StatusOK]. errors.Is finds in it the standard library's error that says the
// same: [fs.ErrNotExist], [fs.ErrPermission], [fs.ErrExist],
// [errors.ErrUnsupported], [io.EOF], [syscall.ENOSPC] and so on.
type StatusError struct {
	Code StatusCode
	Msg  string // the server's words; may hold anything, including terminal escapes
	Lang string
	Op   string // what was asked, in lower case: "open"; empty: unknown
	Path string // of the file concerned; empty: none or unknown
}

// Error returns what was asked, what the code means, and the server's words
// where they say more. Bytes that are not printable are escaped.
func (e *StatusError) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		if e.Path != "" {
			fmt.Fprintf(&b, " %q", e.Path)
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Code.Text())
	if uint64(e.Code) >= uint64(len(statusCodes)) {
		fmt.Fprintf(&b, " (code %d)", uint32(e.Code))
	}
	if e.Msg != "" && !strings.EqualFold(e.Msg, e.Code.Text()) {
		fmt.Fprintf(&b, "; server says %q", e.Msg)
	}
	return b.String()
}

// Is reports whether target is a standard error that means the same, or a
// [*StatusError] with the same code.
func (e *StatusError) Is(target error) bool {
	if t, ok := target.(*StatusError); ok {
		return t.Code == e.Code
	}
	if uint64(e.Code) >= uint64(len(statusCodes)) {
		return false
	}
	for _, err := range statusCodes[e.Code].is {
		if err == target {
			return true
		}
	}
	return false
}

// Err returns the error of a status: nil for [StatusOK], else a
// [*StatusError]. op and path say what was asked.
func (m *Status) Err(op, path string) error {
	if m.Code == StatusOK {
		return nil
	}
	return &StatusError{Code: m.Code, Msg: m.Message, Lang: m.Language, Op: op, Path: path}
}
