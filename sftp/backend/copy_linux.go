package backend

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wirelark/wirelark/sftp/sftpserver"
)

var _ sftpserver.Copier = (*file)(nil)

// CopyRange lets the system copy, which shares blocks where the file system
// can. copy_file_range(2).
func (f *file) CopyRange(src sftpserver.File, srcOff, off, n int64) (int64, error) {
	from, ok := src.(*file)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	var done int
	err := control(from.f, func(in int) error {
		return control(f.f, func(out int) (err error) {
			for {
				done, err = unix.CopyFileRange(in, &srcOff, out, &off, int(min(n, 1<<30)), 0)
				if !errors.Is(err, syscall.EINTR) {
					return err
				}
			}
		})
	})
	switch {
	case errors.Is(err, syscall.EXDEV), errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EBADF), errors.Is(err, syscall.EPERM):
		return 0, errors.ErrUnsupported // other file systems, special files, filters of system calls
	case err != nil:
		return 0, pathError("copy_file_range", f.f.Name(), err)
	}
	return int64(done), nil
}
