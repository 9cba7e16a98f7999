package capture_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/wirelark/wirelark/capture"
)

// A capture file is written block by block.
func ExampleWriter() {
	var file bytes.Buffer
	w := capture.NewWriter(&file, &capture.WriterConfig{Application: "example"})
	lo, err := w.AddInterface(capture.Interface{Name: "lo", Link: capture.LinkRaw})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.WriteFrame(&capture.Frame{Interface: lo, Time: time.Unix(0, 7), Data: []byte("E...")}); err != nil {
		log.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Len(), "bytes")
	// Output: 120 bytes
}

// A tool that takes the secrets out of a capture copies every other block.
func Example() {
	var file, shared bytes.Buffer
	w := capture.NewWriter(&file, nil)
	if err := w.WriteSecrets(capture.SecretsSSH, []byte("cookie SHARED_SECRET key\n")); err != nil {
		log.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}

	r, err := capture.NewReader(&file)
	if err != nil {
		log.Fatal(err)
	}
	w = capture.NewWriter(&shared, nil)
	for {
		item, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if s, ok := item.(*capture.Secrets); ok {
			fmt.Printf("left out: %s secrets, %d bytes\n", s.Type, len(s.Data))
			continue
		}
		if err := w.WriteBlock(item.Raw()); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("kept:", shared.Len(), "bytes")
	// Output:
	// left out: SSH secrets, 25 bytes
	// kept: 28 bytes
}
