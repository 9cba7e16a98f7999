package transport_test

import (
	"testing"

	"github.com/wirelark/wirelark/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leaks(m) }
