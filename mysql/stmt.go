package mysql

import "github.com/wirelark/wirelark/wire"

// StmtPrepare asks for a statement to be prepared. Manual: COM_STMT_PREPARE.
// The answer is [StmtPrepareOK] or [ERR].
type StmtPrepare struct {
	SQL []byte // aliases the packet
}

func (m *StmtPrepare) Fields(c *wire.Coder) { c.Rest("query", &m.SQL) }

// StmtPrepareOK begins the answer to [StmtPrepare]: the definitions of the
// parameters and of the columns follow. Manual: COM_STMT_PREPARE_OK.
type StmtPrepareOK struct {
	ID       uint32
	Columns  uint16 // modulo 65,536
	Params   uint16
	Warnings uint16
	Metadata uint8 // if ClientOptionalResultsetMetadata: 1, the definitions follow; 0, they do not
}

func (m *StmtPrepareOK) Fields(c *wire.Coder) {
	var filler uint8
	wire.UintLE(c, "statement_id", 4, &m.ID)
	wire.UintLE(c, "num_columns", 2, &m.Columns)
	wire.UintLE(c, "num_params", 2, &m.Params)
	c.U8("filler", &filler)
	more := true
	if !c.Tail(&more) {
		return
	}
	wire.UintLE(c, "warning_count", 2, &m.Warnings)
	if caps(c).Has(ClientOptionalResultsetMetadata) && c.Tail(&more) {
		c.U8("metadata_follows", &m.Metadata)
	}
}

// LastPrepared is the statement id by which MariaDB knows the statement that
// it prepared last, so that an execution can follow in the same write.
const LastPrepared = 0xffffffff

// ExecuteFlags say how a statement is executed.
type ExecuteFlags uint8

// The flags of [StmtExecute].
const (
	CursorReadOnly          ExecuteFlags = 1 << 0 // rows are to be fetched
	CursorForUpdate         ExecuteFlags = 1 << 1
	CursorScrollable        ExecuteFlags = 1 << 2
	ParameterCountAvailable ExecuteFlags = 1 << 3 // attributes may stand behind the parameters
)

var executeFlagNames = [...]string{
	"CURSOR_TYPE_READ_ONLY", "CURSOR_TYPE_FOR_UPDATE", "CURSOR_TYPE_SCROLLABLE", "PARAMETER_COUNT_AVAILABLE",
}

// String returns the names of the flags joined by "|", "0" for none.
func (v ExecuteFlags) String() string { return wire.FlagNames(uint64(v), executeFlagNames[:]) }

// StmtExecute executes a prepared statement. Manual: COM_STMT_EXECUTE.
//
// To decode it one must know how many parameters the statement has, and their
// types when NewTypes is not set: see [NewStmtExecute]. A StmtExecute that was
// not told leaves them in Unparsed.
type StmtExecute struct {
	ID         uint32
	Flags      ExecuteFlags
	Iterations uint32 // 1
	NewTypes   bool   // the types of Params are sent; must be so the first time
	Params     []Param
	Unparsed   []byte // what stands behind Iterations; aliases the packet

	known bool // placeholders is
	shape []Param
}

// NewStmtExecute returns an empty StmtExecute for a statement whose parameters
// are known: last has an element for each, with the type of the last execution
// and Long where the value was sent ahead. Last is not copied.
func NewStmtExecute(last []Param) *StmtExecute { return &StmtExecute{known: true, shape: last} }

func (m *StmtExecute) Fields(c *wire.Coder) {
	wire.UintLE(c, "statement_id", 4, &m.ID)
	wire.Enum8(c, "flags", &m.Flags)
	wire.UintLE(c, "iteration_count", 4, &m.Iterations)
	if c.Decoding() && !m.known || !c.Decoding() && m.Unparsed != nil {
		c.Rest("parameters", &m.Unparsed)
		if c.Decoding() && m.Unparsed == nil {
			m.Unparsed = []byte{} // not even a count is to be written
		}
		return
	}
	n := uint64(len(m.Params))
	if c.Decoding() {
		n = uint64(len(m.shape))
	}
	// The server counts on it as soon as there are parameters, the client must
	// set the flag where there are only attributes.
	named := caps(c).Has(ClientQueryAttributes)
	if named && (n > 0 || m.Flags&ParameterCountAvailable != 0) {
		c.LenInt("parameter_count", &n)
	}
	if c.Decoding() {
		m.Params = m.made(c, n)
	}
	if n > 0 && !c.Failed() {
		paramsFields(c, m.Params, &m.NewTypes, named, len(m.shape))
	}
}

// made returns the n parameters that are to be decoded.
func (m *StmtExecute) made(c *wire.Coder, n uint64) []Param {
	if n < uint64(len(m.shape)) {
		c.Fail("parameter_count", wire.ErrValue)
	}
	v := makeParams(c, n, n/8+3*(n-min(n, uint64(len(m.shape)))))
	for i := range min(len(v), len(m.shape)) {
		v[i].Type, v[i].Long = m.shape[i].Type, m.shape[i].Long
	}
	return v
}

// StmtSendLongData sends a piece of a parameter ahead of the execution. It is
// not answered. Manual: COM_STMT_SEND_LONG_DATA.
type StmtSendLongData struct {
	ID    uint32
	Param uint16 // counted from 0
	Data  []byte // aliases the packet
}

func (m *StmtSendLongData) Fields(c *wire.Coder) {
	wire.UintLE(c, "statement_id", 4, &m.ID)
	wire.UintLE(c, "param_id", 2, &m.Param)
	c.Rest("data", &m.Data)
}

// StmtClose forgets a prepared statement. It is not answered. Manual:
// COM_STMT_CLOSE.
type StmtClose struct{ ID uint32 }

func (m *StmtClose) Fields(c *wire.Coder) { wire.UintLE(c, "statement_id", 4, &m.ID) }

// StmtReset forgets what [StmtSendLongData] sent and closes the statement's
// cursor. Manual: COM_STMT_RESET.
type StmtReset struct{ ID uint32 }

func (m *StmtReset) Fields(c *wire.Coder) { wire.UintLE(c, "statement_id", 4, &m.ID) }

// StmtFetch asks for rows of a statement's cursor. Manual: COM_STMT_FETCH.
type StmtFetch struct {
	ID   uint32
	Rows uint32 // at most
}

func (m *StmtFetch) Fields(c *wire.Coder) {
	wire.UintLE(c, "statement_id", 4, &m.ID)
	wire.UintLE(c, "num_rows", 4, &m.Rows)
}
