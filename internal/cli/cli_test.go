package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"wirelark": func() {
			env := System()
			env.SSHConfig = os.Getenv("TEST_SSH_CONFIG") // not this machine's
			os.Exit(Main(os.Args[1:], env))
		},
		"askpass": askpass,
	})
}

// askpass answers as SSH_ASKPASS does, with $ANSWER; without one it refuses.
// What it was asked is kept in the file $ASKED.
func askpass() {
	if name := os.Getenv("ASKED"); name != "" {
		if err := os.WriteFile(name, []byte(os.Args[1]+"\n"), 0o600); err != nil {
			os.Exit(1)
		}
	}
	answer := os.Getenv("ANSWER")
	if answer == "" {
		os.Exit(1)
	}
	fmt.Println(answer)
}

// TestScripts runs the command lines in testdata/*.txtar as a user would type
// them. Beside testscript's own commands there is:
//
//	status N ARG...     runs "wirelark ARG...", which must end with status N
//	serve NAME ARG...   starts "wirelark serve ARG...", waits until it listens,
//	                    and sets $NAME to host:port and $NAME_PORT to the port;
//	                    its stderr is in NAME.log
//	stop NAME           ends it with SIGTERM; it must end well, with status 0
//	login NAME          sets $NAME_PASSWORD to the password in NAME.log
//	speaker NAME TEXT   a TCP server that says TEXT and hangs up
//	echo NAME           a TCP server that sends back what it gets
//	silent NAME         a TCP server that listens and says nothing
//	talk PORT TEXT      sends TEXT to a port, from when it listens, and prints the reply
//	authorize FILE OPTIONS KEY.pub  adds a line to an authorized_keys file
//	mkconf FILE         writes an ssh_config about the servers A, B and C
//	freeport NAME       sets $NAME to a port nobody listens on
//	bigfile FILE SIZE   makes a file that no part of repeats
//	same FILE FILE      compares files of any size
//	cut FILE SIZE       shortens a file
//	mode OCTAL FILE     checks permission bits
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("USERPROFILE", home)
			env.Setenv("SSH_AUTH_SOCK", "")
			env.Setenv("SSHKEYLOGFILE", "")
			env.Setenv("MYSQL_PWD", "")
			env.Setenv("MYSQL_HOST", "")
			env.Setenv("USER", "tester")
			env.Setenv("LOGNAME", "tester")
			env.Setenv("SSH_ASKPASS", "askpass")
			env.Setenv("SSH_ASKPASS_REQUIRE", "force") // never the terminal of who runs the tests
			env.Setenv("GORACE", "atexit_sleep_ms=10") // each command would sleep a second at its end
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": cmdStatus, "serve": cmdServe, "stop": cmdStop, "login": cmdLogin, "speaker": cmdSpeaker, "echo": cmdEcho, "silent": cmdSilent, "authorize": cmdAuthorize,
			"talk": cmdTalk, "freeport": cmdFreePort, "bigfile": cmdBigFile, "same": cmdSame, "cut": cmdCut, "mkconf": cmdMkconf, "mode": cmdMode, "asker": cmdAsker,
		},
	})
}

func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N ARG...")
	}
	err := ts.Exec("wirelark", args[1:]...)
	got := 0
	if err != nil {
		got = -1
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			got = exit.ExitCode()
		}
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("status %d (%v), want %s", got, err, args[0])
	}
}
