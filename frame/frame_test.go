package frame_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/wirelark/wirelark/frame"
)

// channel is a stream that lets its user build data in place.
type channel struct {
	bytes.Buffer
	room [8]byte
}

func (c *channel) AppendFunc(max int, fill func(room []byte) int) (int, error) {
	n := fill(c.room[:min(max, len(c.room))])
	return c.Write(c.room[:n])
}

var _ frame.Appender = (*channel)(nil)

// send writes a greeting, in place where the stream allows it.
func send(w io.Writer, name string) error {
	if a, ok := w.(frame.Appender); ok {
		_, err := a.AppendFunc(len(name)+3, func(room []byte) int {
			return len(append(append(room[:0], "hi "...), name...))
		})
		return err
	}
	_, err := io.WriteString(w, "hi "+name)
	return err
}

func ExampleAppender() {
	var plain bytes.Buffer
	var fast channel
	fmt.Println(send(&plain, "lark"), plain.String())
	fmt.Println(send(&fast, "lark"), fast.String())
	// Output:
	// <nil> hi lark
	// <nil> hi lark
}
