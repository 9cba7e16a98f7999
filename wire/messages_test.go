package wire_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/wirelark/wirelark/wire"
	"github.com/wirelark/wirelark/wire/wiretest"
)

// The messages here stand for what the protocols need of package wire. They
// are layouts of real messages, written a second time for these tests only.

// authRequest is SSH's USERAUTH_REQUEST: fields depend on a name.
type authRequest struct {
	User, Service, Method string
	HasSignature          bool
	Algorithm             string
	Key, Signature        []byte
	Password              string
	Rest                  []byte
}

func (m *authRequest) Fields(c *wire.Coder) {
	c.Text("user", &m.User)
	c.Text("service", &m.Service)
	c.Text("method", &m.Method)
	switch m.Method {
	case "publickey":
		c.Bool("has_signature", &m.HasSignature)
		c.Text("algorithm", &m.Algorithm)
		c.Bytes("public_key", &m.Key)
		if m.HasSignature {
			c.Bytes("signature", &m.Signature)
		}
	case "password":
		c.Secret("password", &m.Password)
	default:
		c.Rest("method_data", &m.Rest)
	}
}

// nameReply is SFTP's NAME: a list of structures that depend on the version,
// which is the first word of the dialect.
type nameReply struct {
	ID    uint32
	Names []nameEntry
	End   bool // only from version 6 on, and even there optional
	isEnd bool
}

type nameEntry struct {
	Name, Long string
	Flags      attrFlags
	Size       uint64
	Type       uint8
	Owner      string
	Extended   []pair
}

type attrFlags uint32

const (
	attrSize     attrFlags = 1
	attrOwner    attrFlags = 0x80
	attrExtended attrFlags = 0x80000000
)

type pair struct{ Name, Value string }

func (m *nameReply) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	wire.List(c, "names", 8, &m.Names, (*nameEntry).fields)
	if c.Dialect()[0] >= 6 && c.Tail(&m.isEnd) {
		c.Bool("end_of_list", &m.End)
	}
}

func (e *nameEntry) fields(c *wire.Coder) {
	c.Text("filename", &e.Name)
	if c.Dialect()[0] <= 3 {
		c.Text("longname", &e.Long)
	}
	c.Group("attrs", func() {
		wire.Enum32(c, "flags", &e.Flags)
		if c.Dialect()[0] > 3 {
			c.U8("type", &e.Type)
		}
		if e.Flags&attrSize != 0 {
			c.U64("size", &e.Size)
		}
		if e.Flags&attrOwner != 0 {
			c.Text("owner", &e.Owner)
		}
		if e.Flags&attrExtended != 0 {
			wire.List(c, "extended", 8, &e.Extended, func(p *pair, c *wire.Coder) {
				c.Text("name", &p.Name)
				c.Text("value", &p.Value)
			})
		}
	})
}

// okReply is MySQL's OK packet: capabilities and its own status decide.
type okReply struct {
	AffectedRows, LastInsertID uint64
	Status                     uint16
	Warnings                   uint16
	Info                       string
	hasInfo                    bool
	State                      []byte
}

const (
	caps41           = 0x200
	capsTransactions = 0x2000
	capsTrack        = 0x800000
	statusChanged    = 0x4000
)

func (m *okReply) Fields(c *wire.Coder) {
	c.LenInt("affected_rows", &m.AffectedRows)
	c.LenInt("last_insert_id", &m.LastInsertID)
	caps := c.Dialect()[0]
	switch {
	case caps&caps41 != 0:
		wire.UintLE(c, "status_flags", 2, &m.Status)
		wire.UintLE(c, "warnings", 2, &m.Warnings)
	case caps&capsTransactions != 0:
		wire.UintLE(c, "status_flags", 2, &m.Status)
	}
	if caps&capsTrack == 0 {
		c.RestText("info", &m.Info)
		return
	}
	if c.Tail(&m.hasInfo) {
		c.LenText("info", &m.Info)
		if m.Status&statusChanged != 0 {
			c.LenBytes("session_state", &m.State)
		}
	}
}

// ipHeader is IPv4's header: bits, a computed length and checksum, and options
// whose room another field fixes.
type ipHeader struct {
	Version, Words uint8
	Service        uint8
	Length         wire.Auto[uint16]
	ID             uint16
	Reserved       bool
	DontFragment   bool
	MoreFragments  bool
	Fragment       uint16
	TTL, Protocol  uint8
	Checksum       wire.Auto[uint16]
	Source, Dest   [4]byte
	Options        []ipOption
	payload        int // bytes behind the header, which Length counts
}

type ipOption struct {
	Kind uint8
	Data []byte
}

func (m *ipHeader) Fields(c *wire.Coder) {
	start := c.Mark()
	wire.Bits(c, "version", 4, &m.Version)
	wire.Bits(c, "header_words", 4, &m.Words)
	c.U8("service", &m.Service)
	length := wire.AutoUint(c, "total_length", 2, &m.Length)
	c.U16("identification", &m.ID)
	wire.Bits(c, "reserved", 1, &m.Reserved)
	wire.Bits(c, "dont_fragment", 1, &m.DontFragment)
	wire.Bits(c, "more_fragments", 1, &m.MoreFragments)
	wire.Bits(c, "fragment_offset", 13, &m.Fragment)
	c.U8("time_to_live", &m.TTL)
	c.U8("protocol", &m.Protocol)
	sum := wire.AutoUint(c, "checksum", 2, &m.Checksum)
	c.Fixed("source", m.Source[:])
	c.Fixed("destination", m.Dest[:])
	if m.Words < 5 && !c.Failed() {
		c.Fail("header_words", wire.ErrValue)
		return
	}
	c.Within("options", int(m.Words)*4-20, func() {
		wire.ListRest(c, "options", &m.Options, (*ipOption).fields)
	})
	if m.Length.Wanted(c) {
		wire.PatchAuto(c, "total_length", length, 2, &m.Length, uint64(len(c.Since(start))+m.payload))
	}
	if m.Checksum.Wanted(c) {
		wire.PatchAuto(c, "checksum", sum, 2, &m.Checksum, uint64(checksum(c.Since(start))))
	}
	if c.Describing() && m.Checksum.Set {
		c.View("checksum_good", checksum(c.Since(start)) == 0)
	}
}

func (o *ipOption) fields(c *wire.Coder) {
	c.U8("kind", &o.Kind)
	if o.Kind > 1 {
		c.Bytes8("data", &o.Data)
	}
}

// checksum is the Internet checksum of b, whose length is even (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// write is SFTP's WRITE, the message of the hot path.
type write struct {
	ID     uint32
	Handle []byte
	Offset uint64
	Data   []byte
}

func (m *write) Fields(c *wire.Coder) {
	c.U32("id", &m.ID)
	c.Bytes("handle", &m.Handle)
	c.U64("offset", &m.Offset)
	c.Bytes("data", &m.Data)
}

// odds has one of everything else.
type odds struct {
	Single  float32
	Double  float64
	Signed  int64
	Odd     uint32
	Cookie  [5]byte
	Ended   string
	Names   []string
	Big     []byte
	Blob    []byte
	Inner   []uint16
	Counted []uint8
}

func (m *odds) Fields(c *wire.Coder) {
	c.F32("single", binary.LittleEndian, &m.Single)
	c.F64("double", binary.BigEndian, &m.Double)
	c.I64("signed", &m.Signed)
	wire.Uint(c, "odd", 3, &m.Odd)
	c.Fixed("cookie", m.Cookie[:])
	c.NulText("ended", &m.Ended)
	c.NameList("names", &m.Names)
	c.MPInt("big", &m.Big)
	c.SecretBytes("blob", &m.Blob)
	c.Sized("inner", func() {
		wire.ListRest(c, "numbers", &m.Inner, func(v *uint16, c *wire.Coder) { c.U16("number", v) })
	})
	n := uint8(len(m.Counted))
	c.U8("counted_length", &n)
	wire.ListN(c, "counted", int(n), 1, &m.Counted, func(v *uint8, c *wire.Coder) { c.U8("value", v) })
}

var messages = wire.NewRegistry("test",
	wire.Entry{Number: 50, Name: "AUTH_REQUEST", Section: "RFC 4252 §5", From: wire.FromClient, New: wire.New[authRequest]},
	wire.Entry{Number: 104, Name: "NAME", Section: "draft-ietf-secsh-filexfer-02 §7", From: wire.FromServer, New: wire.New[nameReply]},
	wire.Entry{Number: 0, Name: "OK", Section: "MySQL OK_Packet", New: wire.New[okReply]},
	wire.Entry{Number: 4, Name: "IP", Section: "RFC 791 §3.1", New: wire.New[ipHeader]},
	wire.Entry{Number: 6, Name: "WRITE", Section: "draft-ietf-secsh-filexfer-02 §6.4", From: wire.FromClient, New: wire.New[write]},
	wire.Entry{Number: 1, Name: "ODDS", Section: "none", New: wire.New[odds]},
	wire.Entry{Number: 1, Context: "other", Name: "OTHER_ODDS", Section: "none", New: func() wire.Message { return &other{} }},
)

// other is known by its entry and not by its type.
type other struct{ write }

func (*other) WireEntry() *wire.Entry { return messages.Find("other", 1) }

var suite = wiretest.Suite{
	Registry: messages,
	Dialects: []wire.Dialect{{}, {3}, {4}, {6}, {caps41}, {capsTransactions}, {caps41 | capsTrack}},
	Words:    []string{"publickey", "password", "none"},
}

func TestMessages(t *testing.T) { wiretest.Check(t, suite) }

func FuzzMessages(f *testing.F) { wiretest.Fuzz(f, suite) }

func TestGoldens(t *testing.T) {
	gold := func(d wire.Dialect, m wire.Message, layout string) {
		t.Helper()
		wiretest.Golden(t, messages, d, m, layout)
	}
	gold(wire.Dialect{}, &authRequest{User: "me", Service: "ssh-connection", Method: "password", Password: "p"}, `
		32
		00000002 "me"
		0000000e "ssh-connection"
		00000008 "password"
		00000001 "p"
	`)
	m := &nameReply{ID: 7, Names: []nameEntry{{Name: "a", Flags: attrSize, Size: 9, Type: 1}}}
	gold(wire.Dialect{4}, m, `
		68 00000007
		00000001                   # one name
		00000001 "a"
		00000001 01                # flags, type
		0000000000000009           # size
	`)
	m.Names[0].Type, m.Names[0].Long = 0, "-rw"
	gold(wire.Dialect{3}, m, `68 00000007 00000001 00000001 "a" 00000003 "-rw" 00000001 0000000000000009`)
	gold(wire.Dialect{caps41}, &okReply{AffectedRows: 300, Status: 2, Info: "done"}, `
		00
		fc 2c01                    # affected rows
		00
		0200 0000                  # status, warnings: little-endian
		"done"
	`)
}

// The header of a real packet (RFC 1071's arithmetic on it is well known).
func TestComputedFields(t *testing.T) {
	m := &ipHeader{Version: 4, Words: 5, DontFragment: true, TTL: 64, Protocol: 17, Source: [4]byte{192, 168, 0, 1}, Dest: [4]byte{192, 168, 0, 199}, payload: 95}
	want := wiretest.Hex("4500 0073 0000 4000 4011 b861 c0a80001 c0a800c7")
	b, err := wire.Append(nil, m, wire.Dialect{})
	if err != nil || string(b) != string(want) {
		t.Fatalf("Append = %x, %v\nwant %x", b, err, want)
	}
	fields, err := wire.Describe(b, new(ipHeader), wire.Dialect{})
	if f := wire.Find(fields, "checksum_good"); err != nil || f == nil || f.Value != true || !f.Is(wire.Derived) {
		t.Errorf("Describe does not find the checksum good: %+v, %v", f, err)
	}
	if f := wire.Find(fields, "fragment_offset"); f == nil || f.Off != 51 || f.Bits != 13 {
		t.Errorf("fragment_offset = %+v, want 13 bits from 51 on", f)
	}
	// Wrong values on purpose, zero among them.
	m.Checksum, m.Length = wire.Set[uint16](0), wire.Set[uint16](1)
	copy(want[2:], []byte{0, 1})
	copy(want[10:], []byte{0, 0})
	if b, err = wire.Append(nil, m, wire.Dialect{}); err != nil || string(b) != string(want) {
		t.Errorf("Append with fixed values = %x, %v\nwant %x", b, err, want)
	}
	m.Length, m.payload = wire.Auto[uint16]{}, 1<<16
	var e *wire.Error
	if _, err = wire.Append(nil, m, wire.Dialect{}); !errors.As(err, &e) || e.Field != "total_length" || !errors.Is(err, wire.ErrRange) {
		t.Errorf("a length beyond its field: %v", err)
	}
}
