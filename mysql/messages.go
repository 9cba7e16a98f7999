package mysql

import "github.com/wirelark/wirelark/wire"

// The contexts of [Messages] in which numbers have a meaning. A message that
// has no number is found by its own name as context.
const (
	ContextCommand  = "command"  // client: the number is a [Command]
	ContextGreeting = "greeting" // server: HandshakeV10
	ContextAuth     = "auth"     // server: AuthSwitchRequest, AuthMoreData, AuthNextFactor
	ContextReply    = "reply"    // server: EOF, LocalInfileRequest
	ContextProgress = "progress" // server: Progress
	ContextPrepare  = "prepare"  // server: StmtPrepareOK
	ContextBinary   = "binary"   // server: BinaryRow
	ContextBinlog   = "binlog"   // server: BinlogEvent
)

// Messages is the registry of all messages. Sections are those of the
// protocol's description in MySQL's source documentation and, where they begin
// with MariaDB, in MariaDB's.
var Messages = wire.NewRegistry("mysql",
	wire.Entry{Number: HeaderHandshake, Context: ContextGreeting, Name: "HandshakeV10", From: wire.FromServer, Section: "Protocol::HandshakeV10", New: wire.New[HandshakeV10]},
	bare("SSLRequest", wire.FromClient, "Protocol::SSLRequest", wire.New[SSLRequest]),
	bare("HandshakeResponse41", wire.FromClient, "Protocol::HandshakeResponse41", wire.New[HandshakeResponse41]),
	bare("HandshakeResponse320", wire.FromClient, "Protocol::HandshakeResponse320", wire.New[HandshakeResponse320]),
	wire.Entry{Number: HeaderEOF, Context: ContextAuth, Name: "AuthSwitchRequest", From: wire.FromServer, Section: "Protocol::AuthSwitchRequest", New: wire.New[AuthSwitchRequest]},
	wire.Entry{Number: HeaderMoreData, Context: ContextAuth, Name: "AuthMoreData", From: wire.FromServer, Section: "Protocol::AuthMoreData", New: wire.New[AuthMoreData]},
	wire.Entry{Number: HeaderNextFactor, Context: ContextAuth, Name: "AuthNextFactor", From: wire.FromServer, Section: "Protocol::AuthNextFactor", New: wire.New[AuthNextFactor]},
	bare("AuthPluginData", wire.FromServer, "Protocol::AuthMoreData", wire.New[AuthPluginData]),
	bare("AuthResponse", wire.FromClient, "Protocol::AuthSwitchResponse", wire.New[AuthResponse]),

	bare("OK_Packet", wire.FromServer, "OK_Packet", wire.New[OK]),
	wire.Entry{Number: HeaderERR, Context: ContextReply, Name: "ERR_Packet", From: wire.FromServer, Section: "ERR_Packet", New: wire.New[ERR]},
	wire.Entry{Number: HeaderEOF, Context: ContextReply, Name: "EOF_Packet", From: wire.FromServer, Section: "EOF_Packet", New: wire.New[EOF]},
	wire.Entry{Number: HeaderERR, Context: ContextProgress, Name: "Progress", From: wire.FromServer, Section: "MariaDB ERR_Packet", New: wire.New[Progress]},
	wire.Entry{Number: HeaderLocalInfile, Context: ContextReply, Name: "LOCAL_INFILE_Request", From: wire.FromServer, Section: "LOCAL INFILE Request", New: wire.New[LocalInfileRequest]},
	bare("LOCAL_INFILE_Data", wire.FromClient, "LOCAL INFILE Request", wire.New[LocalInfileData]),
	bare("ColumnCount", wire.FromServer, "Text Resultset", wire.New[ColumnCount]),
	bare("ColumnDefinition41", wire.FromServer, "Protocol::ColumnDefinition41", wire.New[Column]),
	bare("TextResultsetRow", wire.FromServer, "Text Resultset Row", wire.New[TextRow]),
	wire.Entry{Number: HeaderOK, Context: ContextBinary, Name: "BinaryResultsetRow", From: wire.FromServer, Section: "Binary Resultset Row", New: wire.New[BinaryRow]},
	wire.Entry{Number: HeaderOK, Context: ContextPrepare, Name: "COM_STMT_PREPARE_OK", From: wire.FromServer, Section: "COM_STMT_PREPARE Response", New: wire.New[StmtPrepareOK]},
	bare("StatisticsText", wire.FromServer, "COM_STATISTICS", wire.New[StatisticsText]),
	wire.Entry{Number: HeaderOK, Context: ContextBinlog, Name: "BinlogEvent", From: wire.FromServer, Section: "Binlog Network Stream", New: wire.New[BinlogEvent]},

	command(ComQuit, wire.New[Quit]),
	command(ComInitDB, wire.New[InitDB]),
	command(ComQuery, wire.New[Query]),
	command(ComFieldList, wire.New[FieldList]),
	command(ComStatistics, wire.New[Statistics]),
	command(ComProcessKill, wire.New[ProcessKill]),
	command(ComDebug, wire.New[Debug]),
	command(ComPing, wire.New[Ping]),
	command(ComChangeUser, wire.New[ChangeUser]),
	command(ComBinlogDump, wire.New[BinlogDump]),
	command(ComRegisterSlave, wire.New[RegisterSlave]),
	command(ComStmtPrepare, wire.New[StmtPrepare]),
	command(ComStmtExecute, wire.New[StmtExecute]),
	command(ComStmtSendLongData, wire.New[StmtSendLongData]),
	command(ComStmtClose, wire.New[StmtClose]),
	command(ComStmtReset, wire.New[StmtReset]),
	command(ComSetOption, wire.New[SetOption]),
	command(ComStmtFetch, wire.New[StmtFetch]),
	command(ComBinlogDumpGTID, wire.New[BinlogDumpGTID]),
	command(ComResetConnection, wire.New[ResetConnection]),
	command(ComStmtBulkExecute, wire.New[StmtBulkExecute]),
)

func bare(name string, from wire.From, section string, new func() wire.Message) wire.Entry {
	return wire.Entry{Context: name, Bare: true, Name: name, From: from, Section: section, New: new}
}

func command(n Command, new func() wire.Message) wire.Entry {
	return wire.Entry{Number: uint8(n), Context: ContextCommand, Name: n.String(), From: wire.FromClient, Section: n.String(), New: new}
}

// Dialects are the sets of capabilities in which layouts differ, for tests.
var Dialects = []wire.Dialect{
	{}, // before any negotiation, and before version 4.1
	NewDialect(ClientLongPassword | ClientProtocol41 | ClientSecureConnection | ClientPluginAuth | ClientConnectAttrs),
	NewDialect(ClientLongPassword | ClientProtocol41 | ClientSecureConnection | ClientPluginAuth | ClientPluginAuthLenencClientData | ClientDeprecateEOF | ClientSessionTrack |
		ClientOptionalResultsetMetadata | ClientQueryAttributes | ClientZstdCompression | ClientMultiFactorAuthentication),
	NewDialect(ClientProtocol41 | ClientSecureConnection | ClientPluginAuth | ClientConnectAttrs | ClientDeprecateEOF | ClientSessionTrack |
		MariaDBProgress | MariaDBBulkOperations | MariaDBExtendedMetadata | MariaDBCacheMetadata | MariaDBBulkUnitResults),
}

// Append appends the payload of m to dst: its number, if it has one, and its
// fields.
func Append(dst []byte, m wire.Message, d wire.Dialect) ([]byte, error) {
	return Messages.Append(dst, m, d)
}

// Parse decodes a payload into m. Bytes left over are an error that wraps
// wire.ErrExcess; m is complete then.
func Parse(payload []byte, m wire.Message, d wire.Dialect) error {
	return Messages.Parse(payload, m, d)
}
