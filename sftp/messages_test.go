package sftp_test

import (
	"testing"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire/wiretest"
)

var suite = wiretest.Suite{
	Registry: sftp.Messages,
	Dialects: sftp.Dialects,
	Words: []string{
		sftp.ExtPosixRename, sftp.ExtStatVFS, sftp.ExtFStatVFS, sftp.ExtHardlink, sftp.ExtFSync, sftp.ExtLSetStat,
		sftp.ExtLimits, sftp.ExtExpandPath, sftp.ExtCopyData, sftp.ExtHomeDir, sftp.ExtUsersGroups,
		"/", "/home/lark", "nobody@example.org", "",
	},
}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }
