package mysql

import "github.com/wirelark/wirelark/wire"

// Quit ends the connection. It is not answered. Manual: COM_QUIT.
type Quit struct{}

func (*Quit) Fields(*wire.Coder) {}

// InitDB changes the schema of the session. Manual: COM_INIT_DB.
type InitDB struct{ Schema string }

func (m *InitDB) Fields(c *wire.Coder) { c.RestText("schema_name", &m.Schema) }

// FieldList asks for the definitions of a table's columns. Manual:
// COM_FIELD_LIST.
type FieldList struct {
	Table    string
	Wildcard string // pattern of LIKE
}

func (m *FieldList) Fields(c *wire.Coder) {
	c.NulText("table", &m.Table)
	c.RestText("wildcard", &m.Wildcard)
}

// Statistics asks for a line about the server; [StatisticsText] is the answer.
// Manual: COM_STATISTICS.
type Statistics struct{}

func (*Statistics) Fields(*wire.Coder) {}

// StatisticsText answers [Statistics].
type StatisticsText struct{ Text string }

func (m *StatisticsText) Fields(c *wire.Coder) { c.RestText("statistics", &m.Text) }

// Debug makes the server write its state to its log. Manual: COM_DEBUG.
type Debug struct{}

func (*Debug) Fields(*wire.Coder) {}

// Ping asks whether the server lives. Manual: COM_PING.
type Ping struct{}

func (*Ping) Fields(*wire.Coder) {}

// ProcessKill ends another connection. MySQL has it no more. Manual:
// COM_PROCESS_KILL.
type ProcessKill struct{ ID uint32 }

func (m *ProcessKill) Fields(c *wire.Coder) { wire.UintLE(c, "connection_id", 4, &m.ID) }

// ResetConnection makes the session as new but for user and schema. Manual:
// COM_RESET_CONNECTION.
type ResetConnection struct{}

func (*ResetConnection) Fields(*wire.Coder) {}

// Option is what [SetOption] sets.
type Option uint16

// The options.
const (
	OptionMultiStatementsOn  Option = 0
	OptionMultiStatementsOff Option = 1
)

// String returns the manual's name.
func (v Option) String() string {
	switch v {
	case OptionMultiStatementsOn:
		return "MYSQL_OPTION_MULTI_STATEMENTS_ON"
	case OptionMultiStatementsOff:
		return "MYSQL_OPTION_MULTI_STATEMENTS_OFF"
	}
	return "option " + Uint(uint64(v)).String()
}

// SetOption changes an option of the session. Manual: COM_SET_OPTION.
type SetOption struct{ Option Option }

func (m *SetOption) Fields(c *wire.Coder) { wire.UintLE(c, "option_operation", 2, &m.Option) }

// ChangeUser logs in anew, which makes the session as new. An authentication
// conversation follows as after the handshake. Manual: COM_CHANGE_USER.
type ChangeUser struct {
	User         string
	AuthResponse []byte // secret; aliases the packet
	Database     string
	Collation    uint16
	AuthPlugin   string      // if ClientPluginAuth
	Attributes   []Attribute // if ClientConnectAttrs
}

func (m *ChangeUser) Fields(c *wire.Coder) {
	c.NulText("user", &m.User)
	if caps(c).Has(ClientSecureConnection) {
		c.Masked(func() { c.Bytes8("auth_response", &m.AuthResponse) })
	} else {
		nulSecret(c, "auth_response", &m.AuthResponse)
	}
	c.LooseNulText("database", &m.Database)
	more := true
	if !c.Tail(&more) {
		return
	}
	wire.UintLE(c, "character_set", 2, &m.Collation)
	if caps(c).Has(ClientPluginAuth) && c.Tail(&more) {
		c.LooseNulText("auth_plugin_name", &m.AuthPlugin)
	}
	if caps(c).Has(ClientConnectAttrs) && more && c.Tail(&more) {
		attributes(c, &m.Attributes)
	}
}

// LocalInfileRequest asks the client for a file of its own, in answer to a
// LOAD DATA LOCAL. Manual: LOCAL INFILE Request.
type LocalInfileRequest struct{ Filename string }

func (m *LocalInfileRequest) Fields(c *wire.Coder) { c.RestText("filename", &m.Filename) }

// LocalInfileData is a piece of the file; an empty one is the last.
type LocalInfileData struct {
	Data []byte // aliases the packet
}

func (m *LocalInfileData) Fields(c *wire.Coder) { c.Rest("data", &m.Data) }
