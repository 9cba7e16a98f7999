package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// systemPath is the pipe of the OpenSSH agent that comes with Windows.
const systemPath = `\\.\pipe\openssh-ssh-agent`

const (
	// The pipe's server must not be able to act as the user.
	securityPresent        = 0x00100000 // SECURITY_SQOS_PRESENT
	securityIdentification = 0x00010000 // SECURITY_IDENTIFICATION

	errPipeBusy = syscall.Errno(231) // ERROR_PIPE_BUSY: all instances are taken

	busyWait = 20 * time.Millisecond
)

func dial(ctx context.Context, path string) (Conn, error) {
	if !strings.HasPrefix(path, `\\`) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	for {
		// Overlapped, so that the runtime can poll it and deadlines work.
		h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_EXISTING,
			syscall.FILE_FLAG_OVERLAPPED|securityPresent|securityIdentification, 0)
		if err == nil {
			return os.NewFile(uintptr(h), path), nil
		}
		if !errors.Is(err, errPipeBusy) {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		select {
		case <-time.After(busyWait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
