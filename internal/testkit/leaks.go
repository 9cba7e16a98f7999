package testkit

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// module is what the functions of this project begin with in a stack.
const module = "github.com/wirelark/wirelark/"

// leakPatience is how long goroutines may take to end after the last test.
const leakPatience = 3 * time.Second

// Leaks runs the tests of a package and ends the process, with a failure when
// the tests passed but goroutines with code of this project are left. Call it
// from TestMain.
func Leaks(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leaked(leakPatience); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "testkit: %d goroutines are left behind:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// leaked returns the stacks of our goroutines that are still there when
// patience has passed.
func leaked(patience time.Duration) []string {
	end := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		left := ours()
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
		time.Sleep(pause)
	}
}

func ours() []string {
	buf := make([]byte, 64<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	var left []string
	for i, stack := range strings.Split(string(buf[:n]), "\n\n") {
		// The first stack is the caller's.
		if i > 0 && strings.Contains(stack, module) && !strings.Contains(stack, "testing.(*F).Fuzz.func1.1(") {
			left = append(left, stack)
		}
	}
	return left
}
