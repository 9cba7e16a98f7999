package backend

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"

	"github.com/wirelark/wirelark/sftp"
)

// The unit in which free space is told, and the longest name of NTFS.
const (
	vfsUnit = 4096
	maxName = 255
)

func statVFSPath(p string) (sftp.StatVFSReply, error) {
	fi, err := os.Stat(p)
	if err != nil {
		return sftp.StatVFSReply{}, err
	}
	if !fi.IsDir() {
		p = filepath.Dir(p)
	}
	dir, err := windows.UTF16PtrFromString(p)
	if err != nil {
		return sftp.StatVFSReply{}, err
	}
	var avail, total, free uint64
	if err := windows.GetDiskFreeSpaceEx(dir, &avail, &total, &free); err != nil {
		return sftp.StatVFSReply{}, err
	}
	return sftp.StatVFSReply{
		Bsize: vfsUnit, Frsize: vfsUnit,
		Blocks: total / vfsUnit, Bfree: free / vfsUnit, Bavail: avail / vfsUnit,
		Namemax: maxName,
	}, nil
}

func statVFSFile(f *os.File) (sftp.StatVFSReply, error) { return statVFSPath(f.Name()) }
