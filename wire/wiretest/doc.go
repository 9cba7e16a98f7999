// Package wiretest proves the rules of package wire for every message of a
// registry in every dialect. It is imported by tests only: by those of the
// vocabularies, and by those of programs that bring their own messages.
//
//	var suite = wiretest.Suite{
//		Registry: ssh.Messages,
//		Dialects: ssh.Dialects,
//		Words:    []string{"publickey", "password"},
//	}
//
//	func TestMessages(t *testing.T) { wiretest.Check(t, suite) }
//	func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }
//
// What is proved, with many random messages each:
//
//   - a message that was encoded and decoded is the same, and encodes to the
//     same bytes;
//   - encoding changes neither the message, in whatever dialect, nor the bytes
//     that stand in front of it in the buffer;
//   - the description agrees with the decoder, its leaves tile the input bit
//     by bit, also when it is cut or broken, and field names are lower_snake
//     and unique in their group;
//   - a message cut short is refused with an error that names a field, except
//     where a field declares that the message may end there;
//   - hostile bytes neither panic nor make the decoder allocate more than
//     [MaxFactor] times their length, and whatever is accepted survives
//     a round trip;
//   - decoded texts are copies;
//   - numbers, names and constructors of the registry fit together.
//
// It cannot know whether a layout is the specified one: write that down with
// [Golden], from the specification or from a real peer's bytes.
package wiretest
