package mysqlserver

import "github.com/wirelark/wirelark/mysql"

// tracks are changes of the session that the client has not been told yet.
type tracks struct {
	list  []mysql.Track
	bytes int
}

// track notes a change of the session. What is too much to be told is dropped.
func (c *Conn) track(t mysql.Track) {
	if !c.client.Capabilities.Has(mysql.ClientSessionTrack) {
		return
	}
	size := len(t.Value)
	for _, v := range t.Variables {
		size += len(v.Name) + len(v.Value)
	}
	if c.tracks.bytes+size > c.limits.Trackers {
		return
	}
	c.tracks.bytes += size
	if n := len(c.tracks.list); n > 0 && c.tracks.list[n-1].Kind == t.Kind {
		switch t.Kind {
		case mysql.TrackSystemVariables:
			last := &c.tracks.list[n-1]
			last.Variables = append(last.Variables, t.Variables...)
			return
		default: // only the newest counts
			c.tracks.list[n-1] = t
			return
		}
	}
	c.tracks.list = append(c.tracks.list, t)
}

// takeTracks returns what is to be told with the next OK.
func (c *Conn) takeTracks() []mysql.Track {
	list := c.tracks.list
	c.tracks = tracks{}
	return list
}

// TrackVariable tells the client, with the next OK, that a system variable has
// got another value.
func (c *Conn) TrackVariable(name, value string) {
	c.track(mysql.Track{Kind: mysql.TrackSystemVariables, Variables: []mysql.Attribute{{Name: name, Value: value}}})
}

// TrackTransaction tells the client, with the next OK, about the transaction:
// state is eight characters as "T_______", characteristics the SQL that would
// begin such a one again. What is "" is not told.
func (c *Conn) TrackTransaction(state, characteristics string) {
	if characteristics != "" {
		c.track(mysql.Track{Kind: mysql.TrackTransactionCharacteristics, Value: characteristics})
	}
	if state != "" {
		c.track(mysql.Track{Kind: mysql.TrackTransactionState, Value: state})
	}
}

// TrackGTIDs tells the client, with the next OK, which transactions it has
// committed.
func (c *Conn) TrackGTIDs(gtids string) {
	c.track(mysql.Track{Kind: mysql.TrackGTIDs, Value: gtids})
}
