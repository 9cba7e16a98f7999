package sshclient_test

import (
	"io"
	"strconv"
	"testing"

	"github.com/wirelark/wirelark/ssh/sshserver"
	"github.com/wirelark/wirelark/ssh/sshtest"
)

// quiet is without the tracer that checks every packet.
func quiet(s *sshserver.Server) { s.Transport.Trace = nil }

// BenchmarkEcho sends data to our server and back, in writes of several sizes.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 32 << 10, 1 << 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			ch, err := sshtest.NewServer(b, quiet).Dial().Subsystem(b.Context(), "echo")
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			done := make(chan error)
			go func() { // stops when all has come back
				_, err := io.CopyN(io.Discard, ch, int64(b.N)*int64(size))
				done <- err
			}()
			p := make([]byte, size)
			for i := 0; i < b.N; i++ {
				if _, err := ch.Write(p); err != nil {
					b.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkDial logs in with a key.
func BenchmarkDial(b *testing.B) {
	s := sshtest.NewServer(b, quiet)
	for b.Loop() {
		s.Dial().Close()
	}
}
