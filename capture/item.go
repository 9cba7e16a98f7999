package capture

import (
	"encoding/binary"
	"fmt"
	"time"
)

// An Item is what a [Reader] yields: a *[Frame], *[Secrets], *[Interface],
// *[Section], or a *[Block] of another kind. It and all its slices are valid
// until the next call of [Reader.Next].
type Item interface {
	// Raw returns the pcapng block that the item was read from, for
	// [Writer.WriteBlock]. It is nil for items from pcap files and for items
	// that were not read.
	Raw() *Block
}

// A Frame is one captured packet.
type Frame struct {
	N         int       // counted from 1 through the whole file
	Time      time.Time // UTC; the zero Time when the file does not tell
	Interface int       // index into [Reader.Interfaces], or what [Writer.AddInterface] returned
	Link      LinkType  // of the interface; ignored by a Writer
	Data      []byte    // what was captured
	Len       int       // what was on the wire, at least len(Data); 0 when writing: len(Data)
	Flags     FrameFlags
	Comments  []string // for people, usually none

	raw *Block
}

// Raw returns the block of the frame. See [Item].
func (f *Frame) Raw() *Block { return f.raw }

// FrameFlags is pcapng's epb_flags option; 0 when absent.
type FrameFlags uint32

// The direction in which the capturing host saw the frame.
const (
	FrameDirection FrameFlags = 3 // mask of the two values below
	FrameInbound   FrameFlags = 1
	FrameOutbound  FrameFlags = 2
)

// Secrets is a decryption secrets block. It stands before the first frame
// that needs it.
type Secrets struct {
	Type SecretsType
	Data []byte // for SSH and TLS the lines of a key log

	raw *Block
}

// Raw returns the block of the secrets. See [Item].
func (s *Secrets) Raw() *Block { return s.raw }

// SecretsType says what the secrets of a block are.
type SecretsType uint32

const (
	SecretsTLS SecretsType = 0x544c534b // "TLSK": NSS key log
	SecretsSSH SecretsType = 0x5353484b // "SSHK": lines of cookie, kind and value
)

// String returns "TLS", "SSH" or the number.
func (t SecretsType) String() string {
	switch t {
	case SecretsTLS:
		return "TLS"
	case SecretsSSH:
		return "SSH"
	}
	return fmt.Sprintf("%#x", uint32(t))
}

// An Interface is where frames were captured. A pcap file has one without a
// name.
type Interface struct {
	Index       int // in [Reader.Interfaces], from 0 through the whole file
	Section     int // the section it belongs to, counted from 0
	Link        LinkType
	Snaplen     uint32 // the most bytes kept of a frame; 0: no limit
	Name        string // as "eth0"
	Description string
	Filter      string // the capture filter, where it is a text
	OS          string
	Comments    []string

	clock clock
	raw   *Block
}

// Raw returns the block of the interface. See [Item].
func (i *Interface) Raw() *Block { return i.raw }

// A Section begins every pcapng file and may begin anew anywhere in it, with
// interfaces of its own.
type Section struct {
	Index       int // counted from 0
	Hardware    string
	OS          string
	Application string
	Comments    []string

	raw *Block
}

// Raw returns the block of the section header. See [Item].
func (s *Section) Raw() *Block { return s.raw }

// A Block is a pcapng block as it stands in the file: one of a kind that has
// no type of its own here (name resolution, statistics, custom and unknown
// blocks), or what another item was read from.
type Block struct {
	Type  BlockType
	Order binary.ByteOrder // of the section it is in
	Body  []byte           // without the type and both lengths; len(Body)%4 == 0
}

// Raw returns b itself. See [Item].
func (b *Block) Raw() *Block { return b }

// BlockType is the type of a pcapng block.
type BlockType uint32

const (
	BlockInterface      BlockType = 1
	BlockOldPacket      BlockType = 2 // obsolete; still read
	BlockSimplePacket   BlockType = 3
	BlockNameResolution BlockType = 4
	BlockStatistics     BlockType = 5
	BlockEnhancedPacket BlockType = 6
	BlockSecrets        BlockType = 0x0000000a
	BlockSection        BlockType = 0x0a0d0d0a
)

// String returns the name of the block's type, or its number.
func (t BlockType) String() string {
	switch t {
	case BlockInterface:
		return "interface description"
	case BlockOldPacket:
		return "packet"
	case BlockSimplePacket:
		return "simple packet"
	case BlockNameResolution:
		return "name resolution"
	case BlockStatistics:
		return "interface statistics"
	case BlockEnhancedPacket:
		return "enhanced packet"
	case BlockSecrets:
		return "decryption secrets"
	case BlockSection:
		return "section header"
	}
	return fmt.Sprintf("%#x", uint32(t))
}

var (
	_ Item = (*Frame)(nil)
	_ Item = (*Secrets)(nil)
	_ Item = (*Interface)(nil)
	_ Item = (*Section)(nil)
	_ Item = (*Block)(nil)
)
