//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mysqlHome makes a home with an option file for a server that answers from a
// script.
func mysqlHome(t *testing.T, answers string) (home, port string) {
	t.Helper()
	home = t.TempDir()
	for name, text := range map[string]string{
		"answers": answers, "password": "s3cret\n",
		".my.cnf": "[client]\nuser=ann\npassword=s3cret\nhost=127.0.0.1\n",
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port = background(t, home, "mysql", "--script", filepath.Join(home, "answers"), "--listen", "127.0.0.1:0", "--user", "ann", "--password-file", filepath.Join(home, "password"))
	return home, port
}

const terminalAnswers = `> select 1, 'x' as word
1	word
1	x

> select evil
evil
bad\0bell

> select slow
WAIT 1h

> select wide
a	b
` + "" + `1	xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx

> alter user *
OK
`

func TestInteractiveMySQL(t *testing.T) {
	home, port := mysqlHome(t, terminalAnswers)
	env := []string{"HOME=" + home, "TERM=xterm", "EDITOR=true", "XDG_STATE_HOME=", "MYSQL_HISTFILE="}
	p := sit(t, env, "mysql", "-P", port, "-A", "shop")
	p.sees("MySQL .*connection [0-9]+")
	p.sees("shop> ")

	// A statement over two lines, as a table with a footer; and vertically.
	p.types("select 1,\r")
	p.sees("-> ")
	p.types("'x' as word;\r")
	p.sees(`\| 1 \| word \|`)
	p.sees(`1 row in set \([0-9.]+ sec\)`)
	p.sees("shop> ")
	p.types("select 1, 'x' as word\\G\r")
	p.sees(`\*+ 1\. row`)
	p.sees("shop> ")

	// Completion and history: the last statement again.
	p.types("selec\t evil;\r")
	p.sees(`bad\\x00bell`)
	p.sees("shop> ")
	p.types("\x1b[A\r")
	p.sees(`bad\\x00bell`)
	p.sees("shop> ")

	// A wrong statement is told, a line that is given up is gone.
	p.types("nonsense;\r")
	p.sees(`ERROR 1064 \(42000\): The script has no answer`)
	p.sees("shop> ")
	p.types("select 'open\r")
	p.sees("'> ")
	p.types("\x03")
	p.sees("shop> ")

	// Commands of this machine leave the terminal as they found it.
	p.types("system stty -a | grep -o ' -echo ' || echo as''usual\r")
	p.sees("asusual")
	p.sees("shop> ")
	p.types("use other\r")
	p.sees("other> ")
	p.types("alter user ann identified by 'geheim';\r")
	p.sees("Query OK")
	p.sees("other> ")
	p.types("\x04")
	p.leaves(0)

	text, err := os.ReadFile(filepath.Join(home, ".local", "state", "wirelark", "mysql_history"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(text); strings.Contains(got, "geheim") || !strings.Contains(got, "select 1, 'x' as word;\n") {
		t.Errorf("the history is %q", got)
	}

	// A table that is too wide is turned; a request to end is obeyed at the prompt.
	p = sit(t, env, "mysql", "-P", port, "-A", "--auto-vertical-output")
	p.sees(`\(none\)> `)
	p.types("select wide;\r")
	p.sees(`a: 1`)
	p.sees(`\(none\)> `)
	p.types("exit\r")
	p.leaves(0)
}

// Ctrl-C twice cuts the connection when the server cannot be asked to stop, and
// says so.
func TestInterruptTwice(t *testing.T) {
	home, port := mysqlHome(t, terminalAnswers)
	p := sit(t, []string{"HOME=" + home, "TERM=xterm", "MYSQL_HISTFILE=/dev/null"}, "mysql", "-P", port, "-A")
	p.sees(`\(none\)> `)
	p.types("select slow;\r")
	p.sees("select slow;.*\n")
	p.types("\x03")
	if !p.glimpses("could not be stopped|has stopped the statement", patience) {
		t.Fatalf("nothing was told:\n%s", p.text())
	}
	if strings.Contains(p.text(), "could not be stopped") {
		p.types("\x03")
		p.sees("the connection was cut")
	}
	p.sees(`\(none\)> `)
	p.types("select 1, 'x' as word;\r")
	p.sees("word")
	p.types("exit\r")
	p.leaves(0)
}

// A password is asked for on the terminal, and nothing of it is shown.
func TestMySQLPassword(t *testing.T) {
	home, port := mysqlHome(t, terminalAnswers)
	env := []string{"HOME=" + t.TempDir(), "TERM=xterm", "SSH_ASKPASS=", "MYSQL_HISTFILE=/dev/null"}
	p := sit(t, env, "mysql", "-h", "127.0.0.1", "-P", port, "-uann", "-p", "-e", "select 1, 'x' as word")
	p.sees("Enter password: ")
	p.types("s3cret\r")
	p.sees(`\| 1 \| word \|`)
	p.leaves(0)
	if strings.Contains(p.text(), "s3cret") {
		t.Errorf("the password is on the screen of %s:\n%s", home, p.text())
	}
	p = sit(t, env, "mysql", "-h", "127.0.0.1", "-P", port, "-uann", "-p")
	p.sees("Enter password: ")
	p.types("x\x03")
	p.leaves(exitInterrupted)
}

// One Ctrl-C stops the statement on the server and keeps the connection, its
// transaction with it, and says so.
func TestInterruptStatement(t *testing.T) {
	home, _ := mysqlHome(t, terminalAnswers)
	port := background(t, home, "mysql", "--listen", "127.0.0.1:0", "--user", "ann", "--password-file", filepath.Join(home, "password"))
	p := sit(t, []string{"HOME=" + home, "TERM=xterm", "MYSQL_HISTFILE=/dev/null"}, "mysql", "-P", port, "test")
	p.sees("test> ")
	p.types("create table t (id int primary key, name varchar(10));\r")
	p.sees("Query OK")
	p.types("begin; insert into t values (1, 'lark');\r")
	p.sees(`1 row affected`)
	p.sees(`test\*> `)
	p.types("select sleep(600);\r")
	p.sees("sleep.*\n")
	p.types("\x03")
	p.sees(`\^C: the server .*transaction`)
	p.sees(`test\*> `)

	// The names of the server complete what is typed.
	p.types("select * from t where na\t='lark';\r")
	p.sees(`\|  1 \| lark \|`)
	p.sees(`test\*> `)
	p.types("rollback;\r")
	p.sees("test> ")
	p.types("select count(*) from t;\r")
	p.sees(`\| +0 \|`)
	p.types("exit\r")
	p.leaves(0)
}
