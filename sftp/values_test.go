package sftp_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

func TestStatusErrorIs(t *testing.T) {
	for code, want := range map[sftp.StatusCode][]error{
		sftp.StatusEOF:               {io.EOF},
		sftp.StatusNoSuchFile:        {fs.ErrNotExist, os.ErrNotExist, syscall.ENOENT},
		sftp.StatusPermissionDenied:  {fs.ErrPermission},
		sftp.StatusFailure:           {},
		sftp.StatusOpUnsupported:     {errors.ErrUnsupported},
		sftp.StatusNoSuchPath:        {fs.ErrNotExist},
		sftp.StatusFileAlreadyExists: {fs.ErrExist},
		sftp.StatusWriteProtect:      {fs.ErrPermission, syscall.EROFS},
		sftp.StatusNoSpace:           {syscall.ENOSPC},
		sftp.StatusQuotaExceeded:     {syscall.EDQUOT},
		sftp.StatusDirNotEmpty:       {syscall.ENOTEMPTY},
		sftp.StatusNotADirectory:     {syscall.ENOTDIR},
		sftp.StatusLinkLoop:          {syscall.ELOOP},
		sftp.StatusFileIsADirectory:  {syscall.EISDIR},
		99:                           {},
	} {
		err := fmt.Errorf("wrapped: %w", (&sftp.Status{Code: code}).Err("open", "/a"))
		for _, target := range []error{
			io.EOF, fs.ErrNotExist, fs.ErrPermission, fs.ErrExist, errors.ErrUnsupported,
			syscall.ENOSPC, syscall.EDQUOT, syscall.ENOTEMPTY, syscall.ENOTDIR, syscall.ELOOP, syscall.EISDIR,
		} {
			wanted := false
			for _, w := range want {
				wanted = wanted || w == target
			}
			if got := errors.Is(err, target); got != wanted {
				t.Errorf("errors.Is(%v, %v) = %v, want %v", code, target, got, wanted)
			}
		}
		if !errors.Is(err, &sftp.StatusError{Code: code}) || errors.Is(err, &sftp.StatusError{Code: code + 1}) {
			t.Errorf("%v is not found by its code alone", code)
		}
	}
	if err := (&sftp.Status{}).Err("open", "/a"); err != nil {
		t.Errorf("success is the error %v", err)
	}
}

func TestStatusErrorText(t *testing.T) {
	for _, row := range []struct {
		err  sftp.StatusError
		want string
	}{
		{sftp.StatusError{Code: sftp.StatusNoSuchFile, Msg: "No such file", Op: "open", Path: "/a"}, `open "/a": no such file`},
		{sftp.StatusError{Code: sftp.StatusFailure, Msg: "disk\x1b[2J full", Op: "write"}, `write: failure; server says "disk\x1b[2J full"`},
		{sftp.StatusError{Code: 99}, "failure (code 99)"},
	} {
		if got := row.err.Error(); got != row.want {
			t.Errorf("Error() = %s, want %s", got, row.want)
		}
	}
	if got := sftp.StatusNoSuchFile.String(); got != "SSH_FX_NO_SUCH_FILE" {
		t.Errorf("String() = %s", got)
	}
	if got := sftp.StatusCode(99).String(); got != "0x63" {
		t.Errorf("String() = %s", got)
	}
}

func TestStatusOf(t *testing.T) {
	for _, row := range []struct {
		err  error
		code sftp.StatusCode
		v3   sftp.StatusCode
	}{
		{nil, sftp.StatusOK, sftp.StatusOK},
		{io.EOF, sftp.StatusEOF, sftp.StatusEOF},
		{&fs.PathError{Err: syscall.ENOENT}, sftp.StatusNoSuchFile, sftp.StatusNoSuchFile},
		{&fs.PathError{Err: syscall.EACCES}, sftp.StatusPermissionDenied, sftp.StatusPermissionDenied},
		{syscall.EPERM, sftp.StatusPermissionDenied, sftp.StatusPermissionDenied},
		{syscall.EEXIST, sftp.StatusFileAlreadyExists, sftp.StatusFailure},
		{syscall.ENOTEMPTY, sftp.StatusDirNotEmpty, sftp.StatusFailure},
		{syscall.ENOTDIR, sftp.StatusNotADirectory, sftp.StatusNoSuchFile},
		{syscall.ELOOP, sftp.StatusLinkLoop, sftp.StatusNoSuchFile},
		{syscall.ENOSPC, sftp.StatusNoSpace, sftp.StatusFailure},
		{syscall.EROFS, sftp.StatusWriteProtect, sftp.StatusPermissionDenied},
		{errors.ErrUnsupported, sftp.StatusOpUnsupported, sftp.StatusOpUnsupported},
		{errors.New("odd"), sftp.StatusFailure, sftp.StatusFailure},
		{&sftp.StatusError{Code: sftp.StatusLockConflict}, sftp.StatusLockConflict, sftp.StatusFailure},
	} {
		if got := sftp.StatusOf(row.err); got != row.code || got.In(6) != row.code || got.In(3) != row.v3 {
			t.Errorf("StatusOf(%v) = %v, in version 3 %v, want %v and %v", row.err, got, got.In(3), row.code, row.v3)
		}
	}
}

func TestPermissions(t *testing.T) {
	for p, m := range map[sftp.Permissions]fs.FileMode{
		0o100644: 0o644,
		0o040755: fs.ModeDir | 0o755,
		0o120777: fs.ModeSymlink | 0o777,
		0o104755: fs.ModeSetuid | 0o755,
		0o102755: fs.ModeSetgid | 0o755,
		0o041777: fs.ModeDir | fs.ModeSticky | 0o777,
		0o020600: fs.ModeDevice | fs.ModeCharDevice | 0o600,
		0o060600: fs.ModeDevice | 0o600,
		0o010600: fs.ModeNamedPipe | 0o600,
		0o140600: fs.ModeSocket | 0o600,
	} {
		if got := p.FileMode(); got != m {
			t.Errorf("%v.FileMode() = %v, want %v", p, got, m)
		}
		if got := sftp.PermissionsOf(m); got != p {
			t.Errorf("PermissionsOf(%v) = %v, want %v", m, got, p)
		}
	}
	if got := sftp.Permissions(0o600).FileMode(); got != 0o600 {
		t.Errorf("without a type: %v", got)
	}
}

func TestOpenFlags(t *testing.T) {
	for flag, want := range map[int]sftp.OpenFlags{
		os.O_RDONLY:                                  sftp.OpenRead,
		os.O_WRONLY:                                  sftp.OpenWrite,
		os.O_RDWR:                                    sftp.OpenRead | sftp.OpenWrite,
		os.O_WRONLY | os.O_CREATE | os.O_TRUNC:       sftp.OpenWrite | sftp.OpenCreate | sftp.OpenTruncate,
		os.O_RDWR | os.O_CREATE | os.O_EXCL:          sftp.OpenRead | sftp.OpenWrite | sftp.OpenCreate | sftp.OpenExcl,
		os.O_WRONLY | os.O_APPEND | os.O_CREATE:      sftp.OpenWrite | sftp.OpenAppend | sftp.OpenCreate,
		os.O_RDONLY | os.O_CREATE | syscall.O_RDONLY: sftp.OpenRead | sftp.OpenCreate,
	} {
		if got := sftp.OpenFlagsOf(flag); got != want {
			t.Errorf("OpenFlagsOf(%#x) = %v, want %v", flag, got, want)
		}
		if got := want.OS(); got != flag {
			t.Errorf("%v.OS() = %#x, want %#x", want, got, flag)
		}
	}
	if got := (sftp.OpenWrite | sftp.OpenCreate | 0x100).String(); got != "SSH_FXF_WRITE|SSH_FXF_CREAT|0x100" {
		t.Errorf("String() = %s", got)
	}
}

// TestTimesAreClamped: a time that 32 bits cannot hold is no reason to refuse
// an upload.
func TestTimesAreClamped(t *testing.T) {
	for in, want := range map[int64]int64{-1: 0, 0: 0, math.MaxUint32: math.MaxUint32, math.MaxUint32 + 1: math.MaxUint32, math.MinInt64: 0} {
		m := &sftp.AttrsReply{Attrs: sftp.Attrs{Flags: sftp.AttrTimes, ATime: 1, MTime: in}}
		b, err := sftp.Append(nil, m, wire.Dialect{})
		if err != nil {
			t.Fatal(err)
		}
		var got sftp.AttrsReply
		if err := sftp.Parse(b, &got, wire.Dialect{}); err != nil || got.Attrs.MTime != want || got.Attrs.ATime != 1 || m.Attrs.MTime != in {
			t.Errorf("time %d is sent as %d, %v, want %d", in, got.Attrs.MTime, err, want)
		}
	}
}

func TestUnknownAttributeBitsAreIgnored(t *testing.T) {
	m := &sftp.AttrsReply{Attrs: sftp.Attrs{Flags: sftp.AttrSize | 0x20, Size: 5}}
	b, err := sftp.Append(nil, m, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	var got sftp.AttrsReply
	if err := sftp.Parse(b, &got, wire.Dialect{}); err != nil || got.Attrs.Size != 5 || !got.Attrs.Has(0x20) {
		t.Errorf("attributes with an unknown bit are read as %+v, %v", got.Attrs, err)
	}
}

func TestSymlinkOrder(t *testing.T) {
	m := sftp.NewSymlink(1, "link", "target", sftp.OrderOpenSSH)
	if m.LinkPath != "target" || m.TargetPath != "link" {
		t.Errorf("OpenSSH's order is %+v, want the target first", m)
	}
	m = sftp.NewSymlink(1, "link", "target", sftp.OrderDraft)
	if m.LinkPath != "link" || m.TargetPath != "target" {
		t.Errorf("the draft's order is %+v, want the link first", m)
	}
	for _, o := range []sftp.SymlinkOrder{sftp.OrderOpenSSH, sftp.OrderDraft} {
		if link, target := sftp.NewSymlink(1, "link", "target", o).Paths(o); link != "link" || target != "target" {
			t.Errorf("order %v: Paths() = %q, %q", o, link, target)
		}
	}
}

func TestLongname(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	attrs := func(p sftp.Permissions, mtime time.Time) *sftp.Attrs {
		var a sftp.Attrs
		a.SetSize(1234)
		a.SetOwner(1000, 100)
		a.SetPermissions(p)
		a.SetTimes(mtime, mtime)
		return &a
	}
	for _, row := range []struct {
		a     *sftp.Attrs
		links uint64
		owner string
		want  string
	}{
		{attrs(0o100644, now.Add(-time.Hour)), 1, "lark", "-rw-r--r--    1 lark     100          1234 Nov 22 11:00 name"},
		{attrs(0o041777, now.AddDate(-1, 0, 0)), 3, "", "drwxrwxrwt    3 1000     100          1234 Nov 22  2025 name"},
		{attrs(0o104711, now.AddDate(0, 0, 2)), 0, "", "-rws--x--x    ? 1000     100          1234 Nov 24  2026 name"},
		{attrs(0o102644, now), 1, "", "-rw-r-Sr--    1 1000     100          1234 Nov 22 12:00 name"},
		{&sftp.Attrs{}, 0, "", "??????????    ? ?        ?               ? ?            name"},
	} {
		if got := sftp.Longname("name", row.a, row.links, row.owner, "", now); got != row.want {
			t.Errorf("Longname =\n%s, want\n%s", got, row.want)
		}
	}
}
