package mysql_test

import (
	"testing"

	"github.com/wirelark/wirelark/mysql"
	"github.com/wirelark/wirelark/wire/wiretest"
)

var suite = wiretest.Suite{
	Registry: mysql.Messages,
	Dialects: mysql.Dialects,
	Words:    []string{"mysql_native_password", "def"},
	Rounds:   15,
}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }
