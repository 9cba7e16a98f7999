package mysql

import (
	"fmt"

	"github.com/wirelark/wirelark/wire"
)

// TrackKind says what a [Track] tells.
type TrackKind uint8

// The kinds of session tracking.
const (
	TrackSystemVariables            TrackKind = 0
	TrackSchema                     TrackKind = 1
	TrackStateChange                TrackKind = 2
	TrackGTIDs                      TrackKind = 3
	TrackTransactionCharacteristics TrackKind = 4
	TrackTransactionState           TrackKind = 5
)

var trackNames = [...]string{
	"SESSION_TRACK_SYSTEM_VARIABLES", "SESSION_TRACK_SCHEMA", "SESSION_TRACK_STATE_CHANGE",
	"SESSION_TRACK_GTIDS", "SESSION_TRACK_TRANSACTION_CHARACTERISTICS", "SESSION_TRACK_TRANSACTION_STATE",
}

// String returns the manual's name, or "track 9".
func (v TrackKind) String() string {
	if int(v) < len(trackNames) {
		return trackNames[v]
	}
	return fmt.Sprintf("track %d", uint8(v))
}

// Track is a change of the session that an [OK] tells.
type Track struct {
	Kind      TrackKind
	Variables []Attribute // TrackSystemVariables: names and new values
	Encoding  uint8       // TrackGTIDs: 0
	Value     string      // the other kinds: new schema, "1", GTIDs, SQL, flags such as "T_______"
	Data      []byte      // kinds that are not known here; aliases the packet
}

func (t *Track) fields(c *wire.Coder) {
	c.Suggest(8, 0, uint64(len(trackNames)))
	wire.Enum8(c, "type", &t.Kind)
	c.LenSized("data", func() {
		switch t.Kind {
		case TrackSystemVariables:
			wire.ListRest(c, "variables", &t.Variables, (*Attribute).fields)
		case TrackGTIDs:
			c.U8("encoding", &t.Encoding)
			c.LenText("value", &t.Value)
		case TrackStateChange:
			c.RestText("value", &t.Value)
		case TrackSchema, TrackTransactionCharacteristics, TrackTransactionState:
			c.LenText("value", &t.Value)
		default:
			c.Rest("value", &t.Data)
		}
	})
}
