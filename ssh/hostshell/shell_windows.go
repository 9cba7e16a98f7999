package hostshell

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// keptBySystem is what programs do not run without.
var keptBySystem = []string{
	"ALLUSERSPROFILE", "APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "NUMBER_OF_PROCESSORS", "OS",
	"PATHEXT", "PROCESSOR_ARCHITECTURE", "ProgramData", "ProgramFiles", "SystemDrive", "SystemRoot", "TEMP", "TMP",
	"USERDOMAIN", "USERNAME", "USERPROFILE", "windir",
}

func loginShell(string) string {
	if shell := os.Getenv("COMSPEC"); filepath.IsAbs(shell) {
		return shell
	}
	return `C:\Windows\System32\cmd.exe`
}

func shellCommand(shell, command string, login bool) *exec.Cmd {
	cmd := exec.Command(shell)
	if login {
		return cmd
	}
	if !strings.EqualFold(filepath.Base(shell), "cmd.exe") {
		cmd.Args = append(cmd.Args, "-c", command)
		return cmd
	}
	// cmd.exe has quoting rules of its own: it takes the rest of the line,
	// without the outer quotation marks, as it stands.
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /s /c "` + command + `"`}
	return cmd
}
