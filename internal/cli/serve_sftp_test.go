package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/sftp/sftpserver"
)

// A transfer that a session leaves behind is in the log, however little of it
// came.
func TestLogOfUnclosedFiles(t *testing.T) {
	for _, row := range []struct {
		op   sftpserver.Operation
		want string // after the time
	}{
		{sftpserver.Operation{Flags: sftp.OpenWrite, Written: 5}, `close "/f" wrote 5 bytes failed: session ended before the file was closed`},
		{sftpserver.Operation{Flags: sftp.OpenWrite}, `close "/f" failed: session ended before the file was closed`},
		{sftpserver.Operation{Flags: sftp.OpenRead, Read: 5}, `close "/f" read 5 bytes failed: session ended before the file was closed`},
		{sftpserver.Operation{Flags: sftp.OpenRead}, ""},
		{sftpserver.Operation{}, ""}, // a directory
	} {
		var log bytes.Buffer
		a := &app{Env: &Env{Stderr: &log}}
		row.op.Name, row.op.Path, row.op.Err = "SSH_FXP_CLOSE", "/f", sftpserver.ErrSessionEnded
		a.logOperation(row.op)
		_, got, _ := strings.Cut(strings.TrimSuffix(log.String(), "\n"), " ")
		if got != row.want {
			t.Errorf("%+v\nis logged as %q\nwant         %q", row.op, got, row.want)
		}
	}
}
