package mysql

import (
	"github.com/wirelark/wirelark/wire"
)

// The first bytes of a server's packets.
const (
	HeaderOK          = 0x00 // OK, and a binary row
	HeaderMoreData    = 0x01 // AuthMoreData
	HeaderNextFactor  = 0x02 // AuthNextFactor
	HeaderHandshake   = 0x0a // HandshakeV10
	HeaderLocalInfile = 0xfb // LocalInfileRequest; NULL in a text row
	HeaderEOF         = 0xfe // EOF, OK at the end of rows, AuthSwitchRequest
	HeaderERR         = 0xff // ERR
)

// OK says that a command was done. Manual: OK_Packet.
type OK struct {
	End          bool // headed by 0xfe: it ends rows, instead of [EOF]
	AffectedRows uint64
	LastInsertID uint64
	Status       Status
	Warnings     uint16
	Info         string
	Track        []Track // if StatusSessionStateChanged, which needs ClientSessionTrack
}

func (m *OK) Fields(c *wire.Coder) {
	header := uint8(HeaderOK)
	if m.End {
		header = HeaderEOF
	}
	c.Suggest(8, HeaderOK, HeaderOK)
	c.U8("header", &header)
	switch {
	case header != HeaderOK && header != HeaderEOF:
		c.Fail("header", wire.ErrValue)
		return
	case c.Decoding():
		m.End = header == HeaderEOF
	}
	c.LenInt("affected_rows", &m.AffectedRows)
	c.LenInt("last_insert_id", &m.LastInsertID)
	wire.UintLE(c, "status_flags", 2, &m.Status)
	wire.UintLE(c, "warnings", 2, &m.Warnings)
	// The manual has the info as the rest of the packet without
	// ClientSessionTrack; all servers send its length all the same, and set the
	// status flag only with that capability.
	changed := m.Status.Has(StatusSessionStateChanged)
	more := changed || m.Info != ""
	if !c.Tail(&more) {
		return
	}
	c.LenText("info", &m.Info)
	if changed {
		c.LenSized("session_state_info", func() { wire.ListRest(c, "entries", &m.Track, (*Track).fields) })
	}
}

// ERR says that a command failed, or that the connection does. Manual:
// ERR_Packet.
type ERR struct {
	Code    uint16 // see package mysql/names
	State   string // SQLSTATE, 5 characters; empty before the capabilities are known
	Message string
}

func (m *ERR) Fields(c *wire.Coder) {
	wire.UintLE(c, "error_code", 2, &m.Code)
	has, marker := m.State != "", uint8('#')
	if c.TailIf(marker, &has) {
		c.U8("sql_state_marker", &marker)
		state := []byte(m.State)
		c.Raw("sql_state", 5, &state)
		if c.Decoding() && !c.Failed() {
			m.State = string(state)
		}
	} else if !c.Decoding() && len(m.Message) > 0 && m.Message[0] == marker {
		c.Fail("error_message", wire.ErrValue)
	}
	c.RestText("error_message", &m.Message)
}

// EOF ends column definitions and rows where ClientDeprecateEOF is not
// agreed. Manual: EOF_Packet.
type EOF struct {
	Warnings uint16
	Status   Status
}

func (m *EOF) Fields(c *wire.Coder) {
	wire.UintLE(c, "warnings", 2, &m.Warnings)
	wire.UintLE(c, "status_flags", 2, &m.Status)
}

// Progress tells how far MariaDB is with a long command, which goes on. It
// looks like an [ERR] with the code 0xffff.
type Progress struct {
	Strings  uint8 // 1
	Stage    uint8 // counted from 1
	MaxStage uint8
	Done     uint32 // in thousandths of a percent of the stage; 3 bytes
	Text     string
}

// ProgressCode is the error code that marks a [Progress].
const ProgressCode = 0xffff

func (m *Progress) Fields(c *wire.Coder) {
	code := uint16(ProgressCode)
	c.Suggest(16, ProgressCode, ProgressCode)
	wire.UintLE(c, "error_code", 2, &code)
	if code != ProgressCode {
		c.Fail("error_code", wire.ErrValue)
		return
	}
	c.U8("strings", &m.Strings)
	c.U8("stage", &m.Stage)
	c.U8("max_stage", &m.MaxStage)
	wire.UintLE(c, "progress", 3, &m.Done)
	c.LenText("progress_info", &m.Text)
}
