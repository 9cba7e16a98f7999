package sftp_test

import (
	"strings"
	"testing"

	"github.com/wirelark/wirelark/sftp"
	"github.com/wirelark/wirelark/wire"
)

// step is one message and the complaint that it deserves, if any.
type step struct {
	dir     wire.Dir
	m       wire.Message
	answers uint64
	want    string // part of the complaint
}

func c2s(m wire.Message) step                 { return step{dir: wire.C2S, m: m} }
func s2c(m wire.Message, answers uint64) step { return step{dir: wire.S2C, m: m, answers: answers} }

func (s step) but(want string) step { s.want = want; return s }

func follow(t *testing.T, f *sftp.Flow, steps []step) {
	t.Helper()
	for i, s := range steps {
		b, err := sftp.Append(nil, s.m, f.Dialect())
		if err != nil {
			t.Fatal(err)
		}
		m, e, rule := f.Next(s.dir, b)
		if e == nil {
			t.Fatalf("step %d: number %d is unknown", i, b[0])
		}
		if err := sftp.Parse(b, m, f.Dialect()); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		seen, more := f.Saw(s.dir, m)
		if rule == nil {
			rule = more
		}
		switch {
		case rule == nil && s.want != "":
			t.Errorf("step %d, %s: no complaint, want %q", i, e.Name, s.want)
		case rule != nil && (s.want == "" || !strings.Contains(rule.Error(), s.want)):
			t.Errorf("step %d: complaint %q, want %q", i, rule, s.want)
		}
		if seen.Answers != s.answers {
			t.Errorf("step %d, %s answers %d, want %d", i, e.Name, seen.Answers, s.answers)
		}
		if seen.Ordinal != uint64(i+1) || seen.Asks != (s.dir == wire.C2S && e.Number > sftp.NumVersion && !sftp.IsReply(e.Number)) {
			t.Errorf("step %d: %+v", i, seen)
		}
	}
}

func TestFlow(t *testing.T) {
	h := []byte("h")
	begin := []step{c2s(&sftp.Init{Version: 3}), s2c(&sftp.VersionReply{Version: 3}, 0)}
	for _, row := range []struct {
		name  string
		steps []step
	}{
		{"each kind of reply", []step{
			c2s(&sftp.Open{ID: 1}), s2c(&sftp.Handle{ID: 1, Handle: h}, 3),
			c2s(&sftp.Read{ID: 1, Handle: h, Length: 5}), s2c(&sftp.Data{ID: 1, Data: []byte("12345")}, 5),
			c2s(&sftp.ReadDir{ID: 1}), s2c(&sftp.Name{ID: 1, Names: make([]sftp.NameEntry, 2)}, 7),
			c2s(&sftp.Stat{ID: 1}), s2c(&sftp.AttrsReply{ID: 1}, 9),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtFStatVFS}), s2c(&sftp.StatVFSReply{ID: 1}, 11),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtLimits}), s2c(&sftp.LimitsReply{ID: 1}, 13),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtUsersGroups}), s2c(&sftp.UsersGroupsReply{ID: 1}, 15),
			c2s(&sftp.Extended{ID: 1, Request: "x@example.org"}), s2c(&sftp.ExtendedReply{ID: 1, Rest: []byte("x")}, 17),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtExpandPath}), s2c(&sftp.Name{ID: 1, Names: make([]sftp.NameEntry, 1)}, 19),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtFSync}), s2c(&sftp.Status{ID: 1}, 21),
			c2s(&sftp.Close{ID: 1}), s2c(&sftp.Status{ID: 1, Code: sftp.StatusFailure}, 23),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtCopyData}), s2c(&sftp.Status{ID: 1}, 25),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtLSetStat}), s2c(&sftp.Status{ID: 1}, 27),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtHomeDir}), s2c(&sftp.Name{ID: 1, Names: make([]sftp.NameEntry, 1)}, 29),
			c2s(&sftp.Extended{ID: 1, Request: "x@example.org"}), s2c(&sftp.Name{ID: 1}, 31),
		}},
		{"any order, ids used twice", []step{
			c2s(&sftp.Stat{ID: 1}), c2s(&sftp.Close{ID: 2}), c2s(&sftp.Stat{ID: 1}),
			s2c(&sftp.Status{ID: 2}, 4), s2c(&sftp.AttrsReply{ID: 1}, 3), s2c(&sftp.AttrsReply{ID: 1}, 5),
			s2c(&sftp.Status{ID: 1}, 0).but("no request with this id"),
		}},
		{"wrong kinds of reply", []step{
			c2s(&sftp.Open{ID: 1}), s2c(&sftp.Data{ID: 1}, 3).but("is no answer to SSH_FXP_OPEN"),
			c2s(&sftp.Close{ID: 1}), s2c(&sftp.Handle{ID: 1}, 5).but("is no answer to SSH_FXP_CLOSE"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtFSync}), s2c(&sftp.ExtendedReply{ID: 1}, 7).but("is no answer to SSH_FXP_EXTENDED"),
			c2s(&sftp.Read{ID: 1}), s2c(&sftp.Name{ID: 1}, 9).but("is no answer to SSH_FXP_READ"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtCopyData}), s2c(&sftp.Name{ID: 1}, 11).but("is no answer to SSH_FXP_EXTENDED"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtHomeDir}), s2c(&sftp.ExtendedReply{ID: 1}, 13).but("is no answer to SSH_FXP_EXTENDED"),
		}},
		{"replies that say too much or too little", []step{
			c2s(&sftp.Open{ID: 1}), s2c(&sftp.Status{ID: 1}, 3).but("success without what was asked"),
			c2s(&sftp.Read{ID: 1, Length: 4}), s2c(&sftp.Data{ID: 1, Data: []byte("12345")}, 5).but("5 bytes, at most 4"),
			c2s(&sftp.ReadDir{ID: 1}), s2c(&sftp.Name{ID: 1}, 7).but("an empty list"),
			c2s(&sftp.RealPath{ID: 1}), s2c(&sftp.Name{ID: 1, Names: make([]sftp.NameEntry, 2)}, 9).but("2 names instead of one"),
			c2s(&sftp.OpenDir{ID: 1}), s2c(&sftp.Handle{ID: 1, Handle: make([]byte, 257)}, 11).but("257 bytes"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtLimits}), s2c(&sftp.Status{ID: 1}, 13).but("success without"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtExpandPath}), s2c(&sftp.Status{ID: 1}, 15).but("success without"),
			c2s(&sftp.Extended{ID: 1, Request: sftp.ExtExpandPath}), s2c(&sftp.Name{ID: 1}, 17).but("0 names instead of one"),
		}},
		{"wrong places", []step{
			c2s(&sftp.Init{Version: 3}).but("was sent before"), s2c(&sftp.VersionReply{Version: 3}, 0).but("was sent before"),
			c2s(&sftp.Status{ID: 1}).but("only the other side"), s2c(&sftp.Stat{ID: 1}, 0).but("only the other side"),
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			follow(t, new(sftp.Flow), append(begin[:2:2], row.steps...))
		})
	}
	follow(t, new(sftp.Flow), []step{c2s(&sftp.Stat{ID: 1}).but("SSH_FXP_INIT must come first")}[:0])
	follow(t, new(sftp.Flow), []step{c2s(&sftp.Init{Version: 3}), s2c(&sftp.VersionReply{Version: 4}, 0).but("the client asked for 3")})
}

func TestFlowWithoutInit(t *testing.T) {
	b, err := sftp.Append(nil, &sftp.Stat{ID: 1}, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	var f sftp.Flow
	if _, _, err := f.Next(wire.C2S, b); err == nil || !strings.Contains(err.Error(), "INIT") {
		t.Errorf("a request before INIT: complaint %v", err)
	}
	f.Gap()
	if _, _, err := f.Next(wire.C2S, b); err != nil {
		t.Errorf("a request after a gap: complaint %v", err)
	}
}

// TestFlowAfterGap: replies without requests are no news then, and an id that
// is used again belongs to the newer request.
func TestFlowAfterGap(t *testing.T) {
	var f sftp.Flow
	f.Gap()
	follow(t, &f, []step{
		s2c(&sftp.Status{ID: 9}, 0),
		c2s(&sftp.Stat{ID: 1}), c2s(&sftp.Read{ID: 1}),
		s2c(&sftp.Data{ID: 1, Data: []byte("x")}, 3),
		s2c(&sftp.Data{ID: 1}, 0),
	})
}

func TestFlowIsBounded(t *testing.T) {
	var f sftp.Flow
	for i := range 2 * sftp.MaxPending {
		seen, err := f.Saw(wire.C2S, &sftp.Stat{ID: uint32(i % 3)})
		if err != nil || seen.Asks != (i < sftp.MaxPending) {
			t.Fatalf("request %d: %+v, %v", i, seen, err)
		}
	}
	packet, err := sftp.Append(nil, &sftp.Status{ID: 77}, wire.Dialect{})
	if err != nil {
		t.Fatal(err)
	}
	f.Gap()
	if _, _, err := f.Next(wire.S2C, packet); err != nil {
		t.Errorf("complaint %v of a reply whose request may have been forgotten", err)
	}
}

func TestFlowOfAnUnknownVersion(t *testing.T) {
	var f sftp.Flow
	follow(t, &f, []step{c2s(&sftp.Init{Version: 6}), s2c(&sftp.VersionReply{Version: 6}, 0)})
	b, err := sftp.Append(nil, &sftp.Open{ID: 5}, f.Dialect())
	if err != nil {
		t.Fatal(err)
	}
	m, e, rule := f.Next(wire.C2S, b)
	o, ok := m.(*sftp.Opaque)
	if !ok || e.Name != "SSH_FXP_OPEN" || rule != nil || f.Known() {
		t.Fatalf("Next = %T, %v, %v, want an Opaque SSH_FXP_OPEN", m, e, rule)
	}
	if err := sftp.Parse(b, o, f.Dialect()); err != nil || o.ID != 5 || sftp.Messages.Name(o) != "SSH_FXP_OPEN" {
		t.Errorf("Opaque = %+v, %v, want id 5", o, err)
	}
}

func FuzzFlow(f *testing.F) {
	f.Add([]byte{0, 5, sftp.NumInit, 0, 0, 0, 3, 0x80, 9, sftp.NumStatus, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var flow sftp.Flow
		for len(b) > 1 {
			dir, n := wire.Dir(b[0]>>7), min(int(b[1]), len(b)-2)
			packet := b[2 : 2+n]
			b = b[2+n:]
			m, _, _ := flow.Next(dir, packet)
			if m == nil {
				t.Fatal("no message")
			}
			_ = sftp.Parse(packet, m, flow.Dialect())
			seen, _ := flow.Saw(dir, m)
			if seen.Answers >= seen.Ordinal {
				t.Fatalf("message %d answers %d", seen.Ordinal, seen.Answers)
			}
		}
	})
}
