// Package capture reads and writes capture files: pcap in both byte orders
// with microseconds or nanoseconds, and pcapng with several sections and
// interfaces, comments, decryption secrets and every block that it does not
// know.
//
// A [Reader] yields one [Item] after another: frames, secrets, interfaces,
// sections, and other blocks as they stand in the file. Whatever it yields can
// be written back unchanged with [Writer.WriteBlock], so a tool that changes
// one kind of block leaves all others as they were:
//
//	for {
//		item, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		...
//		if f, ok := item.(*capture.Frame); ok {
//			use(f.Time, f.Link, f.Data) // f.Data is valid until the next call
//		}
//	}
//
// Package capture does not look into frames; package link does. It is for
// files and other byte streams, not for network interfaces.
//
// Limits: a block or record is at most [MaxBlock] bytes long, and memory grows
// only with bytes that were really read. The interface descriptions of a file
// take at most [MaxInterfaces] bytes together. Sections of another major
// version than 1 and the pre-2000 variants of pcap are refused.
//
// The formats are those of draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap.
// Layouts of files stand here by hand and not on package wire: their byte order
// changes in mid-file, and they carry messages instead of being some.
package capture
