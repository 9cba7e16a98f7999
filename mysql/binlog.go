package mysql

import "github.com/wirelark/wirelark/wire"

// RegisterSlave makes a replica known to its source. Manual:
// COM_REGISTER_SLAVE.
type RegisterSlave struct {
	ServerID uint32
	Host     []byte // at most 255 bytes, as User and Password; they alias the packet
	User     []byte
	Password []byte // secret
	Port     uint16
	Rank     uint32 // 0
	SourceID uint32 // 0
}

func (m *RegisterSlave) Fields(c *wire.Coder) {
	wire.UintLE(c, "server_id", 4, &m.ServerID)
	c.Bytes8("host", &m.Host)
	c.Bytes8("user", &m.User)
	c.Masked(func() { c.Bytes8("password", &m.Password) })
	wire.UintLE(c, "port", 2, &m.Port)
	wire.UintLE(c, "rank", 4, &m.Rank)
	wire.UintLE(c, "source_id", 4, &m.SourceID)
}

// BinlogFlags say how a binary log is to be sent.
type BinlogFlags uint16

// The flags of [BinlogDump] and [BinlogDumpGTID].
const (
	BinlogNonBlock       BinlogFlags = 1 << 0 // EOF at the end, instead of waiting
	BinlogThroughPos     BinlogFlags = 1 << 1
	BinlogThroughGTID    BinlogFlags = 1 << 2
	BinlogAnnotateRows   BinlogFlags = 1 << 1 // MariaDB
	BinlogSkipHeartbeats BinlogFlags = 1 << 3
)

var binlogFlagNames = [...]string{"BINLOG_DUMP_NON_BLOCK", "BINLOG_THROUGH_POSITION", "BINLOG_THROUGH_GTID", "BINLOG_SKIP_HEARTBEATS"}

// String returns the names of the flags joined by "|", "0" for none.
func (v BinlogFlags) String() string { return wire.FlagNames(uint64(v), binlogFlagNames[:]) }

// BinlogDump asks for the events of a binary log from a position on. Manual:
// COM_BINLOG_DUMP.
type BinlogDump struct {
	Position uint32
	Flags    BinlogFlags
	ServerID uint32 // of the replica
	File     string
}

func (m *BinlogDump) Fields(c *wire.Coder) {
	wire.UintLE(c, "binlog_pos", 4, &m.Position)
	wire.UintLE(c, "flags", 2, &m.Flags)
	wire.UintLE(c, "server_id", 4, &m.ServerID)
	c.RestText("binlog_filename", &m.File)
}

// BinlogDumpGTID asks for the events that are not in a set of GTIDs. Manual:
// COM_BINLOG_DUMP_GTID.
type BinlogDumpGTID struct {
	Flags    BinlogFlags
	ServerID uint32 // of the replica
	File     string
	Position uint64
	GTIDs    []byte // the set in binary; aliases the packet
}

func (m *BinlogDumpGTID) Fields(c *wire.Coder) {
	wire.UintLE(c, "flags", 2, &m.Flags)
	wire.UintLE(c, "server_id", 4, &m.ServerID)
	bytes32(c, "binlog_filename", func(b []byte) { m.File = string(b) }, []byte(m.File))
	wire.UintLE(c, "binlog_pos", 8, &m.Position)
	bytes32(c, "data", func(b []byte) { m.GTIDs = b }, m.GTIDs)
}

// bytes32 codes bytes behind a four-byte little-endian length. What was
// decoded is handed to set.
func bytes32(c *wire.Coder, name string, set func([]byte), v []byte) {
	n := uint32(len(v))
	c.SuggestLE(4, 0, 24)
	wire.UintLE(c, name+"_length", 4, &n)
	if c.Decoding() && !c.Fits(uint64(n)) {
		c.Fail(name, wire.ErrShort)
		return
	}
	c.Raw(name, int(n), &v)
	if c.Decoding() && !c.Failed() {
		set(v)
	}
}

// BinlogEvent is an event of a binary log. What stands behind its header is
// not decoded here.
type BinlogEvent struct {
	Timestamp uint32 // seconds since 1970
	Type      uint8
	ServerID  uint32
	Size      uint32 // with the header
	Position  uint32 // of the event that follows
	Flags     uint16
	Body      []byte // aliases the packet
}

func (m *BinlogEvent) Fields(c *wire.Coder) {
	wire.UintLE(c, "timestamp", 4, &m.Timestamp)
	c.U8("event_type", &m.Type)
	wire.UintLE(c, "server_id", 4, &m.ServerID)
	wire.UintLE(c, "event_size", 4, &m.Size)
	wire.UintLE(c, "log_pos", 4, &m.Position)
	wire.UintLE(c, "flags", 2, &m.Flags)
	c.Rest("body", &m.Body)
}
