package link_test

import (
	"testing"

	"github.com/wirelark/wirelark/link"
	"github.com/wirelark/wirelark/wire/wiretest"
)

var suite = wiretest.Suite{Registry: link.Messages, Dialects: link.Dialects}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }
