//go:build !windows

package backend_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/backend"
)

// TestFIFO: opening one waits for nobody. Rooted refuses it, before it is
// opened; Host opens it and finds that it has no offsets.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := rooted(t, dir)
	for _, flags := range []sftp.OpenFlags{sftp.OpenRead, sftp.OpenWrite, sftp.OpenRead | sftp.OpenWrite} {
		if f, err := r.Open(t.Context(), "/fifo", flags, 0); sftp.StatusOf(err) != sftp.StatusPermissionDenied {
			t.Errorf("Rooted: Open(fifo, %v) = %v, %v, want permission denied", flags, f, err)
		}
		h := backend.Host(dir)
		f, err := h.Open(t.Context(), h.HomeDir()+"/fifo", flags, 0)
		if err != nil {
			continue // nobody reads it
		}
		if n, err := f.ReadAt(make([]byte, 1), 0); err == nil {
			t.Errorf("Host: ReadAt(fifo) = %d", n)
		}
		f.Close()
	}
	if _, err := r.OpenDir(t.Context(), "/fifo"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("Rooted: OpenDir(fifo) = %v, want not a directory", err)
	}
	if err := r.Remove(t.Context(), "/fifo"); err != nil {
		t.Errorf("Rooted: Remove(fifo) = %v", err)
	}
}

// TestDiskFull writes to the device that is always full.
func TestDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no /dev/full")
	}
	f, err := backend.Host("/").Open(t.Context(), "/dev/full", sftp.OpenWrite, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := f.WriteAt([]byte("x"), 0); n != 0 || sftp.StatusOf(err) != sftp.StatusNoSpace {
		t.Errorf("WriteAt(/dev/full) = %d, %v, want no space left", n, err)
	}
}

// TestUnreadableFile: the owner may change the mode of a file that he may not
// open. (For root there is no such file.)
func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	p := filepath.Join(dir, "a")
	if err := os.WriteFile(p, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	var a sftp.Attrs
	a.SetPermissions(0o640)
	if err := rooted(t, dir).SetStat(t.Context(), "/a", &a); err != nil {
		t.Errorf("SetStat: %v", err)
	}
	fi, err := os.Stat(p)
	if err != nil || fi.Mode() != 0o640 {
		t.Errorf("mode %v, %v, want -rw-r-----", fi.Mode(), err)
	}
}
