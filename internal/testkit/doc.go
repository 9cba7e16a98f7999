// Package testkit holds what the tests of several packages need: an in-memory
// connection with faults, a check for goroutines left behind, golden files,
// and poison for borrowed bytes.
//
// It is imported by tests only and knows no protocol. [Pipe] and [NewPipe]
// work inside testing/synctest bubbles: everything that waits does so on a
// condition variable or on a timer of the bubble.
//
//	func TestMain(m *testing.M) { testkit.Leaks(m) }
//
//	func TestHello(t *testing.T) {
//		client, server := testkit.Pipe()
//		defer client.Close()
//		defer server.Close()
//		…
//	}
package testkit
