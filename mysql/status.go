package mysql

import "github.com/wirelark/wirelark/wire"

// Status is the state of a session that a server tells with every answer.
type Status uint16

// The status flags.
const (
	StatusInTrans             Status = 1 << 0 // a transaction is open
	StatusAutocommit          Status = 1 << 1
	StatusMoreResults         Status = 1 << 3 // another answer to the same command follows
	StatusNoGoodIndexUsed     Status = 1 << 4
	StatusNoIndexUsed         Status = 1 << 5
	StatusCursorExists        Status = 1 << 6 // rows are to be fetched
	StatusLastRowSent         Status = 1 << 7 // the cursor is at its end
	StatusDBDropped           Status = 1 << 8
	StatusNoBackslashEscapes  Status = 1 << 9 // a backslash in a text is a backslash
	StatusMetadataChanged     Status = 1 << 10
	StatusQueryWasSlow        Status = 1 << 11
	StatusPSOutParams         Status = 1 << 12 // the result set is that of OUT parameters
	StatusInTransReadonly     Status = 1 << 13
	StatusSessionStateChanged Status = 1 << 14
	StatusANSIQuotes          Status = 1 << 15 // MariaDB
)

var statusNames = [...]string{
	"SERVER_STATUS_IN_TRANS", "SERVER_STATUS_AUTOCOMMIT", "", "SERVER_MORE_RESULTS_EXISTS",
	"SERVER_QUERY_NO_GOOD_INDEX_USED", "SERVER_QUERY_NO_INDEX_USED", "SERVER_STATUS_CURSOR_EXISTS", "SERVER_STATUS_LAST_ROW_SENT",
	"SERVER_STATUS_DB_DROPPED", "SERVER_STATUS_NO_BACKSLASH_ESCAPES", "SERVER_STATUS_METADATA_CHANGED", "SERVER_QUERY_WAS_SLOW",
	"SERVER_PS_OUT_PARAMS", "SERVER_STATUS_IN_TRANS_READONLY", "SERVER_SESSION_STATE_CHANGED", "SERVER_STATUS_ANSI_QUOTES",
}

// Has reports whether all of flags are set.
func (v Status) Has(flags Status) bool { return v&flags == flags }

// String returns the names of the flags joined by "|", "0" for none.
func (v Status) String() string { return wire.FlagNames(uint64(v), statusNames[:]) }
